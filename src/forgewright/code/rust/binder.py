"""From a file's tree to its modules, scopes and items."""

from __future__ import annotations

from forgewright.code.rust.items import File, Item, Module, Scope, plain
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds

_ITEMS = {
    "struct_item": "struct",
    "union_item": "union",
    "enum_item": "enum",
    "trait_item": "trait",
    "type_item": "type",
    "const_item": "const",
    "static_item": "static",
    "function_item": "fn",
    "function_signature_item": "fn",
    "macro_definition": "macro",
    "associated_type": "associated_type",
}
_SCOPES = kinds(
    "block match_arm if_expression while_expression for_expression closure_expression loop_expression "
    "async_block unsafe_block const_block gen_block higher_ranked_trait_bound function_type"
)
_GENERIC = kinds(
    "struct_item union_item enum_item trait_item type_item function_item function_signature_item impl_item "
    "associated_type"
)


class Binder:
    def __init__(self, file: File) -> None:
        self.file = file
        self.work: list[tuple[Node, Scope, Module]] = []

    def run(self) -> None:
        file = self.file
        file.scopes[file.root] = file.module
        self.push(file.root, file.module, file.module)
        while self.work:
            node, scope, module = self.work.pop()
            self.enter(node, scope, module)

    def push(self, node: Node, scope: Scope, module: Module) -> None:
        self.work.extend((child, scope, module) for child in reversed(node.children) if child.named)

    def open(self, node: Node, parent: Scope) -> Scope:
        scope = self.file.scopes[node] = Scope(node, parent)
        return scope

    def enter(self, node: Node, scope: Scope, module: Module) -> None:
        kind = node.type
        if kind == "mod_item":
            self.mod(node, scope, module)
            return
        if kind == "use_declaration":
            argument = node.get("argument")
            if argument is not None:
                self.use(argument, [], scope, module, node)
            return
        if kind == "extern_crate_declaration":
            name = node.get("alias") or node.get("name")
            if name is not None:
                self.declare(name, "crate", node, scope, module)
            return
        if kind in ("token_tree", "macro_definition", "attribute_item") and kind != "macro_definition":
            return
        if kind in _ITEMS:
            self.item(node, _ITEMS[kind], scope, module)
        if kind == "macro_definition":
            return
        if kind == "macro_invocation" and node.up.type in (
            "source_file",
            "declaration_list",
            "expression_statement",
        ):
            self.file.generated.append(node)
        inner = scope
        if kind in _GENERIC:
            inner = self.open(node, scope)
            self.generics(node, inner, module)
            self.members(node, module)
        elif kind in _SCOPES:
            inner = self.open(node, scope)
        if kind in ("function_item", "closure_expression"):
            self.parameters(node, inner, module)
        elif kind == "let_declaration":
            self.pattern(node.get("pattern"), "local", node, scope, module, since=node.end)
        elif kind == "let_condition":
            self.let_condition(node, scope, module)
        elif kind == "match_arm":
            pattern = node.get("pattern")
            self.pattern(
                pattern.items[0] if pattern is not None and pattern.items else None,
                "local",
                node,
                inner,
                module,
            )
        elif kind == "for_expression":
            body = node.get("body")
            self.pattern(node.get("pattern"), "local", node, inner, module, since=body.start if body else 0)
        elif kind == "higher_ranked_trait_bound" or kind == "function_type":
            self.generics(node, inner, module)
        if kind in ("for_expression", "while_expression", "loop_expression", "block", "async_block"):
            label = node.first("label")
            if label is not None and label.items:
                self.declare(label.items[0], "label", node, inner, module)
        self.push(node, inner, module)

    def declare(self, name: Node, kind: str, node: Node, scope: Scope, module: Module) -> Item:
        item = Item(plain(name.text), kind, node, module)
        item.names.append(name)
        item.scope = scope
        self.file.decl[name] = item
        scope.declare(item)
        return item

    def mod(self, node: Node, scope: Scope, module: Module) -> None:
        name, body = node.get("name"), node.get("body")
        if name is None:
            return
        item = self.declare(name, "mod", node, scope, module)
        if body is not None:
            inner = Module(item.name, body, module, self.file)
            inner.item = item
            self.file.scopes[body] = inner
            self.push(body, inner, inner)

    def item(self, node: Node, kind: str, scope: Scope, module: Module) -> None:
        name = node.get("name")
        holder = node.up.up if node.up.type == "declaration_list" else None
        if name is None or (holder is not None and holder.type in ("impl_item", "trait_item")):
            return
        self.declare(name, kind, node, scope, module)

    def members(self, node: Node, module: Module) -> None:
        """Fields, variants, and the items of traits and impls."""
        body = node.get("body")
        for child in body.items if body is not None else []:
            name = child.get("name")
            if name is None:
                continue
            if child.type == "field_declaration":
                self.member(node, name, "field", child, module)
            elif child.type == "enum_variant":
                self.member(node, name, "variant", child, module)
                fields = child.get("body")
                for field in fields.items if fields is not None else []:
                    inner = field.get("name") if field.type == "field_declaration" else None
                    if inner is not None:
                        self.member(child, inner, "field", field, module)
            elif node.type in ("trait_item", "impl_item") and child.type in _ITEMS:
                kind = {"fn": "method", "type": "associated_type"}.get(_ITEMS[child.type], _ITEMS[child.type])
                self.member(node, name, kind, child, module)

    def member(self, owner: Node, name: Node, kind: str, node: Node, module: Module) -> None:
        item = Item(plain(name.text), kind, node, module)
        item.names.append(name)
        item.owner = owner
        self.file.decl[name] = item
        self.file.members.setdefault(owner, {}).setdefault(item.name, item)

    def generics(self, node: Node, scope: Scope, module: Module) -> None:
        listed = node.get("type_parameters") or node.first("type_parameters")
        for parameter in listed.items if listed is not None else []:
            name = parameter.get("name")
            if name is None and parameter.type in ("lifetime", "type_identifier"):
                name = parameter
            if name is None:
                continue
            if name.type == "lifetime":
                self.declare(name.items[0], "lifetime", parameter, scope, module)
            else:
                kind = "const_parameter" if parameter.type == "const_parameter" else "type_parameter"
                self.declare(name, kind, parameter, scope, module)

    def parameters(self, node: Node, scope: Scope, module: Module) -> None:
        listed, body = node.get("parameters"), node.get("body")
        since = body.start if body is not None else node.end
        for parameter in listed.items if listed is not None else []:
            if parameter.type == "self_parameter":
                name = parameter.first("self")
                if name is not None:
                    self.declare(name, "self", parameter, scope, module).since = since
            else:
                pattern = parameter.get("pattern") or parameter
                if pattern.type == "self":
                    self.declare(pattern, "self", parameter, scope, module).since = since
                elif pattern.type not in ("attribute_item", "variadic_parameter"):
                    self.pattern(pattern, "parameter", parameter, scope, module, since=since)

    def let_condition(self, node: Node, scope: Scope, module: Module) -> None:
        """`if let`: what it binds is seen in the rest of the condition and in what follows if it holds."""
        until = 1 << 60
        holder = next(
            (a for a in node.above() if a.type in ("if_expression", "while_expression", "match_arm")), None
        )
        follow = holder.get("consequence") or holder.get("body") if holder is not None else None
        if follow is not None:
            until = follow.end
        self.pattern(node.get("pattern"), "local", node, scope, module, since=node.end, until=until)

    def pattern(
        self,
        pattern: Node | None,
        kind: str,
        node: Node,
        scope: Scope,
        module: Module,
        *,
        since: int = 0,
        until: int = 1 << 60,
    ) -> None:
        """Declare what a pattern may bind; a name that turns out to be a constant is sorted out later."""
        made: dict[str, Item] = {}
        stack = [pattern] if pattern is not None else []
        while stack:
            here = stack.pop()
            if here.type in ("identifier", "shorthand_field_identifier"):
                path = here.field in ("type", "path") or here.up.type in (
                    "scoped_identifier",
                    "range_pattern",
                )
                constant = (
                    here.type == "identifier"
                    and here.text[:1].isupper()
                    and here.up.type != "captured_pattern"
                )
                if path or constant or here.text == "_":
                    continue
                name = plain(here.text)
                if name in made:
                    made[name].names.append(here)
                    self.file.decl[here] = made[name]
                    continue
                item = made[name] = Item(name, kind, node, module)
                item.names.append(here)
                item.scope, item.since, item.until = scope, since, until
                self.file.decl[here] = item
                scope.declare(item)
            elif here.type == "macro_invocation":
                tree = here.first("token_tree")
                stack.extend(_bound_in_macro(tree) if tree is not None else [])
            elif here.type not in ("scoped_identifier", "type_arguments", "field_identifier", "token_tree"):
                stack.extend(child for child in reversed(here.items) if child.field != "type")

    def use(self, node: Node, prefix: list[Node], scope: Scope, module: Module, statement: Node) -> None:
        kind = node.type
        if kind == "use_wildcard":
            if node.items:
                scope.globs.append([*prefix, *segments(node.items[0])])
            return
        if kind == "use_list":
            for inner in node.items:
                self.use(inner, prefix, scope, module, statement)
            return
        if kind == "scoped_use_list":
            path, listed = node.get("path"), node.get("list")
            if listed is not None:
                self.use(listed, [*prefix, *(segments(path) if path else [])], scope, module, statement)
            return
        alias = None
        if kind == "use_as_clause":
            alias, path = node.get("alias"), node.get("path")
            parts = segments(path) if path is not None else []
        else:
            parts = segments(node)
        whole = [*prefix, *parts]
        if whole and whole[-1].type == "self" and len(whole) > 1:
            whole = whole[:-1]
        if not whole:
            return
        name = alias if alias is not None else whole[-1]
        item = Item(plain(name.text), "use", statement, module)
        item.path, item.scope = whole, scope
        if alias is not None:
            item.names.append(alias)
            self.file.decl[alias] = item
        if item.name != "_":
            scope.declare(item)


def segments(path: Node) -> list[Node]:
    """The names of a path, first to last."""
    if path.type in ("scoped_identifier", "scoped_type_identifier"):
        left, right = path.get("path"), path.get("name")
        return [*(segments(left) if left is not None else []), *([right] if right is not None else [])]
    if path.type == "generic_type":
        inner = path.get("type")
        return segments(inner) if inner is not None else []
    return [path]


def _bound_in_macro(tree: Node) -> list[Node]:
    """The identifiers in a macro's arguments that would be bindings, were they a pattern."""
    found = []
    for node in tree.walk():
        if node.type == "identifier" and not node.text[:1].isupper():
            siblings = node.up.children
            index = siblings.index(node)
            around = [n.type for n in siblings[max(0, index - 1) : index + 2] if n is not node]
            if "::" not in around and "!" not in around:
                found.append(node)
    return found
