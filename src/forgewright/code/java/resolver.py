"""The resolver of Java: symbols, occurrences and renames over one project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forgewright.code.binding import DEFAULTS, Occurrence, RenameOptions, Renaming, Role, Symbol
from forgewright.code.java import hazards
from forgewright.code.java.meaning import Meanings
from forgewright.code.java.program import Program
from forgewright.code.java.search import Search
from forgewright.code.java.things import NAMES, Class, Thing
from forgewright.code.project import Project, Splice
from forgewright.code.scopes.bounds import bounded
from forgewright.code.scopes.leftover import leftover
from forgewright.code.scopes.prose import with_prose
from forgewright.code.scopes.tree import Node
from forgewright.core.errors import EditRefused

KINDS = {
    "interface": "class",
    "enum": "class",
    "record": "class",
    "annotation": "class",
    "type parameter": "type",
    "constant": "field",
    "component": "field",
}


class JavaResolver:
    """See `Resolver`. Files are parsed and bound when a question first needs them."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.program = Program(project)
        self.meanings = Meanings(self.program)

    # symbols

    @bounded
    def symbol_at(self, path: str, offset: int) -> Symbol | None:
        node = self._name_at(path, offset)
        things = self.meanings.at(node).things if node is not None else ()
        return self._symbol(things[0]) if things else None

    def _name_at(self, path: str, offset: int) -> Node | None:
        root = self.program.file(path).root
        for place in (offset, max(0, offset - 1)):
            node = root.at(place)
            if node.type in NAMES:
                return node
        return None

    @staticmethod
    def _symbol(thing: Thing) -> Symbol:
        name = thing.names[0]
        container = thing.owner.dotted() if thing.owner is not None else ""
        return Symbol(
            thing.name, KINDS.get(thing.kind, thing.kind), name.path, name.start, name.end, container
        )

    @bounded
    def definitions(self, path: str) -> Sequence[Symbol]:
        things = dict.fromkeys(self.program.file(path).decl.values())
        return sorted((self._symbol(thing) for thing in things), key=lambda symbol: symbol.start)

    @bounded
    def names_at(self, path: str, offset: int) -> Mapping[str, Symbol | None]:
        file = self.program.file(path)
        scope = file.scope_at(file.root.at(offset))
        found: dict[str, Symbol | None] = {}

        def see(thing: Thing) -> None:
            if thing.names:
                found.setdefault(thing.name, self._symbol(thing))

        while scope is not None:
            for things in scope.table.values():
                for thing in things:
                    if thing.since <= offset:
                        see(thing)
            for cls, _ in self.meanings.types.linear(scope.cls)[0] if scope.cls is not None else ():
                for member in (*cls.fields.values(), *cls.types.values()):
                    see(member)
                for methods in cls.methods.values():
                    see(methods[0])
            scope = scope.parent
        for cls in file.types.values():
            see(cls)
        for name, dotted in file.single.items():
            imported = self.program.qualified(dotted)
            found.setdefault(name, self._symbol(imported) if imported is not None else None)
        return found

    # occurrences

    @bounded
    def occurrences(self, symbol: Symbol) -> Sequence[Occurrence]:
        things = self._things(symbol, hierarchy=False)
        search = Search(self.meanings)
        search.run(things)
        found = [Occurrence(n.path, n.start, n.end, self._role(n)) for n in search.hits]
        return tuple(sorted([*found, *self._uncertain(search)]))

    def _things(self, symbol: Symbol, *, hierarchy: bool) -> list[Thing]:
        node = self._name_at(symbol.path, symbol.start)
        things = self.meanings.at(node).things if node is not None else ()
        if not things or things[0].name != symbol.name:
            raise EditRefused(
                f"{symbol.path} defines no {symbol.name} at byte {symbol.start}",
                hint="resolve the symbol again: the file is not what it was",
            )
        first = things[0]
        if first.kind == "method" and hierarchy and not first.static:
            return Search(self.meanings).family(first)
        return [first]

    @staticmethod
    def _uncertain(search: Search) -> list[Occurrence]:
        return [Occurrence(n.path, n.start, n.end, "reference", False, note) for n, note in search.unknown]

    def _role(self, node: Node) -> Role:
        if node in self.program.file(node.path).decl:
            return "definition"
        if any(above.type == "import_declaration" for above in node.above()):
            return "import"
        if node.up.type == "element_value_pair" and node.field == "key":
            return "keyword"
        target = node.up if node.field == "field" else node
        if target.field == "left" and target.up.type == "assignment_expression":
            return "write"
        return "write" if target.up.type == "update_expression" else "reference"

    # renaming

    @bounded
    def rename(self, symbol: Symbol, new_name: str, *, options: RenameOptions = DEFAULTS) -> Renaming:
        things = self._things(symbol, hierarchy=options.hierarchy)
        first = things[0]
        if new_name == first.name:
            raise EditRefused(f"old and new names are the same: {new_name}", hint="give another name")
        hazards.check_name(new_name)
        search = Search(self.meanings)
        hazards.check_target(search, things)
        search.run(things)
        if not options.allow_capture:
            hazards.check(search, things, new_name)
        splices = {Splice(n.path, n.start, n.end, new_name.encode()) for n in search.hits}
        uncertain = self._uncertain(search)
        if options.uncertain:
            splices |= {Splice(o.path, o.start, o.end, new_name.encode()) for o in uncertain}
            uncertain = []
        made = Renaming(
            tuple(sorted(splices)),
            self._moves(first, new_name),
            tuple(sorted(uncertain)),
            leftover(first.name, splices, uncertain, lambda path: self.program.file(path).root, dollar=True),
        )
        return with_prose(made, new_name, options)

    def _moves(self, thing: Thing, new_name: str) -> tuple[tuple[str, str], ...]:
        """A public type's file is called as it is (JLS 7.6)."""
        folder, slash, name = thing.file.path.rpartition("/")
        if isinstance(thing, Class) and thing.owner is None and name == f"{thing.name}.java":
            target = f"{folder}{slash}{new_name}.java"
            if self.project.exists(target):
                raise EditRefused(f"{target} is there already", hint="choose another name")
            return ((thing.file.path, target),)
        return ()
