"""The resolver of Rust: symbols, occurrences and renames over one project."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

from forgewright.code.binding import DEFAULTS, Occurrence, RenameOptions, Renaming, Role, Symbol
from forgewright.code.project import Project, Splice
from forgewright.code.rust import hazards, lifetimes, receiver, shapes
from forgewright.code.rust.crates import Crates
from forgewright.code.rust.items import NAMES, TYPES, VALUES, Item, Scope, plain
from forgewright.code.rust.meaning import Meanings
from forgewright.code.rust.paths import Paths
from forgewright.code.rust.search import Search
from forgewright.code.scopes.bounds import bounded
from forgewright.code.scopes.leftover import leftover
from forgewright.code.scopes.prose import with_prose
from forgewright.code.scopes.tree import Node
from forgewright.core.errors import EditRefused

KINDS = {
    "fn": "function",
    "struct": "class",
    "union": "class",
    "const": "variable",
    "static": "variable",
    "local": "variable",
    "trait": "interface",
    "mod": "module",
    "variant": "property",
    "field": "property",
    "const_parameter": "parameter",
    "type_parameter": "type",
    "associated_type": "type",
    "self": "parameter",
    "use": "import",
    "crate": "import",
}


class RustResolver:
    """See `Resolver`. Files are parsed and bound when a question first needs them."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.crates = Crates(project)
        self.paths = Paths(self.crates)
        self.meanings = Meanings(self.paths)

    # symbols

    @bounded
    def symbol_at(self, path: str, offset: int) -> Symbol | None:
        node = self._name(path, offset)
        if node is not None and node.type == "string_content":
            node = self._inline(node, offset)
        item = self.meanings.at(node) if node is not None else None
        return self._symbol(item, item.names[0]) if item is not None and item.names else None

    @bounded
    def symbol_here(self, path: str, offset: int) -> Symbol | None:
        """The symbol at this very place, where a rename begins."""
        node = self._name(path, offset)
        if node is not None and node.type == "string_content":
            node = self._inline(node, offset)
        if node is None:
            return None
        item = self.meanings.at(node)
        if item is not None:
            return self._symbol(item, node)
        return Symbol(node.text, "unknown", path, node.start, node.end)

    def _name(self, path: str, offset: int) -> Node | None:
        file = self.crates.file(path)
        for place in (offset, offset - 1):
            node = file.root.at(max(place, 0)) if file is not None else None
            if node is None:
                continue
            if node.type == "'" and node.up.type in ("lifetime", "label") and node.up.items:
                node = node.up.items[0]
            if node.type in NAMES or node.type == "primitive_type":
                return node
            if node.type == "string_content":
                return node
        return None

    def _symbol(self, item: Item, node: Node) -> Symbol:
        return Symbol(
            item.name, KINDS.get(item.kind, item.kind), node.path, node.start, node.end, _container(item)
        )

    @bounded
    def definitions(self, path: str) -> Sequence[Symbol]:
        file = self.crates.file(path)
        found = [
            self._symbol(item, node)
            for node, item in (file.decl.items() if file is not None else ())
            if item.kind not in ("use", "label", "lifetime", "self")
        ]
        return sorted(found, key=lambda symbol: symbol.start)

    @bounded
    def names_at(self, path: str, offset: int) -> Mapping[str, Symbol | None]:
        file = self.crates.file(path)
        if file is None:
            return {}
        found: dict[str, Symbol | None] = {}
        scope: Scope | None = file.scope_at(file.root.at(offset))
        while scope is not None:
            for name, items in scope.table.items():
                seen = [item for item in items if item.since <= offset <= item.until]
                if seen and name not in found:
                    names = seen[-1].names
                    found[name] = self._symbol(seen[-1], names[0]) if names else None
            scope = scope.parent if scope.parent is not None else self._module(scope)
        return found

    def _module(self, scope: Scope) -> Scope | None:
        module = self.paths.module_of(scope)
        return module if module is not scope else None

    # occurrences

    @bounded
    def occurrences(self, symbol: Symbol) -> Sequence[Occurrence]:
        node = self._node(symbol)
        item = self.meanings.at(node)
        if item is None:
            return ()
        search = Search(self.meanings)
        search.run([item])
        found = [Occurrence(n.path, n.start, n.end, self._role(n)) for n in search.hits]
        length = len(item.name.encode())
        found += [Occurrence(path, start, start + length, "string") for path, start in search.inline]
        return tuple(sorted([*found, *self._uncertain(search, item)]))

    def _uncertain(self, search: Search, item: Item) -> list[Occurrence]:
        if item.kind not in ("field", "method"):
            return []
        note = "the type of what stands before the dot is not known"
        return [Occurrence(n.path, n.start, n.end, "reference", False, note) for n in search.unknown]

    def _role(self, node: Node) -> Role:
        file = self.crates.file(node.path)
        item = file.decl.get(node) if file is not None else None
        if any(above.type == "use_declaration" for above in node.above()):
            return "import"
        if item is not None:
            return "definition"
        if node.up.type in ("field_initializer", "field_pattern") and node.field in ("field", "name"):
            return "keyword"
        top = node.up if node.field == "field" else node
        assigned = top.field == "left" and top.up.type in (
            "assignment_expression",
            "compound_assignment_expr",
        )
        return "write" if assigned else "reference"

    def _node(self, symbol: Symbol) -> Node:
        node = self._name(symbol.path, symbol.start)
        if node is None:
            raise EditRefused(
                f"{symbol.path} has no name at byte {symbol.start}",
                hint="resolve the symbol again: the file is not what it was",
            )
        return node

    # renaming

    @bounded
    def rename(self, symbol: Symbol, new_name: str, *, options: RenameOptions = DEFAULTS) -> Renaming:
        node = self._node(symbol)
        if node.up.type == "lifetime" and node.text == "_":
            return lifetimes.name_elided(node, new_name)
        item = self.meanings.at(node)
        self._check(node, item)
        assert item is not None
        if item.kind == "use" or (plain(node.text) != item.name and item.kind != "self"):
            return self._rename_alias(node, item, new_name)
        if item.kind == "self" and new_name != "self":
            hazards.check_name(item, new_name, 2)
            return receiver.from_self(self.meanings, item, new_name)
        if new_name == "self" and item.kind in ("parameter", "local"):
            return receiver.to_self(self.meanings, item)
        search = Search(self.meanings)
        items = search.family(item) if options.hierarchy else [item]
        if item.kind in ("lifetime", "label"):
            new_name = new_name.removeprefix("'") if new_name != "'" else new_name
        search.run(items)
        hazards.check_name(item, new_name, len(search.hits))
        if plain(new_name) == item.name:
            raise EditRefused(f"{new_name!r} is its name already", hint="give another name")
        if not options.allow_capture:
            hazards.check(search, items, new_name)
        splices = {shapes.splice(self.meanings, n, items, new_name) for n in search.hits}
        length = len(item.name.encode())
        splices |= {Splice(path, at, at + length, new_name.encode()) for path, at in search.inline}
        uncertain = self._uncertain(search, item)
        if options.uncertain:
            splices |= {Splice(o.path, o.start, o.end, new_name.encode()) for o in uncertain}
            uncertain = []
        moves = self._moves(item, plain(new_name)) if item.kind == "mod" else ()
        left = leftover(item.name, splices, uncertain, self._root)
        made = Renaming(tuple(sorted(splices)), moves, tuple(uncertain), left)
        return with_prose(made, new_name, options)

    def _root(self, path: str) -> Node | None:
        file = self.crates.file(path)
        return file.root if file is not None else None

    def _rename_alias(self, node: Node, item: Item, new_name: str) -> Renaming:
        """`use path as alias`: the alias, and all that is reached under it."""
        hazards.check_name(item, new_name, 2)
        alias = plain(node.text)
        target = self.meanings.item(self.paths.follow(item, VALUES) or self.paths.follow(item, TYPES))
        wanted = item if item.kind != "use" else target
        found: list[Splice] = []
        search = Search(self.meanings)
        for file in self.crates.containing(alias):
            for other in search.nodes(file, alias):
                declared = file.decl.get(other)
                if declared is not None and declared.kind == "use":
                    meant = self.meanings.item(
                        self.paths.follow(declared, VALUES) or self.paths.follow(declared, TYPES)
                    )
                    if declared is item or (wanted is not None and meant is wanted):
                        found.append(Splice(other.path, other.start, other.end, new_name.encode()))
                elif wanted is not None and self.meanings.at(other) is wanted:
                    found.append(Splice(other.path, other.start, other.end, new_name.encode()))
        return Renaming(tuple(sorted(found)))

    def _inline(self, node: Node, offset: int) -> Node | None:
        """A definition of the name that a format string has in braces at `offset`."""
        data = node.data
        start, end = offset, offset
        while start > node.start and (data[start - 1 : start].isalnum() or data[start - 1 : start] == b"_"):
            start -= 1
        while end < node.end and (data[end : end + 1].isalnum() or data[end : end + 1] == b"_"):
            end += 1
        found = self.meanings.item(self.paths.lookup(node, VALUES, data[start:end].decode()))
        return found.names[0] if found is not None and found.names else None

    def _check(self, node: Node, item: Item | None) -> None:
        if node.type == "primitive_type":
            raise EditRefused(
                "Cannot rename builtin type", hint="only what the project defines can be renamed"
            )
        if node.text == "Self":
            raise EditRefused("Cannot rename `Self`", hint="rename the type itself")
        if node.type in ("crate", "super") or (item is not None and item.kind == "crate"):
            raise EditRefused("Cannot rename a crate", hint="crates are named in Cargo.toml")
        if item is None:
            raise EditRefused(
                f"No references found at position: {node.text!r} is not defined in this project",
                hint="a non-local definition cannot be renamed",
            )
        foreign = self.paths.impl_trait(item)
        if foreign is not None and self.paths.written(foreign) is None:
            raise EditRefused(
                f"Cannot rename a non-local definition: {item.name!r} is of the trait {foreign.text}",
                hint="only what the project defines can be renamed",
            )
        other_root = self.crates.root(item.module) if node.path != item.names[0].path else None
        if other_root is not None:
            file = self.crates.file(node.path)
            here = self.crates.root(file.module) if file is not None else None
            if (
                here is not None
                and here is not other_root
                and self.crates.crate("") is None
                and self._external(item)
            ):
                raise EditRefused(
                    "Cannot rename a non-local definition", hint="rename it where it is defined"
                )

    def _external(self, item: Item) -> bool:
        return not any(posixpath.basename(path) == "Cargo.toml" for path in self.project.paths())

    def _moves(self, item: Item, new_name: str) -> tuple[tuple[str, str], ...]:
        """The file or folder of a module, and the files of its children, follow its name."""
        if item.node.get("body") is not None:
            return ()
        child = self.crates.child(item.module, item.name)
        if child is None:
            return ()
        folder, name = posixpath.split(child.path)
        moves: list[tuple[str, str]] = []
        if name == "mod.rs":
            base, target = folder, posixpath.join(posixpath.dirname(folder), new_name)
        else:
            moves.append((child.path, posixpath.join(folder, f"{new_name}.rs")))
            base, target = child.path.removesuffix(".rs"), posixpath.join(folder, new_name)
        for path in self.project.paths():
            if path.startswith(base + "/"):
                moves.append((path, target + path[len(base) :]))
        return tuple(moves)


def _container(item: Item) -> str:
    parts = []
    for above in item.node.above():
        name = above.get("name")
        if above.type == "impl_item":
            type = above.get("type")
            parts.append(type.text.partition("<")[0] if type is not None else "")
        elif name is not None and above.type.endswith("_item"):
            parts.append(name.text)
    return ".".join(reversed(parts))
