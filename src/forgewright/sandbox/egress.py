"""The way out of a sandbox: an HTTP proxy that lives on the host, one for each sandbox.

No sandbox has a network card. A program inside speaks to a relay on its own loopback (HTTPS_PROXY);
the agent passes the bytes here as streams of the control channel. Here stands the allowlist; here names are
resolved, once, and the address that was checked is the address that is connected to.

Rules: RFC 9110 §9.3.6 (CONNECT), RFC 9112 §3.2.2 (absolute form) and §6 (message bodies), RFC 6066 §3 (SNI).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from forgewright.core.errors import UsageError
from forgewright.sandbox.protocol import Stream

PORT = 3128
HEAD_BYTES_MAX = 16 << 10
CONNECTIONS_MAX = 64
CONNECT_SECONDS = 15.0
IDLE_SECONDS = 300.0
_BODY_BYTES_MAX = 1 << 30

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Connection(msgspec.Struct, frozen=True):
    """One attempt to get out, as it is recorded."""

    host: str
    port: int
    allowed: bool
    reason: str
    """Why not, or the address that was connected to."""
    sent_bytes: int = 0
    received_bytes: int = 0


class Denied(Exception):  # never leaves this module
    pass


class Rule(msgspec.Struct, frozen=True):
    host: str
    """A name, `*.` and a name for what is below it, or a literal address."""
    port: int

    @classmethod
    def parse(cls, text: str) -> Rule:
        host, colon, port = text.rpartition(":")
        host = host.strip("[]").lower().rstrip(".")
        if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536 or host == "*":
            raise UsageError(
                f"network rule {text!r}: expected host:port", hint="for example packages.example:443"
            )
        return cls(host, int(port))

    def covers(self, host: str, port: int) -> bool:
        if port != self.port:
            return False
        if host == self.host:
            return True
        below = self.host.startswith("*.") and host.endswith(self.host[1:])
        return below and any(letter.isalpha() for letter in host.rpartition(".")[2])  # a name, no address


class Egress:
    """The proxy of one sandbox. `connections` keeps the last ones; `on_connection` is told of each."""

    def __init__(
        self, allow: Sequence[str], on_connection: Callable[[Connection], None] | None = None
    ) -> None:
        self._rules = tuple(Rule.parse(text) for text in allow)
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections: deque[Connection] = deque(maxlen=1000)
        self.on_connection = on_connection

    def accept(self, stream: Stream) -> None:
        if len(self._tasks) >= CONNECTIONS_MAX:
            stream.close()
            return
        task = asyncio.ensure_future(self._serve(stream))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _serve(self, stream: Stream) -> None:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                head = await stream.readuntil(b"\r\n\r\n")
            await self._request(stream, head)
        except (
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            ConnectionError,
            TimeoutError,
            OSError,
        ):
            pass
        finally:
            stream.close()

    async def _request(self, stream: Stream, head: bytes) -> None:
        host, port = "", 0
        try:
            method, host, port, rest = _parse(head)
            rule = self._rule(host, port)
            address = await self._resolve(host, port, rule)
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(str(address), port)
        except (Denied, OSError, TimeoutError) as error:
            reason = str(error) or "no answer"
            self._record(Connection(host, port, False, reason))
            status = "403 Forbidden" if isinstance(error, Denied) else "502 Bad Gateway"
            body = f"forgewright: {host}:{port}: {reason}\n".encode()
            text = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            await stream.write(text + body)
            stream.write_eof()
            return
        counts = [0, 0]
        reason = str(address)
        try:
            if method == "CONNECT":
                await stream.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                first = await _client_hello(stream, host)
            else:
                first = rest
            await _tunnel(
                stream, reader, writer, first, counts, length=None if method == "CONNECT" else _length(head)
            )
        except Denied as error:
            reason = str(error)
        finally:
            writer.close()
            self._record(Connection(host, port, reason == str(address), reason, *counts))

    def _rule(self, host: str, port: int) -> Rule:
        for rule in self._rules:
            if rule.covers(host, port):
                return rule
        raise Denied("not among the hosts and ports that this sandbox may reach")

    async def _resolve(self, host: str, port: int, rule: Rule) -> Address:
        """The one address that is checked and connected to. Only what is named outright may be private."""
        try:
            literal = ipaddress.ip_address(host)
        except ValueError:
            pass
        else:
            return literal
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_SECONDS):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
        for address in addresses:
            if not is_public(address) and not (rule.host == "localhost" and address.is_loopback):
                raise Denied(f"it resolves to {address}, which is no public address")
        return addresses[0]

    def _record(self, connection: Connection) -> None:
        self.connections.append(connection)
        if self.on_connection is not None:
            self.on_connection(connection)


def is_public(address: Address) -> bool:
    """No loopback, private, link-local (cloud metadata), multicast or reserved address, however written."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is not None:
            return is_public(inner)
        if address in ipaddress.ip_network("64:ff9b::/96"):  # NAT64: the last 32 bits are an IPv4 address
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return address.is_global and not address.is_multicast


def _parse(head: bytes) -> tuple[str, str, int, bytes]:
    """(method, host, port, request to send on) of a request to a proxy."""
    if len(head) > HEAD_BYTES_MAX:
        raise Denied("the request is too long")
    try:
        lines = head.decode("ascii").split("\r\n")
        method, target, version = lines[0].split(" ")
    except ValueError:
        raise Denied("malformed request") from None
    if version not in ("HTTP/1.1", "HTTP/1.0"):
        raise Denied("malformed request")
    if method == "CONNECT":
        host, colon, port = target.rpartition(":")
        if not colon or not port.isdigit():
            raise Denied("malformed target")
        return method, _name(host), int(port), b""
    if not target.startswith("http://"):
        raise Denied("expected CONNECT or http://")
    authority, slash, path = target[7:].partition("/")
    host, colon, port = authority.rpartition(":") if not authority.endswith("]") else (authority, "", "")
    host, port = (host, port) if colon else (authority, "80")
    if not port.isdigit() or "@" in authority:
        raise Denied("malformed target")
    kept = []
    for line in lines[1:-2]:
        name = line.partition(":")[0].strip().lower()
        if not name or line[0] in " \t" or name != line.partition(":")[0].lower():
            raise Denied("malformed header")
        if name == "transfer-encoding":
            raise Denied("a body without a length")
        if name == "host" and _name(
            line.partition(":")[2].strip().rpartition(":")[0] or line.partition(":")[2]
        ) != _name(host):
            raise Denied(f"the Host header is not {host}")
        if name not in ("connection", "proxy-connection", "proxy-authorization", "keep-alive", "upgrade"):
            kept.append(line)
    request = "\r\n".join([f"{method} {slash or '/'}{path} HTTP/1.1", *kept, "Connection: close", "", ""])
    return method, _name(host), int(port), request.encode("ascii")


def _name(host: str) -> str:
    return host.strip().strip("[]").lower().rstrip(".")


def _length(head: bytes) -> int:
    """Bytes of the request's body: one request for each connection, and not a byte more."""
    lengths = {
        line.partition(b":")[2].strip()
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    }
    if not lengths:
        return 0
    if len(lengths) > 1 or not (value := lengths.pop()).isdigit() or int(value) > _BODY_BYTES_MAX:
        raise Denied("malformed Content-Length")
    return int(value)


async def _client_hello(stream: Stream, host: str) -> bytes:
    """What the program sends first; a TLS greeting for another name than it asked for is refused."""
    first = await stream.read(5)
    if len(first) < 5 or first[0] != 22:
        return first
    length = int.from_bytes(first[3:5])
    if length > HEAD_BYTES_MAX:
        raise Denied("a TLS greeting that is too long")
    body = await stream.readexactly(length)
    name = server_name(body)
    if name is not None and _name(name) != host:
        raise Denied(f"TLS names {name}, not {host}")
    return first + body


def server_name(handshake: bytes) -> str | None:
    """The server name of a ClientHello (RFC 8446 §4.1.2, RFC 6066 §3); None where it has none."""
    try:
        at = 4 + 2 + 32
        at += 1 + handshake[at]
        at += 2 + int.from_bytes(handshake[at : at + 2])
        at += 1 + handshake[at]
        end = at + 2 + int.from_bytes(handshake[at : at + 2])
        at += 2
        while at + 4 <= min(end, len(handshake)):
            kind, length = int.from_bytes(handshake[at : at + 2]), int.from_bytes(handshake[at + 2 : at + 4])
            if kind == 0:
                size = int.from_bytes(handshake[at + 7 : at + 9])
                return handshake[at + 9 : at + 9 + size].decode("ascii")
            at += 4 + length
    except (IndexError, UnicodeDecodeError):
        raise Denied("a TLS greeting that cannot be read") from None
    return None


async def _tunnel(
    stream: Stream,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    first: bytes,
    counts: list[int],
    *,
    length: int | None,
) -> None:
    """Bytes both ways until both ends are done; `length` bounds what is sent after `first`."""

    async def up() -> None:
        data, left = first, length
        while data:
            writer.write(data)
            await writer.drain()
            counts[0] += len(data)
            want = 65536 if left is None else min(65536, left)
            data = await stream.read(want) if want else b""
            left = None if left is None else left - len(data)
        if length is None and writer.can_write_eof():
            writer.write_eof()

    async def down() -> None:
        while data := await reader.read(65536):
            counts[1] += len(data)
            await stream.write(data)
        stream.write_eof()

    sending = asyncio.ensure_future(up())
    try:
        await down()
        if length is None:
            await asyncio.wait((sending,), timeout=IDLE_SECONDS)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
