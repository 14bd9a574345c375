"""What a node reads or notes without touching the world: the clock, randomness, notes, artifacts.

No policy is asked, and one event says all. Each is numbered like an effect, so that replay finds it again.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import msgspec

from forgewright.core.errors import Nondeterminism
from forgewright.core.ids import EffectId
from forgewright.journal import events as ev

if TYPE_CHECKING:
    from forgewright.runtime.context import Context

N = TypeVar("N", bound=ev.Noted)


async def read_clock(context: Context) -> int:
    return msgspec.json.decode(await _read("clock", time.time_ns() // 1_000_000, context), type=int)


async def read_random(context: Context) -> float:
    import random

    return msgspec.json.decode(await _read("random", random.random(), context), type=float)  # noqa: S311


async def write_note(topic: str, value: msgspec.Raw, context: Context) -> None:
    effect = context.next_effect()
    if _before(effect, ev.NoteWritten, context) is None:
        await context.ledger.append(context.actor, ev.NoteWritten(effect, topic, value))


async def keep_artifact(name: str, data: bytes, media: str, context: Context) -> None:
    effect = context.next_effect()
    if _before(effect, ev.ArtifactMade, context) is None:
        kept = await context.execution.journal.store.blobs.put(data)
        await context.ledger.append(context.actor, ev.ArtifactMade(effect, name, media, kept, len(data)))


async def _read(what: str, value: float, context: Context) -> msgspec.Raw:
    effect = context.next_effect()
    before = _before(effect, ev.ValueRead, context)
    if before is not None and before.what == what:
        return before.value
    if before is not None:
        raise Nondeterminism(f"on replay, {effect} reads the {what}, and read the {before.what} before")
    encoded = msgspec.Raw(msgspec.json.encode(value))
    await context.ledger.append(context.actor, ev.ValueRead(effect, what, encoded))
    return encoded


def _before(effect: EffectId, kind: type[N], context: Context) -> N | None:
    """What the journal holds under this number."""
    history = context.execution.history
    found = history.noted.get(effect)
    if found is None and effect not in history.effects:
        return None
    if not isinstance(found, kind):
        raise Nondeterminism(f"on replay, {effect} is a {kind.__name__}, which it was not before")
    return found
