"""Each way of getting nowhere ends a run with a message that helps; working does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from tests.runtime.scripted import Reply, Scripted

from forgewright import Agent, Engine, Outcome, Request, Response, tool
from forgewright.agent.agent import AgentState
from forgewright.agent.middleware import StuckDetection
from forgewright.agent.stuck import StuckBounds, StuckDetector
from forgewright.models.drivers.replay import load_session
from forgewright.models.types import Assistant, OnDelta, Text, ToolCall, ToolResult

ROOT = Path(__file__).parents[2]


@tool(recovery="pure")
def echo(text: str) -> str:
    """Say it back."""
    return text


async def run(model: Scripted, **options: object) -> Outcome[AgentState]:
    async with Engine(model=model) as engine:
        return await Agent("a", tools=[echo], **options).run("go", engine)  # type: ignore[arg-type]


class Cut(Scripted):
    """Every answer stops at the length limit."""

    async def respond(self, request: Request, *, on_delta: OnDelta | None = None) -> Response:
        self.requests.append(request)
        return Response(Assistant((Text(str(self.script(request))),)), "length")


def says(n: int) -> list[tuple[str, dict[str, object]]]:
    return [("echo", {"text": str(n)})]


PATTERNS: list[tuple[str, Callable[[int], Reply], type[Scripted], str, int]] = [
    ("repeat", lambda n: says(0), Scripted, "the same call of echo 4 times", 4),
    (
        "ping-pong",
        lambda n: says(n % 2),
        Scripted,
        "back and forth between two calls (echo is one) 3 times",
        6,
    ),
    ("circle", lambda n: says(n % 3), Scripted, "round in a circle of 3 calls (echo is one) 3 times", 9),
    ("errors", lambda n: [("echo", {"wrong": n})], Scripted, "every tool call of the last 8 turns failed", 8),
    ("empty", lambda n: " ", Scripted, "3 empty answers in a row", 3),
    ("monologue", lambda n: f"Let me think, part {n}", Cut, "talked for 6 turns without calling a tool", 6),
    (
        "the same words",
        lambda n: "I shall begin.",
        Cut,
        "said the same 3 times and did nothing: I shall begin.",
        3,
    ),
]


@pytest.mark.parametrize(
    ("script", "kind", "said", "turns"), [p[1:] for p in PATTERNS], ids=[p[0] for p in PATTERNS]
)
async def test_a_pattern_ends_the_run_with_a_message_that_helps(
    script: Callable[[int], Reply], kind: type[Scripted], said: str, turns: int
) -> None:
    model = kind(lambda request: script(len(model.requests)))
    outcome = await run(model)
    assert (outcome.status, outcome.reason) == ("parked", "error:stuck")
    assert said in outcome.detail
    assert "\n  → " in outcome.detail, "it says what to do"
    assert len(model.requests) == turns, "the model is not asked once more"


async def test_bounds_can_be_set_and_work_between_patterns_is_no_pattern() -> None:
    model = Scripted(lambda request: says(0) if len(model.requests) < 10 else "done")
    patient = StuckDetection(StuckBounds(repeats=20))
    assert (await run(model, middleware=[patient])).state.answer == "done"

    def varied(request: Request) -> Reply:
        n = len(model.requests)
        if n > 60:
            return "done"
        return says(n) if n % 4 == 0 else [("echo", {"wrong": n})] if n % 4 == 1 else says(0)

    model = Scripted(varied)
    assert (await run(model)).state.answer == "done"


@pytest.mark.parametrize("path", ["examples/orders-session.jsonl", "tests/real/cachetools-session.jsonl"])
def test_no_false_alarm_in_the_sessions_of_the_demo_and_the_published_project(path: str) -> None:
    """Their conversations as they stand, each call with a result of its own call; the runs themselves are
    `tests/docs/test_examples.py` and `tests/real`."""
    session = load_session(str(ROOT / path))
    turns = 0
    for lines in session.values():
        detector = StuckDetector()
        for alternatives in lines:
            message = alternatives[0].response.message
            detector.turn(message, results_of(message.calls))
            turns += 1
    assert turns >= 12


def results_of(calls: Sequence[ToolCall]) -> list[ToolResult]:
    return [ToolResult(c.id, c.name, msgspec.json.encode([c.name, c.arguments]).decode()) for c in calls]
