"""An agent with a tool, in a few lines.

    python examples/agent.py [MODEL]

Without a model's name (`anthropic:…`, `openai:…`, `ollama:…`) the answers come from a recorded session.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from forgewright import Agent, Engine, tool

SESSION = Path(__file__).with_name("agent-session.jsonl")


@tool(recovery="pure")
def word_count(text: str) -> int:
    """Count the words of a text.

    Args:
        text: What is counted.
    """
    return len(text.split())


async def main(model: str) -> None:
    editor = Agent("editor", "You check texts against their limits. Use the tool.", tools=[word_count])
    async with Engine(model=model) as engine:
        outcome = await editor.run("At most five words: 'a small tale of two cities'. Does it fit?", engine)
        print(outcome.state.answer)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else f"replay:{SESSION}"))
