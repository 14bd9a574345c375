"""Give a fixed value a name at the top of the file, before its first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.refactor.extract_variable import (
    in_place,
    is_value,
    same_meaning,
    selected,
    value_text,
)
from forgewright.code.javascript.refactor.purity import Effect, effect_of, evaluated, missing
from forgewright.code.javascript.refactor.region import line_of
from forgewright.code.javascript.refactor.text import previous, statement_text, with_comments
from forgewright.code.layout import line_end
from forgewright.code.project import Splice
from forgewright.code.scopes.words import kinds
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.refactor.uses import Uses
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.scopes.tree import Node

_STILL = kinds(
    "import_statement function_declaration generator_function_declaration function_signature interface_declaration "
    "type_alias_declaration comment hash_bang_line empty_statement ambient_declaration import_alias"
)
_LATER = ("const", "let", "class", "enum", "var")


def extract_constant(
    resolver: JavaScriptResolver, path: str, start: int, end: int, name: str, *, every: bool
) -> tuple[list[Splice], tuple[str, ...]]:
    """The splices, and notes on places that were left. Raises `EditRefused`."""
    uses, _, node = selected(resolver, path, start, end, name)
    check_fixed(uses, node)
    check_free(uses, name, node)
    places, notes = [node], []
    for other in _same(uses, node) if every else ():
        if uses.hidden(name, other, uses.unit.root):
            notes.append(f"line {line_of(other)} is left: {name} means something else there")
        else:
            places.append(other)
    places.sort(key=lambda place: place.start)
    at = _before(uses, node, places)
    text = statement_text(f"const {name} = {value_text(node)}", uses.unit, b"")
    start = with_comments(at)
    found = [Splice(path, start, start, text.encode() + line_end(node.data))]
    found += [Splice(path, place.start, place.end, in_place(place, name).encode()) for place in places]
    return found, tuple(notes)


def check_fixed(uses: Uses, node: Node) -> None:
    """Refuse what could give another value, or another thing, each time."""
    for part in evaluated(node):
        own = effect_of(uses, part)
        if part.type == "regex" and not set(part.text.rpartition("/")[2]) & {"g", "y"}:
            continue
        if own >= Effect.READS:
            raise EditRefused(
                f"{part.text[:40]} is computed each time, and would be computed once only",
                hint="extract a variable or a function instead",
            )
    if name := missing(uses, node):
        raise EditRefused(f"{name} may not be there when the file begins", hint="extract a variable instead")
    for use in uses.within(node.start, node.end):
        if use.entity is not None and use.entity.scope is not uses.unit.top:
            raise EditRefused(
                f"{use.node.text} is not known at the top of the file", hint="extract a variable instead"
            )


def check_free(uses: Uses, name: str, node: Node) -> None:
    """Refuse a name that the file, or the scopes around the place, use already."""
    for use in uses.all:
        if use.node.text == name and (use.entity is None or use.entity.scope is uses.unit.top):
            raise EditRefused(
                f"{name} is already used in line {line_of(use.node)}", hint="choose another name"
            )
    if uses.hidden(name, node, uses.unit.root):
        raise EditRefused(f"{name} is already declared around the selection", hint="choose another name")
    if uses.unit.module is None and uses.program.global_(name) is not None:
        raise EditRefused(f"{name} is a global already", hint="choose another name")


def _same(uses: Uses, node: Node) -> list[Node]:
    """The other places of the same value."""
    found: list[Node] = []
    for other in uses.unit.root.walk():
        if other is node or other.type != node.type or other.text != node.text or other.within(node):
            continue
        if any(other.within(one) for one in found) or not same_meaning(uses, node, other):
            continue
        if is_value(other):
            found.append(other)
    return found


def _top(node: Node) -> Node:
    while node.parent is not None and node.up.parent is not None:
        node = node.up
    return node


def _before(uses: Uses, node: Node, places: list[Node]) -> Node:
    """The statement of the file before which the constant stands: nobody may see it without its value."""
    first = _top(places[0])
    hoisted = any(above.type.endswith("function_declaration") for place in places for above in place.above())
    at = first
    if hoisted:
        at = next((s for s in uses.unit.root.items if s.start < first.start and _runs(s)), first)
    for use in uses.within(node.start, node.end):
        entity = use.entity
        if entity is not None and entity.kind in _LATER and any(n.start >= at.start for n in entity.names):
            raise EditRefused(
                f"{use.node.text} has no value yet where the constant has to stand",
                hint="extract a variable instead",
            )
    return at


def _runs(statement: Node) -> bool:
    """Whether a statement of a file may call functions of the file."""
    if statement.type in _STILL:
        return False
    if statement.type == "expression_statement" and statement.items[0].type == "string":
        return previous(statement) is not None and _runs(previous(statement) or statement)
    if statement.type == "export_statement":
        inner = statement.get("declaration")
        return (
            statement.get("source") is None
            and statement.first("export_clause") is None
            and (inner is None or _runs(inner))
        )
    if statement.type in ("lexical_declaration", "variable_declaration"):
        return not all(_plain(item.get("value")) for item in statement.items)
    return True


def _plain(value: Node | None) -> bool:
    """Whether a value runs nothing of this file when it is computed."""
    if value is None:
        return True
    for part in evaluated(value):
        if part.type == "call_expression":
            function = part.get("function")
            if function is None or function.text != "require":
                return False
        elif part.type in ("new_expression", "await_expression", "class"):
            return False
    return True
