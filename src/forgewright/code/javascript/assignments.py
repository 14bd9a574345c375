"""Members that come to be by assignment: `this.x =`, `C.prototype.x =`, `exports.x =`, `f.x =`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.entities import Entity, Import, Scope
from forgewright.code.javascript.names import CLASSES, FUNCTIONS, bare, key_of
from forgewright.code.scopes.tree import Node

if TYPE_CHECKING:
    from forgewright.code.javascript.binder import Binder


def bind(binder: Binder, node: Node, scope: Scope) -> None:
    """Declare the member that an assignment or a call of `Object.defineProperty` makes, if it makes one."""
    if node.type == "call_expression":
        _define_property(binder, node, scope)
        return
    left, right = node.get("left"), node.get("right")
    assert left is not None
    owner = left.get("object")
    key = left.get("property") or left.get("index")
    if owner is None or key is None or (left.type == "subscript_expression" and key.type == "identifier"):
        return
    if binder.unit.javascript and _exports(binder, node, owner, key, right, scope):
        return
    _member(binder, owner, key, node, scope)


def _exports(binder: Binder, node: Node, owner: Node, key: Node, right: Node | None, scope: Scope) -> bool:
    module = binder.unit.module
    if module is None:
        return False
    if owner.text in ("exports", "module.exports"):
        if key_of(key) is not None:
            binder.add_member(module.exports, module, key, node, "property")
        return True
    if owner.text == "module" and key.text == "exports" and right is not None:
        value = bare(right)
        if value.type == "object":
            entity = binder.unit.own[value]
            for name, member in entity.members.items():
                module.exports.setdefault(name, member)
                member.container = module
        entity = module.exports["export="] = Entity("export=", "alias", binder.unit)
        entity.container = module
        entity.alias = Import(target=value)
        entity.nodes.append(node)
        return True
    return False


def _define_property(binder: Binder, node: Node, scope: Scope) -> None:
    arguments = node.get("arguments")
    items = arguments.items if arguments is not None else []
    if len(items) >= 2 and key_of(items[1]) is not None and items[1].type != "identifier":
        module = binder.unit.module
        if items[0].text in ("exports", "module.exports") and module is not None:
            binder.add_member(module.exports, module, items[1], node, "property")
        elif binder.unit.javascript:
            _member(binder, items[0], items[1], node, scope)


def _member(binder: Binder, owner: Node, key: Node, node: Node, scope: Scope) -> None:
    javascript = binder.unit.javascript
    owner = bare(owner)
    if owner.type == "this":
        if javascript and (entity := _this_owner(binder, owner)) is not None:
            target, static = entity
            table = target.exports if static else target.members
            if (found := key_of(key)) and found[0] in table:
                return
            member = binder.add_member(table, target, key, node, "property")
            if member is not None:
                member.static = static
        return
    if owner.type == "member_expression" and javascript:
        prototype, inner = owner.get("property"), owner.get("object")
        if prototype is not None and prototype.text == "prototype" and inner is not None:
            target_entity = _holder(binder, inner, scope)
            if target_entity is not None:
                binder.add_member(target_entity.members, target_entity, key, node, "property")
        return
    if owner.type == "identifier":
        target_entity = _holder(binder, owner, scope)
        if target_entity is None:
            return
        made = target_entity.kind in ("class", "function", "object")
        if not javascript and target_entity.kind != "function":
            return
        table = target_entity.members if target_entity.kind == "object" else target_entity.exports
        found = key_of(key)
        if made and found is not None and found[0] not in table:
            member = binder.add_member(table, target_entity, key, node, "property")
            if member is not None:
                member.static = target_entity.kind != "object"
        elif made and found is not None and table[found[0]].kind == "property":
            table[found[0]].nodes.append(node)


def _holder(binder: Binder, name: Node, scope: Scope) -> Entity | None:
    """The class, function or object literal that a variable holds from its declaration on."""
    if name.type != "identifier":
        return None
    text = name.text
    for here in scope.chain():
        entity = here.table.get(text) or (here.entity.exports.get(text) if here.entity else None)
        if entity is None:
            continue
        if entity.kind in ("class", "function"):
            return entity
        for node in entity.nodes:
            value = node.get("value") if node.type == "variable_declarator" else None
            if value is None:
                continue
            value = bare(value)
            if value.type in CLASSES or value.type == "object":
                return binder.unit.own.get(value)
            if value.type in FUNCTIONS:
                return function_entity(binder.unit.own, value, entity)
        return None
    return None


def function_entity(own: dict[Node, Entity], function: Node, holder: Entity) -> Entity:
    """The entity that carries the members of a function expression."""
    if function not in own:
        entity = own[function] = Entity(holder.name, "function", holder.unit)
        entity.nodes.append(function)
    return own[function]


def _this_owner(binder: Binder, this: Node) -> tuple[Entity, bool] | None:
    """What `this` stands for in JavaScript: a class (static or not), a constructor function, or an object."""
    for above in this.above():
        if above.type in CLASSES:
            return binder.unit.own[above], False
        if above.type == "method_definition":
            if above.up.type == "class_body":
                return binder.unit.own[above.up.up], above.has("static")
            return None
        if above.type in ("function_declaration", "function_expression"):
            return _function_owner(binder, above)
    return None


def _function_owner(binder: Binder, function: Node) -> tuple[Entity, bool] | None:
    parent = function.up
    if parent.type == "assignment_expression":
        left = parent.get("left")
        inner = left.get("object") if left is not None else None
        if inner is not None and inner.type == "member_expression":
            prototype, holder = inner.get("property"), inner.get("object")
            if prototype is not None and prototype.text == "prototype" and holder is not None:
                entity = _holder(binder, holder, binder.unit.scope_at(parent))
                return (entity, False) if entity is not None else None
        return None
    if parent.type == "pair":
        return None
    entity = binder.unit.own.get(function)
    if entity is None and parent.type == "variable_declarator" and parent.get("name") is not None:
        name = parent.get("name")
        assert name is not None
        holder_entity = binder.unit.decl.get(name)
        if holder_entity is not None:
            entity = function_entity(binder.unit.own, function, holder_entity)
    return (entity, False) if entity is not None else None
