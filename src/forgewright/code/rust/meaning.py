"""What a Rust name means where it stands."""

from __future__ import annotations

from forgewright.code.rust.binder import segments
from forgewright.code.rust.items import MACROS, TYPES, VALUES, File, Item, Module, Scope, plain
from forgewright.code.rust.paths import Paths, Target
from forgewright.code.rust.types import Types
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds

_TYPE_PARENTS = kinds("generic_type reference_type bounded_type type_arguments trait_bounds")
_LABELS = kinds("label break_expression continue_expression")


class Meanings:
    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.crates = paths.crates
        self.types = Types(paths)

    def at(self, node: Node) -> Item | None:
        """The item at a name; a module is its `mod` item."""
        return self.item(self._at(node))

    def item(self, target: Target | None) -> Item | None:
        if isinstance(target, Module):
            if target.item is not None:
                return target.item
            parent = self.crates.parent(target.file.path) if target.outer is None else None
            return parent[1] if parent is not None else None
        return target

    def _at(self, node: Node) -> Target | None:
        file = self.crates.file(node.path)
        if file is None:
            return None
        parent = node.up
        declared = file.decl.get(node)
        if declared is not None:
            return self._declared(node, declared)
        if parent.type in ("lifetime", "label"):
            return self._local(file, node, "lifetime" if parent.type == "lifetime" else "label")
        use = next((a for a in node.above() if a.type == "use_declaration"), None)
        if use is not None:
            return self._used(file, node)
        if node.type == "self" and parent.type not in ("scoped_identifier", "visibility_modifier"):
            return self.types.self_value(node)
        if node.type in ("crate", "super", "self", "metavariable"):
            return None
        if any(above.type == "token_tree" for above in node.above()):
            return self._in_macro(file, node)
        if parent.type == "field_expression" and node.field == "field":
            return self._field(parent, node)
        if parent.type in ("field_initializer", "shorthand_field_initializer") and node.type in (
            "field_identifier",
            "identifier",
        ):
            if parent.type == "shorthand_field_initializer":
                return self.paths.lookup(node, VALUES)
            if node.field in ("field", "name"):
                return self.initialised(node)
        if parent.type == "field_pattern" and node.field == "name":
            return self.matched(node)
        if parent.type in ("scoped_identifier", "scoped_type_identifier") and node.field == "name":
            return self._scoped(parent, node)
        return self._name(node, parent)

    def _declared(self, node: Node, item: Item) -> Target | None:
        """A binding in a pattern may turn out to name a constant, a unit struct or a variant."""
        if (
            item.kind in ("local", "parameter")
            and node.type == "identifier"
            and node.up.type != "captured_pattern"
        ):
            module = item.module
            found = self.paths.in_module(module, item.name, VALUES)
            if isinstance(found, Item) and found.kind in ("const", "static", "struct", "variant"):
                return found
        return item

    def _local(self, file: File, node: Node, kind: str) -> Item | None:
        scope: Scope | None = file.scope_at(node)
        while scope is not None:
            found = scope.find(plain(node.text), node.start, VALUES)
            if found is not None and found.kind == kind:
                return found
            scope = scope.parent
        return None

    def _used(self, file: File, node: Node) -> Target | None:
        """A segment of a use declaration."""
        path = self._prefix(node)
        for space in (TYPES, VALUES, MACROS):
            found = self.paths.path([*path, node], space)
            if found is not None:
                return found
        return None

    def _prefix(self, node: Node) -> list[Node]:
        """The segments before a node in a use tree."""
        found: list[Node] = []
        here = node
        while here.up.type != "use_declaration":
            parent = here.up
            path = parent.get("path")
            if (
                path is not None
                and path is not here
                and parent.type in ("scoped_use_list", "scoped_identifier")
            ):
                found = [*segments(path), *found]
            here = parent
        return found

    def _field(self, access: Node, node: Node) -> Target | None:
        value = access.get("value")
        of = self.types.expression(value) if value is not None else None
        called = access.up.type == "call_expression" and access.field == "function"
        if not called and access.up.type == "generic_function":
            called = True
        return self.types.method(of, plain(node.text)) if called else self.types.field(of, plain(node.text))

    def initialised(self, node: Node) -> Item | None:
        """The field that `Type { field: … }` or `Type { field }` sets."""
        literal = node.up.up.up
        name = literal.get("name") if literal.type == "struct_expression" else None
        return self._field_of(name, node) if name is not None else None

    def matched(self, node: Node) -> Item | None:
        """The field that a struct pattern takes."""
        type = node.up.up.get("type")
        return self._field_of(type, node) if type is not None else None

    def _field_of(self, type: Node, node: Node) -> Item | None:
        written = self.types.written(type)
        target = self.paths.written(type)
        item = (
            target
            if isinstance(target, Item) and target.kind == "variant"
            else written.item
            if written
            else None
        )
        return self.paths.members(item.node).get(plain(node.text)) if isinstance(item, Item) else None

    def _scoped(self, path: Node, node: Node) -> Target | None:
        left = path.get("path")
        if left is None:
            return self.paths.crates.crate(node.text)
        owner = self.paths.written(left)
        if owner is None and left.text == "Self":
            owner = self.paths.self_item(left)
        if owner is None:
            return None
        spaces = (
            [TYPES, VALUES]
            if path.type == "scoped_type_identifier" or path.field == "path"
            else [VALUES, TYPES]
        )
        if path.up.type == "macro_invocation":
            spaces = [MACROS]
        for space in spaces:
            found = self.paths.step(owner, node, space)
            if found is not None:
                return found
        return None

    def _name(self, node: Node, parent: Node) -> Target | None:
        if node.text == "Self":
            return None
        if parent.type == "macro_invocation" and node.field == "macro":
            return self.paths.lookup(node, MACROS)
        if node.type == "type_identifier" or (
            parent.type in ("scoped_identifier", "scoped_type_identifier") and node.field == "path"
        ):
            if parent.type == "type_binding" and node.field == "name":
                return self._associated_type(parent, node)
            if parent.type == "use_bounds":
                return self.paths.lookup(node, TYPES) or self.paths.lookup(node, VALUES)
            return self.paths.lookup(node, TYPES) or self.paths.lookup(node, VALUES)
        if parent.type == "struct_pattern" or parent.type == "struct_expression":
            return self.paths.lookup(node, TYPES)
        return self.paths.lookup(node, VALUES) or self.paths.lookup(node, TYPES)

    def _associated_type(self, binding: Node, node: Node) -> Target | None:
        trait = binding.up.up.get("type")
        owner = self.paths.written(trait) if trait is not None else None
        return self.paths.step(owner, node, TYPES) if owner is not None else None

    # macros' arguments

    def _in_macro(self, file: File, node: Node) -> Target | None:
        siblings = node.up.children
        index = siblings.index(node)
        before = [sibling.text for sibling in siblings[max(0, index - 2) : index]]
        if before and before[-1] == ".":
            return self._access_in_macro(siblings, index)
        if before and before[-1] in ("::", ":") and len(before) == 2 and siblings[index - 2].type in _PATHS:
            return self._path_in_macro(siblings, index)
        following = siblings[index + 1].text if index + 1 < len(siblings) else ""
        spaces = (TYPES, VALUES) if following == "::" or node.text[:1].isupper() else (VALUES, TYPES)
        if following == "!":
            spaces = (MACROS, MACROS)
        if node.text == "self":
            return self.types.self_value(node)
        for space in spaces:
            found = self.paths.lookup(node, space)
            if found is not None:
                return found
        return None

    def _access_in_macro(self, siblings: list[Node], index: int) -> Target | None:
        """`a.b.c` or `a.b.c(…)` among tokens, as far as it begins with a plain name."""
        start = index
        while (
            start >= 2
            and siblings[start - 1].text == "."
            and siblings[start - 2].type in ("identifier", "self")
        ):
            start -= 2
        if start == index or (start > 0 and siblings[start - 1].text in (".", "::")):
            return None
        first = siblings[start]
        item = self.types.self_value(first) if first.type == "self" else self.paths.lookup(first, VALUES)
        of = self.types.item_type(item)
        for place in range(start + 2, index + 1, 2):
            name = plain(siblings[place].text)
            called = place + 1 < len(siblings) and siblings[place + 1].type == "token_tree"
            if called and siblings[place + 1].text[:1] == "(":
                return self.types.method(of, name) if place == index else None
            field = self.types.field(of, name)
            if place == index:
                return field
            of = self.types.item_type(field)
        return None

    def _path_in_macro(self, siblings: list[Node], index: int) -> Target | None:
        start = index
        while start >= 2 and siblings[start - 1].text == "::" and siblings[start - 2].type in _PATHS:
            start -= 2
        parts = siblings[start : index + 1 : 2]
        for space in (VALUES, TYPES, MACROS):
            found = self.paths.path(parts, space)
            if found is not None:
                return found
        return None


_PATHS = kinds("identifier self super crate type_identifier")
