"""The type that an expression's surroundings expect of it: what an object literal's keys and a callback's
parameters belong to. TypeScript handbook, "Type Inference: Contextual Typing".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.elements import indexed
from forgewright.code.javascript.jsdoc import doc_before
from forgewright.code.javascript.names import FUNCTIONS, annotation, key_of
from forgewright.code.javascript.narrowing import discriminate
from forgewright.code.javascript.types import Instance, Static, Tuple, Type, union
from forgewright.code.scopes.tree import Node

if TYPE_CHECKING:
    from forgewright.code.javascript.checker import Checker, Member


def type_for(c: Checker, node: Node) -> Type | None:
    """The contextual type of an expression; None if there is none."""
    parent = node.up
    kind = parent.type
    if kind == "variable_declarator" and node.field == "value":
        written = annotation(parent)
        if written is not None:
            return c.annotation(written)
        return _documented(c, parent)
    if kind in ("assignment_expression",) and node.field == "right":
        left = parent.get("left")
        return (
            c.expression(left)
            if left is not None and left.type not in ("object_pattern", "array_pattern")
            else None
        )
    if kind == "pair" and node.field == "value":
        key = key_of(parent.get("key"))
        if key is None:
            return None
        return c.member_type(_expected(c, parent.up, key[0])) or indexed(c, c.context(parent.up))
    if kind == "object" and node.type == "method_definition":
        key = key_of(node.get("name"))
        return c.member_type(_expected(c, parent, key[0])) if key is not None else None
    if kind == "array":
        return _item(c, parent, node)
    if kind == "arguments":
        return argument(c, parent, node)
    if kind == "return_statement":
        function = next((above for above in parent.above() if above.type in FUNCTIONS), None)
        return _result(c, function) if function is not None else None
    if kind == "arrow_function" and node.field == "body":
        return _result(c, parent)
    if kind in ("parenthesized_expression", "non_null_expression"):
        return _documented(c, node) or c.context(parent)
    if kind in ("as_expression", "satisfies_expression") and parent.items[0] is node:
        return c.annotation(parent.items[-1])
    if kind == "type_assertion":
        return c.expression(parent)
    if kind == "ternary_expression" and node.field != "condition":
        return c.context(parent)
    if kind == "binary_expression" and node.field == "right":
        operator = parent.get("operator")
        if operator is not None and operator.type in ("||", "??"):
            left = parent.get("left")
            return c.context(parent) or (c.expression(left) if left is not None else None)
        return c.context(parent) if operator is not None and operator.type == "&&" else None
    if kind == "binary_expression" and node.field == "left":
        operator = parent.get("operator")
        return c.context(parent) if operator is not None and operator.type in ("||", "??") else None
    if kind in ("public_field_definition", "field_definition") and node.field == "value":
        written = annotation(parent)
        return c.annotation(written) if written is not None else _documented(c, parent)
    if kind in ("required_parameter", "optional_parameter") and node.field == "value":
        written = annotation(parent)
        return c.annotation(written) if written is not None else None
    if kind in ("assignment_pattern", "object_assignment_pattern") and node.field == "right":
        left = parent.get("left")
        return c.pattern(left) if left is not None else None
    if kind == "jsx_expression":
        return _attribute(c, parent.up) if parent.up.type == "jsx_attribute" else None
    if kind == "jsx_attribute":
        return _attribute(c, parent)
    if kind == "await_expression":
        return c.context(parent)
    return None


def _documented(c: Checker, node: Node) -> Type | None:
    unit = c.program.unit(node.path)
    if unit is None or not unit.javascript:
        return None
    doc = doc_before(unit, node)
    tag = doc.first("type") if doc is not None else None
    return c.annotation(tag.type) if tag is not None and tag.type is not None else None


def _expected(c: Checker, literal: Node, name: str) -> Member | None:
    context = discriminate(c, literal, c.context(literal))
    return c.property(context, name) if context is not None else None


def _item(c: Checker, array: Node, node: Node) -> Type | None:
    context = c.context(array)
    if isinstance(context, Tuple):
        place = sum(1 for child in array.children[: array.children.index(node)] if child.type == ",")
        return context.parts[place] if place < len(context.parts) else None
    return c.element(context)


def argument(c: Checker, arguments: Node, node: Node) -> Type | None:
    """What the callee expects at an argument's place, over all its overloads."""
    call = arguments.up
    callee = call.get("function") or call.get("constructor")
    if callee is None:
        return None
    index = next((i for i, item in enumerate(arguments.items) if item is node), -1)
    type = c.expression(callee)
    found: list[Type | None] = []
    if call.type == "new_expression":
        if isinstance(type, Static):
            for constructor in c.constructors(type.entity):
                found.append(c.argument(constructor, {}, index))
            return union(found)
        if isinstance(type, Instance):
            for body in c.bodies(type.entity):
                for item in body.items:
                    if item.type == "construct_signature":
                        found.append(c.argument(item, type.env, index))
            return union(found)
    for signature, env in c.signatures(type):
        found.append(c.argument(signature, env, index))
    return union(found)


def _result(c: Checker, function: Node) -> Type | None:
    written = annotation(function, "return_type")
    found: Type | None
    if written is not None:
        found = c.annotation(written)
    else:
        found = None
        for signature, env in c.signatures(c.context(function)):
            returned = annotation(signature, "return_type") or annotation(signature)
            found = found or (c.annotation(returned, env) if returned is not None else None)
    return c.awaited(found) if function.has("async") else found


def attributes(c: Checker, element: Node) -> Type | None:
    """The type of the props that a JSX element takes."""
    name = element.get("name")
    if name is None:
        return None
    if name.type == "identifier" and (name.text[0].islower() or "-" in name.text):
        found = c.intrinsic(name)
        return c.member_type(found)
    type = c.expression(name)
    if isinstance(type, Static) and type.entity.kind == "class":
        of = Instance(type.entity)
        props = c.property(of, "props")
        if props is not None:
            return c.member_type(props)
        return _component_props(c, type)
    found_types: list[Type | None] = []
    for node, env in c.signatures(type):
        found_types.append(c.argument(node, env, 0))
    if not found_types and isinstance(type, Instance):
        env_values = list(type.env.values())
        return env_values[0] if env_values else None
    return union(found_types)


def _component_props(c: Checker, type: Static) -> Type | None:
    """The first type argument of the base class: `class X extends React.Component<Props>`."""
    for node in type.entity.nodes:
        heritage = node.first("class_heritage")
        clause = heritage.first("extends_clause") if heritage is not None else None
        arguments = clause.get("type_arguments") if clause is not None else None
        if arguments is not None and arguments.items:
            return c.annotation(arguments.items[0])
    return None


def _attribute(c: Checker, attribute: Node) -> Type | None:
    name = attribute.items[0] if attribute.items else None
    props = attributes(c, attribute.up)
    found = c.property(props, name.text) if props is not None and name is not None else None
    return c.member_type(found)
