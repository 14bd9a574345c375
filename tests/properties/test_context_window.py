"""Whatever tools return and however small the context: requests are valid, fit, and lose no word of a person."""

from __future__ import annotations

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.runtime.scripted import Scripted

from forgewright import Agent, Engine, Request, Response, tool
from forgewright.agent.context.meter import sizes
from forgewright.agent.context.options import WindowOptions
from forgewright.core.errors import ContextOverflow, ModelOverloaded
from forgewright.models.history import repair
from forgewright.models.types import Assistant, Part, Text, ToolCall, Usage

RULE = "Never forget the word KESTREL."
TOKENS_PER_BYTE = 0.29
"""As this provider counts."""


@tool(recovery="pure")
def produce(chars: int, lines: bool, fail: bool) -> str:
    """Produce a text."""
    text = "α line of text\n" * (chars // 15 + 1) if lines else "x" * chars
    if fail:
        raise ValueError(text[:chars])
    return text[:chars]


calls = st.tuples(st.integers(0, 40_000), st.booleans(), st.booleans())
turns = st.lists(
    st.one_of(st.lists(calls, min_size=1, max_size=4), st.integers(0, 6_000)), min_size=1, max_size=25
)


class Provider(Scripted):
    """Counts, refuses what does not fit, fails at summaries now and then, and checks each history."""

    def __init__(self, script: list[object], limit: int, *, known: bool, summaries: str) -> None:
        super().__init__(lambda request: "")
        self.turns = script
        self.limit = limit
        self.context_tokens = limit if known else None  # type: ignore[assignment]
        self.summaries = summaries
        self.turn = 0
        self.overflows = 0

    async def respond(self, request: Request, **options: object) -> Response:
        if request.role.endswith(".summary"):
            if self.summaries == "fail":
                raise ModelOverloaded("no")
            return Response(Assistant((Text("so far so good " * 200 if self.summaries == "long" else ""),)))
        assert repair(request.messages) == request.messages, "a history that every provider takes"
        assert request.messages[0].text.startswith(RULE)
        head = len(request.system) + sum(len(t.description) + len(t.parameters) for t in request.tools)
        tokens = int((sizes(request.messages) + head) * TOKENS_PER_BYTE)
        if tokens > self.limit:
            self.overflows += 1
            raise ContextOverflow(
                f"maximum context length is {self.limit} tokens, and there are {tokens} tokens"
            )
        return Response(Assistant(self._parts()), "end", Usage(tokens, 20))

    def _parts(self) -> tuple[Part, ...]:
        at, self.turn = self.turn, self.turn + 1
        if at >= len(self.turns):
            return (Text("done"),)
        made = self.turns[at]
        if isinstance(made, int):  # a long word of its own beside a call
            return (
                Text("hm " * (made // 3)),
                ToolCall(f"c{at}", "produce", f'{{"chars": {at}, "lines": true, "fail": false}}'),
            )
        assert isinstance(made, list)
        return tuple(
            ToolCall(
                f"c{at}-{n}",
                "produce",
                f'{{"chars": {c}, "lines": {str(li).lower()}, "fail": {str(f).lower()}}}',
            )
            for n, (c, li, f) in enumerate(made)
        )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    turns,
    st.sampled_from([6_000, 9_000, 20_000, 60_000]),
    st.booleans(),
    st.sampled_from(["fail", "long", "empty"]),
)
def test_requests_stay_valid_and_within_the_context(
    script: list[object], limit: int, known: bool, summaries: str
) -> None:
    provider = Provider(script, limit, known=known, summaries=summaries)

    async def run() -> None:
        from forgewright.agent.middleware import StuckDetection
        from forgewright.agent.stuck import StuckBounds

        patient = StuckDetection(StuckBounds(repeats=99, cycles=99, errors=99))
        agent = Agent(
            "a", "Work.", tools=[produce], middleware=[patient], window=WindowOptions(summary_tokens=400)
        )
        async with Engine(model=provider, raise_errors=True) as engine:
            outcome = await agent.run(f"{RULE} Go.", engine)
            assert outcome.state.answer == "done", outcome.detail

    asyncio.run(run())
    assert provider.overflows <= (3 if known else 3 * len(script))
