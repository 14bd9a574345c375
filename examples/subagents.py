"""An agent with sub-agents: three at once, of which one is too slow and one asks a person.

    python examples/subagents.py [MODEL]

The run parks only when the others are done, and goes on in another process when the answer is there. Without a model's
name the answers come from a recorded session.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from forgewright import Agent, Budget, Context, Engine, tool
from forgewright.agent.subagents import Subagent

SESSION = Path(__file__).with_name("subagents-session.jsonl")


@tool(recovery="pure")
def read_chapter(name: str) -> str:
    """Read a chapter."""
    return {"intro": "Forgewright keeps one record.", "usage": "TODO"}.get(name, "")


@tool(recovery="pure")
async def look_up(word: str) -> str:
    """Look a word up in an archive that never answers."""
    await asyncio.Event().wait()
    return word


@tool(recovery="pure")
async def ask_owner(question: str, context: Context) -> str:
    """Ask the owner of the text."""
    return await context.ask(question, choices=["publish", "wait"])


reader = Agent("reader", "You read one chapter and say what is missing.", tools=[read_chapter])
archivist = Agent("archivist", "You look words up.", tools=[look_up])
lawyer = Agent("lawyer", "You settle what may be published.", tools=[ask_owner])

editor = Agent(
    "editor",
    "You edit a book. Give out the work, then sum up.",
    subagents=[
        Subagent(reader, budget=Budget(tokens=20_000)),
        Subagent(archivist, timeout_seconds=1),
        lawyer,
    ],
)


async def main(model: str) -> None:
    with tempfile.TemporaryDirectory() as home:
        async with Engine(model=model, home=home) as engine:
            outcome = await editor.run("Is the book ready?", engine, budget=Budget(tokens=100_000))
            print(outcome.status, "-", outcome.detail)
        async with Engine(model=model, home=home) as engine:  # another process, another day
            await engine.answer(outcome.run, "wait", by="ada")
            outcome = await engine.execute(outcome.run, editor.graph)
            print(outcome.status, "-", outcome.state.answer)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else f"replay:{SESSION}"))
