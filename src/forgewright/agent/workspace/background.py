"""Commands that go on while the agent does something else: servers, watchers, long builds.

One lives in the process that executes the run, in a sandbox of its own. A crash ends it, and whoever asks for it
afterwards is told so.
"""

from __future__ import annotations

import asyncio
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from forgewright.agent.workspace.staging import staging_of
from forgewright.agent.workspace.work import View, Worked, WorkEffect
from forgewright.core.errors import ForgewrightError, NotFound, Refused, UsageError
from forgewright.policy.types import Verdict
from forgewright.runtime.effects.exec import ExecEffect
from forgewright.sandbox.types import Command, Exit, Sandbox, SandboxSpec, Tier

if TYPE_CHECKING:
    from forgewright.runtime.context import Context

JOBS_MAX = 4
"""Background commands of one run at a time."""
OUTPUT_BYTES_MAX = 1 << 20
"""Kept of what one wrote and nobody read yet; the oldest goes first."""
FIRST_SECONDS = 1.0
"""What starting one waits for its first words, or its end."""


class State(msgspec.Struct, frozen=True):
    """What is known of a background command when somebody looks."""

    status: Literal["running", "ended", "gone"]
    output: bytes = b""
    """What it wrote since somebody looked last."""
    dropped_bytes: int = 0
    """What it wrote before that and is not kept."""
    ended: Worked | None = None


class Job:
    """One command with its sandbox."""

    def __init__(self, sandbox: Sandbox, view: View, command: Command) -> None:
        self.sandbox = sandbox
        self._output = bytearray()
        self._dropped = 0
        self._spoke = asyncio.Event()
        self.task = asyncio.create_task(self._run(view, command))

    async def _run(self, view: View, command: Command) -> Worked:
        try:
            await view.look()
            return await view.changed(await self.sandbox.run(command, on_output=self._heard))
        finally:
            self._spoke.set()
            await asyncio.shield(self.sandbox.close())

    def _heard(self, _: str, data: bytes) -> None:
        self._output += data
        over = len(self._output) - OUTPUT_BYTES_MAX
        if over > 0:
            del self._output[:over]
            self._dropped += over
        self._spoke.set()

    async def first_words(self) -> None:
        """Returns when it said something, or ended, or takes its time."""
        try:
            async with asyncio.timeout(FIRST_SECONDS):
                await self._spoke.wait()
        except TimeoutError:
            pass

    async def look(self, *, stop: bool = False) -> State:
        if stop and not self.task.done():
            self.task.cancel()
            await asyncio.wait((self.task,))
        output, self._output = bytes(self._output), bytearray()
        dropped, self._dropped = self._dropped, 0
        if not self.task.done():
            return State("running", output, dropped)
        if self.task.cancelled():
            return State("ended", output, dropped)
        error = self.task.exception()
        if isinstance(error, ForgewrightError):
            return State("ended", output + str(error).encode(), dropped)
        return State("ended", output, dropped, self.task.result())


_jobs: weakref.WeakKeyDictionary[Any, dict[str, Job]] = weakref.WeakKeyDictionary()
"""Execution → its background commands by name; with the execution they end."""


def jobs_of(context: Context) -> dict[str, Job]:
    found = _jobs.get(context.execution)
    if found is None:
        found = _jobs[context.execution] = {}
        weakref.finalize(context.execution, _end_all, found)
    return found


def _end_all(jobs: dict[str, Job]) -> None:
    for job in jobs.values():
        job.task.cancel()


class StartEffect(WorkEffect):
    """Starts a command over a copy of the tree, and returns its first words."""

    def __init__(
        self, name: str, command: Command, purpose: str, root: Path, spec: SandboxSpec | None
    ) -> None:
        super().__init__(command, purpose, root, spec)
        self.name = name

    async def perform(self, key: str, context: Context) -> Exit:
        assert self.survey is not None
        jobs = jobs_of(context)
        running = [name for name, job in jobs.items() if not job.task.done()]
        if self.name in running:
            raise UsageError(f"{self.name} is running already", hint="stop it first, or take another name")
        if len(running) >= JOBS_MAX:
            raise UsageError(
                f"expected at most {JOBS_MAX} background commands; {', '.join(running)} are running",
                hint="stop one first",
            )
        sandbox = await context.execution.engine.sandboxes.open(self.spec)
        job = Job(sandbox, View(sandbox, self.root, self.survey, staging_of(context)), self.command)
        jobs[self.name] = job
        await job.first_words()
        return Worked(0, "exit", b"", b"", 0, 0, 0.0, hidden=self.survey.hidden)


class InsideEffect(ExecEffect):
    """A further command in the sandbox of a background one. Raises `NotFound` if that is not there."""

    def __init__(self, name: str, command: Command, purpose: str, context: Context) -> None:
        self.name = name
        job = jobs_of(context).get(name)
        super().__init__(command, purpose, job.sandbox.spec if job is not None else None)

    async def oblige(self, verdict: Verdict, context: Context) -> None:
        before = self.spec
        await super().oblige(verdict, context)
        tiers = list(Tier)
        if tiers.index(self.spec.tier) > tiers.index(before.tier):
            raise Refused(
                f"the policy wants tier {self.spec.tier} for this, and {self.name} runs in {before.tier}"
            )
        self.spec = before

    async def perform(self, key: str, context: Context) -> Exit:
        job = jobs_of(context).get(self.name)
        if job is None or job.task.done():
            raise NotFound(f"no background command {self.name!r} is running", hint="start it again")
        return await job.sandbox.run(self.command)


async def look(name: str, context: Context, *, stop: bool = False) -> State:
    """How the background command is, the same on replay."""

    async def now() -> State:
        job = jobs_of(context).get(name)
        return State("gone") if job is None else await job.look(stop=stop)

    return await context.read("background command", now, State)
