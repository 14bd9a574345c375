"""How an operation is told which symbol it is about: a selector, or a position."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.languages import language_of
from forgewright.core.errors import EditRefused, ProgramError

if TYPE_CHECKING:
    from forgewright.code.binding import Symbol
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.operations.base import Match, Scene
    from forgewright.code.python.resolver import PythonResolver
    from forgewright.code.scopes import tree as scopes

NAME_FIELDS = ("name", "left", "attribute", "alias")


def locate(scene: Scene, selector: str, at: str, within: str | None = None) -> tuple[str, int]:
    """The file and byte that a target means. Raises `ProgramError`."""
    if bool(selector) == bool(at):
        raise ProgramError(
            "expected exactly one of a selector and `at:`",
            hint="say which symbol, as in function[name=load], or where it stands, as in at: 'app.py:3:5'",
        )
    if at:
        return scene.position(at)
    match = scene.one(selector, within=within or None)
    return match.path, name_offset(match.node, match.name.encode(), match.source.data)


def name_offset(node: object, name: bytes, data: bytes) -> int:
    """The byte where the name of a matched definition stands."""
    from tree_sitter import Node

    assert isinstance(node, Node)
    short = name.rpartition(b".")[2]
    todo = [node]
    while todo:
        current = todo.pop(0)
        if not current.named_children and data[current.start_byte : current.end_byte] == short:
            return current.start_byte
        if len(todo) < 500:
            todo = [*current.named_children, *todo] if current is node else [*todo, *current.named_children]
    holder = node.parent  # of a function that is the value of a variable or a property
    for field in ("name", "key", "property") if holder is not None else ():
        named = holder.child_by_field_name(field) if holder is not None else None
        if named is not None and data[named.start_byte : named.end_byte] == short:
            return named.start_byte
    return node.start_byte


def symbol_of(scene: Scene, path: str, offset: int) -> Symbol:
    """The symbol at a place. Raises `EditRefused` where there is none."""
    found = scene.resolver(language_of(path)).symbol_at(path, offset)
    if found is None:
        raise EditRefused(
            f"no symbol of this project is named at {path}, byte {offset}",
            hint="point at the name where it is defined or used",
        )
    return found


def python(scene: Scene, path: str) -> PythonResolver:
    """The Python resolver. Raises `EditRefused` for files of other languages."""
    from forgewright.code.python.resolver import resolver_of

    return resolver_of(scene.resolver(language_of(path)))


def script(scene: Scene, path: str) -> JavaScriptResolver | None:
    """The resolver of a JavaScript or TypeScript file; None for files of other languages."""
    if language_of(path) not in ("javascript", "typescript", "tsx"):
        return None
    from forgewright.code.javascript.resolver import JavaScriptResolver

    resolver = scene.resolver(language_of(path))
    assert isinstance(resolver, JavaScriptResolver)
    return resolver


def mirrored(resolver: JavaScriptResolver, match: Match) -> scopes.Node:
    """The node of a match as the resolver has it."""
    unit = resolver.program.unit(match.path)
    assert unit is not None
    here = unit.root.at(match.node.start_byte)
    while here.parent is not None and (here.end < match.node.end_byte or here.type != match.node.type):
        here = here.parent
    return here


def span(scene: Scene, place: str, selector: str, within: str = "") -> tuple[str, int, int]:
    """The file and bytes that a range or a selector means. Raises `ProgramError`."""
    if bool(place) == bool(selector):
        raise ProgramError(
            "expected exactly one of `range:` and `select:`",
            hint="say which code, as in range: 'app.py:3:5-4:20' or select: 'return'",
        )
    if place:
        return scene.range(place)
    match = scene.one(selector, within=within or None)
    return match.path, match.start, match.end
