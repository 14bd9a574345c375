"""From a file's tree to its scopes and entities, in one pass and without looking at any other file."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from forgewright.code.javascript import assignments, jsdoc, linking, members
from forgewright.code.javascript.entities import VALUE, Entity, Scope, Unit, conflicting, merge_kind
from forgewright.code.javascript.names import (
    CLASSES,
    FUNCTIONS,
    PATTERNS,
    key_of,
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
            "import_statement": partial(linking.import_statement, self),
            "import_alias": partial(linking.import_alias, self),
            "export_statement": partial(linking.export_statement, self),
            "ambient_declaration": self.ambient,
            "internal_module": self.namespace,
            "module": self.namespace,
            "interface_declaration": self.interface,
            "type_alias_declaration": self.type_alias,
            "enum_declaration": self.enum,
            "variable_declarator": self.variable,
            "for_in_statement": self.for_in,
            "catch_clause": self.catch,
            "object": partial(members.literal, self),
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
            members.signatures(self, body, entity)
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

    def object_type(self, node: Node, scope: Scope) -> Scope:
        entity = self.unit.own[node] = Entity("", "object type", self.unit)
        entity.nodes.append(node)
        members.signatures(self, node, entity)
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
            members.class_member(self, item, entity)
        return inner

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
