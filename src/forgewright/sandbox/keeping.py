"""Asking the keeper of a sandbox: what can be asked, how it is said, and which sandboxes there are."""

from __future__ import annotations

import asyncio
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from forgewright.core.errors import NotFound, SandboxError
from forgewright.sandbox import state
from forgewright.sandbox.transfer import Progress
from forgewright.sandbox.types import Command, Exit, Metrics, SandboxSpec, Size

MESSAGE_BYTES_MAX = 64 << 20
SOCKET, ABOUT = "session", "about.json"
_LENGTH = struct.Struct("<I")


class About(msgspec.Struct, frozen=True):
    """What `list` shows."""

    id: str
    driver: str
    tier: str
    pid: int
    spec: SandboxSpec
    began: float = 0.0


class Status(msgspec.Struct, frozen=True):
    """What it is doing now."""

    seconds: float
    commands: int
    running: int
    ports: Mapping[int, int] = {}
    """Port inside → port on this machine's loopback."""
    metrics: Metrics | None = None


class Line(msgspec.Struct, frozen=True):
    """A piece of the log of one sandbox."""

    number: int
    """Of the command."""
    kind: Literal["command", "stdout", "stderr", "ended"]
    data: bytes
    time: float


class Ask(msgspec.Struct, frozen=True, omit_defaults=True):
    do: Literal[
        "exec",
        "upload",
        "download",
        "upload-file",
        "download-file",
        "publish",
        "logs",
        "status",
        "pause",
        "resume",
        "snapshot",
        "stop",
    ]
    command: Command | None = None
    terminal: Size | None = None
    streaming: bool = False
    """Standard input follows as `More`."""
    detach: bool = False
    path: str = ""
    host: str = ""
    """A path of this machine; the keeper has the rights of its owner, who alone can ask."""
    port: int = 0
    here: int = 0
    follow: bool = False
    """Of `logs`: what is written from now on too, until `number`, or all that runs, has ended."""
    number: int = 0
    """Of a command; 0 is any."""
    resume: bool = False
    """Of `upload` and `download`: only what the other side has not."""
    bytes_max: int = 0
    """Of what is carried; 0 is the usual bound."""


class More(msgspec.Struct, frozen=True, omit_defaults=True):
    """What follows a request while its command runs."""

    data: bytes = b""
    size: Size | None = None
    signal: int = 0
    end: bool = False


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Any number with `stream` or `more`, then one without."""

    stream: Literal["stdout", "stderr", ""] = ""
    data: bytes = b""
    ended: Exit | None = None
    number: int = 0
    port: int = 0
    lines: tuple[Line, ...] = ()
    more: bool = False
    """Others follow."""
    progress: Progress | None = None
    dropped: int = 0
    """Pieces of the log that went before they could be sent: it is bounded."""
    status: Status | None = None
    snapshot: str = ""
    error: str = ""
    message: str = ""


def pack(message: msgspec.Struct) -> bytes:
    data = msgspec.msgpack.encode(message)
    return _LENGTH.pack(len(data)) + data


async def receive(reader: asyncio.StreamReader) -> bytes:
    (length,) = _LENGTH.unpack(await reader.readexactly(4))
    if length > MESSAGE_BYTES_MAX:
        raise ConnectionError("a message that is too long")
    return await reader.readexactly(length)


def start(
    spec: SandboxSpec, driver: str | None, ports: Sequence[tuple[int, int]] = (), snapshot: str = ""
) -> str:
    """Starts a keeper; the id of its sandbox. `ports`: (here, inside). Raises `SandboxError` with what it said.

    `snapshot`: the sandbox goes on from there, by the driver that made it.
    """
    argv = [
        sys.executable,
        "-m",
        "forgewright.sandbox.keeper",
        msgspec.json.encode(spec).decode(),
        driver or "",
    ]
    argv += [msgspec.json.encode(ports).decode(), snapshot]
    process = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    name = process.stdout.readline().decode().strip()
    if not name:
        said = process.stderr.read().decode(errors="replace").strip().splitlines()
        raise SandboxError(said[-1] if said else "the keeper of the sandbox did not start")
    return name


def kept() -> list[About]:
    """The sandboxes that keepers hold."""
    found = []
    abandoned = set(state.abandoned())
    for folder in sorted(state.state_root().glob("fw*")):
        if folder not in abandoned and (folder / ABOUT).exists():
            found.append(msgspec.json.decode((folder / ABOUT).read_bytes(), type=About))
    return found


def find(name: str) -> About:
    """The kept sandbox whose id starts with `name`. Raises `NotFound`."""
    matches = [about for about in kept() if about.id.startswith(name) or about.id.startswith(f"fw{name}")]
    if len(matches) != 1:
        raise NotFound(
            f"{'no sandbox' if not matches else 'several sandboxes'} {name}", hint="forgewright sandbox list"
        )
    return matches[0]


class Gone(SandboxError):
    """The sandbox ended before it had answered."""


class Session:
    """One request under way. Use as `async with Session(about, ask) as session`."""

    def __init__(self, about: About, request: Ask) -> None:
        self._about = about
        self._request = request

    async def __aenter__(self) -> Session:
        try:
            self._reader, self._writer = await asyncio.open_unix_connection(_socket(self._about))
        except OSError as error:
            raise SandboxError(
                f"the keeper of {self._about.id} does not answer", hint="forgewright sandbox clean"
            ) from error
        self._writer.write(pack(self._request))
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._writer.close()

    async def send(self, more: More) -> None:
        self._writer.write(pack(more))
        await self._writer.drain()

    def send_soon(self, more: More) -> None:
        """For what is small: a key, a size."""
        self._writer.write(pack(more))

    async def answer(
        self,
        on_output: Callable[[str, bytes], object] | None = None,
        on_more: Callable[[Answer], object] | None = None,
    ) -> Answer:
        """The last answer; output goes to `on_output`, pieces of a log and progress to `on_more` as they come.

        Raises `SandboxError`.
        """
        try:
            while True:
                found = msgspec.msgpack.decode(await receive(self._reader), type=Answer)
                if found.more:
                    if on_more is not None:
                        on_more(found)
                    continue
                if not found.stream:
                    break
                if on_output is not None:
                    on_output(found.stream, found.data)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise Gone(f"sandbox {self._about.id} ended") from None
        if found.error:
            raise SandboxError(found.message)
        return found


async def ask(
    about: About,
    request: Ask,
    on_output: Callable[[str, bytes], object] | None = None,
    on_more: Callable[[Answer], object] | None = None,
) -> Answer:
    """Puts one request to the keeper."""
    async with Session(about, request) as session:
        return await session.answer(on_output, on_more)


def _socket(about: About) -> Path:
    return state.state_root() / about.id / SOCKET
