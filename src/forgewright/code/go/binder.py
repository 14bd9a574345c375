"""From a file's tree to its scopes and things."""

from __future__ import annotations

from forgewright.code.go.things import File, Scope, Thing
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds

_BLOCKS = kinds(
    "block if_statement for_statement expression_switch_statement select_statement "
    "expression_case default_case type_case communication_case"
)
_FUNCTIONS = kinds("function_declaration method_declaration func_literal")


def bind(file: File) -> None:
    Binder(file).run()


class Binder:
    def __init__(self, file: File) -> None:
        self.file = file
        self.package = file.package
        self.work: list[tuple[Node, Scope | None]] = []

    def run(self) -> None:
        root = self.file.root
        self.work = [(child, None) for child in reversed(root.children)]
        while self.work:
            node, scope = self.work.pop()
            if (
                node.type == "ERROR"
                or node.type == ""
                or (not node.children and node.start == node.end and not node.named)
            ):
                self.file.broken = True
            if not node.children:
                continue
            inner = self.enter(node, scope)
            self.work.extend((child, inner) for child in reversed(node.children))

    def enter(self, node: Node, scope: Scope | None) -> Scope | None:
        kind = node.type
        if kind in _FUNCTIONS:
            return self.function(node, scope)
        if kind in _BLOCKS:
            if kind == "block" and node.up.type in _FUNCTIONS:
                return scope
            return self.open(node, scope)
        if kind == "type_switch_statement":
            inner = self.open(node, scope)
            alias = node.get("alias")
            for name in alias.items if alias is not None else []:
                self.declare(name, "variable", node, inner, since=alias.end if alias is not None else 0)
            return inner
        if kind == "import_spec":
            self.import_spec(node)
        elif kind in ("type_spec", "type_alias"):
            return self.type_spec(node, scope)
        elif kind in ("var_spec", "const_spec"):
            what = "variable" if kind == "var_spec" else "constant"
            for place, name in enumerate(node.all("name")):
                self.declare(name, what, node, scope, since=node.end, place=place)
        elif kind in ("short_var_declaration", "range_clause", "receive_statement"):
            self.short(node, scope)
        elif kind == "labeled_statement":
            label = node.get("label")
            if label is not None:
                thing = Thing(label.text, "label", node, scope, self.package)
                thing.names.append(label)
                self.file.decl[label] = thing
        elif kind == "field_declaration":
            self.field(node)
        elif kind == "method_elem":
            spelled = node.get("name")
            if spelled is not None:
                self.member(node.up, spelled, "method", node)
        elif kind == "type_elem" and node.up.type == "interface_type" and len(node.items) == 1:
            elem = base_name(node.items[0])
            if elem is not None:
                self.member(node.up, elem, "embedded", node, declares=False)
        return scope

    def open(self, node: Node, parent: Scope | None) -> Scope:
        scope = self.file.scopes[node] = Scope(node, parent)
        return scope

    def declare(
        self, name: Node, kind: str, node: Node, scope: Scope | None, *, since: int = 0, place: int = 0
    ) -> Thing | None:
        """Declare in a scope, or in the package block where there is none."""
        thing = Thing(name.text, kind, node, scope, self.package)
        thing.names.append(name)
        thing.place = place
        self.file.decl[name] = thing
        if thing.name == "_":
            return thing
        if scope is not None:
            thing.since = since
            scope.declare(thing)
        elif not (kind == "function" and thing.name == "init"):
            self.package.table.setdefault(thing.name, []).append(thing)
        return thing

    def import_spec(self, node: Node) -> None:
        name, path = node.get("name"), node.get("path")
        if path is None:
            return
        if name is not None and name.type == "dot":
            self.file.dots.append(path)
            return
        if name is not None and name.text == "_":
            return
        text = name.text if name is not None else path.text[1:-1].rpartition("/")[2]
        thing = Thing(text, "import", node, self.file.imports, self.package)
        thing.names.append(name if name is not None else path)
        if name is not None:
            self.file.decl[name] = thing
        self.file.imports.declare(thing)

    def type_spec(self, node: Node, scope: Scope | None) -> Scope | None:
        name = node.get("name")
        if name is not None:
            self.declare(name, "type", node, scope, since=name.start)
        listed = node.get("type_parameters")
        if listed is None:
            return scope
        inner = self.open(node, scope)
        self.type_parameters(listed, inner)
        return inner

    def type_parameters(self, listed: Node, scope: Scope) -> None:
        for parameter in listed.items:
            for name in parameter.all("name"):
                self.declare(name, "type parameter", parameter, scope)

    def function(self, node: Node, scope: Scope | None) -> Scope:
        name, body = node.get("name"), node.get("body")
        inner = self.open(node, scope)
        start = body.start if body is not None else node.end
        if node.type == "function_declaration" and name is not None:
            self.declare(name, "function", node, scope)
        if node.type == "method_declaration" and name is not None:
            self.method(node, name, inner, start)
        listed = node.get("type_parameters")
        if listed is not None:
            self.type_parameters(listed, inner)
        result = node.get("result")
        groups = [
            node.get("parameters"),
            result if result is not None and result.type == "parameter_list" else None,
        ]
        for group in groups:
            for parameter in group.items if group is not None else []:
                for place, one in enumerate(parameter.all("name")):
                    self.declare(one, "parameter", parameter, inner, since=start, place=place)
        return inner

    def method(self, node: Node, name: Node, scope: Scope, start: int) -> None:
        receiver = node.get("receiver")
        base: Node | None = None
        for parameter in receiver.items if receiver is not None else []:
            type = parameter.get("type")
            for one in parameter.all("name"):
                self.declare(one, "receiver", parameter, scope, since=start)
            if type is None:
                continue
            base = base_name(type)
            for argument in [n for n in type.walk() if n.type == "type_arguments"]:
                for inner in [n for n in argument.walk() if n.type == "type_identifier"]:
                    self.declare(inner, "type parameter", parameter, scope)
        thing = Thing(name.text, "method", node, None, self.package)
        thing.names.append(name)
        self.file.decl[name] = thing
        if base is not None:
            self.package.methods.setdefault(base.text, []).append(thing)

    def field(self, node: Node) -> None:
        owner = node.up.up
        names = node.all("name")
        for place, name in enumerate(names):
            self.member(owner, name, "field", node, place=place)
        type = node.get("type")
        base = base_name(type) if not names and type is not None else None
        if base is not None:
            self.member(owner, base, "embedded", node, declares=False)

    def member(
        self, owner: Node, name: Node, kind: str, node: Node, *, declares: bool = True, place: int = 0
    ) -> None:
        thing = Thing(name.text, kind, node, None, self.package)
        thing.names.append(name)
        thing.owner = owner
        thing.place = place
        if declares:
            self.file.decl[name] = thing
        self.file.members.setdefault(owner, {}).setdefault(thing.name, thing)

    def short(self, node: Node, scope: Scope | None) -> None:
        """`a, b := …`: declares what this block does not declare yet."""
        if node.type != "short_var_declaration" and not node.has(":="):
            return
        left = node.get("left")
        if left is None or scope is None:
            return
        for place, name in enumerate(left.items if left.type == "expression_list" else [left]):
            if name.type != "identifier":
                continue
            known = scope.find(name.text, name.start)
            if known is not None and node.type == "short_var_declaration" and name.text != "_":
                continue
            self.declare(name, "variable", node, scope, since=node.end, place=place)


def base_name(type: Node) -> Node | None:
    """The name of a type without pointer, package and type arguments."""
    while True:
        if type.type in ("type_identifier", "identifier"):
            return type
        if type.type == "qualified_type":
            return type.get("name")
        inner = type.get("type") if type.type == "generic_type" else type.items[0] if type.items else None
        if inner is None or type.type not in ("pointer_type", "generic_type", "parenthesized_type"):
            return None
        type = inner
