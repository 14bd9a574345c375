"""What imports and exports declare: the aliases of a file, and the exports of its module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.entities import Entity, Import, Scope
from forgewright.code.javascript.names import CLASSES, key_of
from forgewright.code.scopes.tree import Node

if TYPE_CHECKING:
    from forgewright.code.javascript.binder import Binder


def import_statement(b: Binder, node: Node, scope: Scope) -> Scope | None:
    source = node.get("source")
    require = node.first("import_require_clause")
    if require is not None:
        source = require.get("source")
        name = require.first("identifier")
        if source is not None and name is not None:
            b.unit.edges.append(("require", source, node))
            b.declare(name, "alias", node, scope).alias = Import("export=", source)
        return None
    clause = node.first("import_clause")
    alias = node.first("import_alias")
    if alias is not None:
        return import_alias(b, alias, scope)
    if source is None:
        return scope
    b.unit.edges.append(("import", source, node))
    for item in clause.items if clause else []:
        if item.type == "identifier":
            b.declare(item, "alias", item, scope).alias = Import("default", source)
        elif item.type == "namespace_import" and item.items:
            b.declare(item.items[0], "alias", item, scope).alias = Import("*", source)
        elif item.type == "named_imports":
            for specifier in item.items:
                imported = specifier.get("name")
                local = specifier.get("alias") or imported
                key = key_of(imported)
                if local is not None and key is not None:
                    b.declare(local, "alias", specifier, scope).alias = Import(key[0], source)
    return None


def import_alias(b: Binder, node: Node, scope: Scope) -> Scope | None:
    names = node.items
    if len(names) >= 2:
        b.declare(names[0], "alias", node, scope).alias = Import(target=names[1])
    return None


def export_statement(b: Binder, node: Node, scope: Scope) -> Scope | None:
    unit, owner = b.unit, scope.entity
    source = node.get("source")
    if source is not None:
        unit.edges.append(("export", source, node))
    if owner is None:
        return scope
    if node.has("namespace") and node.first("identifier"):
        name = node.first("identifier")
        assert name is not None
        entity = Entity(name.text, "alias", unit)
        entity.add(name, node)
        entity.alias = Import("*", None)
        unit.umd[entity.name] = entity
        return None
    clause = node.first("export_clause")
    if clause is not None:
        for specifier in clause.items:
            local = specifier.get("name")
            public = specifier.get("alias") or local
            key, local_key = key_of(public), key_of(local)
            if key is None or public is None or local is None or local_key is None:
                continue
            public_entity = owner.exports.get(key[0])
            if public_entity is None or public_entity.alias is not None:
                public_entity = Entity(key[0], "alias", unit)
                owner.exports[key[0]] = public_entity
            public_entity.container = owner
            public_entity.alias = Import(local_key[0], source) if source else Import(target=local)
            public_entity.add(key[1], specifier)
        return None
    star = node.first("namespace_export")
    if star is not None and source is not None:
        key = key_of(star.items[0]) if star.items else None
        if key is not None:
            entity = owner.exports[key[0]] = Entity(key[0], "alias", unit)
            entity.container = owner
            entity.alias = Import("*", source)
            entity.add(key[1], star)
        return None
    if source is not None:
        unit.stars.setdefault(owner, []).append(source)
        return None
    if node.has("="):
        target = next((c for c in node.items if c.field != "decorator"), None)
        if target is not None:
            entity = owner.exports["export="] = Entity("export=", "alias", unit)
            entity.container = owner
            entity.alias = Import(target=target)
            entity.nodes.append(node)
        return scope
    if node.has("default"):
        return export_default(b, node, scope, owner)
    return scope


def export_default(b: Binder, node: Node, scope: Scope, owner: Entity) -> Scope:
    declaration = node.get("declaration")
    name = declaration.get("name") if declaration is not None else None
    if declaration is None:
        value = node.get("value")
        if value is not None and value.type == "identifier":
            entity = Entity("default", "alias", b.unit)
            entity.alias = Import(target=value)
        else:
            entity = Entity("default", "property", b.unit)
        owner.exports["default"] = entity
        entity.container = owner
        entity.nodes.append(value or node)
        return scope
    kind = {"interface_declaration": "interface"}.get(
        declaration.type, "class" if declaration.type in CLASSES else "function"
    )
    if name is None:
        entity = owner.exports["default"] = Entity("default", kind, b.unit)
        entity.container = owner
        entity.add(None, declaration)
        b.unit.own[declaration] = entity
        return scope
    entity = owner.exports.get("default") or scope.table.get(name.text) or Entity("default", kind, b.unit)
    entity.name, entity.local, entity.container = "default", name.text, owner
    entity.space |= Entity("", kind, b.unit).space
    entity.scope = scope
    owner.exports["default"] = entity
    scope.table[name.text] = entity
    return scope
