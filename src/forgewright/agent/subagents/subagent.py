"""An agent as another one sees it: what it is good for, and what it may spend."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.core.errors import Refused
from forgewright.runtime.budget import Budget
from forgewright.runtime.effects.agent import AgentEffect, Delegated, Work, Worker
from forgewright.runtime.execution import raise_first

if TYPE_CHECKING:
    from forgewright.agent.agent import Agent
    from forgewright.code.engine import CodeEngine
    from forgewright.runtime.context import Context

TIMEOUT_SECONDS = 1800.0
"""What a sub-agent is given where nothing else is said; waiting for a person does not count."""


class Subagent(msgspec.Struct, frozen=True):
    """Hand it to `Agent(…, subagents=[…])` where the agent alone would not say enough."""

    agent: Any
    """The `Agent`: its own instructions, tools, model and, where it has some, its own sub-agents."""
    description: str = ""
    """For the model that chooses: what it is good for. By default the first line of its instructions."""
    budget: Budget = Budget()
    """Its share, set aside for each task; without limits it draws on its caller's."""
    timeout_seconds: float | None = TIMEOUT_SECONDS

    @property
    def name(self) -> str:
        return str(self.agent.name)

    @property
    def purpose(self) -> str:
        """The description, or what stands for it."""
        return self.description or self.agent.instructions.strip().partition("\n")[0]


class Task(msgspec.Struct, frozen=True):
    """One thing to be done by one sub-agent."""

    agent: Any
    """A `Subagent` or an `Agent`."""
    prompt: str
    code: Any = None
    """A `CodeEngine` over a work tree of its own; by default it shares its caller's."""


def as_subagent(thing: Subagent | Agent) -> Subagent:
    """An agent with what holds by default."""
    return thing if isinstance(thing, Subagent) else Subagent(thing)


async def delegate(
    context: Context, agent: Subagent | Agent, prompt: str, *, code: CodeEngine | None = None
) -> Delegated:
    """Gives a sub-agent a task and waits for its end; that it fails, or may not be asked, is a result."""
    return await perform(effect_of(as_subagent(agent), prompt, code=code), context)


async def delegate_all(context: Context, tasks: Sequence[Task]) -> list[Delegated]:
    """Gives out all tasks and waits for all ends, in the order of the tasks. A failing one does not end the others,
    and where one asks a person, the others go on meanwhile."""
    ended = await asyncio.gather(
        *(delegate(context, task.agent, task.prompt, code=task.code) for task in tasks),
        return_exceptions=True,
    )
    raise_first(ended)
    return [one for one in ended if isinstance(one, Delegated)]


def effect_of(
    subagent: Subagent, prompt: str, *, code: CodeEngine | None = None, background: bool = False
) -> AgentEffect:
    """The effect by which a sub-agent is given a task."""
    return AgentEffect(
        subagent.name,
        worker_of(subagent.agent, prompt),
        prompt,
        subagent.budget,
        subagent.timeout_seconds,
        code,
        background,
    )


def worker_of(agent: Agent, prompt: str) -> Worker:
    """The agent at work on a prompt; it sees nothing else."""

    async def work(context: Context) -> Work:
        answer = await agent.act(context, prompt)
        if agent.output is None:
            return Work(answer.text)
        return Work(answer.text, msgspec.Raw(msgspec.json.encode(answer.value)))

    return work


async def perform(effect: AgentEffect, context: Context) -> Delegated:
    """The effect done; a refusal is how it ended."""
    try:
        return await context.perform(effect)
    except Refused as error:
        return Delegated(effect.agent, "failed", str(error), error=error.code)
