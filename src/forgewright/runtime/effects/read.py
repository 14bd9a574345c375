"""Readings of the outside world that must be the same on replay: the clock, randomness; and notes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from forgewright.core.errors import Nondeterminism
from forgewright.journal import events as ev

if TYPE_CHECKING:
    from forgewright.runtime.context import Context


async def _read(what: str, value: float, context: Context) -> msgspec.Raw:
    effect = context.next_effect()
    past = context.execution.history.effects.get(effect)
    if past is not None and past.answered is not None:
        if not isinstance(past.asked, ev.ReadAsked) or past.asked.what != what:
            raise Nondeterminism(f"on replay, effect {effect} reads the {what}, which it did not before")
        assert isinstance(past.answered, ev.ReadAnswered)
        assert isinstance(past.answered.result, msgspec.Raw)
        return past.answered.result
    encoded = msgspec.Raw(msgspec.json.encode(value))
    await context.ledger.append(
        context.actor, ev.ReadAsked(effect, ev.GRANTED, what), ev.ReadAnswered(effect, encoded)
    )
    return encoded


async def read_clock(context: Context) -> int:
    return msgspec.json.decode(await _read("clock", time.time_ns() // 1_000_000, context), type=int)


async def read_random(context: Context) -> float:
    import random

    return msgspec.json.decode(await _read("random", random.random(), context), type=float)  # noqa: S311


async def write_note(topic: str, value: msgspec.Raw, context: Context) -> None:
    """A note is numbered like an effect, so that a repeated node does not write it twice."""
    effect = context.next_effect()
    past = context.execution.history.effects.get(effect)
    if past is not None and past.answered is not None:
        return
    await context.ledger.append(
        context.actor,
        ev.ReadAsked(effect, ev.GRANTED, f"note:{topic}"),
        ev.ReadAnswered(effect, ev.NULL),
        ev.NoteWritten(topic, value),
    )
