"""HTTP/1.1 to a service on this machine's own socket: the Docker Engine's API and Firecracker's.

One connection for each request, and every answer bounded; both services are trusted to be slow, not to be small.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from forgewright.core.errors import SandboxError

BODY_BYTES_MAX = 64 << 20
_HEAD_BYTES_MAX = 64 << 10


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        try:
            return msgspec.json.decode(self.body) if self.body else None
        except msgspec.DecodeError as error:
            raise SandboxError(f"an answer that is no JSON: {self.body[:200]!r}") from error

    def message(self) -> str:
        """What the service says went wrong: Docker's `message`, Firecracker's `fault_message`."""
        try:
            told = msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return self.body[:500].decode(errors="replace").strip()
        if isinstance(told, dict):
            return str(told.get("message") or told.get("fault_message") or told)
        return str(told)


class UnixHttp:
    """Raises `SandboxError` where the service cannot be reached, breaks off, or takes too long."""

    def __init__(self, path: str, *, service: str, seconds: float = 30.0) -> None:
        self.path = path
        self._service = service
        self._seconds = seconds

    async def request(
        self,
        method: str,
        target: str,
        *,
        query: Mapping[str, str] | None = None,
        json: object = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        seconds: float | None = None,
    ) -> Answer:
        reader, writer = await self._connect()
        try:
            async with asyncio.timeout(seconds or self._seconds):
                data = msgspec.json.encode(json) if json is not None else body
                writer.write(_head(method, target, query, data, content_type) + (data or b""))
                await writer.drain()
                status, headers = await _read_head(reader)
                return Answer(status, await _read_body(reader, method, status, headers))
        except TimeoutError:
            raise SandboxError(f"{self._service} did not answer {method} {target} in time") from None
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            raise SandboxError(f"{self._service} broke off at {method} {target}: {error}") from error
        finally:
            writer.close()

    async def call(self, method: str, target: str, **options: Any) -> Any:
        """As `request`; the decoded answer. Raises `SandboxError` with the service's own words."""
        answer = await self.request(method, target, **options)
        if not answer.ok:
            raise SandboxError(f"{self._service} refused {method} {target}: {answer.message()}")
        return answer.json()

    async def upgrade(self, target: str, *, query: Mapping[str, str]) -> tuple[bytes, socket.socket]:
        """A request that turns its connection into a stream of bytes both ways (Docker's attach).

        What came along with the answer, and the socket, which is the caller's to close.
        """
        loop = asyncio.get_running_loop()
        connection = socket.socket(socket.AF_UNIX)
        connection.setblocking(False)
        data = b""
        try:
            async with asyncio.timeout(self._seconds):
                await loop.sock_connect(connection, self.path)
                head = _head("POST", target, query, None, "", more="Connection: Upgrade\r\nUpgrade: tcp\r\n")
                await loop.sock_sendall(connection, head)
                while b"\r\n\r\n" not in data:
                    more = await loop.sock_recv(connection, 65536)
                    if not more or len(data) > _HEAD_BYTES_MAX:
                        raise ConnectionError("the connection ended")
                    data += more
        except (TimeoutError, OSError) as error:
            connection.close()
            raise SandboxError(f"{self._service} broke off at {target}: {error}") from error
        head, _, rest = data.partition(b"\r\n\r\n")
        if head.split(b" ", 2)[1] not in (b"101", b"200"):
            connection.close()
            raise SandboxError(f"{self._service} refused {target}: {rest[:500].decode(errors='replace')}")
        return rest, connection

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await asyncio.open_unix_connection(self.path, limit=_HEAD_BYTES_MAX)
        except OSError as error:
            raise SandboxError(f"{self._service} does not answer on {self.path}: {error.strerror}") from error


def _head(
    method: str,
    target: str,
    query: Mapping[str, str] | None,
    data: bytes | None,
    content_type: str,
    *,
    more: str = "",
) -> bytes:
    url = f"{target}?{urlencode(query)}" if query else target
    lines = f"{method} {url} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n{more}"
    if data is not None:
        lines += f"Content-Type: {content_type}\r\nContent-Length: {len(data)}\r\n"
    elif method in ("POST", "PUT", "PATCH"):
        lines += "Content-Length: 0\r\n"
    return lines.encode() + b"\r\n"


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, _, rest = text.partition("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1."):
        raise ValueError(f"no HTTP answer: {first[:100]!r}")
    pairs = (line.partition(":") for line in rest.split("\r\n") if line)
    return int(words[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _read_body(
    reader: asyncio.StreamReader, method: str, status: int, headers: Mapping[str, str]
) -> bytes:
    if method == "HEAD" or status in (204, 304) or status < 200:
        return b""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        out = bytearray()
        while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
            if len(out) + size > BODY_BYTES_MAX:
                raise ValueError(f"an answer of more than {BODY_BYTES_MAX} bytes")
            out += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
        return bytes(out)
    if "content-length" in headers:
        length = int(headers["content-length"])
        if length > BODY_BYTES_MAX:
            raise ValueError(f"an answer of {length} bytes, at most {BODY_BYTES_MAX}")
        return await reader.readexactly(length)
    return await reader.read(BODY_BYTES_MAX)
