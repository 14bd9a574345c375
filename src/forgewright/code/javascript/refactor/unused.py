"""Which imports of a script nothing in the file uses: as values, as types, in JSX or in documentation comments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from forgewright.code.javascript.entities import SPACE, TYPE, VALUE
from forgewright.code.javascript.jsdoc import is_doc
from forgewright.code.javascript.refactor.imports import Brought, Line, entity_of, lines
from forgewright.code.javascript.refactor.pieces import spoken as names_of

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Unit
    from forgewright.code.javascript.program import Program
    from forgewright.code.scopes.tree import Node

_JSX = frozenset(("jsx_element", "jsx_self_closing_element", "jsx_fragment"))
_FACTORIES = frozenset(("React", "h", "Fragment", "createElement", "jsx", "Preact", "preact", "Inferno", "m"))
_PRAGMA = re.compile(r"@jsx(?:Frag)?\s+([\w$]+)")
_WORD = re.compile(r"[\w$]+")
_DOCUMENTED = re.compile(r"\{[^{}]*\}|@(?:see|link|memberof|augments|extends|implements)\s+[\w$.]+|`[^`]*`")


class Uses:
    """The names of one file, as far as they could mean an import."""

    def __init__(self, program: Program, unit: Unit, without: Sequence[tuple[int, int]] = ()) -> None:
        """`without`: stretches of the file that do not count."""
        self.program = program
        self.unit = unit
        self.lines = lines(unit)
        names = {b.local for line in self.lines for b in line.brought}
        self.places: dict[str, list[Node]] = {}
        for node in names_of(unit):
            if node.text in names and not _within(node, without):
                self.places.setdefault(node.text, []).append(node)
        self.spoken: set[str] = set()
        self.jsx = self.broken = False
        for node in unit.root.walk():
            if without and _within(node, without):
                continue
            if node.type in _JSX:
                self.jsx = True
            elif node.type == "ERROR":
                self.broken = True
            elif node.type == "comment" and is_doc(node):
                for found in _DOCUMENTED.findall(node.text):
                    self.spoken.update(_WORD.findall(found))
        if self.broken:
            self._all_words()

    def _all_words(self) -> None:
        """In a file that does not parse a name may stand anywhere."""
        data = self.unit.data
        spans = [(line.node.start, line.node.end) for line in self.lines]
        for found in re.finditer(rb"[\w$]+", data):
            if not any(start <= found.start() < end for start, end in spans):
                self.spoken.add(found[0].decode("utf-8", "replace"))

    def used(self, line: Line, brought: Brought) -> bool:
        entity = entity_of(self.unit, brought)
        if entity is None or len(entity.nodes) != 1 or brought.local in self.spoken:
            return True
        if line.source in self.unit.ambient:
            return True
        if any(self.means(node, brought) for node in self.places.get(brought.local, ())):
            return True
        return self.jsx and brought.local in self.factories()

    def means(self, node: Node, brought: Brought) -> bool:
        """Whether a name means what the import brings in, in any of a name's meanings."""
        spaces: tuple[int, ...] = (VALUE,)
        if node.up.type in ("nested_type_identifier", "nested_identifier"):
            spaces = (VALUE, SPACE)
        if node.type == "type_identifier":
            spaces = (TYPE,)
        elif node.up.type in ("export_specifier", "export_statement", "import_alias"):
            spaces = (VALUE, TYPE, SPACE)
        entity = entity_of(self.unit, brought)
        return any(self.program.lookup(node, space) is entity for space in spaces)

    def factories(self) -> set[str]:
        """What the elements of the file are made with, though nothing names it."""
        pragmas = set(_PRAGMA.findall(self.unit.data.decode("utf-8", "replace")))
        if pragmas:
            return pragmas
        options = self.program.modules.options(self.unit.path)
        if str(options.get("jsx", "")).startswith("react-jsx"):
            return set()
        told = {
            str(options[key]).split(".")[0] for key in ("jsxFactory", "jsxFragmentFactory") if key in options
        }
        return told or set(_FACTORIES)


def _within(node: Node, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= node.start < end for start, end in spans)


def unused(program: Program, unit: Unit) -> list[Brought]:
    """The imported names that nothing in the file uses."""
    uses = Uses(program, unit)
    return [b for line in uses.lines for b in line.brought if not uses.used(line, b)]
