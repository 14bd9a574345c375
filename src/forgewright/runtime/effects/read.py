"""What a node reads or notes without touching the world: the clock, randomness, notes, artifacts.

No policy is asked, and one event says all. Each is numbered like an effect, so that replay finds it again.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from forgewright.core.errors import Nondeterminism
from forgewright.core.ids import EffectId
from forgewright.journal import events as ev
from forgewright.runtime.effects.keep import keep_clean, load

if TYPE_CHECKING:
    from forgewright.runtime.context import Context

N = TypeVar("N", bound=ev.Noted)
T = TypeVar("T")


async def read_clock(context: Context) -> int:
    return await read("clock", lambda: time.time_ns() // 1_000_000, int, context)


async def read_random(context: Context) -> float:
    import random

    return await read("random", random.random, float, context)


async def read(what: str, look: Callable[[], T | Awaitable[T]], cls: type[T], context: Context) -> T:
    """What `look` returns, the first time; later what the journal says it returned."""
    effect = context.next_effect()
    before = _before(effect, ev.ValueRead, context)
    if before is not None:
        if before.what != what:
            raise Nondeterminism(f"on replay, {effect} reads the {what}, and read the {before.what} before")
        return await load(before.value, cls, context)
    found = look()
    value = context.execution.cleaner.value(await found if isinstance(found, Awaitable) else found)
    await context.ledger.append(context.actor, ev.ValueRead(effect, what, await keep_clean(value, context)))
    return value


async def write_note(topic: str, value: ev.Json, context: Context) -> None:
    effect = context.next_effect()
    if _before(effect, ev.NoteWritten, context) is None:
        await context.ledger.append(context.actor, ev.NoteWritten(effect, topic, value))


async def keep_artifact(name: str, data: bytes, media: str, context: Context) -> None:
    effect = context.next_effect()
    if _before(effect, ev.ArtifactMade, context) is None:
        data = context.execution.cleaner.data(data)
        kept = await context.execution.journal.keep_bytes(data, subject=context.execution.subject)
        await context.ledger.append(context.actor, ev.ArtifactMade(effect, name, media, kept))


def _before(effect: EffectId, kind: type[N], context: Context) -> N | None:
    """What the journal holds under this number."""
    history = context.execution.history
    found = history.noted.get(effect)
    if found is None and effect not in history.effects:
        return None
    if not isinstance(found, kind):
        raise Nondeterminism(f"on replay, {effect} is a {kind.__name__}, which it was not before")
    return found
