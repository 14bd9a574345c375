"""The files of a project by package, and what a type's name means where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.java.binder import Binder
from forgewright.code.java.things import Class, File, Thing
from forgewright.code.scopes.tree import Node, mirror

if TYPE_CHECKING:
    from forgewright.code.project import Project, Source

_KEPT: dict[str, tuple[Source, File]] = {}
KEPT_MAX = 512
"""Files whose facts are kept between resolvers of one process, each as long as its source is the same."""


class Program:
    """All Java files of a project; each is parsed and bound when something needs it."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._files: dict[str, File] = {}
        self._by_name: dict[str, list[str]] | None = None

    def file(self, path: str) -> File:
        """Raises `NotFound` for no such file."""
        found = self._files.get(path)
        if found is None:
            source = self.project.source(path)
            kept = _KEPT.get(path)
            if kept is not None and kept[0] is source:
                found = kept[1]
            else:
                found = File(path, mirror(source.tree, path, source.data))
                Binder(found).run()
                if len(_KEPT) >= KEPT_MAX:
                    _KEPT.clear()
                _KEPT[path] = (source, found)
            self._files[path] = found
        return found

    def named(self, simple: str) -> list[Class]:
        """The top-level types of that name: in a file called so, or else in any that has the word."""
        if self._by_name is None:
            self._by_name = {}
            for path in self.project.paths(language="java"):
                name = path.rpartition("/")[2].removesuffix(".java")
                self._by_name.setdefault(name, []).append(path)
        paths = self._by_name.get(simple, [])
        found = [cls for path in paths if (cls := self.file(path).types.get(simple)) is not None]
        if not found:
            for path in self.project.containing(simple.encode(), "java"):
                cls = self.file(path).types.get(simple)
                if cls is not None:
                    found.append(cls)
        return found

    def qualified(self, dotted: str) -> Class | None:
        """`a.b.C.D` → the class D in C of package a.b."""
        parts = dotted.split(".")
        for index in range(len(parts)):
            package = ".".join(parts[:index])
            for cls in (
                self.named(parts[index]) if parts[index][:1].isupper() or index == len(parts) - 1 else ()
            ):
                if cls.file.package != package:
                    continue
                inner: Class | None = cls
                for part in parts[index + 1 :]:
                    inner = self.member_type(inner, part) if inner is not None else None
                if inner is not None:
                    return inner
        return None

    def in_package(self, package: str, simple: str) -> Class | None:
        return next((cls for cls in self.named(simple) if cls.file.package == package), None)

    # types by their names

    def type_named(self, node: Node, name: str) -> Thing | None:
        """What a simple type name means at `node` (JLS 6.4.1, 6.5.5); None for one outside the project."""
        file = self.file(node.path)
        scope = file.scope_at(node)
        while scope is not None:
            found = scope.find(name, node.start, types=True)
            if found is not None:
                return found
            if scope.cls is not None:
                if scope.cls.name == name:
                    return scope.cls
                member = self.member_type(scope.cls, name)
                if member is not None:
                    return member
            scope = scope.parent
        if name in file.types:
            return file.types[name]
        if name in file.single:
            return self.qualified(file.single[name])
        for holder in file.static.get(name, ()):
            outer = self.qualified(holder)
            member = self.member_type(outer, name) if outer is not None else None
            if member is not None:
                return member
        beside = self.in_package(file.package, name)
        if beside is not None:
            return beside
        for package in file.demand:
            found = self.in_package(package, name)
            if found is None:
                outer = self.qualified(package)
                found = self.member_type(outer, name) if outer is not None else None
            if found is not None:
                return found
        return None

    def member_type(self, cls: Class, name: str, depth: int = 16) -> Class | None:
        """A class within a class, or inherited by it."""
        found = cls.types.get(name)
        if found is not None or not depth:
            return found
        for node in supertypes(cls):
            above = self.written(node, inside=cls)
            if isinstance(above, Class) and above is not cls:
                found = self.member_type(above, name, depth - 1)
                if found is not None:
                    return found
        return None

    def written(self, node: Node, inside: Class | None = None) -> Thing | None:
        """The class or type parameter that a written type names, without its arguments."""
        kind = node.type
        if kind in ("generic_type", "annotated_type"):
            inner = node.first("type_identifier", "scoped_type_identifier", "generic_type")
            return self.written(inner, inside) if inner is not None else None
        if kind in ("type_identifier", "identifier"):
            place = node
            if inside is not None and node.within(inside.node):
                place = inside.node.up  # a class's own supertypes are looked up outside of its body
                found = self._own_parameter(inside, node.text)
                if found is not None:
                    return found
            return self.type_named(place, node.text)
        if kind in ("scoped_type_identifier", "scoped_identifier"):
            parts = node.items
            first = self.written(parts[0], inside)
            if isinstance(first, Class):
                return self.member_type(first, parts[-1].text)
            return self.qualified(node.text.replace(" ", ""))
        return None

    @staticmethod
    def _own_parameter(cls: Class, name: str) -> Thing | None:
        return next((thing for thing in cls.parameters if thing.name == name), None)


def supertypes(cls: Class) -> list[Node]:
    """The written types that a class extends and implements."""
    node = cls.node
    if node.type in ("class_body", "interface_body"):
        creation = node.up
        kind = creation.get("type") if creation.type == "object_creation_expression" else None
        return [kind] if kind is not None else []
    found: list[Node] = []
    for field in ("superclass", "interfaces"):
        part = node.get(field)
        if part is not None:
            found += [t for item in part.items for t in (item.items if item.type == "type_list" else [item])]
    extends = node.first("extends_interfaces")
    if extends is not None:
        found += [t for item in extends.items for t in (item.items if item.type == "type_list" else [item])]
    return found
