"""The kernel as an ELF file, for monitors that do not unpack a bzImage themselves (Firecracker's boot protocol).

The payload's place is said in the header (Linux, Documentation/arch/x86/boot.rst, `payload_offset`).
"""

from __future__ import annotations

import bz2
import lzma
import os
import struct
import zlib
from hashlib import sha256
from pathlib import Path

from forgewright.core.errors import Unavailable

_SETUP_SECTORS, _PAYLOAD = 0x1F1, 0x248
_BYTES_MAX = 512 << 20


def uncompressed(image: Path, cache: Path) -> Path:
    """`image` itself where it is an ELF file already; else its payload, unpacked once into `cache`.

    Raises `Unavailable` for a packing that is not known here.
    """
    data = image.read_bytes()
    if data[:4] == b"\x7fELF":
        return image
    kept = cache / f"vmlinux-{sha256(data).hexdigest()[:16]}"
    if not kept.exists():
        if data[0x202:0x206] != b"HdrS":
            raise Unavailable(f"{image} is no Linux kernel", hint="give the path of a bzImage or vmlinux")
        offset, length = struct.unpack_from("<II", data, _PAYLOAD)
        start = ((data[_SETUP_SECTORS] or 4) + 1) * 512 + offset
        unpacked = _unpack(data[start : start + length], image)
        if unpacked[:4] != b"\x7fELF":
            raise Unavailable(f"{image} holds no ELF kernel")
        unfinished = kept.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(unpacked)
        unfinished.chmod(0o644)
        unfinished.rename(kept)
    return kept


def _unpack(payload: bytes, image: Path) -> bytes:
    if payload[:6] == b"\xfd7zXZ\0":
        return lzma.LZMADecompressor().decompress(payload, _BYTES_MAX)
    if payload[:2] == b"\x1f\x8b":
        return zlib.decompressobj(wbits=31).decompress(payload, _BYTES_MAX)
    if payload[:3] == b"BZh":
        return bz2.BZ2Decompressor().decompress(payload, _BYTES_MAX)
    if payload[:4] == b"\x02\x21\x4c\x18":
        return _lz4_legacy(payload)
    raise Unavailable(
        f"the kernel {image} is packed in a way that is not known here ({payload[:4].hex()})",
        hint="unpack it (linux: scripts/extract-vmlinux) and set FORGEWRIGHT_KERNEL_IMAGE to the result",
    )


def _lz4_legacy(payload: bytes) -> bytes:
    """Blocks of at most 8 MiB, each after its length (lz4, doc/lz4_Frame_format.md, "Legacy frame")."""
    out, at = bytearray(), 4
    while at + 4 <= len(payload) and len(out) < _BYTES_MAX:
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
