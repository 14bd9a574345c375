"""Reads many pages in a small context, and dies where it is told to: `long_reader.py HOME [WHERE]`.

WHERE is `turn N` (before the answer of that turn), `summary N`, or `note N` (as the N-th compaction is recorded).
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys

import msgspec

from forgewright import Agent, Engine, Request, Response, tool
from forgewright.agent.agent import AgentState
from forgewright.journal import events as ev
from forgewright.models.types import Assistant, OnDelta, Part, Text, ToolCall, ToolResult, Usage

PAGES = 60
RULE = "End with KESTREL."
COUNTS = {"turn": 0, "summary": 0, "note": 0}


def reached(what: str) -> None:
    COUNTS[what] += 1
    if sys.argv[2:] == [f"{what} {COUNTS[what]}"]:
        os.kill(os.getpid(), signal.SIGKILL)


@tool(recovery="pure")
def look(number: int) -> str:
    """Look at a page."""
    return (
        f"page {number}\n"
        + f"words of page {number}\n" * (700 if number % 6 == 0 else 60)
        + f"FACT-{number}={number * 13}"
    )


class Model:
    name = "scripted:reader"
    context_tokens = 8_000

    async def respond(self, request: Request, *, on_delta: OnDelta | None = None) -> Response:
        if request.role.endswith(".summary"):
            reached("summary")
            return Response(Assistant((Text(f"{request.ordinal} summaries before this one."),)))
        reached("turn")
        size = sum(len(getattr(m, "text", "")) for m in request.messages)
        assert size < 8_000 * 4
        assert RULE in request.messages[0].text
        return Response(
            Assistant((self.part(request),)), "end", Usage(input_tokens=size // 4 + 200, output_tokens=20)
        )

    def part(self, request: Request) -> Part:
        turn = request.ordinal or 0
        if turn < PAGES:
            return ToolCall(f"c{turn}", "look", msgspec.json.encode({"number": turn}).decode())
        told = "\n".join(m.text for m in request.messages if not isinstance(m, Assistant))
        if turn == PAGES:
            found = re.search(r"- ([0-9a-f]{12}) look \([^)]*\): page 12 ", told)
            return ToolCall(
                "r",
                "read_result",
                msgspec.json.encode({"result": found[1] if found else "?", "pattern": "FACT"}).decode(),
            )
        last = [m.text for m in request.messages if isinstance(m, ToolResult)][-1]
        return Text(f"{last.partition('=')[2]} KESTREL")

    async def close(self) -> None:
        pass


def on_record(record: ev.Record) -> None:
    if isinstance(record.event, ev.NoteWritten) and record.event.topic == "context":
        reached("note")


async def main() -> None:
    agent = Agent("reader", "You read.", tools=[look])
    async with Engine(home=sys.argv[1], model=Model(), on_record=on_record) as engine:
        runs = await engine.journal.runs()
        run = runs[0].run if runs else await engine.start(agent.graph, AgentState(prompt=f"Read. {RULE}"))
        outcome = await engine.execute(run, agent.graph)
        answered = [r.event.effect for r in await engine.records(run) if isinstance(r.event, ev.ToolAnswered)]
        print(outcome.status, outcome.detail or outcome.state.answer, len(answered), len(set(answered)))


if __name__ == "__main__":
    asyncio.run(main())
