"""Moves as they are asked for: of one definition, of several together, of whole modules into others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from forgewright.code.javascript.locate import name_at
from forgewright.code.javascript.program import Program
from forgewright.code.javascript.refactor.move import Move, MoveOptions, named
from forgewright.code.staging import Staging
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.project import Project, Splice

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


def move_all(staged: Staging, origin: str, names: Sequence[str], to: str, *, allow_cycle: bool) -> list[str]:
    """Move definitions of one module together; what is to be said of it."""
    if len(names) > SYMBOLS_MAX:
        raise EditRefused(
            f"expected at most {SYMBOLS_MAX} definitions, found {len(names)}", hint="move them in parts"
        )
    program = Program(staged.overlay)
    entities = [named(program, origin, name) for name in dict.fromkeys(names)]
    move = Move(staged.overlay, origin, entities, program, to, MoveOptions(allow_cycle=allow_cycle))
    splices, created = move.plan()
    staged.apply(splices)
    staged.create(created)
    return move.notes


def split(
    project: Project, module: str, parts: Mapping[str, Sequence[str]], *, allow_cycle: bool
) -> tuple[Staging, list[str]]:
    """Definitions of one module to several others. Between the steps modules may import each other."""
    staged = Staging(project)
    notes: list[str] = []
    for path, names in parts.items():
        notes += move_all(staged, module, names, path, allow_cycle=allow_cycle)
    return staged, notes
