"""Give an expression a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.infer import Inference
from forgewright.code.python.refactor.extract import _top
from forgewright.code.python.refactor.flow import Flow
from forgewright.code.python.refactor.inline import MUTABLE
from forgewright.code.python.refactor.region import LOOPS, Region
from forgewright.code.python.refactor.similar import similar
from forgewright.code.python.refactor.text import (
    BLOCKS,
    ancestors,
    definition_of,
    line_start,
    newline,
    one_line,
    statement_of,
    walk,
)
from forgewright.code.python.rename import check_name
from forgewright.code.python.scopes import FileIndex
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node


PURE = frozenset(
    ("Decimal", "Fraction", "Path", "PurePath", "UUID", "bool", "bytes", "chr", "compile", "float", "frozenset",
     "int", "len", "max", "min", "object", "ord", "range", "round", "str", "timedelta", "tuple")
)  # fmt: skip
"""Functions that give an equal and unchangeable thing for equal arguments."""


def extract_variable(
    types: Inference, file: FileIndex, start: int, end: int, name: str, *, every: bool, top: bool
) -> list[Splice]:
    """Give an expression a name before the statement that it stands in, or (`top`) at the top of the module."""
    check_name(name)
    region = Region(file, start, end, "expression")
    node = region.expression
    assert node is not None
    _check_variable(types, region, top)
    if top and region.host.kind != "module":
        check_once(file, node)
    places = [region]
    if every:
        reach = file.module if top else region.host
        places += [r for r in similar(types, region, reach) if r.host is region.host or top]
    places.sort(key=lambda one: one.start)
    home = file.module if top else region.host
    if name in home.bindings and not (node.type != "identifier" and _only_read(file, name, region)):
        raise EditRefused(f"{name} is already bound there", hint="choose another name")
    anchor = _statement(places[0].first) if not top else _top(places[0].first, file.module)
    at = anchor.start_byte
    data = file.data
    value = one_line(file, node)
    if node.type == "generator_expression" and not value.startswith("("):
        value = f"({value})"
    before = data[line_start(data, at) : at]
    text = (
        f"{name} = {value}; ".encode()
        if before.strip()
        else f"{name} = {value}".encode() + newline(data) + before
    )
    found = [Splice(file.path, at, at, text)]
    for one in places:
        assert one.expression is not None
        found.append(Splice(file.path, one.start, one.end, name.encode()))
    return found


def check_once(file: FileIndex, node: Node) -> None:
    """Refuse what gives another thing each time, where it would be computed once and for all."""
    fixed = node.parent is not None and node.parent.type in (
        "comparison_operator",
        "for_statement",
        "for_in_clause",
    )
    made = [n for n in walk(node) if n.type in MUTABLE and not (n == node and fixed)]
    for call in walk(node):
        function = call.child_by_field_name("function") if call.type == "call" else None
        if call.type in ("await", "yield") or (
            function is not None and file.text(function).rpartition(".")[2] not in PURE
        ):
            made.append(call)
    if made:
        raise EditRefused(
            f"{file.text(made[0])[:40]} is computed each time, and would be once only",
            hint="extract a variable or a function instead",
        )


def _only_read(file: FileIndex, name: str, region: Region) -> bool:
    return not region.host.bindings.get(name)


def _check_variable(types: Inference, region: Region, top: bool) -> None:
    node = region.expression
    assert node is not None
    if node.type in ("named_expression",):
        raise EditRefused("the selection assigns a name", hint="select the value only")
    flow = Flow(types, region)
    for name in flow.reads:
        scope = flow.bindings[name].scope
        if scope.kind in ("comprehension", "lambda"):
            raise EditRefused(
                f"{name} belongs to the {scope.kind} around the selection", hint="extract the whole of it"
            )
        if top and scope is not region.file.module:
            raise EditRefused(
                f"{name} is not known at the top of the module", hint="extract a variable instead"
            )
    child = node
    for parent in ancestors(node):
        if parent.type == "while_statement" and child == parent.child_by_field_name("condition"):
            raise EditRefused(
                "the condition of a loop is computed again each time", hint="extract a function"
            )
        if parent.type in ("lambda",) and child == parent.child_by_field_name("body") and not _constant(node):
            raise EditRefused("the body of a lambda is computed when it is called", hint="extract a function")
        if parent.type in BLOCKS or parent.type in LOOPS:
            break
        child = parent


def _constant(node: Node) -> bool:
    return all(n.type not in ("identifier", "call") for n in walk(node))


def _statement(node: Node) -> Node:
    """The statement before which a variable is set; a decorated definition as a whole."""
    found = statement_of(node)
    return definition_of(found)
