"""The sub-agents of one agent at work: those it waits for, and those that work in the background meanwhile."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from forgewright.agent.middleware import CallTool, Middleware
from forgewright.agent.subagents.subagent import Subagent, as_subagent, effect_of, perform
from forgewright.core.errors import IntegrityError, LeaseLost, LostRace, StoreError, ToolError, UsageError
from forgewright.models.types import ToolCall, ToolResult
from forgewright.runtime.effects.agent import AgentEffect, Delegated

if TYPE_CHECKING:
    from types import TracebackType

    from forgewright.agent.agent import Agent
    from forgewright.runtime.context import Context


BROKEN = (StoreError, IntegrityError, LeaseLost, LostRace)
"""Errors by which a run ends for now, and not the agent."""


class Job:
    """A sub-agent at work in the background."""

    def __init__(self, name: str, effect: AgentEffect, task: asyncio.Task[Delegated]) -> None:
        self.name = name
        self.effect = effect
        self.task = task

    @property
    def ended(self) -> Delegated | None:
        """How it ended; None while it works. Raises what parks or breaks the run."""
        if not self.task.done():
            return None
        if self.task.cancelled():
            return Delegated(self.effect.agent, "cancelled", self.effect.cancelled)
        return self.task.result()

    async def cancel(self, why: str) -> None:
        """Returns when it has ended; one that ended before stays as it is."""
        if not self.task.done():
            self.effect.cancel(self.task, why)
            await asyncio.wait([self.task])

    async def leave(self) -> None:
        """Ends its work in this process; it goes on when the run is resumed."""
        if not self.task.done():
            self.task.cancel()
            await asyncio.wait([self.task])


class _Started(msgspec.Struct, frozen=True):
    """Arguments of `start_task` and `cancel_task`, as far as they are looked at again on replay."""

    agent: str = ""
    prompt: str = ""
    task: str = ""


class Crew(Middleware):
    """`async with Crew(agent, context) as crew`: `crew.lead` is the agent with the tools for its sub-agents.

    When it has given its answer, what still works in the background is cancelled. On replay, calls of these tools are
    answered from the journal; what they started is started again here, and recalls what it did.
    """

    def __init__(self, agent: Agent, context: Context) -> None:
        from forgewright.agent.subagents.tools import tools_of

        self.context = context
        number = context.next_effect().rpartition(".")[2] if agent.background else ""
        self._place = context.scope(f"crew-{number}") if number else context
        self.members = {one.name: one for one in map(as_subagent, agent.subagents)}
        self.jobs: dict[str, Job] = {}
        tools = {tool.name: tool for tool in tools_of(self, background=agent.background)}
        for name in tools.keys() & agent.tools.keys():
            raise UsageError(f"agent {agent.name!r} has sub-agents, and a tool {name!r} of its own")
        lead = copy.copy(agent)
        lead.subagents = ()
        lead.middleware = (*agent.middleware, self)
        lead.offer({**agent.tools, **tools})
        self.lead = lead

    async def __aenter__(self) -> Crew:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        over = error is None or (isinstance(error, Exception) and not isinstance(error, BROKEN))
        for job in self.jobs.values():
            if over:
                await job.cancel(f"{self.lead.name} ended before it")
            else:
                await job.leave()
        if error is None:
            for job in self.jobs.values():
                _ = job.ended

    def member(self, name: str) -> Subagent:
        """Raises `ToolError`."""
        found = self.members.get(name)
        if found is None:
            raise ToolError(f"there is no agent {name!r}; there are: {', '.join(self.members)}")
        return found

    def job(self, name: str) -> Job:
        """Raises `ToolError`."""
        found = self.jobs.get(name)
        if found is None:
            raise ToolError(f"there is no task {name!r}; there are: {', '.join(self.jobs) or 'none'}")
        return found

    @property
    def next_job(self) -> str:
        return f"task-{len(self.jobs) + 1}"

    async def tool(self, tool_call: ToolCall, call: CallTool, context: Context) -> ToolResult:
        """Does what a call of `start_task` or `cancel_task` meant, also where its answer was only recalled."""
        result = await call(tool_call)
        if not result.error and tool_call.name == "start_task":
            asked = msgspec.json.decode(tool_call.arguments, type=_Started)
            self._start(self.member(asked.agent), asked.prompt)
        elif not result.error and tool_call.name == "cancel_task":
            asked = msgspec.json.decode(tool_call.arguments, type=_Started)
            await self.job(asked.task).cancel(f"{self.lead.name} asked for it")
        return result

    def _start(self, subagent: Subagent, prompt: str) -> None:
        name = self.next_job
        effect = effect_of(subagent, prompt, background=True)
        work = perform(effect, self._place.scope(name))
        self.jobs[name] = Job(name, effect, asyncio.get_running_loop().create_task(work))

    async def wait(self, jobs: Sequence[Job], seconds: float | None) -> None:
        """Returns when all have ended, or the time is over. Raises what parks or breaks the run."""
        with self.context.strand.waiting():
            await asyncio.wait([job.task for job in jobs], timeout=seconds)
        for job in jobs:
            _ = job.ended
