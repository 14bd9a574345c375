"""What a module exports under which names, and how declarations become exports."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.javascript.entities import Entity
from forgewright.code.javascript.moving import candidates
from forgewright.code.javascript.refactor.imports import without
from forgewright.code.javascript.refactor.named import Named
from forgewright.code.javascript.refactor.pieces import Piece, declared_by, row, top_of
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Unit
    from forgewright.code.javascript.program import Program
    from forgewright.code.scopes.tree import Node

_STAR = re.compile(rb"\bexport\s+(?:type\s*)?\*|\bexport\*")
_MODULE_STATEMENTS = ("import_statement", "export_statement")


def is_es_module(unit: Unit) -> bool:
    """Whether a file imports or exports by statements."""
    return unit.module is not None and any(n.type in _MODULE_STATEMENTS for n in unit.root.children)


def is_blank(unit: Unit) -> bool:
    """Whether a file has no statement yet."""
    return not unit.root.items


def publics(program: Program, unit: Unit, entity: Entity) -> dict[str, Node | None]:
    """The names under which a module exports something, each with its specifier, or None for a modifier."""
    found: dict[str, Node | None] = {}
    assert unit.module is not None
    for name, exported in unit.module.exports.items():
        real = exported.real
        if real is entity:
            found[name] = None
        elif real.alias is not None and real.alias.target is not None:
            if program.immediate(real) is entity and real.nodes:
                found[name] = real.nodes[0]
    return found


def public_name(program: Program, unit: Unit, entity: Entity) -> str:
    """The name by which others import something; empty if they cannot."""
    names = publics(program, unit, entity)
    if entity.declared_name in names:
        return entity.declared_name
    return next(iter(names), "")


def check_barrels(program: Program, path: str, name: str, entity: Entity) -> None:
    """Refuse a new export that files with `export *` from here have from elsewhere: none is exported then."""
    seen = {path}
    fresh = [path]
    while fresh:
        current = fresh.pop()
        for other in candidates(program.project, current):
            if not _STAR.search(program.project.source(other).data):
                continue
            unit = program.unit(other)
            if unit is None or unit.module is None or other in seen:
                continue
            sources = unit.stars.get(unit.module, [])
            if not any(program.modules.resolve(other, source.text[1:-1]) == current for source in sources):
                continue
            seen.add(other)
            if name in unit.module.exports:
                continue
            there = program.export(unit.module, name)
            if there is not None and program.resolve(there) is not entity:
                raise EditRefused(
                    f"{other} exports all of {current}, and has a {name} from another module",
                    hint="rename one of them first",
                )
            fresh.append(other)


def retract(unit: Unit, specifiers: list[Node]) -> list[Splice]:
    """Take specifiers out of `export { … }`, and `export default name`."""
    found: list[Splice] = []
    clauses: dict[Node, list[Node]] = {}
    for node in specifiers:
        if node.type == "export_specifier":
            clauses.setdefault(node.up, []).append(node)
        else:
            found.append(without(unit, top_of(node)))
    for clause, gone in clauses.items():
        if len(gone) == len(clause.items):
            found.append(without(unit, clause.up))
        else:
            found.append(Splice(unit.path, clause.start, clause.end, Named(clause).changed(gone).encode()))
    return found


def publish(unit: Unit, entity: Entity) -> list[Splice]:
    """`export` before the declarations of something that is not exported yet. Raises `EditRefused`."""
    found: list[Splice] = []
    for top in dict.fromkeys(top_of(node) for node in entity.nodes):
        others = [e.declared_name for e in declared_by(unit, top) if e.real is not entity]
        if others:
            raise EditRefused(
                f"{unit.path}:{row(top)} {entity.declared_name} is declared together with {', '.join(others)}, "
                "and would have to be exported",
                hint="give it a statement of its own, or move it too",
            )
        at = keyword(top)
        found.append(Splice(unit.path, at, at, b"export "))
    return found


def keyword(top: Node) -> int:
    """Where `export` goes: before the declaration, behind its decorators."""
    if top.type in ("class_declaration", "abstract_class_declaration"):
        return next(
            child.start for child in top.children if child.type != "decorator" and child.type != "comment"
        )
    return top.start


def as_exported(piece: Piece, *, default: bool) -> list[Splice]:
    """A moved declaration as a named export (or the default one, as it was)."""
    node = piece.node
    if node.type == "export_statement":
        token = next((child for child in node.children if child.type == "default"), None)
        if token is not None and not default:
            return [Splice(node.path, token.start, piece.declaration.start, b"")]
        return []
    return [] if default else [Splice(node.path, keyword(node), keyword(node), b"export ")]
