"""400 turns with 40 large results in a context of 32k tokens, over the wire, with everything failing that can."""

from __future__ import annotations

import asyncio
import itertools
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.models.server import Exchange, ModelServer, answer, status

from forgewright import Agent, Context, Engine, tool
from forgewright.core.ids import RunId
from forgewright.journal import events as ev
from forgewright.models.registry import make_model
from forgewright.models.retry import Retrying
from forgewright.models.settings import ModelSettings
from forgewright.models.types import Assistant, Part, Response, Text, ToolCall, Usage
from forgewright.runtime.effects.tool import Given

TURNS = 400
LIMIT = 32_768
LARGE_EVERY = 10
RULE = "Always answer in metric units and end with the word KESTREL-7."
ANSWERED = "Never touch the folder called attic-42."


def page(number: int) -> str:
    """What the tool finds: every tenth time something large, with one line in it that matters."""
    if number % LARGE_EVERY:
        return f"page {number}: " + "nothing to see here, go on to the next one. " * (1 + number % 25)
    lines = [f"page {number}, line {n}: the quick brown fox jumps over the lazy dog" for n in range(500)]
    lines[250] = f"FACT-{number}: the answer is {number * 7919}"
    return "\n".join(lines)


@tool(recovery="pure")
def look(number: int) -> str:
    """Look at a page."""
    return page(number)


@tool(recovery="pure")
async def ask_owner(question: str, context: Context) -> str:
    """Ask the owner."""
    return await context.ask(question)


class Provider:
    """A model with a context of its own: counts tokens, refuses what is too long, and works through the pages."""

    def __init__(self) -> None:
        self.turn = 0
        self.summaries = 0
        self.tokens_most = 0
        self.refused = 0
        self.lost: list[str] = []
        self.changes = 0
        self.before: list[Any] = []
        self.interrupt_at: set[str] = set()
        self.interrupt: Any = None

    async def step(self, exchange: Exchange) -> None:
        body = exchange.asked.json
        messages = body["messages"]
        text = msgspec.json.encode([messages, body.get("tools", [])]).decode()
        tokens = len(re.findall(r"\w{1,6}|[^\w\s]", text))
        if "You summarise" in messages[0]["content"]:
            await self._summarise(exchange, tokens)
            return
        self._check(messages)
        if tokens > LIMIT or self._pretends():
            self.refused += 1
            said = (
                f"This model's maximum context length is {LIMIT} tokens. However, you sent {tokens} tokens."
            )
            await status(400, {"error": {"message": said, "type": "invalid_request_error"}})(exchange)
            return
        if f"turn {self.turn}" in self.interrupt_at:
            self.interrupt_at.discard(f"turn {self.turn}")
            self.interrupt()
            return
        self.tokens_most = max(self.tokens_most, tokens)
        self.turn += 1
        await answer(self._answer(text, tokens))(exchange)

    def _pretends(self) -> bool:
        """Twice it refuses what would fit, as providers do that count otherwise than they say."""
        return (self.turn, self.refused) in ((57, 0), (211, 1))

    def _check(self, messages: list[Any]) -> None:
        if messages[: len(self.before)] != self.before:
            self.changes += 1
        self.before = messages
        users = "\n".join(str(m["content"]) for m in messages)
        if RULE not in users:
            self.lost.append(f"{self.turn}: rule")
        if self.turn > 21 and ANSWERED not in users:
            self.lost.append(f"{self.turn}: answer")

    async def _summarise(self, exchange: Exchange, tokens: int) -> None:
        """Every other time it fails, each time otherwise."""
        self.summaries += 1
        if f"summary {self.summaries}" in self.interrupt_at:
            self.interrupt()
            return
        said = Response(
            Assistant((Text(f"Pages were looked at; summary {self.summaries}."),)), "end", Usage(tokens, 20)
        )
        faults = [
            answer(said),
            status(500),
            answer(said),
            status(400, {"error": {"message": "maximum context length is 16 tokens"}}),
            answer(said),
            answer(msgspec.structs.replace(said, message=Assistant((Text("  "),)))),
        ]
        await faults[self.summaries % len(faults)](exchange)

    def _answer(self, text: str, tokens: int) -> Response:
        def call(name: str, **arguments: object) -> ToolCall:
            return ToolCall(f"c{self.turn}", name, msgspec.json.encode(arguments).decode())

        part: Part
        if self.turn == 20:
            part = call("ask_owner", question="Anything I must not do?")
        elif self.turn <= TURNS - 2:
            part = call("look", number=self.turn)
        elif self.turn == TURNS - 1:
            found = re.search(
                r"- ([0-9a-f]{12}) look \([\d,]+ characters, [\d,]+ lines\): page 30, line 0", text
            )
            part = call("read_result", result=found[1] if found else "?", pattern="FACT-30")
        else:
            found = re.search(r"FACT-30: the answer is (\d+)", text)
            part = Text(f"{found[1] if found else 'lost'} KESTREL-7")
        return Response(
            Assistant((part,)), "tools" if isinstance(part, ToolCall) else "end", Usage(tokens, 12), "test"
        )


@pytest.mark.parametrize("interrupted", [False, True])
async def test_400_turns_with_40_large_results_stay_within_32k_tokens(
    tmp_path: Path, interrupted: bool
) -> None:
    provider = Provider()
    if interrupted:
        provider.interrupt_at = {"turn 120", "summary 4", "turn 301"}
    agent = Agent("reader", "You read pages.", tools=[look, ask_owner], turns_max=TURNS + 10)
    parked = 0
    async with ModelServer(itertools.repeat(provider.step)) as server:
        run: RunId | None = None
        while True:
            model = make_model(
                "openai-chat:test",
                base_url=server.url,
                settings=ModelSettings(context_tokens=LIMIT),
                environ={},
            )

            async def owner(*_: object) -> str:
                return ANSWERED

            engine = Engine(
                home=tmp_path, model=Retrying(model, attempts=2, base_seconds=0.0), on_question=owner
            )
            async with engine:
                if run is None:
                    from forgewright.agent.agent import AgentState

                    run = await engine.start(agent.graph, AgentState(prompt=f"Read all pages. {RULE}"))
                provider.interrupt = lambda engine=engine, run=run: engine.interrupt(run)
                outcome = await asyncio.wait_for(engine.execute(run, agent.graph), 120)
                records = await engine.records(run)
                if outcome.status == "finished":
                    found = await looked_up(engine, records)
                    break
                assert outcome.reason == "interrupted", outcome.detail
                parked += 1
            await model.close()
    assert outcome.state.answer == f"{30 * 7919} KESTREL-7"
    assert provider.turn == TURNS
    assert provider.lost == []
    assert provider.tokens_most <= LIMIT
    assert provider.refused == 2, "only when it pretended; the window is small enough by itself"
    assert parked == (3 if interrupted else 0)

    notes = [r.event for r in records if isinstance(r.event, ev.NoteWritten) and r.event.topic == "context"]
    how = [word for note in notes for word in msgspec.json.decode(note.value)["compacted"]]
    assert {"results", "summary", "digest"} <= set(how)
    assert provider.changes <= len(notes), "between compactions the prefix stays as it is"
    assert provider.changes < 40, "and they are rare"
    # Nothing is lost: each page stands in the journal as the tool gave it.
    numbers = [n for n in range(1, TURNS - 1) if n != 20]
    assert found == {f"c{n}": page(n) for n in numbers}


async def looked_up(engine: Engine, records: Any) -> dict[str, str]:
    """Call → the whole text of its result, from the journal."""
    calls = {
        r.event.effect: r.event.call
        for r in records
        if isinstance(r.event, ev.ToolAsked) and r.event.tool == "look"
    }
    texts = {}
    for record in records:
        event = record.event
        if isinstance(event, ev.ToolAnswered) and event.effect in calls:
            given = msgspec.json.decode(await engine.journal.load(event.result), type=Given)
            texts[calls[event.effect]] = given.text
    return texts
