"""Bodies of HTTP requests on their way through the proxy: read strictly, and framed anew.

What a program frames in one way and its server could read in another would be a second request that nobody decided
about. So a chunked body is taken apart here and put together again (RFC 9112 §7.1): without extensions and trailers,
which nobody needs (§7.1.1, §7.1.2), and whatever comes behind it goes nowhere.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Protocol

from forgewright.sandbox.http_head import BODY_BYTES_MAX, Denied, Head

_LINE_BYTES_MAX = 256
_TRAILERS_MAX = 32
_PIECE = 65536
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t]*;[^\x00-\x08\x0a-\x1f\x7f]*)?")
_TRAILER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00-\x08\x0a-\x1f\x7f]*")


class Source(Protocol):
    async def read(self, n: int) -> bytes: ...
    async def readuntil(self, end: bytes) -> bytes: ...
    async def readexactly(self, n: int) -> bytes: ...


async def body_of(request: Head, source: Source) -> AsyncIterator[bytes]:
    """The bytes to send on after the head of `request`. Raises `Denied` for a body that can be read in two ways, and
    `asyncio.IncompleteReadError` for one that ends in the middle."""
    if request.framing == "chunked":
        async for data in _chunks(source):
            yield data
        return
    left = request.length
    while left and (data := await source.read(min(left, _PIECE))):
        left -= len(data)
        yield data


async def _chunks(source: Source) -> AsyncIterator[bytes]:
    total = 0
    while size := await _size(source):
        total += size
        if total > BODY_BYTES_MAX:
            raise Denied(f"a body of more than {BODY_BYTES_MAX} bytes")
        while size:
            data = await source.read(min(size, _PIECE))
            if not data:
                raise asyncio.IncompleteReadError(b"", size)
            size -= len(data)
            yield b"%x\r\n%b\r\n" % (len(data), data)
        if await source.readexactly(2) != b"\r\n":
            raise Denied("a chunk that is longer than it says")
    for _ in range(_TRAILERS_MAX):
        line = await _line(source)
        if not line:
            yield b"0\r\n\r\n"
            return
        if not _TRAILER.fullmatch(line):
            raise Denied("a malformed trailer")
    raise Denied("too many trailers")


async def _size(source: Source) -> int:
    match = _SIZE.fullmatch(await _line(source))
    if match is None:
        raise Denied("a malformed chunk size")
    return int(match[1], 16)


async def _line(source: Source) -> bytes:
    try:
        line = await source.readuntil(b"\r\n")
    except asyncio.LimitOverrunError:
        raise Denied("a chunk size or trailer that is too long") from None
    if len(line) > _LINE_BYTES_MAX:
        raise Denied("a chunk size or trailer that is too long")
    return line[:-2]
