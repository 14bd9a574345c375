"""The types that resolving members needs. None stands for a type that is not known (or `any`)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from forgewright.code.javascript.entities import Entity
from forgewright.code.scopes.tree import Node


class Type(msgspec.Struct, frozen=True, eq=False):
    """Base of all types."""


Env = Mapping[Entity, "Type | None"]
"""Type parameter → what it stands for."""
EMPTY: Env = {}


class Primitive(Type, frozen=True, eq=False):
    """`string`, `number`, `void`, …"""

    name: str


class Literal(Type, frozen=True, eq=False):
    """One string, as a type."""

    text: str


class Instance(Type, frozen=True, eq=False):
    """An instance of a class, an interface, a constructor function, an enum, or an object literal."""

    entity: Entity
    env: Env = EMPTY


class Static(Type, frozen=True, eq=False):
    """A class, enum, namespace or module itself."""

    entity: Entity


class Function(Type, frozen=True, eq=False):
    """Something callable: its overloads' nodes."""

    nodes: tuple[Node, ...]
    env: Env = EMPTY
    entity: Entity | None = None


class Union(Type, frozen=True, eq=False):
    parts: tuple[Type, ...]


class Intersection(Type, frozen=True, eq=False):
    parts: tuple[Type, ...]


class Tuple(Type, frozen=True, eq=False):
    parts: tuple[Type | None, ...]


class Parameter(Type, frozen=True, eq=False):
    """A type parameter that stands for itself."""

    entity: Entity


class KeyOf(Type, frozen=True, eq=False):
    """`keyof T`."""

    of: Type


NOTHING = ("null", "undefined", "never", "void")


def union(parts: list[Type | None]) -> Type | None:
    """The union of types; unknown ones are left out, since what the others say still holds."""
    flat: list[Type] = []
    for part in parts:
        for one in part.parts if isinstance(part, Union) else (part,):
            if one is None or (isinstance(one, Primitive) and one.name in NOTHING):
                continue
            if not any(same(one, other) for other in flat):
                flat.append(one)
    if not flat:
        return None
    return flat[0] if len(flat) == 1 else Union(tuple(flat))


def same(one: Type | None, other: Type | None) -> bool:
    """Whether two types are the same, by structure."""
    if one is other:
        return True
    if isinstance(one, Literal) and isinstance(other, Literal):
        return one.text == other.text
    if isinstance(one, Primitive) and isinstance(other, Primitive):
        return one.name == other.name
    if isinstance(one, Instance) and isinstance(other, Instance):
        return one.entity is other.entity and not one.env and not other.env
    if isinstance(one, Static) and isinstance(other, Static):
        return one.entity is other.entity
    if isinstance(one, Union) and isinstance(other, Union):
        return len(one.parts) == len(other.parts) and all(
            any(same(a, b) for b in other.parts) for a in one.parts
        )
    return False
