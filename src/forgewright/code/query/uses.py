"""Where a symbol is used: also under the other names that imports give it, and in which definition."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from forgewright.code.binding import Occurrence, Resolver, Symbol
from forgewright.code.selectors import nodes

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.project import Project, Source

ALIASES_MAX = 100
"""Other names that are followed."""
_DEFINITIONS = frozenset(("function", "method", "class", "interface", "enum"))


def uses(project: Project, resolver: Resolver, symbol: Symbol) -> list[Occurrence]:
    """All places of a symbol, in order. Those under another name (`import f as g`) carry that name in their note."""
    found: dict[tuple[str, int], Occurrence] = {}
    todo = [(symbol, "")]
    for named, note in todo:
        for place in resolver.occurrences(named):
            known = (place.path, place.start) in found
            if note and (place.path, place.start) == (named.path, named.start):
                continue
            found.setdefault((place.path, place.start), _noted(place, note))
            if known or place.role not in ("import", "export") or len(todo) > ALIASES_MAX:
                continue
            alias = _alias(project.source(place.path), place)
            other = resolver.symbol_at(place.path, alias.start_byte) if alias is not None else None
            if other is not None and alias is not None and other.start == alias.start_byte:
                todo.append((other, f"as {other.name}"))
    return sorted(found.values())


def _noted(place: Occurrence, note: str) -> Occurrence:
    if not note:
        return place
    return Occurrence(place.path, place.start, place.end, place.role, place.certain, place.note or note)


def _alias(source: Source, place: Occurrence) -> Node | None:
    """The name after `as`, where the place is what stands before it."""
    node = source.tree.root_node.descendant_for_byte_range(place.start, place.end)
    for _ in range(3):
        if node is None:
            return None
        alias = node.child_by_field_name("alias")
        if alias is not None:
            return alias if alias.start_byte >= place.end else None
        node = node.parent
    return None


def around(project: Project, place: Occurrence) -> str:
    """The dotted name of the function, method or class that a place is in; empty at the top of a file."""
    source = project.source(place.path)
    if source.language == "text":
        return ""
    node = source.tree.root_node.descendant_for_byte_range(place.start, place.end)
    while node is not None:
        name = node.child_by_field_name("name")
        own = name is not None and name.start_byte == place.start
        if not own and nodes.kind_of(node, source.language) in _DEFINITIONS and nodes.names(node)[0]:
            return nodes.qualified(node, source.language)
        node = node.parent
    return ""


def text(project: Project, places: Iterable[Occurrence], limit: int) -> str:
    """`path:line  role in Class.method  the line`, at most `limit` of them."""
    from forgewright.code.operations.base import occurrences_text

    return occurrences_text(project, places, limit, around=lambda place: around(project, place))
