"""Events with their personal fields sealed, and back: what stands between the runtime's events and the stored bytes.

A text becomes `sealed:COMMITMENT:PSEUDONYM`, a list of texts a list with one such, a JSON value
`{"sealed":…,"subject":…}`. What was erased reads `[erased: PSEUDONYM]`, or `{"erased":PSEUDONYM}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.journal.event import NULL, Event, Stored
from forgewright.journal.privacy.personal import CONTENT, IDENTITY, ROLES
from forgewright.journal.privacy.vault import SealedValue, Vault

if TYPE_CHECKING:
    from forgewright.journal.event import Record

_TEXT = re.compile(r"sealed:(sha256:[0-9a-f]{64}):(subject-[0-9a-z]{16})")
_PREFIX = b'{"sealed":"sha256:'


def seal_events(vault: Vault, events: Sequence[Event], subject: str) -> list[Event]:
    """The events as they are stored. `subject` is the pseudonym of the person whom the run is for, if there is one.
    One transaction of the vault; raises `StoreError` for a person that was erased."""
    wanted: list[tuple[str, str, bytes]] = []
    places: list[tuple[int, str, Any]] = []

    def want(at: int, field: str, value: Any, whose: str) -> None:
        if value is None or value == NULL or value in ("", ()) or isinstance(value, Stored):
            return
        plain = bytes(value) if isinstance(value, msgspec.Raw) else msgspec.json.encode(value)
        if not plain:  # a Raw that nobody filled
            return
        wanted.append((whose, field, plain))
        places.append((at, field, value))

    for at, event in enumerate(events):
        if subject:
            for field in CONTENT.get(type(event), ()):
                want(at, field, getattr(event, field), subject)
        name = IDENTITY.get(type(event))
        if name is not None and getattr(event, name) not in ROLES:
            want(at, name, getattr(event, name), vault.subject(getattr(event, name)))
    changes: dict[int, dict[str, Any]] = {}
    for (at, field, value), sealed in zip(places, vault.seal_many(wanted), strict=True):
        changes.setdefault(at, {})[field] = _closed(value, sealed)
    return [
        msgspec.structs.replace(event, **changes[at]) if at in changes else event
        for at, event in enumerate(events)
    ]


def open_record(vault: Vault, record: Record) -> Record:
    """The record with its event as it was before it was sealed; `data` stays the stored bytes."""
    event = record.event
    fields = (*CONTENT.get(type(event), ()), *filter(None, [IDENTITY.get(type(event))]))
    opened = {field: _open(vault, getattr(event, field)) for field in fields}
    changed = {field: value for field, value in opened.items() if value is not getattr(event, field)}
    actor = record.actor
    if actor.startswith("subject-"):
        actor = vault.name(actor) or f"[erased: {actor}]"
    if not changed and actor is record.actor:
        return record
    return msgspec.structs.replace(record, event=msgspec.structs.replace(event, **changed), actor=actor)


def token(sealed: SealedValue) -> str:
    """How a sealed value stands where a text would."""
    return f"sealed:{sealed.sealed}:{sealed.subject}"


def parse_token(text: str) -> SealedValue | None:
    """The sealed value that stands for a text, if one does."""
    found = _TEXT.fullmatch(text)
    return None if found is None else SealedValue(found[1], found[2])


def _closed(value: Any, sealed: SealedValue) -> Any:
    if isinstance(value, str):
        return token(sealed)
    if isinstance(value, tuple):
        return (token(sealed),)
    return msgspec.Raw(msgspec.json.encode(sealed))


def _open(vault: Vault, value: Any) -> Any:
    decode: Callable[[bytes], Any] = msgspec.json.decode
    if isinstance(value, str):
        sealed = parse_token(value)
        if sealed is None:
            return value
        found = vault.open(sealed.sealed)
        return f"[erased: {sealed.subject}]" if found is None else decode(found)
    if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], str):
        sealed = parse_token(value[0])
        if sealed is None:
            return value
        found = vault.open(sealed.sealed)
        return (f"[erased: {sealed.subject}]",) if found is None else tuple(decode(found))
    if isinstance(value, msgspec.Raw) and bytes(value).startswith(_PREFIX):
        sealed = decode_sealed(bytes(value))
        if sealed is None:
            return value
        found = vault.open(sealed.sealed)
        return msgspec.Raw(msgspec.json.encode({"erased": sealed.subject}) if found is None else found)
    return value


def decode_sealed(data: bytes) -> SealedValue | None:
    """The sealed value that stands for a whole JSON value; None for JSON that only looks like one."""
    try:
        sealed = msgspec.json.decode(data, type=SealedValue)
    except msgspec.MsgspecError:
        return None
    return sealed if msgspec.json.encode(sealed) == data else None
