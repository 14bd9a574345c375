"""A model server for tests: real sockets, the three wire formats, plain and SSE, and every kind of fault.

It is handed a script of steps and does one per request. A step is a coroutine function of the exchange;
`answer` makes one that gives a `Response` in whatever dialect was asked, the others misbehave.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.models.dialects import EVENTS, WHOLE

from forgewright.models.types import Response


@dataclass
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def dialect(self) -> str:
        return next(name for name in WHOLE if self.path.endswith(name))

    @property
    def streams(self) -> bool:
        return bool(self.json.get("stream"))


@dataclass
class Exchange:
    asked: Asked
    writer: asyncio.StreamWriter
    server: ModelServer
    keep: bool = True

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def cut(self) -> None:
        """Closes in the middle, as a crashing server does."""
        self.keep = False
        self.writer.close()

    def reset(self) -> None:
        self.keep = False
        import socket
        import struct

        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Step = Callable[[Exchange], Awaitable[None]]


@dataclass
class ModelServer:
    """`async with ModelServer([answer(…), status(429)]) as server: … server.url`."""

    script: Iterable[Step] = ()
    tls: ssl.SSLContext | None = None
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    release: asyncio.Event = field(default_factory=asyncio.Event)
    """What `hang` waits for."""
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a `hang` began."""
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever a connection ended."""

    async def __aenter__(self) -> ModelServer:
        self._steps = iter(self.script)
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        scheme = "https" if self.tls else "http"
        host = "localhost" if self.tls else "127.0.0.1"
        self.url = f"{scheme}://{host}:{self.port}/v1"
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.release.set()
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open += 1
        number = self.connections
        try:
            while await self._one(reader, writer, number):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            self.open -= 1
            self.closed.set()
            self._tasks.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:])
            if name
        }
        body = await reader.readexactly(int(headers["content-length"]))
        asked = Asked(head[0].split(" ")[1], headers, body, number)
        self.asked.append(asked)
        exchange = Exchange(asked, writer, self)
        step = next(self._steps, None)
        if step is None:
            step = status(418, {"error": {"message": "the script is at its end", "type": "test"}})
        await step(exchange)
        return exchange.keep


def http(status: int, body: bytes, kind: str = "application/json", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"content-type: {kind}", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


SSE_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
)


def sse_bytes(dialect: str, response: Response) -> bytes:
    out = []
    for name, data in EVENTS[dialect](response):
        text = data if isinstance(data, str) else json.dumps(data)
        out.append((f"event: {name}\n" if name else "") + f"data: {text}\n\n")
    return "".join(out).encode()


def answer(response: Response, *, drip: int = 0) -> Step:
    """The response in the dialect of the path, whole or as events; `drip`: that many bytes at a time."""

    async def step(exchange: Exchange) -> None:
        asked = exchange.asked
        if not asked.streams:
            data = http(200, json.dumps(WHOLE[asked.dialect](response), ensure_ascii=False).encode())
        elif drip:
            body = sse_bytes(asked.dialect, response)
            pieces = [body[i : i + drip] for i in range(0, len(body), drip)]
            data = SSE_HEAD + b"".join(map(chunk, pieces)) + b"0\r\n\r\n"
        else:
            data = SSE_HEAD + chunk(sse_bytes(asked.dialect, response)) + b"0\r\n\r\n"
        if not drip:
            await exchange.send(data)
            return
        for i in range(0, len(data), drip):
            await exchange.send(data[i : i + drip])
            await asyncio.sleep(0)  # lets the reader see the pieces one by one

    return step


def status(code: int, body: Any = None, kind: str = "application/json", **headers: str) -> Step:
    data = body if isinstance(body, bytes) else json.dumps(body if body is not None else {}).encode()

    async def step(exchange: Exchange) -> None:
        await exchange.send(http(code, data, kind, **headers))

    return step


def raw(data: bytes, *, close: bool = True) -> Step:
    async def step(exchange: Exchange) -> None:
        await exchange.send(data)
        if close:
            exchange.cut()

    return step


def events(*data: Any, end: bool = True) -> Step:
    """A stream of these events; without `end` it is cut after them."""

    async def step(exchange: Exchange) -> None:
        body = b""
        for item in data:
            name = item.get("type", "") if isinstance(item, dict) else ""
            text = item if isinstance(item, str) else json.dumps(item)
            body += (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()
        await exchange.send(SSE_HEAD + chunk(body) + (b"0\r\n\r\n" if end else b""))
        if not end:
            exchange.cut()

    return step


def cut_stream(response: Response, share: float = 0.5) -> Step:
    async def step(exchange: Exchange) -> None:
        body = sse_bytes(exchange.asked.dialect, response)
        await exchange.send(SSE_HEAD + chunk(body[: int(len(body) * share)]))
        exchange.cut()

    return step


def reset() -> Step:
    async def step(exchange: Exchange) -> None:
        exchange.reset()

    return step


def hang(before: bytes = b"") -> Step:
    """Sends `before`, then nothing until the test's end."""

    async def step(exchange: Exchange) -> None:
        if before:
            await exchange.send(before)
        exchange.server.waiting.set()
        await exchange.server.release.wait()
        exchange.cut()

    return step


def huge(kind: str = "application/json", bytes_max: int = 1 << 30) -> Step:
    """Sends on and on, until the other side closes."""

    async def step(exchange: Exchange) -> None:
        await exchange.send(
            f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
        )
        block = chunk(b"x" * 65536)
        for _ in range(bytes_max // 65536):
            await exchange.send(block)

    return step


def slow_drip() -> Step:
    """A comment every few milliseconds and never an event: alive, and of no use."""

    async def step(exchange: Exchange) -> None:
        await exchange.send(SSE_HEAD)
        for _ in range(10_000):
            await exchange.send(chunk(b": keep-alive\n\n"))
            await asyncio.sleep(0.005)

    return step
