"""From a type as it is written to a type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.entities import TYPE, VALUE, Entity
from forgewright.code.javascript.names import CLASSES, string_text
from forgewright.code.javascript.program import dotted
from forgewright.code.javascript.types import (
    EMPTY,
    Env,
    Function,
    Instance,
    Intersection,
    KeyOf,
    Literal,
    Parameter,
    Primitive,
    Tuple,
    Type,
    Union,
    union,
)
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds

if TYPE_CHECKING:
    from forgewright.code.javascript.checker import Checker

SAME_MEMBERS = kinds("Partial Required Readonly NonNullable Pick Omit Awaited NoInfer ReadonlyDeep")
"""Utility types whose members are their first argument's."""


def type_of(c: Checker, node: Node, env: Env = EMPTY) -> Type | None:
    """The type that a type node says. Type parameters are replaced from `env`."""
    kind = node.type
    if kind == "predefined_type":
        return None if node.text in ("any", "unknown") else Primitive(node.text)
    if kind in ("type_identifier", "identifier", "jsdoc_name"):
        return _named(c, node, [], env)
    if kind == "generic_type":
        name = node.get("name") or node.items[0]
        arguments = node.get("type_arguments") or node.first("type_arguments")
        return _named(c, name, arguments.items if arguments else [], env)
    if kind in ("nested_type_identifier", "member_expression", "nested_identifier"):
        return _named(c, node, [], env)
    if kind in (
        "parenthesized_type",
        "readonly_type",
        "optional_type",
        "type_annotation",
        "opting_type_annotation",
    ):
        return c.annotation(node.items[0], env) if node.items else None
    if kind == "array_type":
        return c.array(c.annotation(node.items[0], env) if node.items else None)
    if kind == "rest_type":
        inner = c.annotation(node.items[0], env) if node.items else None
        return c.element(inner)
    if kind == "tuple_type":
        return Tuple(tuple(c.annotation(i.get("type") or i, env) for i in node.items))
    if kind in ("union_type", "intersection_type"):
        parts = [c.annotation(item, env) for item in _flat(node)]
        if kind == "union_type":
            return union(parts)
        known = tuple(p for p in parts if p is not None)
        return known[0] if len(known) == 1 else Intersection(known) if known else None
    if kind in ("function_type", "constructor_type"):
        return Function((node,), env)
    if kind == "object_type":
        return _object_type(c, node, env)
    if kind == "literal_type":
        inner_node = node.items[0] if node.items else node
        text = string_text(inner_node) if inner_node.type == "string" else None
        return Literal(text) if text is not None else Primitive(inner_node.type)
    if kind == "template_literal_type":
        text = string_text(node)
        return Literal(text) if text is not None else Primitive("string")
    if kind == "type_query":
        return c.expression(node.items[0]) if node.items else None
    if kind == "index_type_query":
        inner = c.annotation(node.items[0], env) if node.items else None
        return KeyOf(inner) if inner is not None else None
    if kind == "lookup_type" and len(node.items) == 2:
        return _lookup(c, node, env)
    if kind == "this_type" or kind == "this":
        for above in node.above():
            if above.type in CLASSES or above.type == "interface_declaration":
                entity = c.own(above)
                return Instance(entity) if entity is not None else None
    if kind in ("type_predicate_annotation", "type_predicate", "asserts"):
        return Primitive("boolean")
    return None


def _flat(node: Node) -> list[Node]:
    """The parts of `A | B | C`, which the grammar nests to the left."""
    found: list[Node] = []
    stack = [node]
    while stack:
        here = stack.pop()
        if here.type == node.type:
            stack.extend(reversed(here.items))
        else:
            found.append(here)
    return found


def _object_type(c: Checker, node: Node, env: Env) -> Type | None:
    for item in node.items:
        mapped = item.first("mapped_type_clause") if item.type == "index_signature" else None
        if mapped is not None:
            keys = mapped.get("type")
            source = c.annotation(keys, env) if keys is not None else None
            return source.of if isinstance(source, KeyOf) else None
    entity = c.own(node)
    return Instance(entity, env) if entity is not None else None


def _lookup(c: Checker, node: Node, env: Env) -> Type | None:
    base = c.annotation(node.items[0], env)
    index = c.annotation(node.items[1], env)
    if base is None:
        return None
    if isinstance(index, Literal):
        found = c.property(base, index.text)
        return c.member_type(found) if found is not None else None
    if isinstance(index, Primitive) and index.name == "number":
        return c.element(base)
    return None


def _named(c: Checker, name: Node, arguments: list[Node], env: Env) -> Type | None:
    entity = c.program.resolve(c.program.meaning(name, TYPE))
    text = name.text
    if entity is None:
        if text in SAME_MEMBERS and arguments:
            return c.annotation(arguments[0], env)
        if dotted(name) is not None and "(" in text:
            found = c.program.resolve(c.program.meaning(name, VALUE))
            return Instance(found) if found is not None and found.kind in ("class", "interface") else None
        return None
    given: list[Type | None] = [c.annotation(argument, env) for argument in arguments]
    if entity.kind == "type parameter":
        return env[entity] if entity in env else Parameter(entity)
    return c.instantiate(entity, given)


def parameters_of(c: Checker, entity: Entity) -> list[tuple[Entity, Node]]:
    """The type parameters of a class, interface, alias or function, with their nodes."""
    for node in entity.nodes:
        found = parameter_nodes(c, node)
        if found:
            return found
    return []


def parameter_nodes(c: Checker, node: Node) -> list[tuple[Entity, Node]]:
    listed = node.get("type_parameters")
    found: list[tuple[Entity, Node]] = []
    for item in listed.items if listed is not None else []:
        name = item.get("name")
        entity = c.declared(name) if name is not None else None
        if entity is not None:
            found.append((entity, item))
    return found


def literals(c: Checker, type: Type | None) -> Type | None:
    """`keyof T` as the union of its names; other types as they are."""
    if not isinstance(type, KeyOf):
        return type
    return union([Literal(name) for name in c.property_names(type.of)])


def is_literal(type: Type | None) -> bool:
    if isinstance(type, Union):
        return all(isinstance(part, Literal) for part in type.parts)
    return isinstance(type, Literal)
