"""What a type holds: iterating over it, or indexing it by any name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.names import annotation
from forgewright.code.javascript.types import Instance, Parameter, Tuple, Type, Union, union
from forgewright.code.scopes.words import kinds

if TYPE_CHECKING:
    from forgewright.code.javascript.checker import Checker

_ITERABLES = kinds("Array ReadonlyArray Set Iterable IterableIterator Generator AsyncIterable")


def element(c: Checker, type: Type | None) -> Type | None:
    """What iterating over a type gives."""
    if isinstance(type, Tuple):
        return union(list(type.parts))
    if isinstance(type, Union):
        return union([c.element(part) for part in type.parts])
    if isinstance(type, Parameter):
        return c.element(c.constraint(type))
    if not isinstance(type, Instance):
        return None
    values = list(type.env.values())
    if type.entity.name in _ITERABLES and values:
        return values[0]
    if type.entity.name in ("Map", "ReadonlyMap") and len(values) > 1:
        return Tuple((values[0], values[1]))
    return indexed(c, type) or next((found for base in c.bases(type) if (found := c.element(base))), None)


def indexed(c: Checker, type: Type | None) -> Type | None:
    """What an index signature gives for any name."""
    if isinstance(type, Union):
        return union([indexed(c, part) for part in type.parts])
    for body in c.bodies(type.entity) if isinstance(type, Instance) else []:
        for item in body.items:
            written = annotation(item) if item.type == "index_signature" else None
            if written is not None and isinstance(type, Instance):
                return c.annotation(written, type.env)
    return None
