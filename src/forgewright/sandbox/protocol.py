"""The control channel: frames between the engine and the resident agent (native/agent.c is the other side).

A frame is `length u32, type u8, id u32` in little-endian order and `length` bytes; the id names the command.
"""

from __future__ import annotations

import asyncio
import os
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import msgspec

from forgewright.core.errors import SandboxError
from forgewright.sandbox.status import Ended
from forgewright.sandbox.streams import ENDED, SHUT, Stream
from forgewright.sandbox.types import Size

FRAME_BYTES_MAX = 4 << 20
STDIN_WINDOW = 1 << 18
"""Bytes of standard input under way at once for one command; the agent grants more as they are read."""

_HEADER = struct.Struct("<IBI")
_EXEC = struct.Struct("<BBIIQQQQQIIHH")
_EXITED = struct.Struct("<iBQQQQ")
_EXEC_TYPE, _STDIN, _SIGNAL, _KILL, _PING, _RESUME, _LISTEN, _DATA, _SHUT, _ROOM, _OPEN, _RESIZE = range(
    1, 13
)
_HELLO, _OUT, _ERR, _EXITED_TYPE, _PONG, _CREDIT, _GONE, _OPENED = range(65, 73)

_STREAM_IDS = 0x8000_0000
_ENGINES_STREAMS = 0x4000_0000
_TERMINAL = 1

BuiltinName = Literal["read", "write", "list", "remove", "pack", "unpack", "inventory", "parts"]
_BUILTINS: Mapping[str, int] = {
    "": 0, "read": 1, "write": 2, "list": 3, "remove": 4, "pack": 5, "unpack": 6, "inventory": 7, "parts": 8,
}  # fmt: skip


class Request(msgspec.Struct, frozen=True):
    """A command for the agent. Limits of 0 are none."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    workdir: str
    uid: int
    gid: int
    output_bytes: int
    files: int = 0
    processes: int = 0
    address_bytes: int = 0
    file_bytes: int = 0
    builtin: BuiltinName | Literal[""] = ""
    terminal: Size | None = None
    """Where set, the command has a terminal of that size, and standard error is standard output."""

    def encode(self) -> bytes:
        head = _EXEC.pack(
            _BUILTINS[self.builtin], _TERMINAL if self.terminal else 0, self.uid, self.gid, self.output_bytes,
            self.files, self.processes,
            self.address_bytes, self.file_bytes, len(self.argv), len(self.environment),
            *_window(self.terminal or Size()),
        )  # fmt: skip
        words = [self.workdir, *self.argv, *(f"{k}={v}" for k, v in self.environment.items())]
        raw = [word.encode("utf-8", "surrogateescape") for word in words]
        if any(b"\0" in word for word in raw):
            raise SandboxError("an argument or variable holds a NUL byte", hint="no program can be given one")
        out = head + b"\0".join(raw) + b"\0"
        if len(out) > FRAME_BYTES_MAX:
            raise SandboxError(
                f"arguments and environment of {len(out)} bytes, at most {FRAME_BYTES_MAX}",
                hint="pass large data on standard input or as a file",
            )
        return out


def _window(size: Size) -> tuple[int, int]:
    return min(max(size.rows, 1), 10_000), min(max(size.columns, 1), 10_000)


class Job:
    """One command under way."""

    def __init__(self, channel: Channel, number: int, on_output: Callable[[str, bytes], None] | None) -> None:
        self.number = number
        self.stdout: list[bytes] = []
        self.stderr: list[bytes] = []
        self.done: asyncio.Future[Ended] = channel.loop.create_future()
        self._channel = channel
        self._on_output = on_output
        self._input = memoryview(b"")
        self._window = STDIN_WINDOW
        self._finish = False
        self.keep = True
        self._fed = asyncio.Event()
        self._fed.set()

    async def fed(self) -> None:
        """Returns when all that was given to `feed` is on its way, or the command has ended."""
        waiting = asyncio.ensure_future(self._fed.wait())
        await asyncio.wait((waiting, self.done), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()

    def feed(self, data: bytes, *, eof: bool = True) -> None:
        """Sends standard input as fast as the command reads it."""
        self._input = memoryview(bytes(self._input) + data) if self._input else memoryview(data)
        self._finish = eof
        self._pump()

    def _pump(self) -> None:
        while self._input and self._window:
            n = min(self._window, len(self._input), 65536)
            self._channel.send(_STDIN, self.number, bytes(self._input[:n]))
            self._input = self._input[n:]
            self._window -= n
        self._fed.clear() if self._input else self._fed.set()
        if self._finish and not self._input:
            self._finish = False
            self._channel.send(_STDIN, self.number)

    def resize(self, size: Size) -> None:
        """Tells a command with a terminal how large that is now."""
        self._channel.send(_RESIZE, self.number, struct.pack("<HH", *_window(size)))

    def signal(self, number: int) -> None:
        """To the whole process tree."""
        self._channel.send(_SIGNAL, self.number, bytes([number]))

    def kill(self) -> None:
        """Kills the command's whole process tree."""
        self._channel.send(_KILL, self.number)

    async def end_rest(self, seconds: float) -> bool:
        """Kills what the command left in the background; False where that took longer than `seconds`."""
        gone = self._channel.expect_gone(self.number)
        self.kill()
        await asyncio.wait((gone,), timeout=seconds)
        return gone.done()

    def output(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        if self.keep:
            (self.stdout if stream == "stdout" else self.stderr).append(data)
        if self._on_output is not None:
            self._on_output(stream, data)

    def credit(self, n: int) -> None:
        self._window += n
        self._pump()


class Channel(asyncio.Protocol):
    """The engine's end. `ready` is set when the agent has said hello; `closed` when the channel has ended."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = self.loop.create_future()
        self.closed: asyncio.Future[None] = self.loop.create_future()
        self._transport: asyncio.WriteTransport | None = None
        self._reading: asyncio.BaseTransport | None = None
        self._buffer = bytearray()
        self._jobs: dict[int, Job] = {}
        self._pings: dict[int, asyncio.Future[bytes]] = {}
        self._gone: dict[int, asyncio.Future[None]] = {}
        self._streams: dict[int, Stream] = {}
        self._opening: dict[int, asyncio.Future[Stream]] = {}
        self._opened = 0
        self.on_stream: Callable[[Stream], None] | None = None
        self._number = 0
        self._together: bytearray | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            self._transport = transport
        else:
            self._reading = transport

    async def connect_pipes(self, reading: int, writing: int) -> None:
        """Takes the ends of two pipes instead of one socket."""
        writer, _ = await self.loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(writing, "wb", 0))
        await self.loop.connect_read_pipe(lambda: self, os.fdopen(reading, "rb", 0))
        self._transport = writer

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)
        broken = SandboxError("the sandbox ended while a command ran in it")
        waiting: list[asyncio.Future[Any]] = [job.done for job in self._jobs.values()]
        for future in [
            *waiting,
            *self._pings.values(),
            *self._gone.values(),
            *self._opening.values(),
            self.ready,
        ]:
            if not future.done():
                future.set_exception(broken)
                future.exception()  # whoever waits is told; nobody else has to
        self._jobs.clear()
        for stream in self._streams.values():
            stream.received(ENDED, b"")
        self._streams.clear()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        at = 0
        while len(buffer) - at >= _HEADER.size:
            length, kind, number = _HEADER.unpack_from(buffer, at)
            if length > FRAME_BYTES_MAX:
                self.close()
                return
            end = at + _HEADER.size + length
            if len(buffer) < end:
                break
            self._received(kind, number, bytes(buffer[at + _HEADER.size : end]))
            at = end
        del buffer[:at]

    def _received(self, kind: int, number: int, data: bytes) -> None:
        if kind == _HELLO:
            if not self.ready.done():
                self.ready.set_result(None)
            return
        if kind == _PONG:
            pong = self._pings.pop(number, None)
            if pong is not None and not pong.done():
                pong.set_result(data)
            return
        if number & _STREAM_IDS:
            self._stream_received(kind, number, data)
            return
        if kind == _GONE:
            gone = self._gone.pop(number, None)
            if gone is not None and not gone.done():
                gone.set_result(None)
            return
        job = self._jobs.get(number)
        if job is None:
            return
        if kind == _OUT:
            job.output("stdout", data)
        elif kind == _ERR:
            job.output("stderr", data)
        elif kind == _CREDIT and len(data) == 4:
            job.credit(int.from_bytes(data, "little"))
        elif kind == _EXITED_TYPE and len(data) == _EXITED.size:
            del self._jobs[number]
            status, flags, out, err, rss, cpu = _EXITED.unpack(data)
            if not job.done.done():
                ended = Ended(
                    status,
                    bool(flags & 1),
                    bool(flags & 2),
                    bool(flags & 4),
                    bool(flags & 8),
                    bool(flags & 16),
                    out,
                    err,
                    rss,
                    cpu,
                )
                job.done.set_result(ended)

    def _stream_received(self, kind: int, number: int, data: bytes) -> None:
        if number & _ENGINES_STREAMS and number not in self._streams:
            self._open_answered(kind, number, data)
            return
        if kind == _OPENED and number not in self._streams and len(data) == 2:
            stream = self._streams[number] = Stream(self, number, int.from_bytes(data))
            if self.on_stream is None:
                stream.close()
            else:
                self.on_stream(stream)
            return
        found = self._streams.get(number)
        if found is not None:
            found.received(kind, data)
            if kind == ENDED:
                del self._streams[number]

    def _open_answered(self, kind: int, number: int, data: bytes) -> None:
        waiting = self._opening.pop(number, None)
        if waiting is None or waiting.done():
            if kind == _OPENED:
                self.send(SHUT, number)
        elif kind == _OPENED and len(data) == 2:
            stream = self._streams[number] = Stream(self, number, int.from_bytes(data))
            waiting.set_result(stream)
        else:
            error = int.from_bytes(data[:4], "little")
            waiting.set_exception(ConnectionRefusedError(error, os.strerror(error)))

    async def open(self, port: int) -> Stream:
        """A connection to a server inside, on its loopback. Raises `ConnectionRefusedError` where none listens."""
        self._opened = self._opened % 0x3FFF_FFFF + 1
        number = self._opened | _STREAM_IDS | _ENGINES_STREAMS
        answer: asyncio.Future[Stream] = self.loop.create_future()
        self._opening[number] = answer
        self.send(_OPEN, number, struct.pack(">H", port))
        try:
            return await answer
        finally:
            self._opening.pop(number, None)

    async def listen(self, port: int) -> None:
        """Has the agent take connections on the sandbox's own loopback, and pass them on as streams."""
        self._number += 1
        answer: asyncio.Future[bytes] = self.loop.create_future()
        self._pings[self._number] = answer
        self.send(_LISTEN, self._number, struct.pack(">H", port))
        (error,) = struct.unpack("<i", await answer)
        if error:
            raise SandboxError(f"the relay cannot listen on port {port}: {os.strerror(error)}")

    def send(self, kind: int, number: int, data: bytes = b"") -> None:
        frame = _HEADER.pack(len(data), kind, number) + data
        if self._together is not None:
            self._together += frame
        elif self._transport is not None and not self._transport.is_closing():
            self._transport.write(frame)

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is sent meanwhile goes in one piece: the other end is woken once. Not to be held while waiting."""
        frames = self._together = bytearray()
        try:
            yield
        finally:
            self._together = None
            if frames and self._transport is not None and not self._transport.is_closing():
                self._transport.write(bytes(frames))

    def start(self, request: Request, on_output: Callable[[str, bytes], None] | None = None) -> Job:
        if self.closed.done():
            raise SandboxError("the sandbox has ended", hint="create another")
        self._number += 1
        job = Job(self, self._number, on_output)
        payload = request.encode()
        self._jobs[job.number] = job
        self.send(_EXEC_TYPE, job.number, payload)
        return job

    def expect_gone(self, number: int) -> asyncio.Future[None]:
        """Done when nothing of command `number` runs any more."""
        return self._gone.setdefault(number, self.loop.create_future())

    async def ping(self, data: bytes = b"") -> None:
        self._number += 1
        pong: asyncio.Future[bytes] = self.loop.create_future()
        self._pings[self._number] = pong
        self.send(_PING, self._number, data)
        await pong

    async def rest(self) -> None:
        """Returns when no work of the last command is left, and the processes of the next are ready."""
        await self.ping(b"rest")

    async def resume(self) -> None:
        """Tells the agent of a restored machine the time, and gives it randomness that no other clone has."""
        await self.tell_resumed()

    def tell_resumed(self) -> asyncio.Future[bytes]:
        """As `resume`, for whoever need not wait: the agent reads it before what is sent next. Done when it has."""
        self._number += 1
        done: asyncio.Future[bytes] = self.loop.create_future()
        self._pings[self._number] = done
        seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        self.send(_RESUME, self._number, struct.pack("<QQ", seconds, nanoseconds) + os.urandom(32))
        return done

    def busy(self) -> bool:
        """Whether a command or a connection is under way."""
        return bool(self._jobs or self._streams)

    def hold(self, waiting: bool) -> None:
        """Reads no more until it is called again: whoever takes the output is slower than the sandbox."""
        transport = self._reading or self._transport
        if isinstance(transport, asyncio.ReadTransport) and not transport.is_closing():
            if waiting and transport.is_reading():
                transport.pause_reading()
            elif not waiting and not transport.is_reading():
                transport.resume_reading()

    def jobs(self) -> Sequence[Job]:
        return list(self._jobs.values())

    def close(self) -> None:
        for transport in (self._transport, self._reading):
            if transport is not None:
                transport.close()
