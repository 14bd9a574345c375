"""Bytes that a distribution packed: kernels and their modules come in any of five ways."""

from __future__ import annotations

import bz2
import lzma
import struct
import subprocess
import zlib

from forgewright.core.errors import MissingProgram, SandboxError

BYTES_MAX = 512 << 20
_XZ, _GZIP, _BZIP2, _LZ4, _ZSTD = b"\xfd7zXZ\0", b"\x1f\x8b", b"BZh", b"\x02\x21\x4c\x18", b"\x28\xb5\x2f\xfd"


def unpack(data: bytes, what: str) -> bytes | None:
    """What is packed in `data`, told by its first bytes; None where they are of no way known here.

    `what` is named in errors. Raises `MissingProgram` (zstd is unpacked by its program) and `SandboxError` where the
    data is broken or more than `BYTES_MAX`.
    """
    try:
        if data.startswith(_XZ):
            unpacked = lzma.LZMADecompressor().decompress(data, BYTES_MAX)
        elif data.startswith(_GZIP):
            unpacked = zlib.decompressobj(wbits=31).decompress(data, BYTES_MAX)
        elif data.startswith(_BZIP2):
            unpacked = bz2.BZ2Decompressor().decompress(data, BYTES_MAX)
        elif data.startswith(_LZ4):
            unpacked = _lz4_legacy(data)
        elif data.startswith(_ZSTD):
            unpacked = _zstd(data, what)
        else:
            return None
    except (lzma.LZMAError, zlib.error, OSError, IndexError, struct.error) as error:
        raise SandboxError(f"{what} cannot be unpacked: {error}") from None
    if len(unpacked) >= BYTES_MAX:
        raise SandboxError(f"{what} holds more than {BYTES_MAX} bytes")
    return unpacked


def _zstd(data: bytes, what: str) -> bytes:
    try:
        done = subprocess.run(["zstd", "-dc"], input=data, capture_output=True, check=False)
    except FileNotFoundError:
        raise MissingProgram("zstd", needed_for=f"unpacking {what}", install="apt-get install zstd") from None
    if done.returncode and not done.stdout:  # a kernel has its unpacked size behind it, which is no frame
        raise SandboxError(f"{what} cannot be unpacked: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def _lz4_legacy(payload: bytes) -> bytes:
    """Blocks of at most 8 MiB, each after its length (lz4, doc/lz4_Frame_format.md, "Legacy frame")."""
    out, at = bytearray(), 4
    while at + 4 <= len(payload) and len(out) < BYTES_MAX:
        (length,) = struct.unpack_from("<I", payload, at)
        if not length or length > len(payload) - at - 4:
            break  # the kernel appends its unpacked size, which is no block
        out += _lz4_block(payload[at + 4 : at + 4 + length])
        at += 4 + length
    return bytes(out)


def _lz4_block(source: bytes) -> bytearray:
    """lz4, doc/lz4_Block_format.md."""
    out, at, end = bytearray(), 0, len(source)
    while at < end:
        token = source[at]
        literals, at = _length(source, at + 1, token >> 4)
        out += source[at : at + literals]
        at += literals
        if at >= end:
            break
        distance = source[at] | source[at + 1] << 8
        match, at = _length(source, at + 2, token & 15)
        match += 4
        start = len(out) - distance
        if distance >= match:
            out += out[start : start + match]
        else:
            pattern = bytes(out[start:])
            out += (pattern * (match // distance + 1))[:match]
    return out


def _length(source: bytes, at: int, first: int) -> tuple[int, int]:
    total = first
    if first == 15:
        while True:
            more = source[at]
            at += 1
            total += more
            if more != 255:
                break
    return total, at
