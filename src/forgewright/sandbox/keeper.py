"""Sandboxes that outlive the command that made them: a process that holds one, and answers on a socket.

A sandbox ends with the process at the other end of its control channel. For `forgewright sandbox create` that is
a keeper, detached, with a socket that only its owner can open in the sandbox's state folder.
"""

from __future__ import annotations

import asyncio
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Literal

import msgspec

from forgewright.core.errors import ForgewrightError, NotFound, SandboxError
from forgewright.sandbox import state
from forgewright.sandbox.registry import open_sandbox
from forgewright.sandbox.types import Command, Exit, SandboxSpec

IDLE_SECONDS = 3600.0
MESSAGE_BYTES_MAX = 64 << 20
_SOCKET, _ABOUT = "session", "about.json"
_LENGTH = struct.Struct("<I")


class About(msgspec.Struct, frozen=True):
    """What `list` shows."""

    id: str
    driver: str
    tier: str
    pid: int
    spec: SandboxSpec


class Ask(msgspec.Struct, frozen=True, omit_defaults=True):
    """`put` and `get` carry one file; folders go as archives by `exec` of tar."""

    do: Literal["exec", "put", "get", "stop"]
    command: Command | None = None
    path: str = ""
    data: bytes = b""


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Any number with `stream`, then one without."""

    stream: Literal["stdout", "stderr", ""] = ""
    data: bytes = b""
    ended: Exit | None = None
    error: str = ""
    message: str = ""


async def keep(spec: SandboxSpec, driver: str | None) -> None:
    """Holds a sandbox until it is stopped, idle for an hour, or broken. Says its id on standard output."""
    sandbox = await open_sandbox(spec, driver)
    folder = state.state_root() / sandbox.id
    stop = asyncio.Event()
    active = 0
    idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, stop.set)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal active, idle
        active += 1
        idle.cancel()
        try:
            ask = msgspec.msgpack.decode(await _receive(reader), type=Ask)
            last = await _do(sandbox, ask, writer)
            _send(writer, last)
            await writer.drain()
            if ask.do == "stop":
                stop.set()
        except (ConnectionError, asyncio.IncompleteReadError, msgspec.DecodeError):
            pass
        finally:
            writer.close()
            active -= 1
            if not active:
                idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, stop.set)

    os.umask(0o077)
    server = await asyncio.start_unix_server(serve, folder / _SOCKET, limit=1 << 20)
    about = About(sandbox.id, sandbox.driver, spec.tier, os.getpid(), spec)
    (folder / _ABOUT).write_bytes(msgspec.json.encode(about))
    print(sandbox.id, flush=True)  # noqa: T201  # the caller waits for it
    try:
        await stop.wait()
    finally:
        server.close()
        await sandbox.close()


async def _do(sandbox: object, ask: Ask, writer: asyncio.StreamWriter) -> Answer:
    from forgewright.sandbox.session import AgentSandbox

    assert isinstance(sandbox, AgentSandbox)
    try:
        if ask.do == "exec" and ask.command is not None:
            ended = await sandbox.run(
                ask.command, on_output=lambda stream, data: _send(writer, Answer(stream=stream, data=data))
            )
            return Answer(ended=ended)
        if ask.do == "put":
            await sandbox.write(ask.path, ask.data)
        elif ask.do == "get":
            return Answer(data=await sandbox.read(ask.path, bytes_max=MESSAGE_BYTES_MAX // 2))
    except ForgewrightError as error:
        return Answer(error=error.code, message=error.message)
    return Answer()


def _send(writer: asyncio.StreamWriter, answer: Answer) -> None:
    data = msgspec.msgpack.encode(answer)
    writer.write(_LENGTH.pack(len(data)) + data)


async def _receive(reader: asyncio.StreamReader) -> bytes:
    (length,) = _LENGTH.unpack(await reader.readexactly(4))
    if length > MESSAGE_BYTES_MAX:
        raise ConnectionError("a message that is too long")
    return await reader.readexactly(length)


def start(spec: SandboxSpec, driver: str | None) -> str:
    """Starts a keeper; the id of its sandbox. Raises `SandboxError` with what it said."""
    argv = [
        sys.executable,
        "-m",
        "forgewright.sandbox.keeper",
        msgspec.json.encode(spec).decode(),
        driver or "",
    ]
    process = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    name = process.stdout.readline().decode().strip()
    if not name:
        raise SandboxError(process.stderr.read().decode(errors="replace").strip().splitlines()[-1])
    return name


def kept() -> list[About]:
    """The sandboxes that keepers hold."""
    found = []
    abandoned = set(state.abandoned())
    for folder in sorted(state.state_root().glob("fw*")):
        if folder not in abandoned and (folder / _ABOUT).exists():
            found.append(msgspec.json.decode((folder / _ABOUT).read_bytes(), type=About))
    return found


def find(name: str) -> About:
    """The kept sandbox whose id starts with `name`. Raises `NotFound`."""
    matches = [about for about in kept() if about.id.startswith(name) or about.id.startswith(f"fw{name}")]
    if len(matches) != 1:
        raise NotFound(
            f"{'no sandbox' if not matches else 'several sandboxes'} {name}", hint="forgewright sandbox list"
        )
    return matches[0]


async def ask(about: About, request: Ask, on_output: object = None) -> Answer:
    """Puts `request` to the keeper; output goes to `on_output(stream, data)` as it comes."""
    try:
        reader, writer = await asyncio.open_unix_connection(_socket(about))
    except OSError as error:
        raise SandboxError(
            f"the keeper of {about.id} does not answer", hint="forgewright sandbox clean"
        ) from error
    try:
        data = msgspec.msgpack.encode(request)
        writer.write(_LENGTH.pack(len(data)) + data)
        while True:
            answer = msgspec.msgpack.decode(await _receive(reader), type=Answer)
            if not answer.stream:
                break
            if callable(on_output):
                on_output(answer.stream, answer.data)
    except asyncio.IncompleteReadError:
        raise SandboxError(f"sandbox {about.id} ended") from None
    finally:
        writer.close()
    if answer.error:
        raise SandboxError(answer.message)
    return answer


def _socket(about: About) -> Path:
    return state.state_root() / about.id / _SOCKET


def main() -> None:
    spec = msgspec.json.decode(sys.argv[1], type=SandboxSpec)
    try:
        asyncio.run(keep(spec, sys.argv[2] or None))
    except ForgewrightError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
