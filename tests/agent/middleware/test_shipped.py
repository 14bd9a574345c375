"""What each shipped middleware is for."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest
from tests.runtime.scripted import Reply, Scripted, results

from forgewright import Agent, Context, Engine, Outcome, Request, Response, tool
from forgewright.agent.agent import AgentState
from forgewright.agent.middleware import (
    Block,
    Fallback,
    Guardrail,
    Middleware,
    RateLimit,
    Redaction,
    Replace,
    ResponseCache,
    Retry,
    Span,
    SpendLimit,
    Tracing,
)
from forgewright.agent.middleware.guardrail import Finding
from forgewright.core.errors import ModelOverloaded
from forgewright.journal import events as ev
from forgewright.models.types import User


@tool(recovery="pure")
def echo(text: str) -> str:
    """Say it back."""
    return text


def once(request: Request) -> Reply:
    told = results(request)
    return f"got {told[0]}" if told else [("echo", {"text": "hello"})]


async def run(model: Scripted, *middleware: Middleware, prompt: str = "go") -> Outcome[AgentState]:
    async with Engine(model=model) as engine:
        return await Agent("a", tools=[echo], middleware=middleware).run(prompt, engine)


class Failing(Scripted):
    """Fails so many times, then answers."""

    def __init__(self, script: object, times: int) -> None:
        super().__init__(script)  # type: ignore[arg-type]
        self.times = times

    async def respond(self, request: Request, **options: object) -> Response:
        if self.times:
            self.times -= 1
            raise ModelOverloaded("busy")
        return await super().respond(request)


async def test_retry_asks_the_model_again_and_says_so() -> None:
    told: list[int] = []
    retry = Retry(3, base_seconds=0.0, on_retry=lambda error, attempt, wait: told.append(attempt))
    outcome = await run(Failing(once, 2), retry)
    assert (outcome.state.answer, told) == ("got hello", [1, 2])
    assert (await run(Failing(once, 3), Retry(3, base_seconds=0.0))).reason == "model:model_overloaded"


async def test_retry_calls_a_named_tool_again_each_time_on_record() -> None:
    calls = 0

    @tool(recovery="pure")
    def flaky() -> str:
        """Fails at first."""
        nonlocal calls
        calls += 1
        if calls < 3:
            raise ValueError("not yet")
        return "there"

    model = Scripted(lambda request: told[0] if (told := results(request)) else [("flaky", {})])
    async with Engine(model=model) as engine:
        agent = Agent("a", tools=[flaky], middleware=[Retry(tools={"flaky"}, tool_attempts=3)])
        outcome = await agent.run("go", engine)
        records = await engine.records(outcome.run)
    assert (outcome.state.answer, calls) == ("there", 3)
    assert sum(isinstance(r.event, ev.ToolAsked) for r in records) == 3


async def test_fallback_asks_the_next_model_and_the_journal_says_both_names() -> None:
    second = Scripted(once)
    async with Engine(model=Failing(once, 99)) as engine:
        outcome = await Agent("a", tools=[echo], middleware=[Fallback(second)]).run("go", engine)
        records = await engine.records(outcome.run)
    assert outcome.state.answer == "got hello"
    asked = [r.event.model for r in records if isinstance(r.event, ev.ModelAsked)]
    assert asked == ["scripted:test | scripted:test"] * 2


async def test_a_rate_limit_waits_and_a_replay_does_not(tmp_path: Path) -> None:
    now, waits = [0.0], []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    limit = RateLimit(requests_per_minute=2, tools={"echo": 1}, clock=lambda: now[0], sleep=sleep)

    @tool(recovery="pure")
    async def ask_owner(context: Context) -> str:
        """Ask."""
        return await context.ask("well?")

    def script(request: Request) -> Reply:
        told = results(request)
        calls: list[Reply] = [[("echo", {"text": "1"})], [("echo", {"text": "2"})], [("ask_owner", {})]]
        return calls[len(told)] if len(told) < 3 else "end"

    agent = Agent("a", tools=[echo, ask_owner], middleware=[limit])
    async with Engine(model=Scripted(script), home=tmp_path) as engine:
        parked = await agent.run("go", engine)
        # The second call of echo waits a minute, in which the requests' bucket fills again.
        assert waits == [60.0]
        await engine.answer(parked.run, "yes", by="ada")
        waits.clear()
        assert (await engine.execute(parked.run, agent.graph)).state.answer == "end"
    assert waits == [], "what is answered from the journal waits for nothing"


async def test_tokens_per_minute_are_counted_after_the_answer() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    limit = RateLimit(tokens_per_minute=60, clock=lambda: 0.0, sleep=sleep)
    await run(Scripted(once), limit)  # each answer costs 110 tokens
    assert waits == [50.0]


async def test_the_cache_answers_the_same_request_and_no_other(tmp_path: Path) -> None:
    now = [1_000.0]
    model = Scripted(once)
    agent = Agent("a", tools=[echo], middleware=[ResponseCache(60, clock=lambda: now[0])])
    async with Engine(model=model, home=tmp_path) as engine:
        first = await agent.run("go", engine)
        second = await agent.run("go", engine)
        assert (first.state, len(model.requests)) == (second.state, 2)
        answers = [r.event for r in await engine.records(second.run) if isinstance(r.event, ev.ModelAnswered)]
        assert [a.input_tokens for a in answers] == [0, 0]
        assert b"cache:" in bytes(answers[0].response)  # type: ignore[arg-type]
        await agent.run("go!", engine)
        assert len(model.requests) == 4, "another prompt"
        now[0] += 61
        await agent.run("go", engine)
        assert len(model.requests) == 6, "too old"


async def test_the_cache_is_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    from forgewright.agent.middleware import cache

    monkeypatch.setattr(cache, "SWEEP_PUTS", 4)
    now = [0.0]
    agent = Agent("a", tools=[echo], middleware=[ResponseCache(60, clock=lambda: now[0])])
    async with Engine(model=Scripted(once)) as engine:
        await agent.run("one", engine)
        now[0] = 100.0
        await agent.run("two", engine)
        assert len(await engine.journal.memory.keys(cache.NAMESPACE)) == 2, "the first two are gone"


async def test_a_spend_limit_ends_the_work_and_a_limit_of_calls_does_not() -> None:
    endless = Scripted(lambda request: [("echo", {"text": str(len(request.messages))})])
    outcome = await run(endless, SpendLimit(tokens=500))
    assert outcome.reason == "error:budget_exhausted"
    assert "a may spend 500 tokens on this, and 550 are spent" in outcome.detail
    outcome = await run(
        Scripted(lambda request: [("echo", {"text": "x" * len(request.messages)})]), SpendLimit(requests=3)
    )
    assert "3 requests" in outcome.detail

    def twice(request: Request) -> Reply:
        told = results(request)
        return told[1] if len(told) == 2 else [("echo", {"text": "hello"})]

    outcome = await run(Scripted(twice), SpendLimit(calls={"echo": 1}))
    assert outcome.state.answer == "echo may be called 1 times in this work, and was; go on without it"


async def test_secrets_do_not_reach_the_model() -> None:
    key = "AKIA" + "QWERTYUIOP234567"

    def script(request: Request) -> Reply:
        told = results(request)
        return told[0] if told else [("leak", {})]

    @tool(recovery="pure")
    def leak() -> str:
        """Leaks."""
        return f"aws_access_key_id = {key}\nhunter-two-22"

    model = Scripted(script)
    async with Engine(model=model) as engine:
        agent = Agent("a", tools=[leak], middleware=[Redaction(known=["hunter-two-22"])])
        outcome = await agent.run(f"use {key}", engine)
    sent = msgspec.json.encode([r.messages for r in model.requests]).decode()
    assert key not in sent
    assert "hunter-two-22" not in sent
    assert "[redacted:" in outcome.state.answer


def no_cats(text: str, context: Context) -> Finding:
    return Block("cats are not our business") if "cat" in text else None


async def no_dogs(text: str, context: Context) -> Finding:
    return Replace(text.replace("dog", "animal"), "dogs are animals") if "dog" in text else None


async def test_a_guardrail_blocks_and_replaces_with_a_reason_on_record() -> None:
    outcome = await run(Scripted(once), Guardrail(input=[no_cats]), prompt="a cat")
    assert outcome.reason == "error:refused"
    assert "what was asked was blocked: cats are not our business" in outcome.detail

    model = Scripted(lambda request: "a dog")
    async with Engine(model=model) as engine:
        guarded = Agent("a", middleware=[Guardrail(input=[no_dogs], output=[no_dogs, no_cats])])
        outcome = await guarded.run("my dog", engine)
        records = await engine.records(outcome.run)
    assert model.requests[0].messages == (User("my animal"),)
    assert outcome.state.answer == "a animal"
    notes = [r.event for r in records if isinstance(r.event, ev.NoteWritten)]
    assert [bytes(n.value) for n in notes] == [
        b'{"replaced":"what was asked","reason":"dogs are animals"}',
        b'{"replaced":"the answer","reason":"dogs are animals"}',
    ]


async def test_a_guarded_call_is_not_made_and_a_guarded_result_not_shown() -> None:
    calls: list[str] = []

    @tool(recovery="pure")
    def pet(name: str) -> str:
        """Pet it."""
        calls.append(name)
        return f"a happy {name}"

    def script(request: Request) -> Reply:
        told = results(request)
        return " | ".join(told) if told else [("pet", {"name": n}) for n in ("cat", "dog", "cow")]

    async def no_cows(text: str, context: Context) -> Finding:
        """Asks a person; side by side with the checks of other calls."""
        said = await context.ask(f"may it be shown: {text}?")
        return None if said == "yes" else Block(said)

    async def owner(run: object, to: object, question: str, choices: object) -> str:
        return "no cows" if "cow" in question else "yes"

    async with Engine(model=Scripted(script), on_question=owner) as engine:
        guard = Guardrail(calls=[no_cats, no_dogs], results=[no_cows])
        outcome = await Agent("a", tools=[pet], middleware=[guard]).run("go", engine)
    assert sorted(calls) == ["animal", "cow"]
    assert outcome.state.answer == (
        "the call of pet was blocked: cats are not our business | a happy animal | "
        "the result of pet was blocked: no cows"
    )


async def test_tracing_tells_of_what_is_done_and_what_failed() -> None:
    spans: list[Span] = []
    clock = iter(range(100))
    await run(Scripted(once), Tracing(spans.append, clock=lambda: float(next(clock))))
    assert [(s.kind, s.name) for s in spans] == [
        ("model", "scripted:test"),
        ("tool", "echo"),
        ("model", "scripted:test"),
        ("agent", "a"),
    ]
    assert spans[0].input_tokens == 100
    assert all(s.seconds > 0 and not s.error for s in spans)
    spans.clear()
    await run(Failing(once, 1), Tracing(spans.append, clock=time.monotonic))
    assert (spans[0].kind, spans[0].error) == ("model", "ModelOverloaded: busy")
    assert spans[-1].kind == "agent"
    assert "ParkSignal" in spans[-1].error


@pytest.mark.parametrize("hook", ["agent", "model", "tool"])
async def test_before_and_after_stand_around_each_of_the_three(hook: str) -> None:
    log: list[str] = []

    class Both(Middleware):
        pass

    def make(when: str) -> object:
        async def method(self: object, *given: object) -> object:
            log.append(when)
            return given[-2]

        return method

    setattr(Both, f"before_{hook}", make("before"))
    setattr(Both, f"after_{hook}", make("after"))
    assert (await run(Scripted(once), Both())).state.answer == "got hello"
    assert log == ["before", "after"] * (2 if hook == "model" else 1)
