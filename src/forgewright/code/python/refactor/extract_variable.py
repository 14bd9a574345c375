"""Give an expression a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.refactor.certain import certainly_bound
from forgewright.code.python.refactor.constant import check_constant
from forgewright.code.python.refactor.effects import (
    acts,
    can_fail,
    deep,
    fixed,
    looks_into,
    makes,
    moves_past,
)
from forgewright.code.python.refactor.extract import _top
from forgewright.code.python.refactor.flow import Flow
from forgewright.code.python.refactor.fresh import check_fresh
from forgewright.code.python.refactor.inline_checks import shared
from forgewright.code.python.refactor.listed import check_class, check_frames, check_module
from forgewright.code.python.refactor.order import Place
from forgewright.code.python.refactor.region import Region
from forgewright.code.python.refactor.similar import similar
from forgewright.code.python.refactor.steps import steps
from forgewright.code.python.refactor.text import (
    BLOCKS,
    ancestors,
    definition_of,
    has_docstring,
    line_start,
    newline,
    one_line,
    statement_of,
)
from forgewright.code.python.rename import check_name
from forgewright.code.python.scopes import FileIndex
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver


def extract_variable(
    resolver: PythonResolver, file: FileIndex, start: int, end: int, name: str, *, every: bool, top: bool
) -> list[Splice]:
    """Give an expression a name before the statement that it stands in, or (`top`) at the top of the module."""
    check_name(name)
    region = Region(file, start, end, "expression")
    node = region.expression
    assert node is not None
    flow = Flow(resolver.types, region)
    _check_read(file, region, flow, Place(node))
    if top:
        _check_top(resolver, region, flow, name)
    else:
        _check_before(resolver, region, flow, name)
    places = [region]
    if every:
        places = _everywhere(resolver, region, flow, top)
    home = file.module if top else region.host
    if name in home.bindings and not (node.type != "identifier" and _only_read(file, name, region)):
        raise EditRefused(f"{name} is already bound there", hint="choose another name")
    if top:
        check_fresh(file, home, name, [one.start for one in places])
    anchor = _common(places) if not top else _top(places[0].first, file.module)
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


def _only_read(file: FileIndex, name: str, region: Region) -> bool:
    return not region.host.bindings.get(name)


# what may be given a name ---------------------------------------------------------------------


def _check_read(file: FileIndex, region: Region, flow: Flow, place: Place) -> None:
    node = region.expression
    assert node is not None
    if node.type in ("named_expression",):
        raise EditRefused("the selection assigns a name", hint="select the value only")
    if place.target:
        raise EditRefused("the selection is bound, deleted or matched there", hint="select a value")
    for name in flow.reads:
        scope = flow.bindings[name].scope
        if scope.kind in ("comprehension", "lambda"):
            raise EditRefused(
                f"{name} belongs to the {scope.kind} around the selection", hint="extract the whole of it"
            )
    if docstring(file, node):
        raise EditRefused("the selection is a docstring", hint="select a value")
    if place.typed and (_postponed(file) or (region.host.kind == "function" and not _header(region))):
        raise EditRefused("the selection is an annotation, which is not computed", hint="select a value")


def docstring(file: FileIndex, node: Node) -> bool:
    """Whether a string documents the module, class or function that it opens."""
    statement = node.parent
    if statement is None or statement.type != "expression_statement" or statement.parent is None:
        return False
    return statement.parent.type in BLOCKS and has_docstring(statement.parent) == statement


def _header(region: Region) -> bool:
    """Whether the selection stands in the head of a definition, which is computed around it."""
    for parent in ancestors(region.first):
        if parent.type in BLOCKS:
            return False
        if parent.type == "function_definition":
            return True
    return False


def _postponed(file: FileIndex) -> bool:
    return any(entry.link.module == ("__future__",) for entry in file.imported.get("annotations", ()))


def _check_top(resolver: PythonResolver, region: Region, flow: Flow, name: str) -> None:
    node = region.expression
    assert node is not None
    for used in flow.reads:
        if flow.bindings[used].scope is not region.file.module:
            raise EditRefused(
                f"{used} is not known at the top of the module", hint="extract a variable instead"
            )
    if region.host.kind != "module":
        check_constant(resolver, region.file, node)
    else:
        _check_moved(resolver, region, flow)
    check_module(resolver, region.file, name)


def _check_before(resolver: PythonResolver, region: Region, flow: Flow, name: str) -> None:
    _check_moved(resolver, region, flow)
    host = region.host
    check_frames(region.file, host, name)
    if host.kind == "class":
        check_class(resolver.types, host)
    elif host.kind == "module":
        check_module(resolver, region.file, name)


def _check_moved(resolver: PythonResolver, region: Region, flow: Flow) -> None:
    """Refuse where it would be computed earlier than other things, or though it was not needed."""
    node, file = region.expression, region.file
    assert node is not None
    place = Place(node)
    if place.lazy and not fixed(file, node):
        unsure = not harmless(region, flow)
        if unsure or (place.repeated and looks_into(node)):
            raise EditRefused(
                f"{file.text(node)[:40]} is {place.lazy}, which is not computed always, or not once",
                hint="extract a function instead, or select more",
            )
    for other in place.before:
        why = moves_past(file, node, other)
        if why is None and acts(file, other):
            why = shared(file, node)
        if why is not None:
            raise EditRefused(
                f"{file.text(node)[:40]} is computed after {file.text(other)[:40]}: {why}",
                hint="extract that first, or extract a function instead",
            )
    if place.entered and (acts(file, node) or can_fail(file, node)):
        raise EditRefused("the selection is computed within a with", hint="split the with first")


def harmless(region: Region, flow: Flow) -> bool:
    """Whether it makes no difference how often an expression is computed, or whether at all."""
    node, file = region.expression, region.file
    assert node is not None
    if acts(file, node) or can_fail(file, node) or makes(node) or flow.unbound:
        return False
    for name in flow.reads:
        binding = flow.bindings[name]
        if binding.scope is region.host and region.host.kind == "function":
            if not certainly_bound(file, region.host, binding, region.first):
                return False
        elif binding.scope.kind == "function":
            return False
    return True


# everywhere -----------------------------------------------------------------------------------


def _everywhere(resolver: PythonResolver, region: Region, flow: Flow, top: bool) -> list[Region]:
    """The places with the same expression that mean the same, the selection among them, in order."""
    file, node = region.file, region.expression
    assert node is not None
    found = [region]
    reach = file.module if top else region.host
    for one in similar(resolver.types, region, reach):
        if one.expression is None or not (top or one.host is region.host):
            continue
        place = Place(one.expression)
        if place.target or place.typed or docstring(file, one.expression):
            continue
        if same_names(flow, Flow(resolver.types, one)):
            found.append(one)
    found.sort(key=lambda one: one.start)
    if top or fixed(file, node):
        return found
    if makes(node) or acts(file, node):
        return [region]
    while found[0] is not region and not _steady(found[0], region):
        found = found[1:]
    first = found[0]
    return [one for one in found if one is region or one is first or _steady(first, one)]


def same_names(mine: Flow, theirs: Flow) -> bool:
    if set(mine.reads) != set(theirs.reads):
        return False
    return all(mine.bindings[name] is theirs.bindings[name] for name in mine.reads)


def _steady(first: Region, other: Region) -> bool:
    """Whether what is computed before the statement of `first` is still so at `other`."""
    file, value = first.file, first.expression
    assert value is not None
    assert other.expression is not None
    start = _statement(first.first)
    passed = steps(start, other.expression)
    if passed is None:
        return False
    place = Place(other.expression)
    if place.repeated and (deep(value) or looks_into(value)):
        return False
    passed = [node for node in passed if node != value]
    return all(moves_past(file, value, node) is None for node in passed)


def _common(places: list[Region]) -> Node:
    """The statement before which the value is there for all places."""
    anchor = _statement(places[0].first)
    last = max(one.end for one in places)
    while anchor.parent is not None and anchor.parent.end_byte < last:
        anchor = _statement(anchor.parent)
    return anchor


def _statement(node: Node) -> Node:
    """The statement before which a variable is set; a decorated definition as a whole."""
    found = statement_of(node)
    return definition_of(found)
