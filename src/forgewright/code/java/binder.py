"""From a file's tree to its scopes, classes and things."""

from __future__ import annotations

from forgewright.code.java.things import TYPES, Class, File, Scope, Thing
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds

KINDS = {
    "class_declaration": "class",
    "interface_declaration": "interface",
    "enum_declaration": "enum",
    "record_declaration": "record",
    "annotation_type_declaration": "annotation",
}
_BLOCKS = kinds(
    "block constructor_body for_statement enhanced_for_statement try_with_resources_statement catch_clause "
    "switch_block_statement_group switch_rule lambda_expression switch_block"
)
_STATEMENTS = kinds(
    "if_statement while_statement for_statement do_statement return_statement expression_statement "
    "local_variable_declaration ternary_expression switch_rule switch_block_statement_group throw_statement "
    "yield_statement assert_statement field_declaration"
)


class Binder:
    """Binds one file."""

    def __init__(self, file: File) -> None:
        self.file = file

    def run(self) -> None:
        root = self.file.root
        scope = self.open(root, None)
        for child in root.children:
            if child.type == "package_declaration":
                self.file.package = child.items[-1].text if child.items else ""
            elif child.type == "import_declaration":
                self.imported(child)
        self.visit_all(root, scope)

    def open(self, node: Node, parent: Scope | None, cls: Class | None = None) -> Scope:
        found = self.file.scopes[node] = Scope(node, parent, cls)
        return found

    def imported(self, node: Node) -> None:
        if not node.items:
            return
        name, star, static = node.items[0].text.replace(" ", ""), node.has("asterisk"), node.has("static")
        head, _, last = name.rpartition(".")
        if static:
            if star:
                self.file.static_demand.append(name)
            else:
                self.file.static.setdefault(last, []).append(head)
        elif star:
            self.file.demand.append(name)
        else:
            self.file.single[last] = name

    def visit_all(self, root: Node, scope: Scope) -> None:
        work: list[tuple[Node, Scope]] = [(child, scope) for child in reversed(root.children)]
        while work:
            node, here = work.pop()
            if node.type == "ERROR" or (not node.children and node.start == node.end and not node.named):
                self.file.broken = True
            if node.children:
                inner = self.enter(node, here)
                work.extend((child, inner) for child in reversed(node.children))

    def enter(self, node: Node, scope: Scope) -> Scope:
        kind = node.type
        if kind in TYPES:
            return self.type(node, scope)
        if kind in ("class_body", "interface_body", "enum_body", "annotation_type_body"):
            return scope if scope.cls is not None and scope.node is node.up else self.anonymous(node, scope)
        if kind in ("method_declaration", "constructor_declaration", "compact_constructor_declaration"):
            return self.function(node, scope)
        if kind == "annotation_type_element_declaration":
            return self.function(node, scope)
        if kind in ("field_declaration", "constant_declaration"):
            self.fields(node, scope)
        elif kind == "enum_constant":
            self.constant(node, scope)
        elif kind == "local_variable_declaration":
            for declarator in node.all("declarator"):
                self.local(declarator.get("name"), declarator, scope, since=declarator.start)
        elif kind == "labeled_statement" and node.items:
            self.declare(Thing(node.items[0].text, "label", node, self.file), node.items[0])
        elif kind == "instanceof_expression":
            self.local(node.get("name"), node, self.flow(node, scope), since=node.start)
        elif kind in ("type_pattern", "record_pattern_component") and len(node.items) == 2:
            self.local(node.items[1], node, self.flow(node, scope), since=node.start)
        if kind in _BLOCKS:
            inner = self.open(node, scope)
            if kind == "enhanced_for_statement":
                self.local(node.get("name"), node, inner, since=node.start)
            elif kind == "lambda_expression":
                self.lambda_parameters(node, inner)
            return inner
        if kind in ("resource", "catch_formal_parameter"):
            self.local(node.get("name"), node, scope, since=node.start)
        return scope

    def flow(self, node: Node, scope: Scope) -> Scope:
        """Where a pattern's variable is visible: its statement, or after a negation its whole block (JLS 6.3.1)."""
        negated = False
        for above in node.above():
            negated |= above.type == "unary_expression" and above.has("!")
            if above.type in _STATEMENTS and not negated:
                found = self.file.scopes.get(above)
                return found if found is not None else self.open(above, self._outside(above))
            if above in self.file.scopes:
                return self.file.scopes[above]
        return scope

    def _outside(self, node: Node) -> Scope | None:
        for above in node.above():
            if above in self.file.scopes:
                return self.file.scopes[above]
        return None

    # declarations

    def declare(self, thing: Thing, name: Node) -> Thing:
        thing.names.append(name)
        self.file.decl[name] = thing
        return thing

    def local(
        self, name: Node | None, node: Node, scope: Scope, *, since: int, kind: str = "variable"
    ) -> None:
        if name is None or name.text == "_":
            return
        thing = self.declare(Thing(name.text, kind, node, self.file), name)
        thing.since = since
        scope.table.setdefault(thing.name, []).append(thing)

    def type(self, node: Node, scope: Scope) -> Scope:
        name = node.get("name")
        owner = scope.cls if scope.node.type in TYPES or scope.cls is not None else None
        cls = Class(name.text if name is not None else "", KINDS[node.type], node, self.file, owner)
        modifiers = node.first("modifiers")
        cls.static = modifiers is not None and modifiers.has("static")
        if name is not None:
            self.declare(cls, name)
        if scope.cls is not None:
            scope.cls.types.setdefault(cls.name, cls)
        elif scope.parent is None:
            self.file.types.setdefault(cls.name, cls)
        else:
            cls.since = node.start
            scope.table.setdefault(cls.name, []).append(cls)
        inner = self.open(node, scope, cls)
        self.type_parameters(node, inner, cls)
        parameters = node.get("parameters") if node.type == "record_declaration" else None
        for parameter in parameters.items if parameters is not None else ():
            spelled = self.parameter_name(parameter)
            if spelled is not None:
                thing = self.declare(Thing(spelled.text, "component", parameter, self.file, cls), spelled)
                cls.fields[thing.name] = thing
                cls.methods.setdefault(thing.name, []).append(thing)
        return inner

    def anonymous(self, node: Node, scope: Scope) -> Scope:
        """The body of an anonymous class or of an enum's constant."""
        return self.open(node, scope, Class("", "class", node, self.file, scope.cls))

    def type_parameters(self, node: Node, scope: Scope, cls: Class | None = None) -> None:
        listed = node.get("type_parameters") or node.first("type_parameters")
        for parameter in listed.items if listed is not None else ():
            name = parameter.first("type_identifier", "identifier")
            if parameter.type == "type_parameter" and name is not None:
                thing = self.declare(Thing(name.text, "type parameter", parameter, self.file), name)
                scope.table.setdefault(thing.name, []).append(thing)
                if cls is not None:
                    cls.parameters.append(thing)

    def function(self, node: Node, scope: Scope) -> Scope:
        name, cls = node.get("name"), scope.cls
        inner = self.open(node, scope)
        if (
            name is not None
            and cls is not None
            and node.type
            not in (
                "constructor_declaration",
                "compact_constructor_declaration",
            )
        ):
            thing = Thing(name.text, "method", node, self.file, cls)
            modifiers = node.first("modifiers")
            thing.static = modifiers is not None and modifiers.has("static")
            component = cls.fields.get(thing.name)
            listed = node.get("parameters")
            if component is not None and component.kind == "component" and not (listed and listed.items):
                component.names.append(name)  # the accessor written out
                self.file.decl[name] = component
            else:
                self.declare(thing, name)
                cls.methods.setdefault(thing.name, []).append(thing)
        elif name is not None and cls is not None and cls.name == name.text:
            cls.names.append(name)
            self.file.decl[name] = cls
        self.type_parameters(node, inner)
        listed = node.get("parameters")
        for parameter in listed.items if listed is not None else ():
            self.local(self.parameter_name(parameter), parameter, inner, since=node.start, kind="parameter")
        return inner

    @staticmethod
    def parameter_name(parameter: Node) -> Node | None:
        declarator = parameter.first("variable_declarator") if parameter.type == "spread_parameter" else None
        return declarator.get("name") if declarator is not None else parameter.get("name")

    def lambda_parameters(self, node: Node, scope: Scope) -> None:
        listed = node.get("parameters")
        if listed is None:
            return
        if listed.type == "identifier":
            self.local(listed, listed, scope, since=node.start, kind="parameter")
        for item in listed.items if listed.type != "identifier" else ():
            name = item if item.type == "identifier" else self.parameter_name(item)
            self.local(name, item, scope, since=node.start, kind="parameter")

    def fields(self, node: Node, scope: Scope) -> None:
        modifiers = node.first("modifiers")
        static = node.type == "constant_declaration" or (modifiers is not None and modifiers.has("static"))
        for declarator in node.all("declarator"):
            name = declarator.get("name")
            if name is not None and scope.cls is not None:
                thing = self.declare(Thing(name.text, "field", declarator, self.file, scope.cls), name)
                thing.static = static
                scope.cls.fields[thing.name] = thing

    def constant(self, node: Node, scope: Scope) -> None:
        name = node.get("name")
        if name is not None and scope.cls is not None:
            thing = self.declare(Thing(name.text, "constant", node, self.file, scope.cls), name)
            thing.static = True
            scope.cls.fields[thing.name] = thing
