"""A graph of one's own: typed state, declared edges, branches side by side, and a person who has the last word.

    python examples/review_graph.py

The run parks at the question, needs no process meanwhile, and goes on when the answer is there.
"""

from __future__ import annotations

import asyncio
import tempfile
from typing import Annotated

from forgewright import END, Branch, Context, End, Engine, Goto, Graph, State, Update, append

TEXTS = {
    "intro": "Forgewright keeps one record.",
    "usage": "TODO",
    "licence": "Apache-2.0, as the file says.",
}


class Review(State):
    chapters: tuple[str, ...]
    chapter: str = ""
    findings: Annotated[list[str], append] = []  # noqa: RUF012 - a state's defaults are copied
    verdict: str = ""


review = Graph("review", Review)


@review.node(to=["read"])
async def split(state: Review, context: Context) -> Goto:
    """One branch for each chapter; they run side by side."""
    return Goto(*(Branch("read", chapter=name) for name in state.chapters))


@review.node(to=["decide"])
async def read(state: Review, context: Context) -> Update:
    text = TEXTS[state.chapter]
    return Update(findings=[f"{state.chapter} is unfinished"] if "TODO" in text else [])


@review.node(to=["split", END])
async def decide(state: Review, context: Context) -> Goto:
    """Asks a person where something was found."""
    if not state.findings:
        return End(verdict="accepted")
    answer = await context.ask(f"{'; '.join(state.findings)}. Accept?", choices=["yes", "no"])
    return End(verdict="accepted" if answer == "yes" else "sent back")


async def main() -> None:
    print(review.mermaid())
    with tempfile.TemporaryDirectory() as home:
        async with Engine(home=home) as engine:
            parked = await engine.run(review, Review(chapters=tuple(TEXTS)))
            print(parked.status, "-", parked.detail)
        async with Engine(home=home) as engine:  # another process, another day
            await engine.answer(parked.run, "no", by="ada")
            outcome = await engine.execute(parked.run, review)
            print(outcome.status, "-", outcome.state.verdict)


if __name__ == "__main__":
    asyncio.run(main())
