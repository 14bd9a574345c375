"""Introduce a parameter for an expression of a function's body, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.refactor.arguments import rewrite
from forgewright.code.python.refactor.callers import check_decorated, check_made
from forgewright.code.python.refactor.calls import Call, calls_of, match
from forgewright.code.python.refactor.certain import LEAVING
from forgewright.code.python.refactor.constant import check_constant
from forgewright.code.python.refactor.dispatch import from_outside
from forgewright.code.python.refactor.effects import (
    acts,
    can_fail,
    deep,
    fixed,
    makes,
    moves_past,
    names,
    now,
)
from forgewright.code.python.refactor.extract_variable import docstring, harmless, same_names
from forgewright.code.python.refactor.flow import Flow
from forgewright.code.python.refactor.inline_checks import shared
from forgewright.code.python.refactor.listed import check_frames
from forgewright.code.python.refactor.order import Place
from forgewright.code.python.refactor.precedence import needs_parentheses, put
from forgewright.code.python.refactor.region import Region
from forgewright.code.python.refactor.signature import definition, family, slots_of
from forgewright.code.python.refactor.signature_changes import adding, removing
from forgewright.code.python.refactor.similar import similar
from forgewright.code.python.refactor.steps import steps
from forgewright.code.python.refactor.text import check_movable
from forgewright.code.python.rename import check_name
from forgewright.code.python.scopes import FileIndex, Scope
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver


def introduce_parameter(
    resolver: PythonResolver, file: FileIndex, start: int, end: int, name: str, *, as_default: bool
) -> list[Splice]:
    """The expression becomes a parameter: as its default, or passed by each call in terms of its arguments."""
    check_name(name)
    region = Region(file, start, end, "expression")
    function = region.host
    if function.kind != "function":
        raise EditRefused(
            "the selection is not in a function", hint="select an expression in a function's body"
        )
    assert region.expression is not None
    flow = Flow(resolver.types, region)
    for used in flow.reads:
        binding = flow.bindings[used]
        if binding.scope.kind in ("comprehension", "lambda"):
            raise EditRefused(f"{used} belongs to a {binding.scope.kind}", hint="select something else")
        if binding.scope is function:
            given = any(site.kind == "parameter" for site in binding.sites) and len(binding.sites) == 1
            if not given or as_default:
                raise EditRefused(
                    f"{used} is a local name of {function.name}", hint="select an expression without it"
                )
    if flow.unbound:
        raise EditRefused(
            f"{next(iter(flow.unbound))} is not defined", hint="select an expression that is known"
        )
    clash = function.bindings.get(name)
    if clash is not None:
        raise EditRefused(f"{function.name} already has a {name}", hint="choose another name")
    text = file.text(region.expression)
    _check_value(resolver, region, as_default=as_default)
    places = [region]
    if as_default or harmless(region, flow) or not deep(region.expression):
        places += _likewise(resolver, region, flow, function)
    found = [Splice(file.path, r.start, r.end, name.encode()) for r in places]
    default = text if as_default else None
    change = adding(name, None, default=default, value=None, annotation=None, keyword_only=False)
    found += definition(function, change(slots_of(function)))
    check_frames(file, function, name)
    if as_default:
        return found
    _check_alone(resolver, function)
    calls, others = calls_of(resolver, function)
    caller = from_outside(resolver, function)
    if caller is not None:
        raise EditRefused(f"{function.name} is called by {caller}", hint="as_default: true")
    if others:
        raise EditRefused(
            f"{function.name} is used other than by a call in {others[0].path}", hint="as_default: true"
        )
    for call in calls:
        found.append(_pass(resolver, call, function, region.expression, name))
    return found


def _likewise(resolver: PythonResolver, region: Region, flow: Flow, function: Scope) -> list[Region]:
    """The other places in the function with the same value."""
    found = []
    for one in similar(resolver.types, region, function):
        if one.expression is None or one.host is not function:
            continue
        place = Place(one.expression)
        if not (place.target or place.typed or docstring(region.file, one.expression)):
            if same_names(flow, Flow(resolver.types, one)):
                found.append(one)
    return found


def _check_value(resolver: PythonResolver, region: Region, *, as_default: bool) -> None:
    """Refuse what would be another thing, or fail, where it is computed then."""
    node, file, function = region.expression, region.file, region.host
    assert node is not None
    place = Place(node)
    if place.target or place.typed or docstring(file, node):
        raise EditRefused("the selection is no value that is computed there", hint="select a value")
    check_movable(file, [node], "the selection")
    if as_default:
        check_constant(resolver, file, node)
        home = function.parent or file.module
        for word in names(file, node):
            here = file.lookup(file.scope_at(node.start_byte), word, node.start_byte)
            if here is not None and file.lookup(home, word, function.node.start_byte) is not here:
                raise EditRefused(f"{word} means something else at the definition", hint="rename it first")
        return
    if fixed(file, node):
        return
    body = function.node.child_by_field_name("body")
    first = next((c for c in body.named_children if c.type != "comment"), None) if body is not None else None
    passed = steps(first, node) if first is not None else None
    if passed is None:
        raise EditRefused(
            "the selection is computed later than the function is called", hint="as_default: true"
        )
    missed = can_fail(file, node) or acts(file, node)
    if missed and (place.lazy or _conditional(place.statement, body)):
        raise EditRefused(
            "the selection is not computed always, or not once, when the function is called",
            hint="select what the function computes in any case",
        )
    for other in passed:
        why = moves_past(file, node, other)
        if why is None and missed and any(n.type in LEAVING for n in now(other)):
            why = "the function may end before"
        if why is None and acts(file, other):
            why = shared(file, node)
        if why is not None:
            raise EditRefused(
                f"the selection would be computed before the function runs: {why}", hint="as_default: true"
            )


def _conditional(statement: Node, body: Node | None) -> bool:
    return statement.parent != body


def _check_alone(resolver: PythonResolver, function: Scope) -> None:
    """Refuse to change how one of several functions is called, or one that a decorator calls."""
    check_decorated(resolver, function)
    check_made(resolver, function)
    if function.method_of is not None and len(family(resolver, function)) > 1:
        raise EditRefused(
            f"{function.name} is overridden or overrides another", hint="give each of them the parameter"
        )


def _pass(resolver: PythonResolver, call: Call, function: Scope, value: Node, name: str) -> Splice:
    """The new argument at one call: the expression in terms of the arguments there."""
    parameters = list(function.parameters)
    swap: dict[str, tuple[str, Node | None]] = {}
    if call.receiver.startswith("super("):
        raise EditRefused(f"a call in {call.file.path} is through super()", hint="as_default: true")
    _check_once_only(call, function, value)
    if call.bound and parameters:
        swap[parameters.pop(0).name] = (call.receiver, None)
    given, extra = match(parameters, call.arguments)
    if any(argument.star for argument in extra):
        raise EditRefused(
            f"a call in {call.file.path} unpacks its arguments", hint="write its arguments out first"
        )
    for parameter in parameters:
        if parameter.name in given:
            swap[parameter.name] = (given[parameter.name].text, given[parameter.name].value)
        elif parameter.default is not None:
            swap[parameter.name] = (function.file.text(parameter.default), parameter.default)
    text = substituted(function.file, function, value, swap)
    keyed = any(argument.name for argument in call.arguments)
    arguments = [argument.written() for argument in call.arguments]
    at = next((i for i, a in enumerate(call.arguments) if a.name or a.star == "**"), len(arguments))
    arguments.insert(at, f"{name}={text}" if keyed else text)
    node = call.argument_list()
    return Splice(call.file.path, node.start_byte + 1, node.end_byte - 1, ", ".join(arguments).encode())


def _check_once_only(call: Call, function: Scope, value: Node) -> None:
    """Refuse to write an argument twice that does something."""
    if not any(name in [p.name for p in function.parameters] for name in names(function.file, value)):
        return
    called = call.node.child_by_field_name("function")
    for node in [*(argument.value for argument in call.arguments), *([called] if called is not None else [])]:
        if acts(call.file, node):
            raise EditRefused(
                f"a call in {call.file.path} would compute {call.file.text(node)[:40]} twice",
                hint="give it a name before the call first",
            )


def substituted(
    file: FileIndex, function: Scope, value: Node, swap: dict[str, tuple[str, Node | None]]
) -> str:
    """The text of `value` with the function's parameters replaced."""
    edits: list[tuple[int, int, str]] = []
    for name, (text, node) in swap.items():
        for ref in file.names.get(name, ()):
            if not value.start_byte <= ref.start < value.end_byte:
                continue
            found = file.lookup(ref.scope, name, ref.start)
            place = file.root.descendant_for_byte_range(ref.start, ref.end)
            if found is None or found.scope is not function or place is None:
                continue
            fitted = f"({text})" if node is not None and needs_parentheses(node, place) else text
            edits.append((ref.start, ref.end, fitted))
    out, at = "", value.start_byte
    for start, end, text in sorted(edits):
        out += file.data[at:start].decode() + text
        at = end
    return out + file.data[at : value.end_byte].decode()


def inline_parameter(resolver: PythonResolver, function: Scope, name: str) -> list[Splice]:
    """A parameter that every call gives the same constant (or leaves to its default) is replaced by it."""
    parameter = next((p for p in function.parameters if p.name == name), None)
    binding = function.bindings.get(name)
    if parameter is None or binding is None or parameter.kind in ("star", "kwargs"):
        raise EditRefused(f"{function.name} has no plain parameter {name}", hint="name one of its parameters")
    if len(binding.sites) > 1:
        raise EditRefused(
            f"{name} is assigned in {function.name}", hint="inline a parameter that is only read"
        )
    _check_alone(resolver, function)
    check_frames(function.file, function, name)
    caller = from_outside(resolver, function)
    if caller is not None:
        raise EditRefused(f"{function.name} is called by {caller}", hint="remove it by hand")
    if function.self_name == name:
        raise EditRefused(f"{name} is what {function.name} is called on", hint="name another parameter")
    calls, others = calls_of(resolver, function)
    if others or not calls:
        raise EditRefused(
            f"not every use of {function.name} is a call that is known", hint="remove it by hand"
        )
    texts: dict[str, Node] = {}
    for call in calls:
        own = function.parameters[1:] if call.bound else function.parameters
        given, extra = match(list(own), call.arguments)
        if any(argument.star for argument in extra):
            raise EditRefused(
                f"a call in {call.file.path} unpacks its arguments", hint="write its arguments out first"
            )
        node = given[name].value if name in given else parameter.default
        if node is None or makes(node) or any(n.type == "identifier" for n in _leaves(node)):
            raise EditRefused(
                f"a call in {call.file.path} passes no constant for {name}", hint="inline it by hand"
            )
        text = given[name].text if name in given else function.file.text(node)
        texts[text] = node
    if len(texts) != 1:
        raise EditRefused(
            f"the calls pass different values for {name}: {', '.join(texts)}", hint="inline it by hand"
        )
    text, node = next(iter(texts.items()))
    change = removing(name)
    slots = change(slots_of(function))
    found = definition(function, slots)
    for call in calls:
        splice = rewrite(call, function.parameters, slots, "keep")
        if splice is not None:
            found.append(splice)
    file = function.file
    for ref in file.names.get(name, ()):
        if file.lookup(ref.scope, name, ref.start) is binding:
            place = file.root.descendant_for_byte_range(ref.start, ref.end)
            assert place is not None
            if place.parent is not None and any(child.type == "=" for child in place.parent.children):
                if place.parent.type == "interpolation":
                    raise EditRefused(f"{name} is shown by its name in an f-string", hint="change that first")
            found.append(Splice(file.path, ref.start, ref.end, put(text, node, place).encode()))
    return found


def _leaves(node: Node) -> list[Node]:
    found: list[Node] = []
    stack = [node]
    while stack:
        current = stack.pop()
        found.append(current)
        stack.extend(current.children)
    return found
