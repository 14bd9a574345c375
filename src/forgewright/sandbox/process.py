"""A command under way: what it is fed, how large its terminal is, and how it ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from forgewright.sandbox.types import Exit, Size

if TYPE_CHECKING:
    from forgewright.sandbox.cgroups import Counters
    from forgewright.sandbox.protocol import Job
    from forgewright.sandbox.session import AgentSandbox

UNBOUNDED = 1 << 62
DAY_SECONDS = 86_400.0


class Process:
    """Made by `AgentSandbox.start`. `wait` has to be called: it is what holds the time-out and the process tree's end."""

    def __init__(self, sandbox: AgentSandbox, job: Job, before: Counters) -> None:
        self._sandbox = sandbox
        self._job = job
        self._before = before
        self._started = time.monotonic()

    def feed(self, data: bytes) -> None:
        """Standard input, or what is typed. It waits here until the command reads it."""
        if data:
            self._job.feed(data, eof=False)

    async def write(self, data: bytes) -> None:
        """The same, and returns when the command may be given more."""
        self.feed(data)
        await self._job.fed()

    def close_stdin(self) -> None:
        """No more will come; to a terminal that is Ctrl-D."""
        self._job.feed(b"", eof=True)

    def resize(self, size: Size) -> None:
        """Programs are told by SIGWINCH."""
        self._job.resize(size)

    def signal(self, number: int) -> None:
        """Sends a signal to all of the command's process tree."""
        self._job.signal(number)

    def kill(self) -> None:
        """Kills all of it; `wait` says how it ended."""
        self._job.kill()

    async def wait(self, timeout_seconds: float = DAY_SECONDS) -> Exit:
        """The end. At the time-out, or cancelled: kills the whole process tree first. Raises `SandboxError`."""
        return await self._sandbox.attend(self._job, self._before, self._started, timeout_seconds)
