"""Moves as they are asked for: of one definition, of several together, of whole modules into others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from forgewright.code.javascript.locate import name_at
from forgewright.code.javascript.moving import candidates, specifiers, written
from forgewright.code.javascript.program import Program
from forgewright.code.javascript.refactor.exports import is_es_module
from forgewright.code.javascript.refactor.graph import circle
from forgewright.code.javascript.refactor.imports import line_of, lines, without
from forgewright.code.javascript.refactor.move import Move, MoveOptions, defined, named, refuse_circle
from forgewright.code.javascript.refactor.pieces import pieces_of, row, top_of
from forgewright.code.javascript.refactor.unused import unused
from forgewright.code.project import Splice
from forgewright.code.staging import Staging
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.project import Project
    from forgewright.code.scopes.tree import Node

SYMBOLS_MAX = 500
"""Definitions that one operation moves."""


class Moved(msgspec.Struct, frozen=True):
    """What a move comes to."""

    name: str
    splices: tuple[Splice, ...]
    created: dict[str, bytes]
    notes: tuple[str, ...]


def move_symbol(
    resolver: JavaScriptResolver, path: str, offset: int, to: str, options: Mapping[str, object]
) -> Moved:
    """Move or copy the definition that is meant at a place. Raises `EditRefused`."""
    wanted = msgspec.convert(options, MoveOptions)
    if wanted.style == "module":
        raise EditRefused(
            "style: module is for Python",
            hint="style: keep or from-module; an `import * as m` goes on as one",
        )
    program = resolver.program
    unit = program.unit(path)
    node = name_at(unit, offset) if unit is not None else None
    found = resolver.meanings.at(node) if node is not None else None
    entity = program.resolve(found) if found is not None else None
    if entity is None or not entity.names:
        raise EditRefused("no symbol of this project is named there", hint="point at a definition")
    move = Move(resolver.project, entity.names[0].path, [entity], program, to, wanted)
    splices, created = move.plan()
    return Moved(entity.declared_name, tuple(splices), created, tuple(move.notes))


class Gathering:
    """Several moves one after the other, and whether modules import each other in the end."""

    def __init__(self, project: Project) -> None:
        self.staged = Staging(project)
        self.notes: list[str] = []
        self._elided: set[tuple[str, str]] = set()

    def move(self, origin: str, names: Sequence[str], to: str) -> None:
        """Move definitions of one module together. Between the steps modules may import each other."""
        if len(names) > SYMBOLS_MAX:
            raise EditRefused(
                f"expected at most {SYMBOLS_MAX} definitions, found {len(names)}", hint="move them in parts"
            )
        program = Program(self.staged.overlay)
        if program.unit(origin) is None:
            raise EditRefused(f"{origin} is no script", hint="name a file of JavaScript or TypeScript")
        entities = [named(program, origin, name) for name in dict.fromkeys(names)]
        move = Move(self.staged.overlay, origin, entities, program, to, MoveOptions(allow_cycle=True))
        splices, created = move.plan()
        self.staged.apply(splices)
        self.staged.create(created)
        self._elided = (self._elided | move.elided) - move.valued
        self.notes += move.notes

    def check_circles(self, paths: Sequence[str], origins: Sequence[str] = ()) -> None:
        """Refuse circles that were not there, neither for these files nor for those whose place they take."""
        base = self.staged.base
        had = {file for path in (*paths, *origins) if base.exists(path) for file in circle(base, path)}
        for path in paths:
            for file in circle(self.staged.overlay, path, self._elided):
                if file not in had or (file in origins and file not in paths):
                    refuse_circle(path, file)


def merge(gathering: Gathering, origin: str, to: str) -> int:
    """Move all that a module defines, and delete it; how many definitions those are. Raises `EditRefused`."""
    staged = gathering.staged
    program = Program(staged.overlay)
    unit = program.unit(origin)
    if unit is None or not is_es_module(unit):
        raise EditRefused(f"{origin} is no ES module", hint="modules with import and export are merged")
    names = defined(unit)
    pieces = pieces_of(unit, [named(program, origin, name) for name in names])
    moved = {piece.node for piece in pieces}
    for node in unit.root.items:
        if node in moved or node.type == "import_statement" or _lists_own(node):
            continue
        what = (
            "exports from other modules"
            if node.get("source") is not None
            else "runs when the module is imported"
        )
        raise EditRefused(
            f"{origin}:{row(node)} {what}, and is no definition", hint="move or remove it first"
        )
    bare = [line for line in lines(unit) if line.bare]
    if bare:
        raise EditRefused(
            f"{origin}:{row(bare[0].node)} imports {bare[0].source} for what it does",
            hint="move that import first",
        )
    if names:
        gathering.move(origin, names, to)
    _forget(staged, origin, to)
    staged.delete(origin)
    return len(names)


def _lists_own(node: Node) -> bool:
    """`export { a, b }` and `export default a` of what the file itself defines."""
    if node.type != "export_statement" or node.get("source") is not None:
        return False
    value = node.get("value")
    return node.first("export_clause") is not None or (value is not None and value.type == "identifier")


def _forget(staged: Staging, origin: str, to: str) -> None:
    """What still names a module that is empty now: `import "x"` and `export *`. Raises `EditRefused`."""
    program = Program(staged.overlay)
    found: list[Splice] = []
    for path in candidates(staged.overlay, origin):
        unit = program.unit(path) if path != origin else None
        if unit is None:
            continue
        for node, text in specifiers(staged.overlay.source(path)):
            if program.modules.resolve(path, text) != origin:
                continue
            statement = top_of(unit.root.at(node.start_byte))
            line = line_of(statement) if statement.type == "import_statement" else None
            star = (
                statement.type == "export_statement"
                and statement.first("export_clause", "namespace_export") is None
            )
            idle = {b.node for b in unused(program, unit)}
            empty = line is not None and all(b.node in idle for b in line.brought)
            if (star and statement.get("source") is not None) or (line is not None and (path == to or empty)):
                again = line is not None and line.bare and path != to
                target = written(program.modules, path, text, origin, to, origin).encode()
                splice = Splice(path, node.start_byte + 1, node.end_byte - 1, target)
                found.append(splice if again else without(unit, statement))
                continue
            raise EditRefused(
                f"{path}:{row(statement)} still needs {origin} as a whole", hint="change this place first"
            )
    staged.apply(found)
