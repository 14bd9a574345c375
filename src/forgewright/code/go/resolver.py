"""The resolver of Go: symbols, occurrences and renames over one project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forgewright.code.binding import DEFAULTS, Occurrence, RenameOptions, Renaming, Role, Symbol
from forgewright.code.go import comments, hazards, moving, signature
from forgewright.code.go.binder import base_name
from forgewright.code.go.meaning import STRINGS, Meanings
from forgewright.code.go.packages import Packages
from forgewright.code.go.search import Search
from forgewright.code.go.things import NAMES, Thing
from forgewright.code.project import Project, Splice
from forgewright.code.scopes.bounds import bounded
from forgewright.code.scopes.leftover import leftover
from forgewright.code.scopes.prose import with_prose
from forgewright.code.scopes.tree import Node
from forgewright.core.errors import EditRefused

KINDS = {"constant": "variable", "receiver": "parameter", "type parameter": "type", "field": "property"}


class GoResolver:
    """See `Resolver`. Packages are parsed and bound when a question first needs them."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.packages = Packages(project)
        self.meanings = Meanings(self.packages)

    # symbols

    @bounded
    def symbol_at(self, path: str, offset: int) -> Symbol | None:
        found = self._at(path, offset)
        if found is None:
            return None
        node, thing = found
        return self._symbol(thing, thing.names[0]) if thing is not None else self._package(node)

    @bounded
    def symbol_here(self, path: str, offset: int) -> Symbol | None:
        """The symbol at this very place, where a rename begins."""
        found = self._at(path, offset)
        if found is None:
            return None
        node, thing = found
        if thing is None:
            name = node.text
            if node.type in NAMES or node.type == "func":
                return self._package(node) or Symbol(name, "unknown", path, node.start, node.end)
            return None
        return self._symbol(thing, node if node.type != "comment" else thing.names[0])

    def _at(self, path: str, offset: int) -> tuple[Node, Thing | None] | None:
        file = self.packages.file(path)
        if file is None:
            return None
        for place in (offset, offset - 1):
            node = file.root.at(max(place, 0))
            if node.type in ("interpreted_string_literal_content", '"', "`"):
                node = node.up
            if node.type in NAMES or (node.type in STRINGS and node.up.type == "import_spec"):
                return node, self.meanings.at(node)
            if node.type == "func" and place == offset:
                return node, None
            if node.type == "comment":
                found = comments.thing_at(self.meanings, file, offset)
                return (node, found[0]) if found is not None else None
        return None

    def _package(self, node: Node) -> Symbol | None:
        if node.up.type != "package_clause":
            return None
        return Symbol(node.text, "package", node.path, node.start, node.end)

    def _symbol(self, thing: Thing, node: Node) -> Symbol:
        return Symbol(
            thing.name, KINDS.get(thing.kind, thing.kind), node.path, node.start, node.end, _container(thing)
        )

    @bounded
    def definitions(self, path: str) -> Sequence[Symbol]:
        file = self.packages.file(path)
        found = [self._symbol(thing, node) for node, thing in file.decl.items()] if file is not None else []
        return sorted((s for s in found if s.name != "_"), key=lambda symbol: symbol.start)

    @bounded
    def names_at(self, path: str, offset: int) -> Mapping[str, Symbol | None]:
        file = self.packages.file(path)
        if file is None:
            return {}
        found: dict[str, Symbol | None] = {}
        node = file.root.at(offset)
        scope = file.scope_at(node)
        while scope is not None:
            for name in scope.table:
                thing = scope.find(name, offset)
                if thing is not None and name not in found:
                    found[name] = self._symbol(thing, thing.names[0])
            scope = scope.parent
        for table in (file.package.table, file.imports.table):
            for name, things in table.items():
                found.setdefault(name, self._symbol(things[0], things[0].names[0]))
        return found

    # occurrences

    @bounded
    def occurrences(self, symbol: Symbol) -> Sequence[Occurrence]:
        node = self._node(symbol)
        thing = self.meanings.at(node)
        if thing is None:
            return ()
        search = Search(self.meanings)
        search.run([thing])
        found = [Occurrence(n.path, n.start, n.end, self._role(n)) for n in search.hits]
        length = len(thing.name.encode())
        found += [Occurrence(path, start, start + length, "comment") for path, start in search.comments]
        return tuple(sorted([*found, *self._uncertain(search, thing)]))

    def _uncertain(self, search: Search, thing: Thing) -> list[Occurrence]:
        if thing.kind not in ("field", "method"):
            return []
        note = "the type of what stands before the dot is not known"
        return [Occurrence(n.path, n.start, n.end, "reference", False, note) for n in search.unknown]

    def _role(self, node: Node) -> Role:
        file = self.packages.file(node.path)
        thing = file.decl.get(node) if file is not None else None
        if thing is not None:
            return "import" if thing.kind == "import" else "definition"
        if node.up.type == "literal_element" and node.up.field == "key":
            return "keyword"
        top = node.up if node.field == "field" else node
        left = top.up if top.up.type == "expression_list" else top
        written = left.field == "left" and left.up.type == "assignment_statement"
        return "write" if written or top.up.type in ("inc_statement", "dec_statement") else "reference"

    def _node(self, symbol: Symbol) -> Node:
        file = self.packages.file(symbol.path)
        found = self._at(symbol.path, symbol.start) if file is not None else None
        if file is None or found is None:
            raise EditRefused(
                f"{symbol.path} has no name at byte {symbol.start}",
                hint="resolve the symbol again: the file is not what it was",
            )
        return found[0]

    # renaming

    @bounded
    def rename(self, symbol: Symbol, new_name: str, *, options: RenameOptions = DEFAULTS) -> Renaming:
        node = self._node(symbol)
        if node.type == "func":
            return signature.change(self.meanings, node.up, new_name)
        if node.up.type == "package_clause":
            return moving.rename_package(self.packages, node, new_name)
        if node.type == "comment":
            raise EditRefused("a comment names nothing here", hint="point at the name itself")
        thing = self.meanings.at(node)
        if thing is not None and new_name == thing.name:
            raise EditRefused(f"old and new names are the same: {new_name}", hint="give another name")
        hazards.check_target(node, thing)
        assert thing is not None
        if self.meanings.is_embedded_use(node):
            raise EditRefused(
                f"the embedded field {thing.name!r} is named after its type",
                hint=f"rename the type at its declaration, {hazards.where(thing)}",
            )
        hazards.check_name(new_name)
        things = self._together(thing, node, new_name, options)
        search = Search(self.meanings)
        search.run(things)
        if not options.allow_capture:
            hazards.check(search, things, new_name)
        splices = {Splice(n.path, n.start, n.end, new_name.encode()) for n in search.hits if n.type in NAMES}
        length = len(thing.name.encode())
        splices |= {Splice(path, start, start + length, new_name.encode()) for path, start in search.comments}
        if thing.kind == "import":
            splices = {s for s in splices if not _in_spec(s, thing)} | {self._import_splice(thing, new_name)}
        uncertain = self._uncertain(search, thing)
        if options.uncertain:
            splices |= {Splice(o.path, o.start, o.end, new_name.encode()) for o in uncertain}
            uncertain = []
        left = leftover(thing.name, splices, uncertain, self._root)
        made = Renaming(tuple(sorted(splices)), (), tuple(uncertain), left)
        return with_prose(made, new_name, options)

    def _root(self, path: str) -> Node | None:
        file = self.packages.file(path)
        return file.root if file is not None else None

    def _together(self, thing: Thing, node: Node, new_name: str, options: RenameOptions) -> list[Thing]:
        """What is renamed with a thing: a type's receivers, the methods of an interface's implementations."""
        search = Search(self.meanings)
        if thing.kind == "receiver" and options.hierarchy and node in thing.names:
            others = [other for other in search.receivers(thing) if other is not thing]
            return [thing, *(other for other in others if hazards.free(search, other, new_name))]
        if thing.kind != "method":
            return [thing]
        if thing.owner is not None:
            return search.implementers(thing) if options.hierarchy else [thing]
        interfaces = search.interfaces(thing)
        if interfaces and not options.allow_capture:
            owner = interfaces[0].owner
            name = owner.up.get("name") if owner is not None else None
            type = self.meanings.types.receiver_type(thing)
            raise EditRefused(
                f"renaming it would make {type.name if type else 'its type'!r} no longer assignable to "
                f"interface {name.text if name is not None else 'literal'!r}",
                hint=f"rename {hazards.where(interfaces[0])} instead: all its implementations follow",
            )
        return [thing]

    def _import_splice(self, thing: Thing, new_name: str) -> Splice:
        """`import "path"` gets a name, or loses it where the package is called so anyway."""
        name, path = thing.node.get("name"), thing.node.get("path")
        assert path is not None
        package = self.packages.imported(path)
        own = package.name if package is not None else path.text[1:-1].rpartition("/")[2]
        text = b"" if own == new_name else new_name.encode() + b" "
        return Splice(path.path, name.start if name is not None else path.start, path.start, text)


def _in_spec(splice: Splice, thing: Thing) -> bool:
    return splice.path == thing.node.path and thing.node.start <= splice.start < thing.node.end


def _container(thing: Thing) -> str:
    if thing.kind == "method" and thing.owner is None:
        receiver = thing.node.get("receiver")
        type = receiver.items[0].get("type") if receiver is not None and receiver.items else None
        base = base_name(type) if type is not None else None
        return base.text if base is not None else ""
    parts = []
    for above in thing.names[0].up.above():
        if above.type in ("type_spec", "function_declaration", "method_declaration"):
            name = above.get("name")
            if name is not None and name is not thing.names[0]:
                parts.append(name.text)
    return ".".join(reversed(parts))
