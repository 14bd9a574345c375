"""Sandboxes that outlive the command that made them: a process that holds one, and answers on a socket.

A sandbox ends with the process at the other end of its control channel. For `forgewright sandbox create` that is
a keeper, detached, with a socket that only its owner can open in the sandbox's state folder (`keeping.py` is who asks).
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Coroutine
from pathlib import Path

import msgspec

from forgewright.core.errors import ForgewrightError, NotFound
from forgewright.sandbox import saved, state
from forgewright.sandbox.keeping import (
    ABOUT,
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
from forgewright.sandbox.transfer import UPLOAD_BYTES_MAX, Progress
from forgewright.sandbox.types import Command, Exit, OnOutput, SandboxSpec

IDLE_SECONDS = 3600.0
LOG_BYTES_MAX = 1 << 20
TOLD_SECONDS = 0.1
"""Between two words of how far a transfer has come."""

_HIGH_BYTES = 1 << 20
"""With this much waiting for a client, no more is read from the sandbox."""


class Log:
    """What the last commands wrote, bounded: the oldest goes first."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.changed = asyncio.Event()
        """Set with the next piece; there is another after it."""
        self._bytes = self._gone = 0

    def add(self, line: Line) -> None:
        self.lines.append(line)
        self._bytes += len(line.data) + 64
        while self._bytes > LOG_BYTES_MAX:
            self._bytes -= len(self.lines.pop(0).data) + 64
            self._gone += 1
        self.changed.set()
        self.changed = asyncio.Event()

    def after(self, place: int) -> tuple[tuple[Line, ...], int, int]:
        """(what came after `place`, the place after that, how much of it has gone). It begins at 0."""
        lost = max(0, self._gone - place)
        return tuple(self.lines[max(0, place - self._gone) :]), self._gone + len(self.lines), lost


class Keeper:
    """Holds one sandbox until it is stopped, idle for an hour, or broken."""

    def __init__(self, sandbox: AgentSandbox) -> None:
        self._sandbox = sandbox
        self._stop = asyncio.Event()
        self._log = Log()
        self._began = time.time()
        self._active = self._commands = 0
        self._under_way: set[int] = set()
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
            except ConnectionError:
                raise
            except OSError as error:  # a file of this machine that it was to read or write
                last = Answer(error="os", message=str(error))
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
            case "upload" | "download" | "upload-file" | "download-file":
                await self._carry(ask, reader, writer)
            case "publish":
                return Answer(port=(await sandbox.publish(ask.port, ask.here)).port)
            case "logs":
                if ask.number > self._commands:
                    raise NotFound(f"there is no command {ask.number}: {self._commands} were run")
                await self._tell_log(ask, reader, writer)
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

    async def _carry(self, ask: Ask, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Files and folders in or out, for as long as who asked is there."""
        sandbox, host, bound = self._sandbox, Path(ask.host), ask.bytes_max
        told = 0.0

        def tell(progress: Progress) -> None:
            nonlocal told
            if (
                time.monotonic() - told > TOLD_SECONDS
                and writer.transport.get_write_buffer_size() < _HIGH_BYTES
            ):
                told = time.monotonic()
                writer.write(pack(Answer(more=True, progress=progress)))

        match ask.do:
            case "upload":
                work: Coroutine[None, None, object] = sandbox.upload(
                    host, ask.path, bytes_max=bound or UPLOAD_BYTES_MAX, resume=ask.resume, on_progress=tell
                )
            case "download":
                work = sandbox.download(ask.path, host, bytes_max=bound, resume=ask.resume, on_progress=tell)
            case "upload-file":
                work = sandbox.upload_file(host, ask.path, on_progress=tell)
            case _:
                work = sandbox.download_file(ask.path, host, bytes_max=bound, on_progress=tell)
        working, gone = asyncio.ensure_future(work), asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait((working, gone), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise ConnectionResetError("who asked has gone")
            await working
        finally:
            for task in (working, gone):
                task.cancel()
            await asyncio.gather(working, gone, return_exceptions=True)

    async def _tell_log(self, ask: Ask, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The log, and with `follow` what is added to it until what is followed has ended or who asked has gone."""
        place = 0
        gone = asyncio.ensure_future(reader.read(1))
        try:
            while not gone.done():
                changed = self._log.changed
                over = not ask.follow or not (
                    self._under_way & {ask.number} if ask.number else self._under_way
                )
                lines, after, dropped = self._log.after(place)
                chosen = tuple(line for line in lines if ask.number in (0, line.number))
                writer.write(pack(Answer(more=True, lines=chosen, dropped=dropped if place else 0)))
                await writer.drain()
                place = after
                if over:
                    return
                waiting = asyncio.ensure_future(changed.wait())
                await asyncio.wait((waiting, gone), return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
        finally:
            gone.cancel()

    def _begins(self, command: Command) -> int:
        self._commands += 1
        self._under_way.add(self._commands)
        text = " ".join(command.argv).encode(errors="replace")
        self._log.add(Line(self._commands, "command", text, time.time()))
        return self._commands

    def _ends(self, number: int, text: str) -> None:
        self._under_way.discard(number)
        self._log.add(Line(number, "ended", text.encode(), time.time()))

    async def _exec(
        self, ask: Ask, command: Command, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Answer:
        number = self._begins(command)
        if ask.detach:
            task = asyncio.ensure_future(self._detached(number, command))
            self._background.add(task)
            task.add_done_callback(self._background.discard)
            return Answer(number=number)
        told = "- it did not end by itself"
        try:
            ended = await self._attended(ask, command, number, reader, writer)
            told = f"{ended.code} {ended.reason}"
        except ForgewrightError as error:
            told = f"- {error.message}"
            raise
        finally:
            self._ends(number, told)
        return Answer(ended=ended, number=number)

    async def _attended(
        self,
        ask: Ask,
        command: Command,
        number: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> Exit:
        """Runs a command for as long as who asked for it is there."""
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
            return await waiting
        except asyncio.CancelledError:
            raise ConnectionResetError("who asked has gone") from None
        finally:
            following.cancel()
            out.close()

    async def _detached(self, number: int, command: Command) -> None:
        self._busy(1)
        text = "- it did not end by itself"
        try:
            ended = await self._sandbox.run(command, on_output=self._logger(number))
            text = f"{ended.code} {ended.reason}"
        except ForgewrightError as error:
            text = f"- {error.message}"
        finally:
            self._busy(-1)
            self._ends(number, text)

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
