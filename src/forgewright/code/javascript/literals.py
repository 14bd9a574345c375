"""Strings that are types: members of a union of literals, renamed wherever that very union is expected."""

from __future__ import annotations

from forgewright.code.binding import Renaming
from forgewright.code.javascript.checker import Checker
from forgewright.code.javascript.names import STRINGS, string_text
from forgewright.code.javascript.typenodes import is_literal, literals
from forgewright.code.javascript.types import Instance, Parameter, Type, same
from forgewright.code.project import Splice
from forgewright.code.scopes.tree import Node
from forgewright.core.errors import EditRefused

_EQUALITY = ("===", "!==", "==", "!=")
_TYPES = frozenset(("union_type", "literal_type", "parenthesized_type"))


def renamable(c: Checker, node: Node) -> str | None:
    """The text of a string whose expected type consists of string literals; None for any other node."""
    if node.type not in STRINGS:
        return None
    text = string_text(node)
    return text if text and is_literal(expected(c, node)) else None


def rename(c: Checker, node: Node, new_name: str) -> Renaming:
    """All strings of the same text for which the same type is expected. Raises `EditRefused`."""
    text = renamable(c, node)
    wanted = expected(c, node)
    if text is None or wanted is None:
        raise EditRefused(
            f"{node.text[:40]!r} names nothing that can be renamed",
            hint="point at the name of something that the project defines",
        )
    if any(quote in new_name for quote in "\"'`\\\n$"):
        raise EditRefused(
            f"{new_name!r} cannot stand in a string as it is", hint="leave out quotes and escapes"
        )
    found: list[Splice] = []
    for path in c.program.containing(text):
        unit = c.program.unit(path)
        for other in unit.root.walk() if unit is not None else ():
            if other.type not in STRINGS or string_text(other) != text:
                continue
            if same(expected(c, other), wanted) or _is_key(other):
                found.append(Splice(path, other.start + 1, other.end - 1, new_name.encode()))
    return Renaming(tuple(sorted(set(found))))


def _is_key(node: Node) -> bool:
    """The quoted name of a property in a type."""
    return node.up.type == "property_signature" and node.field == "name"


def expected(c: Checker, node: Node) -> Type | None:
    """The type that a string's surroundings expect, or that it is part of."""
    parent = node.up
    if parent.type == "literal_type":
        top = parent
        while top.up.type in _TYPES:
            top = top.up
        return c.annotation(top)
    if parent.type == "binary_expression":
        operator = parent.get("operator")
        if operator is not None and operator.type in _EQUALITY:
            other = parent.get("left") if node.field == "right" else parent.get("right")
            return literals(c, c.expression(other)) if other is not None else None
    if parent.type == "switch_case":
        switch = parent.up.up
        value = switch.get("value")
        return literals(c, c.expression(value)) if value is not None else None
    found = literals(c, c.context(node))
    if found is None or isinstance(found, Instance):
        return None
    return _constrained(c, found)


def _constrained(c: Checker, type: Type) -> Type | None:
    return literals(c, c.constraint(type)) if isinstance(type, Parameter) else type
