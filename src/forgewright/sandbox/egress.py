"""The way out of a sandbox: an HTTP proxy that lives on the host, one for each sandbox.

No sandbox has a network card. A program inside speaks to a relay on its own loopback (HTTPS_PROXY);
the agent passes the bytes here as streams of the control channel. Here stands the allowlist; here names are
resolved, once for each connection, and the address that was checked is the address that is connected to.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

from forgewright.core.errors import UsageError
from forgewright.sandbox import http_head
from forgewright.sandbox.addresses import Address, is_public
from forgewright.sandbox.credentials import Interception, Secrets
from forgewright.sandbox.http_body import body_of
from forgewright.sandbox.http_head import HEAD_BYTES_MAX, Denied, Head, name_of, server_name
from forgewright.sandbox.streams import Stream
from forgewright.sandbox.types import Connection, Network, OnConnection

PORT = 3128
TLS_PORT = 3129
"""Of the proxy too, for who has no TLS: what is said there is plain, and goes on over a TLS of the engine's own."""

CONNECTIONS_MAX = 64
CONNECT_SECONDS = 15.0
IDLE_SECONDS = 300.0
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
ADDRESSES_MAX = 4
"""Addresses of one name that are tried, one after the other."""


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


class Forward(msgspec.Struct, frozen=True):
    """A port inside that leads to one host outside, for protocols that know no proxy."""

    inside: int
    rule: Rule

    @classmethod
    def parse(cls, text: str) -> Forward:
        inside, equals, rest = text.partition("=")
        rule = Rule.parse(rest if equals else text)
        if rule.host.startswith("*.") or (equals and not (inside.isdigit() and 0 < int(inside) < 65536)):
            raise UsageError(f"forward {text!r}: expected host:port or PORT=host:port")
        port = int(inside) if equals else rule.port
        if port == PORT:
            raise UsageError(
                f"forward {text!r}: port {PORT} inside is the proxy's", hint="give another: PORT=host:port"
            )
        return cls(port, rule)


Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class Inward(Protocol):
    """What a program inside is spoken to by: a stream of the channel, as it is or decrypted."""

    async def read(self, n: int) -> bytes: ...
    async def readuntil(self, end: bytes) -> bytes: ...
    async def readexactly(self, n: int) -> bytes: ...
    async def write(self, data: bytes) -> None: ...
    def write_eof(self) -> None: ...
    def close(self) -> None: ...


async def resolve_here(host: str, port: int) -> Sequence[str]:
    """The addresses that this machine's resolver has for a name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Egress:
    """The proxy of one sandbox. `connections` keeps the last ones.

    `on_connection` is told of each attempt before its first byte goes out, and again when an allowed one has ended; what it
    raises ends the connection: nothing goes out that could not be recorded.
    """

    def __init__(
        self, network: Network, *, resolve: Resolve = resolve_here, secrets: Secrets | None = None,
        on_connection: OnConnection | None = None,
    ) -> None:  # fmt: skip
        self._rules = tuple(Rule.parse(text) for text in network.allow)
        self.forwards = {forward.inside: forward.rule for forward in map(Forward.parse, network.forward)}
        self.resolve = resolve
        self.interception = (
            Interception(network.credentials, secrets or Secrets()) if network.credentials else None
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections: deque[Connection] = deque(maxlen=1000)
        self.on_connection = on_connection

    def accept(self, stream: Stream) -> None:
        if len(self._tasks) >= CONNECTIONS_MAX:
            stream.close()
            return
        task = asyncio.ensure_future(self._serve(stream))
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # of a record that could not be written: whoever writes the next one is told too

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def drain(self) -> None:
        """Returns when no connection is under way any more; those that are left are ended."""
        self.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, stream: Stream) -> None:
        try:
            rule = self.forwards.get(stream.port)
            if rule is not None:
                await self._forward(stream, rule)
                return
            async with asyncio.timeout(IDLE_SECONDS):
                head = await stream.readuntil(b"\r\n\r\n")
            await self._request(stream, head, plain=stream.port == TLS_PORT)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, OSError):
            pass
        finally:
            stream.close()

    async def _forward(self, stream: Stream, rule: Rule) -> None:
        try:
            reader, writer, address = await self._connect(rule.host, rule.port, rule)
        except (Denied, OSError, TimeoutError) as error:
            await self._record(Connection(rule.host, rule.port, False, str(error) or "no answer"))
            return
        await self._carry(stream, reader, writer, Connection(rule.host, rule.port, True, str(address)), None)

    async def _request(self, stream: Stream, head: bytes, *, plain: bool = False) -> None:
        """`plain`: the tunnel that is asked for is to have a TLS of the engine's own."""
        host, port = "", 0
        try:
            request = http_head.proxy_request(head)
            host, port = request.host, request.port
            rule = self._rule(host, port)
            header = self.interception.header(request) if self.interception else None
            if plain and request.method != "CONNECT":
                raise Denied("expected CONNECT")
            if header is not None and request.method == "CONNECT":
                await self._intercept(stream, request, rule, header, plain=plain)
                return
            reader, writer, address = await self._connect(host, port, rule, tls=plain)
        except (Denied, OSError, TimeoutError) as error:
            await self._refuse(stream, host, port, error)
            return
        connection = Connection(host, port, True, str(address))
        if request.method == "CONNECT":
            await self._carry(stream, reader, writer, connection, None, greeting=not plain, established=True)
        else:
            added = (header,) if header is not None else ()
            await self._carry(stream, reader, writer, connection, request, added=added)

    async def _intercept(
        self, stream: Stream, request: Head, rule: Rule, header: tuple[str, str], *, plain: bool
    ) -> None:
        """Ends the program's TLS here (`plain`: it has none), and sends its one request on with the header."""
        assert self.interception is not None
        await stream.write(_ESTABLISHED)
        if plain:
            await self._origin(stream, request, rule, header)
            return
        async with self.interception.decrypt(stream, request.host) as decrypted:
            await self._origin(decrypted, request, rule, header)

    async def _origin(self, inward: Inward, request: Head, rule: Rule, header: tuple[str, str]) -> None:
        """Adds the header to one request, and sends it on by a TLS of the engine's own."""
        host, port = request.host, request.port
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                inner = http_head.origin_request(await inward.readuntil(b"\r\n\r\n"), host, port)
            reader, writer, address = await self._connect(host, port, rule, tls=True)
        except (Denied, OSError, TimeoutError) as error:
            await self._refuse(inward, host, port, error)
            return
        await self._carry(
            inward, reader, writer, Connection(host, port, True, str(address)), inner, added=(header,)
        )

    async def _refuse(self, stream: Inward, host: str, port: int, error: Exception) -> None:
        reason = str(error) or "no answer"
        await self._record(Connection(host, port, False, reason))
        status = "403 Forbidden" if isinstance(error, Denied) else "502 Bad Gateway"
        await _answer(stream, status, f"{host}:{port}: {reason}")

    async def _carry(
        self, stream: Inward, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: Connection,
        request: Head | None, *, added: tuple[tuple[str, str], ...] = (), greeting: bool = False, established: bool = False,
    ) -> None:  # fmt: skip
        counts, reason = [0, 0], connection.reason
        try:
            await self._record(msgspec.structs.replace(connection, phase="opened"))
            if established:
                await stream.write(_ESTABLISHED)
            first = request.encode(added) if request is not None else b""
            watch = self.interception.leaks(added) if self.interception and added else None
            await _tunnel(
                stream, reader, writer, first, counts, request, connection.host if greeting else None, watch
            )
        except Denied as error:
            reason = str(error)
            if request is not None and not counts[1]:
                await _answer(stream, "400 Bad Request", f"{connection.host}:{connection.port}: {reason}")
        finally:
            writer.close()
            ended = msgspec.structs.replace(
                connection, allowed=reason == connection.reason, reason=reason,
                sent_bytes=counts[0], received_bytes=counts[1], phase="closed",
            )  # fmt: skip
            await self._record(ended)

    def _rule(self, host: str, port: int) -> Rule:
        for rule in self._rules:
            if rule.covers(host, port):
                return rule
        raise Denied("not among the hosts and ports that this sandbox may reach")

    async def _connect(
        self, host: str, port: int, rule: Rule, *, tls: bool = False
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, Address]:
        """Connects to the first address that answers, of those that were checked: no name is resolved again."""
        addresses = await self._checked(host, port, rule)
        context = ssl.create_default_context() if tls else None
        failure: Exception = Denied("it has no address")
        for address in addresses[:ADDRESSES_MAX]:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    reader, writer = await asyncio.open_connection(
                        str(address), port, ssl=context, server_hostname=host if context else None
                    )
            except (OSError, TimeoutError) as error:
                failure = error
            else:
                return reader, writer, address
        raise failure

    async def _checked(self, host: str, port: int, rule: Rule) -> list[Address]:
        """The addresses of `host`, all of which have to be public. Only what is named outright may be private."""
        try:
            return [ipaddress.ip_address(host)]
        except ValueError:
            pass
        async with asyncio.timeout(CONNECT_SECONDS):
            found = [ipaddress.ip_address(text) for text in await self.resolve(host, port)]
        for address in found:
            if not is_public(address) and not (rule.host == "localhost" and address.is_loopback):
                raise Denied(f"it resolves to {address}, which is no public address")
        return found

    async def _record(self, connection: Connection) -> None:
        if connection.phase != "opened":
            self.connections.append(connection)
        if self.on_connection is not None:
            await self.on_connection(connection)


async def _client_hello(stream: Inward, host: str) -> bytes:
    """What the program sends first; a TLS greeting for another name than it asked for is refused."""
    first = await stream.read(1)
    if first != b"\x16":  # no TLS (RFC 8446 §5.1)
        return first
    first += await stream.readexactly(4)
    length = int.from_bytes(first[3:5])
    if length > HEAD_BYTES_MAX:
        raise Denied("a TLS greeting that is too long")
    body = await stream.readexactly(length)
    name = server_name(body)
    if name is not None and name_of(name) != host:
        raise Denied(f"TLS names {name}, not {host}")
    return first + body


async def _answer(stream: Inward, status: str, text: str) -> None:
    body = f"forgewright: {text}\n".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
    await stream.write(head + body)
    stream.write_eof()


async def _tunnel(
    stream: Inward, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes, counts: list[int],
    request: Head | None, greeting: str | None, watch: Callable[[bytes], None] | None,
) -> None:  # fmt: skip
    """Bytes both ways until both ends are done; of a `request` its head, which is `first`, and its body, and no more.

    `greeting`: the name that a TLS greeting has to be for. `watch` raises `Denied` for what may not come in.
    """

    async def send(data: bytes) -> None:
        writer.write(data)
        await writer.drain()
        counts[0] += len(data)

    async def up() -> None:
        if request is not None:
            await send(first)
            async for data in body_of(request, stream):
                await send(data)
            return
        data = await _client_hello(stream, greeting) if greeting is not None else await stream.read(65536)
        while data:
            await send(data)
            data = await stream.read(65536)
        if writer.can_write_eof():
            writer.write_eof()

    async def down() -> None:
        while data := await reader.read(65536):
            counts[1] += len(data)
            if watch is not None:
                watch(data)
            await stream.write(data)
        stream.write_eof()

    sending, receiving = asyncio.ensure_future(up()), asyncio.ensure_future(down())
    try:
        await asyncio.wait((sending, receiving), return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()  # a greeting or a body that is refused ends both
        await receiving
        if request is None:
            await asyncio.wait((sending,), timeout=IDLE_SECONDS)
    finally:
        for task in (sending, receiving):
            task.cancel()
        await asyncio.gather(sending, receiving, return_exceptions=True)
