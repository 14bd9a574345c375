"""Retrying and falling back, on a clock that the test moves."""

from __future__ import annotations

import pytest

from forgewright.core.errors import (
    ContextOverflow,
    ModelAuthError,
    ModelError,
    ModelOverloaded,
    ModelProtocolError,
    ModelRateLimited,
)
from forgewright.models import Fallback, Retrying
from forgewright.models.types import Assistant, OnDelta, Request, Response, Text, TextDelta, User

ASK = Request((User("Hi."),))


class Scripted:
    """A model that fails and answers as it is told, and satisfies the port."""

    def __init__(self, *script: ModelError | str, name: str = "m", context: int | None = None) -> None:
        self.name = name
        self.context_tokens = context
        self.script = list(script)
        self.asked = 0
        self.deltas_first = False

    async def respond(self, request: Request, *, on_delta: OnDelta | None = None) -> Response:
        self.asked += 1
        step = self.script.pop(0)
        if on_delta is not None and self.deltas_first:
            on_delta(TextDelta("begun"))
        if isinstance(step, ModelError):
            raise step
        return Response(Assistant((Text(step),)), model=self.name)

    async def close(self) -> None:
        self.asked = -1


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def retrying(model: Scripted, clock: Clock, *, random: float = 1.0, **options: object) -> Retrying:
    return Retrying(model, clock=clock, sleep=clock.sleep, random=lambda: random, **options)


async def test_it_waits_longer_and_longer_up_to_a_bound() -> None:
    model, clock = Scripted(*[ModelOverloaded("busy")] * 5, "done"), Clock()
    response = await retrying(model, clock, wait_seconds_max=10).respond(ASK)
    assert response.message.text == "done"
    assert clock.waits == [2, 4, 8, 10, 10]


async def test_jitter_is_full() -> None:
    model, clock = Scripted(ModelOverloaded("busy"), "done"), Clock()
    await retrying(model, clock, random=0.0).respond(ASK)
    assert clock.waits == [0]


async def test_what_the_provider_says_counts() -> None:
    model, clock = Scripted(ModelRateLimited("slow", retry_after_seconds=33), "done"), Clock()
    await retrying(model, clock, random=0.5).respond(ASK)
    assert clock.waits == [33.5], "never earlier than told, and not all at once"


async def test_it_does_not_wait_past_its_time() -> None:
    model, clock = Scripted(ModelRateLimited("slow", retry_after_seconds=3600), "done"), Clock()
    with pytest.raises(ModelRateLimited) as caught:
        await retrying(model, clock, total_seconds=60).respond(ASK)
    assert clock.waits == []
    assert "3601 s away" in caught.value.__notes__[0]


async def test_attempts_are_bounded_and_told() -> None:
    told: list[tuple[int, float]] = []
    model, clock = Scripted(*[ModelOverloaded("busy")] * 9), Clock()
    with pytest.raises(ModelOverloaded) as caught:
        await retrying(
            model, clock, attempts=3, on_retry=lambda _, attempt, wait: told.append((attempt, wait))
        ).respond(ASK)
    assert model.asked == 3
    assert told == [(1, 2.0), (2, 4.0)]
    assert caught.value.__notes__ == ["gave up after 3 attempts"]


async def test_a_malformed_answer_is_tried_once_more() -> None:
    model, clock = Scripted(*[ModelProtocolError("what?")] * 9), Clock()
    with pytest.raises(ModelProtocolError):
        await retrying(model, clock).respond(ASK)
    assert model.asked == 2


@pytest.mark.parametrize("error", [ModelAuthError("no"), ContextOverflow("too long")])
async def test_what_waiting_cannot_mend_is_not_tried_again(error: ModelError) -> None:
    model, clock = Scripted(error, "done"), Clock()
    with pytest.raises(type(error)):
        await retrying(model, clock).respond(ASK)
    assert model.asked == 1


@pytest.mark.parametrize(("allowed", "asked"), [(False, 1), (True, 2)])
async def test_after_deltas_only_if_told(allowed: bool, asked: int) -> None:
    model, clock = Scripted(ModelOverloaded("cut"), "done"), Clock()
    model.deltas_first = True
    wrapped = retrying(model, clock, retry_after_deltas=allowed)
    if allowed:
        await wrapped.respond(ASK, on_delta=lambda _: None)
    else:
        with pytest.raises(ModelOverloaded):
            await wrapped.respond(ASK, on_delta=lambda _: None)
    assert model.asked == asked


async def test_fallback_asks_the_next_one() -> None:
    first, second = Scripted(ModelOverloaded("busy"), "first", name="a"), Scripted("second", name="b")
    told: list[str] = []
    model = Fallback(
        [first, second], on_fallback=lambda error, model: told.append(f"{error.message}→{model.name}")
    )
    assert model.name == "a | b"
    assert (await model.respond(ASK)).model == "b"
    assert (await model.respond(ASK)).model == "a", "the preferred one is asked first each time"
    assert told == ["busy→b"]
    await model.close()
    assert (first.asked, second.asked) == (-1, -1)


async def test_fallback_ends_with_the_last_error_and_names_the_others() -> None:
    model = Fallback(
        [Scripted(ModelOverloaded("busy"), name="a"), Scripted(ModelAuthError("no key"), name="b")]
    )
    with pytest.raises(ModelAuthError) as caught:
        await model.respond(ASK)
    assert caught.value.__notes__ == ["before it: busy"]


async def test_an_overflow_goes_only_to_a_larger_context() -> None:
    small = Scripted(ContextOverflow("too long"), name="a", context=8)
    same, large = Scripted("same", name="b", context=8), Scripted("large", name="c", context=100)
    model = Fallback([small, same, large])
    assert model.context_tokens == 8
    assert (await model.respond(ASK)).model == "c"
    assert same.asked == 0


async def test_fallback_does_not_mix_two_answers() -> None:
    first = Scripted(ModelOverloaded("cut"), name="a")
    first.deltas_first = True
    model = Fallback([first, Scripted("second", name="b")])
    with pytest.raises(ModelOverloaded):
        await model.respond(ASK, on_delta=lambda _: None)
