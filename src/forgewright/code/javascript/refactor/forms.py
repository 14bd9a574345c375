"""The forms of module names: relative, or by `paths` and `baseUrl` of the configuration; and `import * as` by names."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from forgewright.code.javascript.entities import ANY
from forgewright.code.javascript.modules import ENDINGS, Modules
from forgewright.code.javascript.moving import TYPED, specifiers, written
from forgewright.code.javascript.names import is_identifier
from forgewright.code.javascript.refactor.followers import accessed
from forgewright.code.javascript.refactor.imports import Brought, Line, Wanted, edit, entity_of, lines
from forgewright.code.javascript.refactor.pieces import row, spoken
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Unit
    from forgewright.code.javascript.program import Program
    from forgewright.code.scopes.tree import Node


def absolute(program: Program, unit: Unit) -> list[Splice]:
    """Relative names by the configuration's. Raises `EditRefused` where it gives none."""
    modules = program.modules
    patterns = modules.patterns(unit.path)
    if not patterns:
        raise EditRefused(
            f"no tsconfig.json or jsconfig.json above {unit.path} has `paths` or `baseUrl`",
            hint='add "paths": { "@/*": ["src/*"] } to its compilerOptions first',
        )
    found = []
    for node, text in specifiers(program.project.source(unit.path)):
        target = modules.resolve(unit.path, text) if text.startswith(".") else None
        if target is None or "node_modules" in target.split("/"):
            continue
        name = next((n for n in _names(modules, unit.path, text, target, patterns)), None)
        if name is not None:
            found.append(Splice(unit.path, node.start_byte + 1, node.end_byte - 1, name.encode()))
    return found


def _names(
    modules: Modules, path: str, text: str, target: str, patterns: list[tuple[str, str]]
) -> Iterator[str]:
    """Names of a file by the patterns, the most telling first."""
    stem, own = target, ""
    for ending in sorted(ENDINGS, key=len, reverse=True):
        if target.endswith(ending):
            stem, own = target[: -len(ending)], ending
            break
    suffix = posixpath.splitext(text)[1] if text.endswith(ENDINGS) else ""
    if suffix:
        goals = [stem + (suffix if own in TYPED.get(suffix, ()) else own)]
    else:
        folder = posixpath.basename(stem) == "index" and posixpath.basename(text) != "index"
        goals = [posixpath.dirname(stem), stem] if folder else [stem]
    for pattern, place in sorted(patterns, key=lambda pair: (-len(pair[1]), pair[0])):
        before, star, after = place.partition("*")
        for goal in goals:
            if not star and posixpath.splitext(place)[0] not in (goal, stem):
                continue
            if star and not (goal.startswith(before) and goal.endswith(after) and len(goal) > len(before)):
                continue
            name = pattern.replace("*", goal[len(before) : len(goal) - len(after)]) if star else pattern
            if modules.resolve(path, name) == target:
                yield name


def relative(program: Program, unit: Unit) -> list[Splice]:
    """Names by the configuration as relative ones; packages, also of the same repository, keep theirs."""
    modules = program.modules
    found = []
    for node, text in specifiers(program.project.source(unit.path)):
        target = modules.mapped(unit.path, text) if not text.startswith((".", "/")) else None
        if target is None or "node_modules" in target.split("/"):
            continue
        suffix = posixpath.splitext(text)[1] if text.endswith(ENDINGS) else ""
        model = "./index" if posixpath.basename(text) == "index" else "./x"
        name = written(modules, unit.path, model + suffix, unit.path, target, target)
        if modules.resolve(unit.path, name) == target:
            found.append(Splice(unit.path, node.start_byte + 1, node.end_byte - 1, name.encode()))
    return found


def expand_stars(program: Program, unit: Unit) -> list[Splice]:
    """`import * as m` of which only members are used names these. Raises `EditRefused` where it cannot."""
    found: list[Splice] = []
    gone: list[Brought] = []
    wanted: list[Wanted] = []
    taken: dict[str, str] = {}
    for line in lines(unit):
        for brought in line.brought:
            if brought.imported != "*":
                continue
            places = _members(program, unit, line, brought)
            if not places:
                continue
            gone.append(brought)
            for access, name in places:
                if taken.setdefault(name, line.source) != line.source:
                    raise EditRefused(
                        f"{unit.path}:{row(access)} {name} would come from {taken[name]} and from {line.source}",
                        hint="rename one of them first, or leave this import as it is",
                    )
                found.append(Splice(unit.path, access.start, access.end, name.encode()))
                wanted.append(Wanted(line.source, name, name, brought.typed))
    return [*edit(unit, gone=gone, wanted=wanted), *found]


def _members(program: Program, unit: Unit, line: Line, brought: Brought) -> list[tuple[Node, str]]:
    entity = entity_of(unit, brought)
    found = []
    for node in spoken(unit):
        if node.text != brought.local or program.visible(unit.scope_at(node), node.text, ANY) is not entity:
            continue
        access, name = accessed(node)
        if access is None or name is None:
            raise EditRefused(
                f"{unit.path}:{row(node)} {brought.local} is used as a whole",
                hint="only members can be named",
            )
        if not is_identifier(name) or name == "default":
            raise EditRefused(
                f"{unit.path}:{row(node)} {name} cannot be imported under its name",
                hint="import it with another name first",
            )
        if access.up.type == "assignment_expression" and access.field == "left":
            raise EditRefused(
                f"{unit.path}:{row(node)} assigns to a member", hint="leave this import as it is"
            )
        there = program.visible(unit.scope_at(access), name, ANY)
        known = program.module(unit.path, line.source)
        if there is not None or name in _globals(unit):
            raise EditRefused(
                f"{unit.path}:{row(node)} {name} means something else there", hint="rename that first"
            )
        if known is not None and line.source.startswith(".") and program.export(known, name) is None:
            raise EditRefused(
                f"{unit.path}:{row(node)} {line.source} exports no {name}", hint="correct that first"
            )
        found.append((access, name))
    return found


def _globals(unit: Unit) -> set[str]:
    """Names that the file takes from outside of it."""
    return {
        node.text
        for node in spoken(unit)
        if not any(node.text in scope.table for scope in unit.scope_at(node).chain())
        and not (unit.module is not None and node.text in unit.module.exports)
    }
