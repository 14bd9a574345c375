"""The tools by which a model gives its sub-agents tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from forgewright.agent.subagents.subagent import effect_of, perform
from forgewright.runtime.context import Context
from forgewright.runtime.effects.agent import Delegated
from forgewright.tools.function import FunctionTool
from forgewright.tools.types import ToolOutput

if TYPE_CHECKING:
    from forgewright.agent.subagents.crew import Crew, Job

TASK = """Give a sub-agent a task and wait for its answer. It sees nothing but the prompt, so tell it all it needs to \
know, and what its answer should hold. Several calls in one turn work side by side."""
START = """Start a sub-agent in the background and go on; returns the task's name. Look at it with check_task, wait for \
it with wait_task. What still works when you give your answer is cancelled."""
WAIT_SECONDS_MAX = 3600.0


class SideBySide(FunctionTool[Any, Any]):
    """Neighbouring calls of one turn are made at once."""

    concurrent = True


def tools_of(crew: Crew, *, background: bool) -> list[FunctionTool[Any, Any]]:
    """`task`, and for background work also `start_task`, `check_task`, `wait_task`, `cancel_task`, `list_tasks`."""
    known = "\n".join(f"- {one.name}: {one.purpose}" for one in crew.members.values())

    async def task(agent: str, prompt: str, context: Context) -> ToolOutput:
        """
        Args:
            agent: Name of the sub-agent.
            prompt: The task, complete in itself.
        """
        return output(await perform(effect_of(crew.member(agent), prompt), context))

    def start_task(agent: str, prompt: str) -> str:
        """
        Args:
            agent: Name of the sub-agent.
            prompt: The task, complete in itself.
        """
        return f"{crew.member(agent).name} works on it as {crew.next_job}"

    def check_task(task: str) -> ToolOutput:
        """See whether a background task has ended, and with what.

        Args:
            task: Its name.
        """
        return _state(crew.job(task))

    async def wait_task(tasks: list[str], timeout_seconds: float = WAIT_SECONDS_MAX) -> ToolOutput:
        """Wait until background tasks have ended; returns the answers of all.

        Args:
            tasks: Their names.
            timeout_seconds: After so many seconds, returns what there is.
        """
        jobs = [crew.job(name) for name in tasks]
        if jobs:
            await crew.wait(jobs, min(max(timeout_seconds, 0.0), WAIT_SECONDS_MAX))
        return _states(jobs)

    async def cancel_task(task: str) -> str:
        """Cancel a background task; what it did up to there stays done.

        Args:
            task: Its name.
        """
        job = crew.job(task)
        if job.ended is not None:
            return f"{task} had ended before"
        await job.cancel(f"{crew.lead.name} asked for it")
        return f"{task} is cancelled"

    def list_tasks() -> str:
        """List the background tasks."""
        return "\n".join(_line(job) for job in crew.jobs.values()) or "there are none"

    made: list[FunctionTool[Any, Any]] = [
        SideBySide(task, description=f"{TASK}\n\nSub-agents:\n{known}", recovery="idempotent")
    ]
    if background:
        made += [
            FunctionTool(start_task, description=f"{START}\n\nSub-agents:\n{known}", recovery="idempotent"),
            FunctionTool(check_task, recovery="pure"),
            FunctionTool(wait_task, recovery="idempotent"),
            FunctionTool(cancel_task, recovery="idempotent"),
            FunctionTool(list_tasks, recovery="pure"),
        ]
    return made


def output(ended: Delegated) -> ToolOutput:
    """What the model is told of a sub-agent's end."""
    if ended.ok:
        return ToolOutput(ended.text)
    return ToolOutput(f"{ended.agent} gave no answer ({ended.status}): {ended.text}", error=True)


def _state(job: Job) -> ToolOutput:
    ended = job.ended
    return ToolOutput(f"{job.name} is still at work") if ended is None else output(ended)


def _states(jobs: Sequence[Job]) -> ToolOutput:
    states = [(job.name, _state(job)) for job in jobs]
    text = "\n\n".join(f"{name}: {state.text}" for name, state in states) or "no task was named"
    return ToolOutput(text, error=bool(states) and all(state.error for _, state in states))


def _line(job: Job) -> str:
    ended = job.ended
    return f"{job.name} ({job.effect.agent}): {'at work' if ended is None else ended.status}"
