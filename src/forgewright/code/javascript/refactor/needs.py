"""What moved declarations take from their old module and its imports, and how they get it in the new one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.javascript.entities import Entity
from forgewright.code.javascript.moving import specifiers
from forgewright.code.javascript.refactor import exports
from forgewright.code.javascript.refactor.imports import Brought, Line, Wanted, entity_of, lines
from forgewright.code.javascript.refactor.pieces import (
    TYPES,
    Reference,
    documented,
    meaning,
    names_in,
    row,
    written,
)
from forgewright.code.javascript.refactor.specifiers import carried, named_like
from forgewright.code.javascript.refactor.unused import Uses
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.refactor.move import Move
    from forgewright.code.scopes.tree import Node

_IN_COMMENT = re.compile(rb"""import\(\s*['"]([^'"\n]+)['"]\s*\)""")
_JSX = frozenset(("jsx_element", "jsx_self_closing_element", "jsx_fragment"))


class Needs:
    """The imports of the new module, the exports of the old one, and the changes within the moved text."""

    def __init__(self, move: Move) -> None:
        self.move = move
        self.program = move.program
        self.unit = move.unit
        self.wanted: list[Wanted] = []
        self.replaced: list[Brought] = []
        """Imports of the new module that have to bring in a value instead of a type."""
        self.inner: list[Splice] = []
        self.published: list[Splice] = []
        """What the old module exports now, that it did not."""
        self.valued: set[str] = set()
        """The files from which values are imported."""
        self._brought: dict[Entity, tuple[Line, Brought]] = {}
        self.taken: set[Node] = set()
        """The specifiers of the old module that the moved text used."""

    def collect(self) -> None:
        """Raises `EditRefused`."""
        for line in lines(self.unit):
            for brought in line.brought:
                entity = entity_of(self.unit, brought)
                if entity is not None:
                    self._brought[entity] = (line, brought)
        found: dict[Entity, list[Reference]] = {}
        for reference in names_in(self.program, self.unit, self.move.pieces):
            if reference.entity is None:
                self._global(reference.node)
            elif reference.entity not in self.move.entities:
                if written(reference.node):
                    raise EditRefused(
                        f"{self.unit.path}:{row(reference.node)} assigns to {reference.node.text}, "
                        "which an importing module cannot",
                        hint=f"move {reference.node.text} too",
                    )
                found.setdefault(reference.entity, []).append(reference)
        self._documented(found)
        self._factories(found)
        for entity, places in sorted(found.items(), key=self._order):
            self._need(entity, places)
        self._specifiers()

    def _global(self, node: Node) -> None:
        there = self.program.declared(self.move.other.top, node.text) if not self.move.fresh else None
        if there is not None and node.text not in {e.declared_name for e in self.move.entities}:
            raise EditRefused(
                f"{self.unit.path}:{row(node)} {node.text} is global here, and something else in {self.move.to}",
                hint="rename that first",
            )

    def _documented(self, found: dict[Entity, list[Reference]]) -> None:
        """In JavaScript types are named in comments only."""
        if not self.unit.javascript:
            return
        for node in documented(self.unit):
            if any(piece.holds(node) for piece in self.move.pieces):
                entity, _ = meaning(self.program, self.unit, node)
                if entity is not None and entity in self._brought:
                    found.setdefault(entity, []).append(Reference(node, entity, True, False))

    def _factories(self, found: dict[Entity, list[Reference]]) -> None:
        """What JSX is made with is used by it."""
        if not any(node.type in _JSX for piece in self.move.pieces for node in piece.node.walk()):
            return
        uses = Uses(self.program, self.unit)
        for entity, (_, brought) in self._brought.items():
            if brought.local in uses.factories() and entity not in found:
                found[entity] = []

    def _order(self, found: tuple[Entity, list[Reference]]) -> int:
        """As the old module imports them; what it defines itself comes last."""
        brought = self._brought.get(found[0])
        return brought[1].node.start if brought is not None else len(self.unit.data)

    def _need(self, entity: Entity, places: list[Reference]) -> None:
        typed = bool(places) and all(reference.typed for reference in places)
        if entity in self._brought:
            line, brought = self._brought[entity]
            self.taken.add(brought.node)
            self._import(line, brought, entity, places, typed)
            return
        if entity.alias is not None and entity.kind == "alias":
            raise EditRefused(
                f"{entity.declared_name} is another name for something in {self.unit.path}, and used by what is moved",
                hint="write what it stands for first",
            )
        self._helper(entity, places, typed)

    # what the old module imports

    def _import(
        self, line: Line, brought: Brought, entity: Entity, places: list[Reference], typed: bool
    ) -> None:
        move = self.move
        target = self.program.modules.resolve(self.unit.path, line.source)
        if target == move.to and brought.imported not in ("*", "export="):
            self._at_home(brought, entity, places)
            return
        if self._there(line, brought, entity, typed or brought.typed):
            return
        source = carried(self.program.modules, move.after, line.source, self.unit.path, move.to)
        if not move.fresh:
            move.free(brought.local)
        self.wanted.append(Wanted(source, brought.imported, brought.local, brought.typed, brought.inline))
        if target is not None and not (typed or brought.typed):
            self.valued.add(target)

    def _at_home(self, brought: Brought, entity: Entity, places: list[Reference]) -> None:
        """The old module imports it from the new one: there it is called by its own name."""
        step = self.program.immediate(entity)
        target = self.program.resolve(entity)
        own = target if target is not None and target.unit is self.move.other else step
        name = own.declared_name if own is not None else ""
        there = self.program.declared(self.move.other.top, name) if name else None
        if own is None or there is None or name == "default":
            raise EditRefused(
                f"what {brought.local} is called in {self.move.to} itself is not known",
                hint="name what it exports first",
            )
        if name == brought.local:
            return
        for reference in places:
            node = reference.node
            text = f"{brought.local}: {name}" if node.type == "shorthand_property_identifier" else name
            self.inner.append(Splice(node.path, node.start, node.end, text.encode()))

    def _there(self, line: Line, brought: Brought, entity: Entity, typed: bool) -> bool:
        """Whether the new module has the same under the same name."""
        move = self.move
        if move.fresh:
            return False
        there = self.program.declared(move.other.top, brought.local)
        if there is None:
            return False
        mine = self.program.resolve(entity)
        for other in lines(move.other):
            for one in other.brought:
                if entity_of(move.other, one) is not there:
                    continue
                same = (
                    self._file(other, move.to) == self._file(line, self.unit.path)
                    and one.imported == brought.imported
                )
                if same or (mine is not None and self.program.resolve(there) is mine):
                    if one.typed and not typed:
                        self.replaced.append(one)
                        self.wanted.append(Wanted(other.source, one.imported, one.local))
                        target = self.program.modules.resolve(move.to, other.source)
                        if target is not None:
                            self.valued.add(target)
                    return True
        if mine is not None and self.program.resolve(there) is mine:
            return True
        raise EditRefused(
            f"{move.to} has another {brought.local} already, which what is moved uses",
            hint="rename one of them first",
        )

    def _file(self, line: Line, path: str) -> str:
        return self.program.modules.resolve(path, line.source) or line.source

    # what the old module defines

    def _helper(self, entity: Entity, places: list[Reference], typed: bool) -> None:
        move = self.move
        name = entity.declared_name
        public = exports.public_name(self.program, self.unit, entity)
        if not public:
            exports.check_barrels(self.program, self.unit.path, name, entity)
            self.published += exports.publish(self.unit, entity)
            move.notes.append(f"{self.unit.path} exports {name} now")
            public = name
        there = self.program.declared(move.other.top, name) if not move.fresh else None
        if there is not None:
            if self.program.resolve(there) is not entity:
                raise EditRefused(
                    f"{move.to} has another {name} already, which what is moved uses",
                    hint="rename one of them first",
                )
            for line in lines(move.other):
                for one in line.brought:
                    if entity_of(move.other, one) is there and one.typed and not typed:
                        self.replaced.append(one)
                        self.wanted.append(Wanted(line.source, one.imported, one.local))
            self.valued |= set() if typed else {self.unit.path}
            return
        if not move.fresh:
            move.free(name)
        models = [line.source for line in lines(move.other)] + [line.source for line in lines(self.unit)]
        source = named_like(move.after, move.to, self.unit.path, models)
        as_type = move.verbatim and not self.unit.javascript and entity.kind in TYPES
        self.wanted.append(Wanted(source, public, name, as_type))
        if not (typed or entity.kind in TYPES):
            self.valued.add(self.unit.path)

    def _specifiers(self) -> None:
        """`import("./a")` within the moved text, and in its comments."""
        move = self.move
        for piece in move.pieces:
            for found in _IN_COMMENT.finditer(self.unit.data, piece.start, piece.end):
                if self.unit.root.at(found.start()).type == "comment":
                    text = found[1].decode("utf-8", "replace")
                    new = carried(self.program.modules, move.after, text, self.unit.path, move.to)
                    if new != text:
                        self.inner.append(Splice(self.unit.path, found.start(1), found.end(1), new.encode()))
        for node, text in specifiers(move.project.source(self.unit.path)):
            inside = any(piece.start <= node.start_byte < piece.end for piece in move.pieces)
            if not inside:
                continue
            if self.program.modules.resolve(self.unit.path, text) is None and not text.startswith("."):
                continue
            new = carried(self.program.modules, move.after, text, self.unit.path, move.to)
            if new != text:
                self.inner.append(
                    Splice(self.unit.path, node.start_byte + 1, node.end_byte - 1, new.encode())
                )
