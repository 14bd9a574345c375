"""Ports of a sandbox's own servers, reached from this machine's loopback through the control channel."""

from __future__ import annotations

import asyncio

from forgewright.sandbox.machine import Machine
from forgewright.sandbox.streams import Stream

CONNECTIONS_MAX = 64
OPEN_SECONDS = 10.0


class Published:
    """A port inside that is reached at `127.0.0.1:port`. The sandbox's network card is still none."""

    def __init__(self, machine: Machine, inside: int) -> None:
        self.inside = inside
        self.port = 0
        self._machine = machine
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, port: int = 0) -> None:
        """Listens on this machine's loopback, on `port` or any that is free. Raises `OSError`."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port, limit=1 << 16)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._tasks) >= CONNECTIONS_MAX:
            writer.close()
            return
        self._tasks.add(task)
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                stream = await self._machine.channel.open(self.inside)
            try:
                await join(stream, reader, writer)
            finally:
                stream.close()
        except (OSError, TimeoutError):
            pass  # nobody listens inside, or one side has gone: the connection ends
        finally:
            self._tasks.discard(task)
            writer.close()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()


async def join(stream: Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes both ways until both sides have said that no more will come."""

    async def inward() -> None:
        while data := await reader.read(32768):
            await stream.write(data)
        stream.write_eof()

    async def outward() -> None:
        while data := await stream.read(32768):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    both = [asyncio.ensure_future(inward()), asyncio.ensure_future(outward())]
    try:
        await asyncio.gather(*both)
    finally:
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)
