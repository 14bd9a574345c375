"""A hundred sub-agents at once in a process of its own, which kills itself at the n-th write to the journal.

    python -m tests.faults.crowd HOME URL start|RUN [before|after N]

Prints the run's id when it is journaled, and at the end the status, the number of writes, and the answer.
Each worker's effect on the world is a line in HOME/effects: the key of the effect, and the process.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.faults.dying import dying

from forgewright import Agent, Budget, tool
from forgewright.agent.subagents import Subagent
from forgewright.core.ids import RunId
from forgewright.runtime.context import Context
from forgewright.wiring import open_engine

BUDGET = Budget(tokens=60_000, steps=1_200, wall_seconds=600)
POLICY = """
@id("deploying") @approval("owner")
permit (principal == Agent::"worker", action == Action::"tool", resource == Tool::"deploy")
when { context.parent == "lead" && context.depth == 1 };
"""
HANG_SECONDS = 2.0


def lead(home: Path) -> Agent:
    """The agent that gives out the tasks."""

    def done(key: str) -> None:
        with open(home / "effects", "a", encoding="utf-8") as file:
            file.write(f"{key} {os.getpid()}\n")

    @tool(recovery="idempotent")
    def work(item: int, context: Context) -> str:
        """Do the work of an item."""
        done(context.key)
        return f"worked on {item}"

    @tool(recovery="idempotent")
    def deploy(item: int, context: Context) -> str:
        """Deploy an item; needs a yes."""
        done(context.key)
        return f"deployed {item}"

    worker = Agent("worker", "You work on one item.", tools=[work, deploy], max_output_tokens=100)
    sleeper = Agent("sleeper", "You take your time.", tools=[work], max_output_tokens=100)
    return Agent(
        "lead",
        "You give out tasks.",
        max_output_tokens=100,
        subagents=[
            Subagent(worker, timeout_seconds=300),
            Subagent(sleeper, budget=Budget(tokens=2_000), timeout_seconds=HANG_SECONDS),
        ],
    )


async def main(home: Path, url: str, what: str, when: str, at: int) -> None:
    policy = home / "approvals.cedar"
    home.mkdir(exist_ok=True)
    policy.write_text(POLICY)
    agent = lead(home)
    async with open_engine(
        home, policies=["default", policy], models={"default": "openai-chat:test"}, base_url=url
    ) as engine:
        writes = dying(engine, when, at)
        run = RunId(what)
        if what == "start":
            run = await engine.start(agent.graph, agent.graph.state(prompt="go"), budget=BUDGET)
            print(run, flush=True)
        outcome = await engine.execute(run, agent.graph)
        print(outcome.status, outcome.reason or "-", writes(), outcome.state.answer, flush=True)
        print(outcome.detail, file=sys.stderr)


if __name__ == "__main__":
    rest = [*sys.argv[4:], "never", "0"]
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], rest[0], int(rest[1])))
