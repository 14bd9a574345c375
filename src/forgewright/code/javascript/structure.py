"""How declarations give types: of members by their nodes, of `this`, of what a class extends, of literals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript import expressions
from forgewright.code.javascript.entities import TYPE, VALUE, Entity
from forgewright.code.javascript.jsdoc import doc_before
from forgewright.code.javascript.names import CLASSES, FUNCTIONS, annotation, parameters
from forgewright.code.javascript.types import Env, Instance, Static, Type
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds

if TYPE_CHECKING:
    from forgewright.code.javascript.checker import Checker, Member

_BINDINGS = kinds(
    "variable_declarator for_in_statement catch_clause required_parameter optional_parameter identifier "
    "assignment_pattern object_pattern array_pattern rest_pattern"
)
_SIGNATURES = kinds("property_signature public_field_definition field_definition")
_METHODS = kinds("method_definition method_signature abstract_method_signature")


def declared_type(c: Checker, entity: Entity, node: Node, env: Env) -> Type | None:
    """The type that one of an entity's declarations gives it."""
    kind = node.type
    if kind in _BINDINGS:
        written = annotation(node)
        if written is not None and env:
            return c.annotation(written, env)
        for name in entity.names:
            if name.within(node):
                return c.pattern(name)
        return None
    if kind in _SIGNATURES:
        written = annotation(node)
        if written is not None:
            return c.annotation(written, env)
        value = node.get("value")
        return _documented(c, node) or (c.widened(value) if value is not None else None)
    if kind in _METHODS:
        if node.has("get"):
            return expressions.return_type(c, node, env)
        listed = parameters(node)
        written = annotation(listed[0]) if listed else None
        return c.annotation(written, env) if written is not None else None
    if kind == "pair":
        value = node.get("value")
        return _documented(c, node) or (c.widened(value) if value is not None else None)
    if kind == "shorthand_property_identifier":
        return c.entity_type(c.program.lookup(node, VALUE))
    if kind == "assignment_expression":
        right = node.get("right")
        return _documented(c, node) or (c.widened(right) if right is not None else None)
    if kind == "call_expression":
        return _described(c, node)
    if kind in ("import_alias", "namespace_export"):
        return None
    if kind in FUNCTIONS or kind in CLASSES or kind in ("object", "identifier"):
        return c.expression(node)
    if entity.kind == "property" and kind not in ("export_statement",):
        return c.widened(node)
    return None


def _documented(c: Checker, node: Node) -> Type | None:
    unit = c.program.unit(node.path)
    if unit is None or not unit.javascript:
        return None
    doc = doc_before(unit, node)
    tag = doc.first("type") if doc is not None else None
    return c.annotation(tag.type) if tag is not None and tag.type is not None else None


def _described(c: Checker, call: Node) -> Type | None:
    """`Object.defineProperty(o, "name", { value })`."""
    arguments = call.get("arguments")
    if arguments is None or len(arguments.items) < 3:
        return None
    return c.member_type(c.property(c.expression(arguments.items[2]), "value"))


def of_literal(c: Checker, type: Instance, name: str) -> Member | None:
    """A member of an object literal: its own, or of what it spreads; later ones win unless optional."""
    from forgewright.code.javascript.checker import Member

    entity = type.entity.real
    own = entity.members.get(name)
    found: list[Member | None] = []
    for node in entity.nodes:
        for item in reversed(node.items if node.type == "object" else []):
            if item.type != "spread_element":
                if own is not None and item in own.nodes:
                    found.append(Member(own.real))
                    return c.mix(found)
                continue
            spread = c.property(c.expression(item.items[0]), name) if item.items else None
            if spread is not None:
                found.append(spread)
                if not all(optional(root) for root in spread.entity.flat()):
                    return c.mix(found)
    if own is not None:
        found.append(Member(own.real))
    return c.mix(found)


def optional(entity: Entity) -> bool:
    return any(node.has("?") for node in entity.nodes)


def supers(c: Checker, type: Instance, *, implements: bool) -> list[Type | None]:
    """The types in `extends` (and `implements`) of a class or interface."""
    found: list[Type | None] = []
    for node in type.entity.nodes:
        if node.type == "interface_declaration":
            for clause in node.children:
                if clause.type == "extends_type_clause":
                    found += [c.annotation(item, type.env) for item in clause.all("type")]
        elif node.type in CLASSES and (heritage := node.first("class_heritage")) is not None:
            extends = heritage.first("extends_clause")
            value = extends.get("value") if extends is not None else None
            if extends is None and heritage.items and heritage.items[0].type != "implements_clause":
                value = heritage.items[0]
            if value is not None:
                arguments = extends.get("type_arguments") if extends is not None else None
                given = [c.annotation(t, type.env) for t in arguments.items] if arguments is not None else []
                found.append(_base(c, value, given))
            other = heritage.first("implements_clause") if implements else None
            found += [c.annotation(item, type.env) for item in other.items] if other is not None else []
    return found


def _base(c: Checker, value: Node, given: list[Type | None]) -> Type | None:
    made = expressions.constructed(c, c.expression(value), given)
    if made is not None:
        return made
    entity = c.program.resolve(c.program.meaning(value, TYPE)) if value.type == "identifier" else None
    return c.instantiate(entity, given) if entity is not None else None


def this_type(c: Checker, node: Node) -> Type | None:
    """What `this` is where it stands."""
    below = node
    for above in node.above():
        kind = above.type
        if kind in CLASSES:
            return _in_class(c, above, static=below.type == "class_static_block")
        if above.up.type == "class_body" and kind != "decorator":
            return _in_class(c, above.up.up, static=above.has("static") or kind == "class_static_block")
        if kind == "method_definition":
            return c.context(above.up) or c.expression(above.up)
        if kind in ("function_declaration", "function_expression", "generator_function"):
            return _in_function(c, above)
        below = above
    return None


def _in_class(c: Checker, node: Node, *, static: bool) -> Type | None:
    entity = c.own(node)
    if entity is None:
        return None
    return Static(entity) if static else Instance(entity)


def _in_function(c: Checker, function: Node) -> Type | None:
    for parameter in parameters(function):
        if (pattern := parameter.get("pattern")) is not None and pattern.type == "this":
            written = annotation(parameter)
            return c.annotation(written) if written is not None else None
    parent = function.up
    if parent.type == "pair":
        return c.context(parent.up) or c.expression(parent.up)
    entity = c.own(function)
    if parent.type == "assignment_expression" and (left := parent.get("left")) is not None:
        holder = left.get("object")
        if holder is not None and holder.type == "member_expression":
            name, of = holder.get("property"), holder.get("object")
            if name is not None and name.text == "prototype" and of is not None:
                type = c.expression(of)
                if isinstance(type, Static):
                    return Instance(type.entity)
                made = getattr(type, "entity", None)
                return Instance(made) if isinstance(made, Entity) else None
    if entity is None and parent.type == "variable_declarator":
        return None
    unit = c.program.unit(function.path)
    if unit is not None and unit.javascript and entity is not None and entity.members:
        return Instance(entity)
    return None
