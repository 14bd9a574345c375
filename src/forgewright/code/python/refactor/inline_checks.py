"""Whether a variable's value is the same where the variable is read, and computed there as often as before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.binding import Occurrence
from forgewright.code.python.refactor.constant import check_constant
from forgewright.code.python.refactor.effects import MAKING, acts, can_fail, deep, makes, moves_past, names
from forgewright.code.python.refactor.listed import check_frames
from forgewright.code.python.refactor.order import Place
from forgewright.code.python.refactor.steps import steps
from forgewright.code.python.refactor.text import walk
from forgewright.code.python.scopes import FileIndex, Scope, Site
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver

REPEATED = frozenset(
    (
        "for_statement",
        "while_statement",
        "function_definition",
        "class_definition",
        "lambda",
        "list_comprehension",
        "set_comprehension",
        "dictionary_comprehension",
        "generator_expression",
    )
)


def check_order(
    resolver: PythonResolver,
    file: FileIndex,
    name: str,
    site: Site,
    value: Node,
    statement: Node,
    reads: list[Occurrence],
) -> None:
    """Refuse where the value would be computed at another time, another number of times, or for the first time."""
    block = statement.parent
    calls = value.type in MAKING or acts(file, value) or any(node.type == "call" for node in walk(value))
    if block is not None and block.type == "block" and site.kind == "variable":
        for place in reads:
            if place.path == file.path and not block.start_byte <= place.start < block.end_byte:
                raise EditRefused(f"{name} is assigned under a condition", hint="inline it by hand")
    if site.kind != "variable":
        return
    if calls and len(reads) > 1:
        raise EditRefused(
            f"the value of {name} calls or makes something, and is used {len(reads)} times",
            hint="inline single places",
        )
    check_frames(file, site.where, name)
    for place in reads:
        if place.path != file.path:
            if calls:
                raise EditRefused(
                    f"the value of {name} calls or makes something, and is used elsewhere",
                    hint="inline it by hand",
                )
            check_constant(resolver, file, value)
            continue
        node = file.root.descendant_for_byte_range(place.start, place.end)
        if node is not None:
            _check_moved(resolver, file, name, site, value, statement, node, calls=calls)


def _check_moved(
    resolver: PythonResolver,
    file: FileIndex,
    name: str,
    site: Site,
    value: Node,
    statement: Node,
    node: Node,
    *,
    calls: bool,
) -> None:
    """Refuse to compute the value at `node` if it is not the same there, or may not be computed."""
    if calls:
        current = node
        while current.parent is not None and current.parent != statement.parent:
            current = current.parent
            if current.type in REPEATED:
                raise EditRefused(
                    f"the value of {name} calls or makes something, and would be computed again and again",
                    hint="inline it by hand",
                )
    if _elsewhere(file, site.where, node):
        if site.where.kind == "function":
            _check_later(file, name, value)
        else:
            check_constant(resolver, file, value)
        return
    if node.start_byte < statement.start_byte:
        raise EditRefused(f"{name} is read before it is assigned, too", hint="inline it by hand")
    passed = steps(statement, node)
    if passed is None:
        raise EditRefused(f"{name} is assigned under a condition", hint="inline it by hand")
    for other in passed:
        if other == statement:
            continue
        why = moves_past(file, value, other)
        if why is None and acts(file, other):
            why = shared(file, value)
        if why is not None:
            raise EditRefused(
                f"the value of {name} calls or reads something, and other things happen before its use: {why}",
                hint="move the assignment next to its use first",
            )
    _check_branches(file, name, value, statement, node)


def _elsewhere(file: FileIndex, scope: Scope, node: Node) -> bool:
    """Whether `node` is computed later than the code of `scope` around it."""
    current: Scope | None = file.scope_at(node.start_byte)
    while current is not None and current is not scope:
        if current.kind in ("function", "lambda"):
            return True
        current = current.parent
    return current is None


def _check_later(file: FileIndex, name: str, value: Node) -> None:
    """Refuse to compute in an inner function what may be another thing by then."""
    if acts(file, value) or deep(value) or makes(value) or not _bound_once(file, value):
        raise EditRefused(
            f"{name} is used by an inner function, later than its value is computed", hint="inline it by hand"
        )


def _bound_once(file: FileIndex, value: Node) -> bool:
    for word in names(file, value):
        binding = file.lookup(file.scope_at(value.start_byte), word, value.start_byte)
        if binding is not None and len(binding.sites) > 1:
            return False
    return True


def shared(file: FileIndex, value: Node) -> str | None:
    """Why a name in the value may be bound anew by what is called."""
    here = file.scope_at(value.start_byte)
    for word in sorted(names(file, value)):
        binding = file.lookup(here, word, value.start_byte)
        if binding is None or binding.scope.kind == "class":
            continue
        if any(site.where is not binding.scope for site in binding.sites):
            return f"{word} may be bound anew in between"
    return None


def _check_branches(file: FileIndex, name: str, value: Node, statement: Node, node: Node) -> None:
    """Refuse to compute under a condition, or where exceptions are caught, what may be missed or fail."""
    failing = can_fail(file, value)
    if not failing and not acts(file, value):
        return
    strict = acts(file, value) or any(n.type in ("subscript", "call") for n in walk(value))
    place = Place(node)
    current, child = place.statement.parent, place.statement
    if place.lazy and strict and not _quiet_call(file, value):
        raise EditRefused(
            f"the value of {name} would be computed only under a condition", hint="inline it by hand"
        )
    while current is not None and current != statement.parent:
        if strict and current.type in CONDITIONAL and child.type in ("block", "elif_clause", "else_clause"):
            raise EditRefused(
                f"the value of {name} would be computed only under a condition", hint="inline it by hand"
            )
        if current.type == "try_statement" or (current.type == "with_statement" and child.type == "block"):
            raise EditRefused(
                f"the value of {name} may fail, and would do so within a {current.type.split('_')[0]}",
                hint="inline it by hand",
            )
        child, current = current, current.parent


def _quiet_call(file: FileIndex, value: Node) -> bool:
    return not acts(file, value) and not any(n.type == "subscript" for n in walk(value))


CONDITIONAL = ("if_statement", "elif_clause", "else_clause", "match_statement", "case_clause")
