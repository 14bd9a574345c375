"""All occurrences of a Java thing, and the methods that override one another."""

from __future__ import annotations

from collections.abc import Iterator

from forgewright.code.java.meaning import Meanings
from forgewright.code.java.things import NAMES, Class, File, Thing
from forgewright.code.java.values import signature
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import places

SUBCLASSES_MAX = 20_000
"""Classes looked at for who overrides whom."""


class Search:
    """What a rename of some things touches."""

    def __init__(self, meanings: Meanings) -> None:
        self.meanings = meanings
        self.program = meanings.program
        self.types = meanings.types
        self.hits: list[Node] = []
        self.unknown: list[tuple[Node, str]] = []
        """Names that may mean it, and why that is not known."""
        self.others: list[Node] = []
        """Names that mean something else."""

    def run(self, things: list[Thing]) -> None:
        wanted = set(things)
        for file in self._files(things):
            for node in self.names(file, things[0].name):
                found = self.meanings.at(node)
                if found.things and set(found.things) <= wanted:
                    self.hits.append(node)
                elif wanted & set(found.things):
                    self.unknown.append((node, "may also be another one of that name"))
                elif not found.certain and not things[0].is_local:
                    self.unknown.append((node, "the type of what it belongs to is not known"))
                else:
                    self.others.append(node)

    def _files(self, things: list[Thing]) -> Iterator[File]:
        first = things[0]
        if first.is_local:
            yield first.file
            return
        for path in self.program.project.containing(first.name.encode(), "java"):
            yield self.program.file(path)

    @staticmethod
    def names(file: File, name: str) -> Iterator[Node]:
        """The identifiers in a file that read `name`."""
        for offset in places(file.root.data, name):
            node = file.root.at(offset)
            if node.type in NAMES and node.text == name:
                yield node

    # overriding

    def family(self, method: Thing) -> list[Thing]:
        """The method with all that it overrides and that override it (JLS 8.4.8), in the project."""
        classes = self._relevant(method)
        found = [method]
        for one in found:
            for cls in classes:
                line = [c for c, _ in self.types.linear(cls)[0]]
                if one.owner not in line:
                    continue
                for other in line:
                    for candidate in other.methods.get(one.name, ()):
                        if candidate not in found and same_signature(candidate, one) and not candidate.static:
                            found.append(candidate)
        return found

    def _relevant(self, method: Thing) -> list[Class]:
        """The classes that have the method: those that declare one of the name, and all below them."""
        names = {method.owner.name} if method.owner is not None else set()
        found: list[Class] = []
        for path in self.program.project.containing(method.name.encode(), "java"):
            for cls in classes_of(self.program.file(path)):
                if method.name in cls.methods:
                    found.append(cls)
                    names.add(cls.name)
        grown = set(names)
        while grown and len(found) < SUBCLASSES_MAX:
            below: set[str] = set()
            for name in grown:
                for path in self.program.project.containing(name.encode(), "java") if name else ():
                    for cls in classes_of(self.program.file(path)):
                        line = self.types.linear(cls)[0]
                        if cls not in found and any(one.name == name for one, _ in line[1:]):
                            found.append(cls)
                            below.add(cls.name)
            grown = below - names
            names |= below
        return found


def classes_of(file: File) -> list[Class]:
    """All classes of a file, nested, local and anonymous ones too."""
    return [scope.cls for scope in file.scopes.values() if scope.cls is not None]


def same_signature(one: Thing, other: Thing) -> bool:
    """Whether one overrides the other, as far as their written parameters tell."""
    mine, theirs = signature(one), signature(other)
    if len(mine) != len(theirs):
        return False
    generic = _parameters(one) | _parameters(other)
    return all(a == b or a in generic or b in generic for a, b in zip(mine, theirs, strict=True))


def _parameters(method: Thing) -> set[str]:
    """The type parameters that a method's signature may speak of."""
    found = {thing.name for thing in method.owner.parameters} if isinstance(method.owner, Class) else set()
    listed = method.node.get("type_parameters")
    for parameter in listed.items if listed is not None else ():
        name = parameter.first("type_identifier", "identifier")
        if name is not None:
            found.add(name.text)
    return found
