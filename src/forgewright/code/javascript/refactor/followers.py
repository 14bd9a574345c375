"""The files that take what is moved from its old module: their imports and re-exports follow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from forgewright.code.javascript.entities import ANY, Entity
from forgewright.code.javascript.moving import candidates, specifiers, written
from forgewright.code.javascript.names import key_of
from forgewright.code.javascript.refactor import exports
from forgewright.code.javascript.refactor.imports import (
    Brought,
    Line,
    Wanted,
    entity_of,
    lines,
    style,
)
from forgewright.code.javascript.refactor.named import Named
from forgewright.code.javascript.refactor.pieces import row, spoken
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Unit
    from forgewright.code.javascript.modules import Modules
    from forgewright.code.javascript.program import Program
    from forgewright.code.scopes.tree import Node


class Public:
    """A name that the old module exports, and what is behind it."""

    __slots__ = ("entity", "imported", "typed")

    def __init__(self, entity: Entity, imported: str, typed: bool) -> None:
        self.entity = entity
        self.imported = imported
        """What it is to be imported as from the new module."""
        self.typed = typed


class Follower:
    """What happens to one file."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.gone: list[Brought] = []
        self.wanted: list[Wanted] = []
        self.splices: list[Splice] = []
        self.valued = False
        """Whether a value is imported from the new module."""


class Followers:
    """All files that name the old module."""

    def __init__(
        self,
        program: Program,
        after: Modules,
        origin: str,
        to: str,
        publics: Mapping[str, Public],
        style: str,
    ) -> None:
        self.program = program
        self.after = after
        self.origin = origin
        self.to = to
        self.publics = publics
        self.style = style

    def run(self, only: str = "") -> Iterator[Follower]:
        """What changes in each of them (or in one only)."""
        for path in [only] if only else dict.fromkeys([*self._candidates(), self.to]):
            if path == self.origin or "node_modules" in path.split("/"):
                continue
            unit = self.program.unit(path)
            if unit is None:
                continue
            follower = Follower(unit)
            self._file(follower)
            if follower.gone or follower.wanted or follower.splices:
                yield follower

    def _candidates(self) -> list[str]:
        return candidates(self.program.project, self.origin)

    def _names(self, unit: Unit, node: Node) -> str | None:
        text = node.text[1:-1]
        return text if self.program.modules.resolve(unit.path, text) == self.origin else None

    def _file(self, follower: Follower) -> None:
        unit = follower.unit
        done: set[Node] = set()
        for line in lines(unit):
            if self._names(unit, line.origin) is not None:
                done.add(line.origin)
                self._import(follower, line)
            elif unit.path == self.to:
                self._through(follower, line)
        for node in unit.root.children:
            source = node.get("source") if node.type == "export_statement" else None
            if source is not None and self._names(unit, source) is not None:
                done.add(source)
                self._export(follower, node, source)
            elif source is not None and unit.path == self.to and node.first("export_clause") is not None:
                self._export(follower, node, source)
        starts = {node.start for node in done}
        for found, text in specifiers(self.program.project.source(unit.path)):
            if (
                found.start_byte not in starts
                and self.program.modules.resolve(unit.path, text) == self.origin
            ):
                self._other(follower, unit.root.at(found.start_byte), text)
        self._comments(follower)

    def target(self, unit: Unit, text: str) -> str:
        """How this file names the new module, which named the old one by `text`."""
        return written(self.after, unit.path, text, self.origin, self.to, self.origin)

    # imports

    def _import(self, follower: Follower, line: Line) -> None:
        unit = follower.unit
        for brought in line.brought:
            if brought.imported in ("*", "export="):
                self._whole(follower, line, brought)
                continue
            public = self.publics.get(brought.imported)
            if public is None:
                continue
            follower.gone.append(brought)
            if unit.path == self.to:
                self._becomes_own(follower, brought, public.entity.declared_name)
                continue
            follower.wanted.append(
                Wanted(
                    self.target(unit, line.source),
                    public.imported,
                    brought.local,
                    brought.typed,
                    brought.inline,
                )
            )
            follower.valued |= not (brought.typed or public.typed)

    def _through(self, follower: Follower, line: Line) -> None:
        """The new module has what is moved from a barrel."""
        moved = {public.entity for public in self.publics.values()}
        for brought in line.brought:
            entity = self.program.resolve(entity_of(follower.unit, brought))
            if entity is not None and entity in moved:
                follower.gone.append(brought)
                self._becomes_own(follower, brought, entity.declared_name)

    def _becomes_own(self, follower: Follower, brought: Brought, name: str) -> None:
        """In the new module itself the name is defined now; what called it otherwise follows."""
        unit = follower.unit
        entity = entity_of(unit, brought)
        again = [
            node.up for node in self._uses(unit, brought.local, entity) if node.up.type == "export_specifier"
        ]
        double = [spec for spec in again if (spec.get("alias") or spec.get("name") or spec).text == name]
        follower.splices += exports.retract(unit, double)
        if brought.local == name:
            return
        for node in self._uses(unit, brought.local, entity):
            found = self.program.visible(unit.scope_at(node), name, ANY)
            if found is not None and found.unit is unit:
                raise EditRefused(
                    f"{unit.path}:{row(node)} {brought.local} would have to be {name}, which means something else there",
                    hint=f"rename one of them first, or import {name} under its own name",
                )
            if node.up in double:
                continue
            if node.up.type == "export_specifier" and node.up.get("alias") is None:
                text = f"{name} as {brought.local}"
            elif node.type == "shorthand_property_identifier":
                text = f"{brought.local}: {name}"
            else:
                text = name
            follower.splices.append(Splice(unit.path, node.start, node.end, text.encode()))

    def _uses(self, unit: Unit, name: str, entity: Entity | None) -> list[Node]:
        return [
            node
            for node in spoken(unit)
            if node.text == name and self.program.visible(unit.scope_at(node), name, ANY) is entity
        ]

    def _whole(self, follower: Follower, line: Line, brought: Brought) -> None:
        """`import * as ns`: `ns.name` becomes a name of another module."""
        unit = follower.unit
        places: list[tuple[Node, Public]] = []
        for node in self._uses(unit, brought.local, entity_of(unit, brought)):
            access, name = accessed(node)
            if access is None or name is None:
                raise EditRefused(
                    f"{unit.path}:{row(node)} {brought.local} is all of {self.origin}, and used as a whole",
                    hint="reexport: true leaves the name in the old module too",
                )
            public = self.publics.get(name)
            if public is not None:
                places.append((access, public))
        if not places:
            return
        source = self.target(unit, line.source)
        if unit.path == self.to:
            for access, public in places:
                self._put(follower, access, public.entity.declared_name)
        elif self.style == "from-module":
            for access, public in places:
                self._put(follower, access, public.entity.declared_name)
                follower.wanted.append(
                    Wanted(source, public.imported, public.entity.declared_name, brought.typed)
                )
        else:
            local, there = self._space(unit, source)
            for access, public in places:
                self._put(follower, access, f"{local}.{public.imported}")
            if not there:
                follower.wanted.append(Wanted(source, "*", local, brought.typed))
        follower.valued |= not brought.typed and any(not public.typed for _, public in places)
        every = self._uses(unit, brought.local, entity_of(unit, brought))
        if len(every) == len(places):
            follower.gone.append(brought)

    def _put(self, follower: Follower, access: Node, text: str) -> None:
        name = text.split(".")[0]
        found = self.program.visible(follower.unit.scope_at(access), name, ANY)
        space = "." in text and any(b.local == name for line in lines(follower.unit) for b in line.brought)
        if found is not None and found.unit is follower.unit and not space:
            raise EditRefused(
                f"{access.path}:{row(access)} {name} would mean something else there",
                hint="rename that first",
            )
        follower.splices.append(Splice(access.path, access.start, access.end, text.encode()))

    def _space(self, unit: Unit, source: str) -> tuple[str, bool]:
        """The local name of all of the new module, and whether it is there already."""
        for line in lines(unit):
            for brought in line.brought:
                if (
                    brought.imported == "*"
                    and self.program.modules.resolve(unit.path, line.source) == self.to
                ):
                    return brought.local, True
        words = re.findall(r"[A-Za-z0-9$]+", source.rpartition("/")[2].split(".")[0]) or ["moved"]
        stem = words[0] + "".join(word[:1].upper() + word[1:] for word in words[1:])
        stem = stem if not stem[0].isdigit() else f"_{stem}"
        taken = {node.text for node in unit.root.walk() if not node.children and node.named}
        name, number = stem, 2
        while name in taken:
            name, number = f"{stem}{number}", number + 1
        return name, False

    # re-exports

    def _export(self, follower: Follower, node: Node, source: Node) -> None:
        unit = follower.unit
        text = source.text[1:-1]
        target = self.target(unit, text)
        clause = node.first("export_clause")
        if clause is None:
            if node.first("namespace_export") is not None:
                raise EditRefused(
                    f"{unit.path}:{row(node)} exports all of {self.origin} under one name",
                    hint="reexport: true leaves the name in the old module too",
                )
            self._star(follower, node, source, target)
            return
        gone: list[Node] = []
        lines_: list[str] = []
        for specifier in clause.items:
            key = key_of(specifier.get("name"))
            public = self._behind(unit, specifier, source)
            if key is None or public is None:
                continue
            gone.append(specifier)
            alias = specifier.get("alias")
            name = alias.text if alias is not None else key[1].text
            typed = "type " if specifier.has("type") else ""
            follower.valued |= not (typed or node.has("type") or public.typed)
            lines_.append(typed + _as(public.imported, name))
        if not gone:
            return
        keyword = "export type" if node.has("type") else "export"
        quote, end = source.text[:1], ";" if node.text.endswith(";") else ""
        if unit.path == self.to:
            own = [text for text in lines_ if " as " in text]
            new = f"{keyword} {{ {', '.join(own)} }}{end}" if own else ""
        else:
            new = f"{keyword} {{ {', '.join(lines_)} }} from {quote}{target}{quote}{end}"
        if len(gone) == len(clause.items):
            if not new:
                from forgewright.code.javascript.refactor.imports import without

                follower.splices.append(without(unit, node))
            elif own_names(clause, lines_) and unit.path != self.to:
                follower.splices.append(Splice(unit.path, source.start + 1, source.end - 1, target.encode()))
            else:
                follower.splices.append(Splice(unit.path, node.start, node.end, new.encode()))
            return
        follower.splices.append(
            Splice(unit.path, clause.start, clause.end, Named(clause).changed(gone).encode())
        )
        if new:
            follower.splices.append(Splice(unit.path, node.end, node.end, _below(unit) + new.encode()))

    def _behind(self, unit: Unit, specifier: Node, source: Node) -> Public | None:
        """What a re-export brings, straight from the old module or, in the new one, through another."""
        if self._names(unit, source) is not None:
            key = key_of(specifier.get("name"))
            return self.publics.get(key[0]) if key is not None else None
        name = specifier.get("alias") or specifier.get("name")
        own = unit.decl.get(name) if name is not None else None
        meant = self.program.resolve(own) if own is not None else None
        return next((p for p in self.publics.values() if p.entity is meant), None)

    def _star(self, follower: Follower, node: Node, source: Node, target: str) -> None:
        """A barrel goes on exporting what it did."""
        unit = follower.unit
        module = unit.module
        names: list[tuple[str, Public]] = []
        for name, public in self.publics.items():
            if name == "default" or module is None or name in module.exports:
                continue
            if unit.path == self.to and name == public.entity.declared_name:
                continue
            names.append((name, public))
        if not names or self._starred(unit, names):
            return
        quote, _ = style(unit)
        quote, end = source.text[:1] or quote, ";" if node.text.endswith(";") else ""
        text = b""
        for typed in (False, True):
            texts = [_as(public.imported, name) for name, public in names if public.typed == typed]
            keyword = "export type" if typed or node.has("type") else "export"
            if texts and unit.path == self.to:
                text += _below(unit) + f"{keyword} {{ {', '.join(texts)} }}{end}".encode()
            elif texts:
                text += (
                    _below(unit)
                    + f"{keyword} {{ {', '.join(texts)} }} from {quote}{target}{quote}{end}".encode()
                )
                follower.valued |= not typed
        follower.splices.append(Splice(unit.path, node.end, node.end, text))

    def _starred(self, unit: Unit, names: list[tuple[str, Public]]) -> bool:
        """Whether a file exports everything of the new module too."""
        if any(name != public.imported for name, public in names):
            return False
        for sources in unit.stars.values():
            for source in sources:
                if self.program.modules.resolve(unit.path, source.text[1:-1]) == self.to:
                    return True
        return False

    # what is left

    def _other(self, follower: Follower, node: Node, text: str) -> None:
        """`import("…")`, `require("…")`, and mocks."""
        unit = follower.unit
        while node.type not in ("string", "template_string") and node.parent is not None:
            node = node.up
        call = node.up.up
        access = call.up
        if call.get("function") is not None and call.get("function").text == "import":  # type: ignore[union-attr]  # just asked
            name = access.get("property") or access.get("name")
            if access.get("object") is call or access.get("module") is call:
                public = self.publics.get(name.text) if name is not None else None
                in_type = access.up.type != "call_expression"
                if in_type and name is not None and name.text not in ("then", "catch", "finally"):
                    if public is not None:
                        follower.splices.append(
                            Splice(unit.path, node.start + 1, node.end - 1, self.target(unit, text).encode())
                        )
                        if public.imported != name.text:
                            follower.splices.append(
                                Splice(unit.path, name.start, name.end, public.imported.encode())
                            )
                    return
        words = {name for name in self.publics if name != "default"}
        said = [
            word
            for word in words
            if re.search(rb"(?<![\w$])" + re.escape(word.encode()) + rb"(?![\w$])", unit.data)
        ]
        if "default" in self.publics or said:
            raise EditRefused(
                f"{unit.path}:{row(node)} loads {self.origin} when it runs, and may take "
                f"{', '.join(said) or 'its default'} from it",
                hint="reexport: true leaves the name in the old module too, or change this place first",
            )

    def _comments(self, follower: Follower) -> None:
        """`import('./a').Name` in a documentation comment."""
        unit = follower.unit
        for found in _IN_COMMENT.finditer(unit.data):
            public = self.publics.get(found[2].decode("utf-8", "replace"))
            if public is None or unit.root.at(found.start()).type != "comment":
                continue
            text = found[1].decode("utf-8", "replace")
            if self.program.modules.resolve(unit.path, text) == self.origin:
                target = self.target(unit, text).encode()
                follower.splices.append(Splice(unit.path, found.start(1), found.end(1), target))


_IN_COMMENT = re.compile(rb"""import\(\s*['"]([^'"\n]+)['"]\s*\)\.([\w$]+)""")


def accessed(node: Node) -> tuple[Node | None, str | None]:
    """The `ns.name` that begins with a name, in code, types and JSX."""
    up = node.up
    if up.type == "member_expression" and node.field == "object":
        name = up.get("property")
        return (up, name.text) if name is not None and name.type == "property_identifier" else (None, None)
    if up.type in ("nested_type_identifier", "nested_identifier"):
        name = up.get("name") or up.get("property") or up.children[-1]
        return (up, name.text) if name is not node else (None, None)
    return None, None


def own_names(clause: Node, texts: list[str]) -> bool:
    """Whether the specifiers stay word for word what they are."""
    return [item.text for item in clause.items] == texts


def _as(imported: str, name: str) -> str:
    return imported if imported == name else f"{imported} as {name}"


def _below(unit: Unit) -> bytes:
    from forgewright.code import layout

    return layout.line_end(unit.data)
