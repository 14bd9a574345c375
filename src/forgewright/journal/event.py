"""What every event is made of: the base, values that stand inline or as blobs, the gate's decision, the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.core.ids import Digest, EffectId, RunId

Json = msgspec.Raw
"""An encoded JSON value, kept as its bytes."""

NULL = msgspec.Raw(b"null")

VERSION = 1
"""Version of the events below; a stored record names it."""


class Event(msgspec.Struct, frozen=True, tag_field="kind", omit_defaults=True, forbid_unknown_fields=True):
    """Base of all events."""


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the gate said of an effect, as it is recorded."""

    permit: bool = True
    by: tuple[str, ...] = ()
    """Ids of the policies that determined it."""
    tier: str | None = None
    approval: str | None = None
    """Who has to approve, where a policy obliges that."""
    limits: dict[str, int] = {}
    """Limits that it obliges, as the policies name them."""
    redact: tuple[str, ...] = ()
    """What it obliges to take out of what goes to the effect."""
    standing: EffectId | None = None
    """The approval (by the effect of its question) that was given before and covers it."""
    consent: tuple[str, ...] = ()
    """Purposes that the person whom the run is for has to consent to, at the moment it happens."""


GRANTED = Decision()
"""Permitted without a policy set, because the program that runs the engine handed the thing over itself."""


class Stored(msgspec.Struct, frozen=True):
    """Stands where a value over `INLINE_BYTES_MAX` would: its digest and size; the bytes are a blob."""

    blob: Digest
    size: int


if TYPE_CHECKING:
    Value = Json | Stored
else:
    Value = Json
    """A value that may be inline or stored. msgspec cannot decode a union of `Raw` and a struct, so both are
    decoded as `Raw`; the codec then puts `Stored` where it stands (`codec.decode`)."""


class Record(msgspec.Struct, frozen=True):
    """An event with its place, as read back."""

    index: int
    run: RunId
    sequence: int
    time: int
    """Milliseconds since 1970, by the writer's clock."""
    actor: str
    event: Event
    data: bytes
    """The bytes that are stored, hashed and signed."""


def event_types() -> dict[str, type[Event]]:
    """Tag → class, of every concrete event."""
    found: dict[str, type[Event]] = {}
    todo: list[Any] = [Event]
    while todo:
        cls = todo.pop()
        todo.extend(cls.__subclasses__())
        tag = cls.__struct_config__.tag
        if tag is not None and "." in tag:
            found[tag] = cls
    return found
