"""Which calls of one turn may run side by side: those that touch different things, in the order in which they were made."""

from __future__ import annotations

import posixpath
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from forgewright.core.errors import UsageError
from forgewright.tools.types import Tool

EVERYTHING = ("",)
"""The name of a thing of which all others are a part."""


class Call(Protocol):
    """What a model asked for."""

    @property
    def name(self) -> str: ...
    @property
    def arguments(self) -> str: ...


C = TypeVar("C", bound=Call)


class Touched(msgspec.Struct, frozen=True):
    """Names of things, as paths: `orders` is all of them, `orders/7` is one."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()

    def clashes(self, other: Touched) -> bool:
        """Whether one changes what the other reads or changes."""
        return (
            _meet(self.writes, other.writes)
            or _meet(self.writes, other.reads)
            or _meet(self.reads, other.writes)
        )


class Declared(msgspec.Struct, frozen=True):
    """What a tool said that it touches; `{name}` stands for an argument."""

    reads: tuple[str, ...]
    writes: tuple[str, ...]

    def of(self, arguments: Mapping[str, Any]) -> Touched:
        return Touched(_filled(self.reads, arguments), _filled(self.writes, arguments))


def declared(
    reads: Sequence[str] | None, writes: Sequence[str] | None, names: Sequence[str], tool: str
) -> Declared | None:
    """None where nothing was declared. Raises `UsageError` for an argument that the tool does not have."""
    if reads is None and writes is None:
        return None
    for text in (*(reads or ()), *(writes or ())):
        for _, field, _, _ in string.Formatter().parse(text):
            if field is not None and field not in names:
                raise UsageError(
                    f"the tool {tool} declares that it touches {text!r}; it has no parameter {field!r}",
                    hint=f"it has: {', '.join(names) or 'none'}",
                )
    return Declared(tuple(reads or ()), tuple(writes or ()))


def batches(calls: Sequence[C], find: Callable[[str], Tool | None]) -> list[list[C]]:
    """The calls in their order, cut where one would clash with another of its batch. A pure tool that declares nothing
    reads everything, any other changes everything."""
    found: list[list[C]] = []
    touching: list[Touched] = []
    for call in calls:
        touched = touched_by(find(call.name), call.arguments)
        if not found or any(touched.clashes(other) for other in touching):
            found.append([])
            touching = []
        found[-1].append(call)
        touching.append(touched)
    return found


def touched_by(tool: Tool | None, arguments: str) -> Touched:
    """What a call touches; a call that will be refused touches nothing."""
    if tool is None:
        return Touched()
    if getattr(tool, "concurrent", False):
        return Touched(reads=EVERYTHING)  # beside others of its kind
    said: Declared | None = getattr(tool, "touches", None)
    if said is None:
        return Touched(reads=EVERYTHING) if tool.recovery == "pure" else Touched(writes=EVERYTHING)
    try:
        given = msgspec.json.decode(arguments or "{}")
    except msgspec.DecodeError:
        return Touched()
    return said.of(given if isinstance(given, dict) else {})


def _filled(texts: Sequence[str], arguments: Mapping[str, Any]) -> tuple[str, ...]:
    names = []
    for text in texts:
        parts = [
            literal + ("" if field is None else str(arguments.get(field, "")))
            for literal, field, _, _ in string.Formatter().parse(text)
        ]
        name = posixpath.normpath("/" + "".join(parts)).strip("/")
        names.append("" if name == "." else name)
    return tuple(names)


def _meet(some: Sequence[str], others: Sequence[str]) -> bool:
    return any(_inside(a, b) or _inside(b, a) for a in some for b in others)


def _inside(name: str, outer: str) -> bool:
    return not outer or name == outer or name.startswith(outer + "/")
