"""All occurrences of a Go thing, and the methods that belong together through interfaces."""

from __future__ import annotations

from collections.abc import Iterator

from forgewright.code.go.binder import base_name
from forgewright.code.go.comments import links, words
from forgewright.code.go.meaning import Meanings
from forgewright.code.go.things import NAMES, File, Thing
from forgewright.code.go.types import Named, Structure
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import places


class Search:
    def __init__(self, meanings: Meanings) -> None:
        self.meanings = meanings
        self.packages = meanings.packages
        self.types = meanings.types
        self.hits: list[Node] = []
        self.comments: list[tuple[str, int]] = []
        self.unknown: list[Node] = []
        """Selectors of the same name whose operand's type is not known."""

    def run(self, things: list[Thing]) -> None:
        """Find all places of `things`."""
        for name in sorted({thing.name for thing in things}):
            self._run([thing for thing in things if thing.name == name])

    def _run(self, things: list[Thing]) -> None:
        for file in self._files(things):
            for node in self.nodes(file, things[0].name):
                found = self.meanings.at(node)
                if found in things:
                    self.hits.append(node)
                elif found is None and node.type == "field_identifier" and self._unknown(node):
                    self.unknown.append(node)
            for thing in things:
                self.comments += [(file.path, offset) for offset in links(self.meanings, file, thing)]
        for thing in things:
            if thing.kind != "import":
                self.comments += words(thing, thing.name)
        self.comments = sorted(set(self.comments))

    def _unknown(self, node: Node) -> bool:
        operand = node.up.get("operand") if node.up.type == "selector_expression" else None
        return operand is not None and self.types.expression(operand) is None and not self._foreign(operand)

    def _foreign(self, operand: Node) -> bool:
        """A package that is not of this project."""
        thing = self.types.lookup(operand) if operand.type == "identifier" else None
        return thing is not None and thing.kind == "import"

    def _files(self, things: list[Thing]) -> Iterator[File]:
        first = things[0]
        local = first.scope is not None or first.kind == "label"
        if local:
            found = [self.packages.file(path) for path in sorted({thing.names[0].path for thing in things})]
            yield from (file for file in found if file is not None)
            return
        for path in self.packages.project.containing(first.name.encode()):
            if not path.endswith(".go"):
                continue
            if not first.exported and all(_folder(path) != thing.package.folder for thing in things):
                continue
            file = self.packages.file(path)
            if file is not None:
                yield file

    def nodes(self, file: File, name: str) -> Iterator[Node]:
        """The names in a file that read `name`; for imports without a name, their paths."""
        for offset in places(file.root.data, name, dollar=False):
            node = file.root.at(offset)
            if node.type in NAMES and node.text == name:
                yield node

    # interfaces

    def implementers(self, method: Thing) -> list[Thing]:
        """The methods that make types of the project satisfy the interface of `method`, and of its kin."""
        found = [method]
        for thing in found:
            others = self._concrete(thing) if thing.owner is not None else self.interfaces(thing)
            found += [other for other in others if other not in found]
        return found

    def _declared(self, name: str) -> Iterator[Thing]:
        for path in self.packages.project.containing(name.encode()):
            file = self.packages.file(path) if path.endswith(".go") else None
            for thing in list(file.decl.values()) if file is not None else ():
                if thing.kind == "method" and thing.name == name:
                    yield thing

    def _concrete(self, method: Thing) -> list[Thing]:
        assert method.owner is not None
        found = []
        for other in self._declared(method.name):
            if other.owner is None:
                type = self.types.receiver_type(other)
                if type is not None and self._satisfies(type, method.owner):
                    found.append(other)
        return found

    def interfaces(self, method: Thing) -> list[Thing]:
        """The interface methods that a concrete method implements."""
        type = self.types.receiver_type(method)
        if type is None:
            return []
        return [
            other
            for other in self._declared(method.name)
            if other.owner is not None and self._satisfies(type, other.owner)
        ]

    def _satisfies(self, type: Thing, interface: Node) -> bool:
        wanted = self._methods(interface)
        for name, node in wanted.items():
            found = self.types.member(Named(type), name)
            if found is None or found[0].kind != "method" or _shape(found[0].node) != _shape(node):
                return False
        return bool(wanted)

    def _methods(self, interface: Node, depth: int = 8) -> dict[str, Node]:
        file = self.packages.file(interface.path)
        found: dict[str, Node] = {}
        for name, thing in (file.members.get(interface, {}) if file is not None else {}).items():
            if thing.kind == "method":
                found[name] = thing.node
            elif depth:
                under = self.types.underlying(self.types.embedded(thing))
                if isinstance(under, Structure) and under.node.type == "interface_type":
                    found.update(self._methods(under.node, depth - 1))
        return found

    def receivers(self, thing: Thing) -> list[Thing]:
        """The named receivers of all methods of the same type."""
        parameter = thing.node
        type = parameter.get("type")
        base = base_name(type) if type is not None else None
        named = self.types.written(base) if base is not None else None
        found = [thing]
        for method in self.types.methods(named.thing) if isinstance(named, Named) else []:
            file = self.packages.file(method.names[0].path)
            receiver = method.node.get("receiver")
            names = [n for p in receiver.items for n in p.all("name")] if receiver is not None else []
            for name in names if file is not None else []:
                other = file.decl.get(name) if file is not None else None
                if other is not None and other.name != "_" and other not in found:
                    found.append(other)
        return found


def _shape(node: Node) -> tuple[int, bool]:
    """How many parameters a function has, and whether it returns anything."""
    listed = node.get("parameters")
    count = sum(max(1, len(item.all("name"))) for item in listed.items) if listed is not None else 0
    return count, node.get("result") is not None


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
