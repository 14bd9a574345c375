"""From a file's tree to its scopes and entities, in one pass and without looking at any other file."""

from __future__ import annotations

import re
from collections.abc import Callable

from forgewright.code.javascript import assignments, jsdoc
from forgewright.code.javascript.entities import VALUE, Entity, Import, Scope, Unit
from forgewright.code.javascript.names import (
    CLASSES,
    FUNCTIONS,
    PATTERNS,
    key_of,
    name_of,
    parameters,
    pattern_of,
)
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds

_COMMONJS = re.compile(rb"\bmodule\.exports\b|\bexports\.[\w$]+\s*=|\brequire\s*\(")
_MODULE_STATEMENTS = ("import_statement", "export_statement")


def bind(unit: Unit) -> Unit:
    """Fill `unit` from its tree."""
    Binder(unit).run()
    return unit


def is_module(unit: Unit) -> bool:
    """A file is a module if it imports or exports at its top, or is JavaScript that uses CommonJS."""
    for statement in unit.root.children:
        if statement.type in _MODULE_STATEMENTS:
            plain = statement.type == "import_statement" and statement.first("import_alias")
            if not plain and not statement.has("namespace"):
                return True
            if statement.has("namespace") and statement.type == "export_statement":
                return True
    return unit.javascript and _COMMONJS.search(unit.data) is not None


class Binder:
    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.work: list[tuple[Node, Scope]] = []
        self.later: list[tuple[Node, Scope]] = []
        self.handlers: dict[str, Callable[[Node, Scope], Scope | None]] = {
            "import_statement": self.import_statement,
            "import_alias": self.import_alias,
            "export_statement": self.export_statement,
            "ambient_declaration": self.ambient,
            "internal_module": self.namespace,
            "module": self.namespace,
            "interface_declaration": self.interface,
            "type_alias_declaration": self.type_alias,
            "enum_declaration": self.enum,
            "variable_declarator": self.variable,
            "for_in_statement": self.for_in,
            "catch_clause": self.catch,
            "object": self.object,
            "object_type": self.object_type,
            "type_parameter": self.type_parameter,
            "infer_type": self.infer,
            "mapped_type_clause": self.mapped,
            "index_signature": self.index_signature,
            "assignment_expression": self.assignment,
            "call_expression": self.call,
        }
        for kind in FUNCTIONS:
            self.handlers[kind] = self.function
        for kind in CLASSES:
            self.handlers[kind] = self.class_
        for kind in kinds(
            "statement_block for_statement switch_body class_static_block conditional_type labeled_statement"
        ):
            self.handlers[kind] = self.block

    def run(self) -> None:
        unit = self.unit
        top = unit.top
        if is_module(unit):
            unit.module = Entity(unit.path, "module", unit)
            unit.module.nodes.append(unit.root)
            top.kind, top.entity = "module", unit.module
        else:
            unit.global_scopes.append(top)
        unit.scopes[unit.root] = top
        self.visit(unit.root.children, top)
        if unit.javascript:
            jsdoc.bind_types(unit, self)
        for node, scope in self.later:
            assignments.bind(self, node, scope)

    def visit(self, nodes: list[Node], scope: Scope) -> None:
        """Bind `nodes` and all below them; used on its own for the types in comments."""
        handlers = self.handlers
        self.work.extend((node, scope) for node in reversed(nodes))
        while self.work:
            node, scope = self.work.pop()
            if not node.children:
                continue
            handler = handlers.get(node.type)
            inner = handler(node, scope) if handler is not None else scope
            if inner is not None:
                self.work.extend((child, inner) for child in reversed(node.children) if child.named)

    # declaring

    def open(self, kind: str, node: Node, parent: Scope) -> Scope:
        scope = self.unit.scopes[node] = Scope(kind, node, parent, self.unit)
        return scope

    def declare(self, name: Node, kind: str, node: Node, scope: Scope, text: str | None = None) -> Entity:
        """Declare in `scope`, merged with what it already declares under this name."""
        text = text if text is not None else name.text
        exported = self.exporter(node, scope) if kind != "alias" or node.type == "import_alias" else None
        table = exported.exports if exported is not None else scope.table
        entity = table.get(text)
        if entity is None or (conflicting(entity.kind, kind) and entity.unit is self.unit):
            entity = Entity(text, kind, self.unit)
            entity.scope = scope
            entity.container = exported
            table.setdefault(text, entity)
        else:
            merge_kind(entity, kind)
        entity.add(name, node)
        return entity

    def exporter(self, node: Node, scope: Scope) -> Entity | None:
        """The module or namespace that a declaration is exported from by a modifier or by being ambient."""
        if scope.entity is None:
            return None
        statement = node
        while statement.type != "export_statement":
            if statement.parent is None or statement.parent is scope.node:
                break
            statement = statement.parent
        if statement.type == "export_statement":
            return scope.entity
        if scope.kind == "namespace" and ambient(scope.node) and not export_list(scope.node):
            return scope.entity
        return None

    def add_member(
        self, table: dict[str, Entity], owner: Entity, key: Node | None, node: Node, kind: str
    ) -> Entity | None:
        found = key_of(key)
        if found is None:
            return None
        text, name = found
        entity = table.get(text)
        if entity is None:
            entity = table[text] = Entity(text, kind, self.unit)
            entity.container = owner
        entity.add(name, node)
        return entity

    # statements

    def import_statement(self, node: Node, scope: Scope) -> Scope | None:
        source = node.get("source")
        require = node.first("import_require_clause")
        if require is not None:
            source = require.get("source")
            name = require.first("identifier")
            if source is not None and name is not None:
                self.unit.edges.append(("require", source, node))
                self.declare(name, "alias", node, scope).alias = Import("export=", source)
            return None
        clause = node.first("import_clause")
        alias = node.first("import_alias")
        if alias is not None:
            return self.import_alias(alias, scope)
        if source is None:
            return scope
        self.unit.edges.append(("import", source, node))
        for item in clause.items if clause else []:
            if item.type == "identifier":
                self.declare(item, "alias", item, scope).alias = Import("default", source)
            elif item.type == "namespace_import" and item.items:
                self.declare(item.items[0], "alias", item, scope).alias = Import("*", source)
            elif item.type == "named_imports":
                for specifier in item.items:
                    imported = specifier.get("name")
                    local = specifier.get("alias") or imported
                    key = key_of(imported)
                    if local is not None and key is not None:
                        self.declare(local, "alias", specifier, scope).alias = Import(key[0], source)
        return None

    def import_alias(self, node: Node, scope: Scope) -> Scope | None:
        names = node.items
        if len(names) >= 2:
            self.declare(names[0], "alias", node, scope).alias = Import(target=names[1])
        return None

    def export_statement(self, node: Node, scope: Scope) -> Scope | None:
        unit, owner = self.unit, scope.entity
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
                if public_entity is None or entity.alias is not None:
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
            return self.export_default(node, scope, owner)
        return scope

    def export_default(self, node: Node, scope: Scope, owner: Entity) -> Scope:
        declaration = node.get("declaration")
        name = declaration.get("name") if declaration is not None else None
        if declaration is None:
            value = node.get("value")
            if value is not None and value.type == "identifier":
                entity = Entity("default", "alias", self.unit)
                entity.alias = Import(target=value)
            else:
                entity = Entity("default", "property", self.unit)
            owner.exports["default"] = entity
            entity.container = owner
            entity.nodes.append(value or node)
            return scope
        kind = {"interface_declaration": "interface"}.get(
            declaration.type, "class" if declaration.type in CLASSES else "function"
        )
        if name is None:
            entity = owner.exports["default"] = Entity("default", kind, self.unit)
            entity.container = owner
            entity.add(None, declaration)
            self.unit.own[declaration] = entity
            return scope
        entity = (
            owner.exports.get("default") or scope.table.get(name.text) or Entity("default", kind, self.unit)
        )
        entity.name, entity.local, entity.container = "default", name.text, owner
        entity.space |= Entity("", kind, self.unit).space
        entity.scope = scope
        owner.exports["default"] = entity
        scope.table[name.text] = entity
        return scope

    def ambient(self, node: Node, scope: Scope) -> Scope | None:
        block = node.first("statement_block")
        if node.has("global") and block is not None:
            inner = self.open("script", block, scope)
            self.unit.global_scopes.append(inner)
            self.push(block, inner)
            return None
        return scope

    def push(self, node: Node, scope: Scope) -> None:
        self.work.extend((child, scope) for child in reversed(node.children) if child.named)

    def namespace(self, node: Node, scope: Scope) -> Scope | None:
        name, body = node.get("name"), node.get("body")
        if name is None:
            return scope
        if name.type == "string":
            text = name.text[1:-1]
            entity = self.unit.ambient.get(text)
            if entity is None:
                entity = self.unit.ambient[text] = Entity(text, "module", self.unit)
            entity.nodes.append(node)
        else:
            parts = [n for n in name.walk() if not n.children and n.named]
            entity = self.declare(parts[0], "namespace", node, scope)
            for part in parts[1:]:
                deeper = entity.exports.get(part.text)
                if deeper is None:
                    deeper = entity.exports[part.text] = Entity(part.text, "namespace", self.unit)
                    deeper.container = entity
                deeper.add(part, node)
                entity = deeper
        self.unit.own[node] = entity
        if body is not None:
            inner = self.open("namespace", body, scope)
            inner.entity = entity
            self.push(body, inner)
        return None

    def interface(self, node: Node, scope: Scope) -> Scope | None:
        name = node.get("name")
        if name is None:
            return scope
        entity = self.named(name, "interface", node, scope)
        self.unit.own[node] = entity
        inner = self.open("type", node, scope)
        body = node.get("body")
        if body is not None:
            self.signatures(body, entity)
        return inner

    def named(self, name: Node, kind: str, node: Node, scope: Scope) -> Entity:
        """Declare, unless `export default` already has."""
        entity = scope.table.get(name.text)
        if (
            node.up.type == "export_statement"
            and node.up.has("default")
            and entity
            and entity.name == "default"
        ):
            entity.add(name, node)
            return entity
        return self.declare(name, kind, node, scope)

    def type_alias(self, node: Node, scope: Scope) -> Scope | None:
        name = node.get("name")
        if name is None:
            return scope
        self.unit.own[node] = self.declare(name, "type", node, scope)
        return self.open("type", node, scope)

    def enum(self, node: Node, scope: Scope) -> Scope | None:
        name, body = node.get("name"), node.get("body")
        if name is None or body is None:
            return scope
        entity = self.unit.own[node] = self.declare(name, "enum", node, scope)
        inner = self.open("namespace", body, scope)
        inner.entity = entity
        for item in body.items:
            self.add_member(entity.exports, entity, item.get("name") or item, item, "enum member")
        self.push(body, inner)
        return None

    def signatures(self, body: Node, owner: Entity) -> None:
        for item in body.items:
            if item.type == "property_signature":
                self.add_member(owner.members, owner, name_of(item), item, "property")
            elif item.type == "method_signature":
                kind = "getter" if item.has("get") else "setter" if item.has("set") else "method"
                self.add_member(owner.members, owner, name_of(item), item, kind)

    def object_type(self, node: Node, scope: Scope) -> Scope:
        entity = self.unit.own[node] = Entity("", "object type", self.unit)
        entity.nodes.append(node)
        self.signatures(node, entity)
        return self.open("type", node, scope)

    def class_(self, node: Node, scope: Scope) -> Scope:
        name, body = node.get("name"), node.get("body")
        inner = self.open("class", node, scope)
        if name is None:
            entity = self.unit.own.get(node) or Entity("", "class", self.unit)
            if node not in entity.nodes:
                entity.nodes.append(node)
        elif node.type == "class":
            entity = Entity(name.text, "class", self.unit)
            entity.scope = inner
            entity.add(name, node)
            inner.table[entity.name] = entity
        else:
            entity = self.named(name, "class", node, scope)
        self.unit.own[node] = entity
        for item in body.items if body is not None else []:
            self.class_member(item, entity)
        return inner

    def class_member(self, item: Node, owner: Entity) -> None:
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
                    parameter.first("accessibility_modifier", "override_modifier")
                    or parameter.has("readonly")
                ):
                    found = self.add_member(owner.members, owner, pattern, parameter, "property")
                    assert found is not None
                    found.private = parameter.has("private")
            return
        entity = self.add_member(owner.exports if static else owner.members, owner, key, item, kind)
        if entity is not None:
            entity.static = static
            access = item.first("accessibility_modifier")
            entity.private = entity.name.startswith("#") or (access is not None and access.text == "private")

    def function(self, node: Node, scope: Scope) -> Scope:
        name = node.get("name")
        outer = scope
        if name is not None and node.type in ("function_expression", "generator_function"):
            outer = Scope("block", node, scope, self.unit)
        inner = self.open("function", node, outer)
        if name is not None and name.type in ("identifier", "type_identifier"):
            if node.type in ("function_declaration", "generator_function_declaration", "function_signature"):
                self.unit.own[node] = self.named(name, "function", node, scope)
            else:
                entity = self.unit.own[node] = Entity(name.text, "function", self.unit)
                entity.scope = outer
                entity.add(name, node)
                outer.table[entity.name] = entity
        for parameter in parameters(node):
            self.pattern(pattern_of(parameter), "parameter", parameter, inner)
        return inner

    def block(self, node: Node, scope: Scope) -> Scope:
        if node.type == "statement_block" and node.up.type in FUNCTIONS:
            return scope
        return self.open("function" if node.type == "class_static_block" else "block", node, scope)

    def variable(self, node: Node, scope: Scope) -> Scope:
        name = node.get("name")
        if name is not None:
            keyword = node.up.children[0].type if node.up.children else "var"
            kind = {"const": "const", "let": "let", "using": "const"}.get(keyword, "var")
            where = scope.hoisting if kind == "var" else scope
            self.pattern(name, kind, node, where)
        return scope

    def for_in(self, node: Node, scope: Scope) -> Scope:
        inner = self.open("block", node, scope)
        kind, left = node.get("kind"), node.get("left")
        if kind is not None and left is not None:
            self.pattern(left, kind.type, node, inner.hoisting if kind.type == "var" else inner)
        return inner

    def catch(self, node: Node, scope: Scope) -> Scope:
        inner = self.open("block", node, scope)
        parameter = node.get("parameter")
        if parameter is not None:
            self.pattern(parameter, "let", node, inner)
        return inner

    def pattern(self, node: Node, kind: str, declaration: Node, scope: Scope) -> None:
        """Declare all names that a binding pattern binds."""
        stack = [node]
        while stack:
            node = stack.pop()
            if node.type in ("identifier", "shorthand_property_identifier_pattern", "this", "undefined"):
                entity = self.declare(node, kind, declaration, scope)
                entity.space |= VALUE
            elif node.type in PATTERNS or node.type == "rest_pattern":
                stack.extend(reversed(node.items))
            elif node.type == "pair_pattern":
                value = node.get("value")
                stack.extend([value] if value is not None else [])
            elif node.type in ("assignment_pattern", "object_assignment_pattern"):
                left = node.get("left")
                stack.extend([left] if left is not None else [])

    def type_parameter(self, node: Node, scope: Scope) -> Scope:
        name = node.get("name")
        if name is not None:
            self.declare(name, "type parameter", node, scope)
        return scope

    def infer(self, node: Node, scope: Scope) -> Scope:
        name = node.first("type_identifier")
        if name is not None:
            where = next((s for s in scope.chain() if s.node.type == "conditional_type"), scope)
            self.declare(name, "type parameter", node, where)
        return scope

    def mapped(self, node: Node, scope: Scope) -> Scope:
        name = node.get("name")
        if name is not None:
            self.declare(name, "type parameter", node, scope)
        return scope

    def index_signature(self, node: Node, scope: Scope) -> Scope:
        inner = self.open("block", node, scope)
        name = node.get("name")
        if name is not None:
            self.declare(name, "parameter", node, inner)
        return inner

    def object(self, node: Node, scope: Scope) -> Scope:
        if node.up.type == "import_attribute":
            return scope
        entity = self.unit.own[node] = Entity("", "object", self.unit)
        entity.nodes.append(node)
        for item in node.items:
            if item.type == "shorthand_property_identifier":
                self.add_member(entity.members, entity, item, item, "property")
            elif item.type == "pair":
                self.add_member(entity.members, entity, item.get("key"), item, "property")
            elif item.type == "method_definition":
                kind = "getter" if item.has("get") else "setter" if item.has("set") else "method"
                self.add_member(entity.members, entity, item.get("name"), item, kind)
        return scope

    def assignment(self, node: Node, scope: Scope) -> Scope:
        left = node.get("left")
        if left is not None and left.type in ("member_expression", "subscript_expression"):
            self.later.append((node, scope))
        return scope

    def call(self, node: Node, scope: Scope) -> Scope:
        function, arguments = node.get("function"), node.get("arguments")
        if function is None or arguments is None or not arguments.items:
            return scope
        first = arguments.items[0]
        if function.type == "import" and first.type == "string":
            self.unit.edges.append(("call", first, node))
        elif function.type == "identifier" and function.text == "require" and first.type == "string":
            self.unit.edges.append(("require", first, node))
        elif function.text in ("Object.defineProperty", "Reflect.defineProperty"):
            self.later.append((node, scope))
        return scope


def conflicting(one: str, other: str) -> bool:
    """Whether a second declaration is an error, and so a thing of its own."""
    if one == other == "alias":
        return True
    block = ("const", "let")
    variables = (*block, "var", "parameter", "function")
    return (one in block and other in variables) or (other in block and one in variables)


def merge_kind(entity: Entity, kind: str) -> None:
    """A declaration of another kind joins: meanings add up, and the most telling kind stays."""
    entity.space |= Entity("", kind, entity.unit).space
    order = (
        "alias",
        "class",
        "function",
        "enum",
        "const",
        "let",
        "var",
        "parameter",
        "interface",
        "namespace",
        "type",
    )
    if kind in order and entity.kind in order and order.index(kind) < order.index(entity.kind):
        entity.kind = kind


def ambient(node: Node) -> bool:
    return node.path.endswith((".d.ts", ".d.mts", ".d.cts")) or any(
        above.type == "ambient_declaration" for above in node.above()
    )


def export_list(node: Node) -> bool:
    """Whether a namespace says itself what it exports."""
    return any(
        child.type == "export_statement" and (child.first("export_clause") or child.has("="))
        for child in node.children
    )
