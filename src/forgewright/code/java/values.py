"""What a Java type can be, and what containers of the standard library give back."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from forgewright.code.java.things import Class, Thing
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds

ELEMENT = kinds(
    "get first last next previous remove poll peek element pop take getFirst getLast removeFirst removeLast "
    "orElse orElseThrow orElseGet elementAt"
)
"""Methods of containers that give an element."""
SAME = kinds(
    "filter sorted distinct limit skip peek stream parallelStream iterator listIterator subList reversed toList "
    "findFirst findAny max min spliterator descendingIterator or parallel sequential"
)
"""Methods of containers and streams whose result is again one of the same elements."""


class Type(msgspec.Struct, frozen=True, eq=False):
    """Base of all types; None stands for one that is not known."""


Env = Mapping[Thing, "Type | None"]
EMPTY: Env = {}


class Of(Type, frozen=True, eq=False):
    """A class of the project, with its type arguments."""

    cls: Class
    env: Env = EMPTY


class Array(Type, frozen=True, eq=False):
    of: Type | None


class External(Type, frozen=True, eq=False):
    """A primitive, or a type that the project does not define."""

    name: str
    args: tuple[Type | None, ...] = ()


def element(type: Type | None) -> Type | None:
    """What indexing or iterating gives."""
    if isinstance(type, Array):
        return type.of
    if isinstance(type, External) and len(type.args) == 1:
        return type.args[0]
    return None


def of_container(type: External, name: str) -> Type | None:
    """The result of a method of `List<T>`, `Map<K, V>`, `Optional<T>`, `Stream<T>` and the like."""
    if len(type.args) == 1:
        if name in ELEMENT:
            return type.args[0]
        return type if name in SAME else None
    if len(type.args) == 2:
        key, value = type.args
        if name in (
            "get",
            "getOrDefault",
            "put",
            "remove",
            "computeIfAbsent",
            "getValue",
            "putIfAbsent",
            "merge",
        ):
            return value
        if name in ("getKey", "firstKey", "lastKey"):
            return key
        if name == "values":
            return External("Collection", (value,))
        if name == "keySet":
            return External("Set", (key,))
        if name == "entrySet":
            return External("Set", (External("Entry", (key, value)),))
    return None


def parameters_of(method: Thing) -> list[Node]:
    """The declared parameters of a method; of a component's accessor none."""
    listed = method.node.get("parameters") if method.kind == "method" else None
    return [p for p in listed.items if p.type in ("formal_parameter", "spread_parameter")] if listed else []


def signature(method: Thing) -> tuple[str, ...]:
    """The erased types of its parameters as written; `*` for a type parameter's."""
    found: list[str] = []
    for parameter in parameters_of(method):
        kind = parameter.get("type") or parameter.first(
            "type_identifier", "generic_type", "array_type", "scoped_type_identifier", "integral_type"
        )
        text = kind.text.partition("<")[0].rpartition(".")[2].strip() if kind is not None else ""
        found.append(text + ("..." if parameter.type == "spread_parameter" else ""))
    return tuple(found)
