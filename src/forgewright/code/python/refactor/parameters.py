"""Introduce a parameter for an expression of a function's body, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.refactor.calls import Call, calls_of, match
from forgewright.code.python.refactor.dispatch import from_outside
from forgewright.code.python.refactor.flow import Flow
from forgewright.code.python.refactor.precedence import needs_parentheses, put
from forgewright.code.python.refactor.region import Region
from forgewright.code.python.refactor.signature import definition, rewrite, slots_of
from forgewright.code.python.refactor.signature_changes import adding, removing
from forgewright.code.python.refactor.similar import similar
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
    places = [region, *(r for r in similar(resolver.types, region, function) if r.host is function)]
    found = [Splice(file.path, r.start, r.end, name.encode()) for r in places]
    default = text if as_default else None
    change = adding(name, None, default=default, value=None, annotation=None, keyword_only=False)
    found += definition(function, change(slots_of(function)))
    if as_default:
        return found
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


def _pass(resolver: PythonResolver, call: Call, function: Scope, value: Node, name: str) -> Splice:
    """The new argument at one call: the expression in terms of the arguments there."""
    parameters = list(function.parameters)
    swap: dict[str, tuple[str, Node | None]] = {}
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
        if node is None or any(n.type == "identifier" for n in _leaves(node)):
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
