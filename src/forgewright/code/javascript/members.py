"""The members that classes, interfaces, object types and object literals declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.entities import Entity, Scope
from forgewright.code.javascript.names import name_of, parameters, pattern_of
from forgewright.code.scopes.tree import Node

if TYPE_CHECKING:
    from forgewright.code.javascript.binder import Binder


def signatures(b: Binder, body: Node, owner: Entity) -> None:
    for item in body.items:
        if item.type == "property_signature":
            b.add_member(owner.members, owner, name_of(item), item, "property")
        elif item.type == "method_signature":
            kind = "getter" if item.has("get") else "setter" if item.has("set") else "method"
            b.add_member(owner.members, owner, name_of(item), item, kind)


def class_member(b: Binder, item: Node, owner: Entity) -> None:
    kind = {
        "method_definition": "method",
        "method_signature": "method",
        "abstract_method_signature": "method",
        "public_field_definition": "property",
        "field_definition": "property",
    }.get(item.type)
    if kind is None:
        return
    if kind == "method":
        kind = "getter" if item.has("get") else "setter" if item.has("set") else kind
    static = item.has("static")
    key = name_of(item)
    if key is not None and key.text == "constructor" and kind == "method" and not static:
        for parameter in parameters(item):
            pattern = pattern_of(parameter)
            if pattern.type == "identifier" and (
                parameter.first("accessibility_modifier", "override_modifier") or parameter.has("readonly")
            ):
                found = b.add_member(owner.members, owner, pattern, parameter, "property")
                assert found is not None
                found.private = parameter.has("private")
        return
    entity = b.add_member(owner.exports if static else owner.members, owner, key, item, kind)
    if entity is not None:
        entity.static = static
        access = item.first("accessibility_modifier")
        entity.private = entity.name.startswith("#") or (access is not None and access.text == "private")


def literal(b: Binder, node: Node, scope: Scope) -> Scope:
    if node.up.type == "import_attribute":
        return scope
    entity = b.unit.own[node] = Entity("", "object", b.unit)
    entity.nodes.append(node)
    for item in node.items:
        if item.type == "shorthand_property_identifier":
            b.add_member(entity.members, entity, item, item, "property")
        elif item.type == "pair":
            b.add_member(entity.members, entity, item.get("key"), item, "property")
        elif item.type == "method_definition":
            kind = "getter" if item.has("get") else "setter" if item.has("set") else "method"
            b.add_member(entity.members, entity, item.get("name"), item, kind)
    return scope
