"""Adds to the golden records of the present version: one of every event, every field set.

    python -m tests.journal.golden.make

A line that is there is never written again: it is what stands in people's homes. An event that is new, or has got
a field, is added at the end. After two branches have both added, take one's file and run this.
"""

from __future__ import annotations

import json
import types
import typing
from pathlib import Path
from typing import Any

import msgspec

from forgewright.core.ids import RunId
from forgewright.journal import codec, home_events
from forgewright.journal import events as ev

RUN = RunId("01m7yaacgjqhba6k")


def sample(kind: Any, name: str) -> Any:
    """A value of that type."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return sample(next(part for part in typing.get_args(kind) if part is not type(None)), name)
    if origin is tuple:
        return (sample(typing.get_args(kind)[0], name),)
    if origin is dict:
        return {"name": sample(typing.get_args(kind)[1], name)}
    if origin is typing.Literal:
        return typing.get_args(kind)[0]
    kind = getattr(kind, "__supertype__", kind)
    if kind is msgspec.Raw:
        return msgspec.Raw(msgspec.json.encode({"of": name}))
    if kind is str:
        return f"some {name}"
    if kind is bool:
        return name not in ("permit",)
    if kind is int:
        return 7
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = typing.get_type_hints(kind)
        return kind(
            **{field.name: sample(hints[field.name], field.name) for field in msgspec.structs.fields(kind)}
        )
    raise TypeError(f"no sample of {kind} for {name}")


def more(there: list[bytes]) -> list[bytes]:
    """The lines that are lacking after those that are there."""
    known = [json.loads(line)["event"] for line in there]
    found: list[bytes] = []
    for tag, cls in sorted(ev.event_types().items()):
        if cls.__module__ not in (ev.__name__, home_events.__name__):
            continue
        sequence = len(there) + len(found) + 1
        line = codec.encode(RUN, sequence, 1_795_240_047_139, "engine", sample(cls, tag))
        if json.loads(line)["event"] not in known:
            found.append(line)
    return found


if __name__ == "__main__":
    path = Path(__file__).parent / f"v{ev.VERSION}.jsonl"
    with path.open("ab") as file:
        file.writelines(line + b"\n" for line in more(path.read_bytes().splitlines()))
