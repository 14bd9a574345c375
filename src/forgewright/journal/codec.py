"""Records ⇄ bytes. A record is encoded once; those bytes are stored, hashed, signed and read back.

    {"v":1,"run":"…","seq":7,"time":1763703363000,"actor":"engine","event":{"kind":"tool.asked",…}}

Reading refuses what it does not know: another version without a registered migration, an unknown kind, an
unknown field. A newer Forgewright's record is never half-understood.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.core.errors import IntegrityError, UsageError
from forgewright.core.limits import RECORD_BYTES_MAX
from forgewright.journal.events import VERSION, Event, Record, Stored, event_types

if TYPE_CHECKING:
    from collections.abc import Callable

    from forgewright.core.ids import RunId
    from forgewright.store.ports import Placed

STORED_PREFIX = b'{"blob":"sha256:'
STORED_BYTES_MAX = 128
RUN_CHARS_MAX = 64
ACTORS_MAX = 10_000
"""Names of actors, and of runs, whose encoded form is remembered."""

_encoder = msgspec.json.Encoder()
_actors: dict[str, bytes] = {}
_runs: dict[str, bytes] = {}
_cache: dict[str, Any] = {}

Migration = "Callable[[dict[str, Any]], dict[str, Any]]"
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""Version → function from an event of that version, as plain values, to the next version's. The stored bytes
never change; only what is read from them does."""


class _Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    v: int
    run: str
    seq: int
    time: int
    actor: str
    event: msgspec.Raw


def encode(run: RunId, sequence: int, time_ms: int, actor: str, event: Event) -> bytes:
    """The record's bytes. Raises `UsageError` if it is larger than a record may be."""
    name = _actors.get(actor) or _actor(actor)
    data = b'%b%d,"time":%d,"actor":%b,"event":%b}' % (
        _runs.get(run) or _begin(run),
        sequence,
        time_ms,
        name,
        _encoder.encode(event),
    )
    if len(data) > RECORD_BYTES_MAX:
        raise UsageError(
            f"a {type(event).__name__} of {len(data)} bytes; a record has at most {RECORD_BYTES_MAX}",
            hint="keep large values with Journal.keep and record what it returns",
        )
    return data


def _actor(actor: str) -> bytes:
    if len(_actors) >= ACTORS_MAX:
        _actors.clear()
    name = _actors[actor] = _encoder.encode(actor)
    return name


def _begin(run: RunId) -> bytes:
    """What every record of the run begins with."""
    if (
        not (run.isascii() and run.isprintable() and 0 < len(run) <= RUN_CHARS_MAX)
        or '"' in run
        or "\\" in run
    ):
        raise UsageError(
            f"{run!r} cannot name a run", hint=f"expected 1 to {RUN_CHARS_MAX} printable ASCII characters"
        )
    if len(_runs) >= ACTORS_MAX:
        _runs.clear()
    begin = _runs[run] = b'{"v":%d,"run":"%b","seq":' % (VERSION, run.encode())
    return begin


def decode(placed: Placed) -> Record:
    """The record that `placed` holds. Raises `IntegrityError`, naming the record."""
    data = placed.data
    try:
        wire = _wire().decode(data)
        if wire.v != VERSION:
            event = _migrated(wire.v, wire.event)
        else:
            try:
                event = _events().decode(wire.event)
            except msgspec.ValidationError:
                if len(event_types()) == _cache["kinds"]:
                    raise
                del _cache["events"]  # a part defined further events since the decoder was made
                event = _events().decode(wire.event)
    except msgspec.MsgspecError as error:
        raise IntegrityError(
            f"{_name(placed)} is not a record of this version: {error}",
            record=str(placed.index),
            hint="if a newer Forgewright wrote it, read it with that; otherwise run `forgewright audit fsck`",
        ) from error
    if wire.run != placed.run or wire.seq != placed.sequence:
        raise IntegrityError(
            f"{_name(placed)} says it is record {wire.seq} of run {wire.run}",
            record=str(placed.index),
            hint="the home was changed from outside; run `forgewright audit fsck`",
        )
    for field in _cache["values"].get(type(event), ()):
        raw = getattr(event, field)
        stored = as_stored(raw)
        if stored is not None:
            msgspec.structs.force_setattr(event, field, stored)
    return Record(placed.index, placed.run, placed.sequence, wire.time, wire.actor, event, data)


def as_stored(value: msgspec.Raw | Stored) -> Stored | None:
    """`value` as the reference to a blob, if it is one. An inline value never looks like one: `Journal.keep`
    keeps such a value as a blob."""
    if isinstance(value, Stored):
        return value
    view = bytes(value)
    if len(view) > STORED_BYTES_MAX or not view.startswith(STORED_PREFIX):
        return None
    try:
        stored = msgspec.json.decode(view, type=Stored)
    except msgspec.MsgspecError:
        return None
    return stored if _encoder.encode(stored) == view else None


def _name(placed: Placed) -> str:
    return f"record {placed.index} (run {placed.run}, sequence {placed.sequence})"


def _wire() -> Any:
    if "wire" not in _cache:
        _cache["wire"] = msgspec.json.Decoder(_Wire)
    return _cache["wire"]


def _events() -> Any:
    if "events" not in _cache:
        from functools import reduce
        from operator import or_

        types = event_types()
        _cache["events"] = msgspec.json.Decoder(reduce(or_, types.values()))
        _cache["kinds"] = len(types)
        _cache["values"] = {
            cls: fields
            for cls in types.values()
            if (fields := tuple(f.name for f in msgspec.structs.fields(cls) if f.type is msgspec.Raw))
        }
    return _cache["events"]


def _migrated(version: int, raw: msgspec.Raw) -> Event:
    values = msgspec.json.decode(raw)
    for step in range(version, VERSION):
        if step not in MIGRATIONS:
            break
        values = MIGRATIONS[step](values)
    else:
        if version < VERSION:
            return msgspec.convert(values, type=_events().type)  # type: ignore[no-any-return]
    raise msgspec.ValidationError(f"version {version}, this Forgewright knows {VERSION}")
