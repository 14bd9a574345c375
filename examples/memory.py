"""A result too large for the context is read in parts, and what was found is remembered for the next run.

    python examples/memory.py [MODEL]

Without a model's name (`anthropic:…`, `openai:…`, `ollama:…`) the answers come from a recorded session.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from forgewright import Agent, Engine, tool
from forgewright.agent.memory import LongTerm, Remembering

SESSION = Path(__file__).with_name("memory-session.jsonl")


@tool(recovery="pure")
def read_log() -> str:
    """Read the server's log of today."""
    lines = [f"12:{n // 60 % 60:02}:{n % 60:02} GET /orders/{n} 200" for n in range(3_000)]
    lines[1_800] = "12:30:00 GET /orders/1800 500 ERROR the price of order 1800 is missing"
    return "\n".join(lines)


async def main(model: str) -> None:
    memory = Remembering("user", "project/orders")
    recall = [one for one in memory.tools if one.name == "recall"]
    reader = Agent("reader", "You look after a server.", tools=[read_log, *memory.tools], middleware=[memory])
    helper = Agent("helper", "You answer from memory.", tools=recall, middleware=[memory])
    with tempfile.TemporaryDirectory() as home:
        async with Engine(model=model, home=home) as engine:
            print(f"the log has {len(read_log()):,} characters")
            first = await reader.run("What went wrong today? Remember it.", engine)
            print("reader:", first.state.answer)
            for entry in await LongTerm(engine.journal).entries():
                print(f"remembered, {entry.trust}, after {', '.join(entry.after)}: {entry.text}")
            second = await helper.run("Which order had no price?", engine)
            print("helper:", second.state.answer)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else f"replay:{SESSION}"))
