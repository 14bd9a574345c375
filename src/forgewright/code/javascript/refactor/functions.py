"""Which function a name declares, and which name a function goes by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.entities import Entity
from forgewright.code.javascript.locate import name_at
from forgewright.code.javascript.names import FUNCTIONS, bare, name_of
from forgewright.code.scopes.tree import Node
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.resolver import JavaScriptResolver

_TYPED = ("property_signature", "public_field_definition")


def name_node(resolver: JavaScriptResolver, path: str, offset: int) -> tuple[Node, Entity]:
    """The name at a place and what it means, imports followed. Raises `EditRefused`."""
    unit = resolver.program.unit(path)
    node = name_at(unit, offset) if unit is not None else None
    entity = resolver.meanings.at(node) if node is not None else None
    bare_arrow = node is not None and node.field == "parameter" and node.up.type == "arrow_function"
    if unit is not None and (entity is None or bare_arrow or (node is not None and node.start > offset)):
        node = holder(unit.root.at(offset), offset) or node
        entity = resolver.meanings.at(node) if node is not None else None
    if node is None or entity is None:
        raise EditRefused(
            f"no symbol of this project is named at {path}, byte {offset}", hint="point at a name"
        )
    target = resolver.program.resolve(entity) or entity
    if target is not entity and target.names and target.unit.path[:1] != "\0":
        return target.names[0], target
    return node, entity


def holder(node: Node, offset: int) -> Node | None:
    """The name of what holds a function without one of its own that begins at a place: `const f = () => 1`."""
    for here in (node, *node.above()):
        if here.start != offset:
            return None
        if here.type in FUNCTIONS and name_of(here) is None:
            value = here
            while value.up.type == "parenthesized_expression":
                value = value.up
            if value.field == "right" and value.up.type == "assignment_expression":
                left = value.up.get("left")
                return value_name(left) if left is not None else None
            return name_of(value.up) if value.field == "value" else None
    return None


def function_of(name: Node) -> Node | None:
    """The function that a declaration of this name holds or is."""
    parent = name.up
    if parent.type in FUNCTIONS and name_of(parent) is name:
        return parent
    value: Node | None = None
    if parent.type in ("variable_declarator", "pair", "public_field_definition", "field_definition"):
        value = parent.get("value")
    elif parent.type == "member_expression" and parent.up.type == "assignment_expression":
        value = parent.up.get("right") if parent.field == "left" else None
    if value is None and parent.type in _TYPED:
        kind = parent.get("type")
        value = kind.items[0] if kind is not None and kind.items else None
        return value if value is not None and value.type == "function_type" else None
    value = bare(value) if value is not None else None
    while value is not None and value.type in ("as_expression", "satisfies_expression"):
        value = bare(value.items[0])
    return value if value is not None and value.type in FUNCTIONS else None


def own_constructors(bodies: list[Node]) -> list[Node]:
    """The constructors that class bodies declare themselves."""
    return [
        item
        for body in bodies
        for item in body.items
        if item.type in ("method_definition", "method_signature")
        and (name := name_of(item)) is not None
        and name.text == "constructor"
    ]


def value_name(value: Node) -> Node | None:
    """The name in which an expression ends: `b` of `a.b`."""
    if value.type == "identifier":
        return value
    return value.get("property") if value.type == "member_expression" else None
