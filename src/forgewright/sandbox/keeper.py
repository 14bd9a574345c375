"""Sandboxes that outlive the command that made them: a process that holds one, and answers on a socket.

A sandbox ends with the process at the other end of its control channel. For `forgewright sandbox create` that is
a keeper, detached, with a socket that only its owner can open in the sandbox's state folder (`keeping.py` is who asks).
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import msgspec

from forgewright.core.errors import ForgewrightError
from forgewright.sandbox import saved, state
from forgewright.sandbox.keeping import (
    ABOUT,
    MESSAGE_BYTES_MAX,
    SOCKET,
    About,
    Answer,
    Ask,
    Line,
    More,
    Status,
    pack,
    receive,
)
from forgewright.sandbox.registry import driver, open_sandbox
from forgewright.sandbox.session import AgentSandbox
from forgewright.sandbox.types import Command, OnOutput, SandboxSpec

IDLE_SECONDS = 3600.0
LOG_BYTES_MAX = 1 << 20
_HIGH_BYTES = 1 << 20
"""With this much waiting for a client, no more is read from the sandbox."""


class Log:
    """What the last commands wrote, bounded: the oldest goes first."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._bytes = 0

    def add(self, line: Line) -> None:
        self.lines.append(line)
        self._bytes += len(line.data) + 64
        while self._bytes > LOG_BYTES_MAX:
            self._bytes -= len(self.lines.pop(0).data) + 64


class Keeper:
    """Holds one sandbox until it is stopped, idle for an hour, or broken."""

    def __init__(self, sandbox: AgentSandbox) -> None:
        self._sandbox = sandbox
        self._stop = asyncio.Event()
        self._log = Log()
        self._began = time.time()
        self._active = self._commands = 0
        self._background: set[asyncio.Task[None]] = set()
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._stop.set)

    async def until_stopped(self, folder: Path) -> None:
        os.umask(0o077)
        server = await asyncio.start_unix_server(self._serve, folder / SOCKET, limit=1 << 20)
        sandbox = self._sandbox
        about = About(sandbox.id, sandbox.driver, sandbox.spec.tier, os.getpid(), sandbox.spec, self._began)
        (folder / ABOUT).write_bytes(msgspec.json.encode(about))
        print(sandbox.id, flush=True)  # noqa: T201  # the caller waits for it
        try:
            await self._stop.wait()
        finally:
            server.close()

    def _busy(self, by: int) -> None:
        self._active += by
        self._idle.cancel()
        if not self._active:
            self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._stop.set)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._busy(1)
        ask: Ask | None = None
        try:
            ask = msgspec.msgpack.decode(await receive(reader), type=Ask)
            try:
                last = await self._do(ask, reader, writer)
            except ForgewrightError as error:
                last = Answer(error=error.code, message=error.message)
            writer.write(pack(last))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, msgspec.DecodeError):
            pass
        finally:
            writer.close()
            self._busy(-1)
            if ask is not None and ask.do == "stop":
                self._stop.set()

    async def _do(self, ask: Ask, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Answer:
        sandbox = self._sandbox
        match ask.do:
            case "exec" if ask.command is not None:
                return await self._exec(ask, ask.command, reader, writer)
            case "put":
                await sandbox.write(ask.path, ask.data, mode=ask.mode)
            case "get":
                return Answer(data=await sandbox.read(ask.path, bytes_max=MESSAGE_BYTES_MAX // 2))
            case "upload":
                await sandbox.upload(Path(ask.host), ask.path)
            case "download":
                await sandbox.download(ask.path, Path(ask.host))
            case "publish":
                return Answer(port=(await sandbox.publish(ask.port, ask.here)).port)
            case "logs":
                return Answer(lines=tuple(self._log.lines))
            case "status":
                ports = {published.inside: published.port for published in sandbox.published}
                metrics = await sandbox.metrics()
                found = Status(time.time() - self._began, self._commands, sandbox.running, ports, metrics)
                return Answer(status=found)
            case "pause":
                await sandbox.pause()
            case "resume":
                await sandbox.resume()
            case "snapshot":
                return Answer(snapshot=await sandbox.snapshot())
        return Answer()

    async def _exec(
        self, ask: Ask, command: Command, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Answer:
        self._commands += 1
        number = self._commands
        self._log.add(Line(number, "command", " ".join(command.argv).encode(errors="replace"), time.time()))
        if ask.detach:
            task = asyncio.ensure_future(self._detached(number, command))
            self._background.add(task)
            task.add_done_callback(self._background.discard)
            return Answer(number=number)
        out = _Outlet(self._sandbox, writer, None if ask.terminal else self._logger(number))
        process = self._sandbox.start(
            command, on_output=out.put, terminal=ask.terminal, keep=ask.terminal is None and not ask.streaming
        )
        process.feed(command.stdin)
        following = asyncio.ensure_future(_follow(process, reader, ending=not ask.streaming))
        waiting = asyncio.ensure_future(process.wait(command.timeout_seconds))
        try:
            await asyncio.wait((following, waiting), return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done() and following.done() and following.exception() is not None:
                waiting.cancel()  # who asked has gone: the command ends too
            ended = await waiting
        except asyncio.CancelledError:
            raise ConnectionResetError("who asked has gone") from None
        finally:
            following.cancel()
            out.close()
        self._log.add(Line(number, "ended", f"{ended.code} {ended.reason}".encode(), time.time()))
        return Answer(ended=ended, number=number)

    async def _detached(self, number: int, command: Command) -> None:
        self._busy(1)
        try:
            ended = await self._sandbox.run(command, on_output=self._logger(number))
            text = f"{ended.code} {ended.reason}"
        except ForgewrightError as error:
            text = f"- {error.message}"
        finally:
            self._busy(-1)
        self._log.add(Line(number, "ended", text.encode(), time.time()))

    def _logger(self, number: int) -> OnOutput:
        return lambda stream, data: self._log.add(Line(number, stream, data, time.time()))


class _Outlet:
    """Output on its way to who asked. A slow reader holds the sandbox back; nothing piles up here."""

    def __init__(self, sandbox: AgentSandbox, writer: asyncio.StreamWriter, also: OnOutput | None) -> None:
        self._sandbox, self._writer, self._also = sandbox, writer, also
        self._draining: asyncio.Task[None] | None = None

    def put(self, stream: str, data: bytes) -> None:
        self._writer.write(pack(Answer(stream=stream, data=data)))  # type: ignore[arg-type]  # its two names
        if self._also is not None:
            self._also(stream, data)  # type: ignore[arg-type]  # its two names
        if self._draining is None and self._writer.transport.get_write_buffer_size() > _HIGH_BYTES:
            self._sandbox.hold(True)
            self._draining = asyncio.ensure_future(self._drain())

    async def _drain(self) -> None:
        try:
            await self._writer.drain()
        except ConnectionError:
            pass
        finally:
            self._draining = None
            self._sandbox.hold(False)

    def close(self) -> None:
        if self._draining is not None:
            self._draining.cancel()


async def _follow(process: object, reader: asyncio.StreamReader, *, ending: bool) -> None:
    """What is typed, and how large the terminal is, until who asked has gone (then: raises)."""
    from forgewright.sandbox.process import Process

    assert isinstance(process, Process)
    if ending:
        process.close_stdin()
    while True:
        more = msgspec.msgpack.decode(await receive(reader), type=More)
        if more.size is not None:
            process.resize(more.size)
        if more.signal:
            process.signal(more.signal)
        if more.data:
            await process.write(more.data)
        if more.end:
            process.close_stdin()


async def keep(spec: SandboxSpec, name: str | None, ports: list[tuple[int, int]], snapshot: str) -> None:
    """Makes a sandbox, or opens a snapshot of one, and holds it. Says its id on standard output."""
    if snapshot:
        sandbox = await driver(saved.find(snapshot).driver).restore(snapshot)
    else:
        sandbox = await open_sandbox(spec, name)
    assert isinstance(sandbox, AgentSandbox)
    try:
        for here, inside in ports:
            await sandbox.publish(inside, here)
        await Keeper(sandbox).until_stopped(state.state_root() / sandbox.id)
    finally:
        await sandbox.close()


def main() -> None:
    spec = msgspec.json.decode(sys.argv[1], type=SandboxSpec)
    ports = msgspec.json.decode(sys.argv[3], type=list[tuple[int, int]])
    try:
        asyncio.run(keep(spec, sys.argv[2] or None, ports, sys.argv[4]))
    except ForgewrightError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
