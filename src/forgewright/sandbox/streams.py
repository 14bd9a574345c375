"""Connections on the control channel: of programs inside to a port of the engine, or of the engine to a server inside."""

from __future__ import annotations

import asyncio
import struct
from typing import Protocol

WINDOW = 1 << 18
"""Bytes under way at once, each way; more is granted as they are read."""

DATA, SHUT, ROOM = 8, 9, 10
CREDIT, SENT, ENDED = 70, 73, 74
"""Types of frames (native/agent.h)."""


class Sender(Protocol):
    def send(self, kind: int, number: int, data: bytes = b"") -> None: ...


class Stream:
    """A connection of a program inside, or to one; what waits is bounded both ways.

    `port`: where it was made to, inside.
    """

    def __init__(self, channel: Sender, number: int, port: int) -> None:
        self._channel = channel
        self._number = number
        self.port = port
        self._window = WINDOW
        self._room = asyncio.Event()
        self._room.set()
        self._reader = asyncio.StreamReader(limit=1 << 17)
        self.ended = False

    async def read(self, n: int) -> bytes:
        return self._taken(await self._reader.read(n))

    async def readuntil(self, end: bytes) -> bytes:
        """Raises `asyncio.IncompleteReadError` and `asyncio.LimitOverrunError`."""
        return self._taken(await self._reader.readuntil(end))

    async def readexactly(self, n: int) -> bytes:
        return self._taken(await self._reader.readexactly(n))

    def _taken(self, data: bytes) -> bytes:
        if data:
            self._channel.send(ROOM, self._number, struct.pack("<I", len(data)))
        return data

    async def write(self, data: bytes) -> None:
        """Raises `ConnectionError` when the other end has gone."""
        view = memoryview(data)
        while view:
            await self._room.wait()
            if self.ended:
                raise ConnectionResetError("the program inside has closed the connection")
            n = min(len(view), self._window, 32768)
            self._channel.send(DATA, self._number, bytes(view[:n]))
            view = view[n:]
            self._window -= n
            if not self._window:
                self._room.clear()

    def write_eof(self) -> None:
        self._channel.send(DATA, self._number)

    def close(self) -> None:
        self._channel.send(SHUT, self._number)

    def received(self, kind: int, data: bytes) -> None:
        if kind == CREDIT and len(data) == 4:
            self._window += int.from_bytes(data, "little")
            self._room.set()
        elif kind == SENT and data and not self.ended:
            self._reader.feed_data(data)
        elif not self.ended:
            self._reader.feed_eof()
            if kind == ENDED:
                self.ended = True
                self._room.set()
