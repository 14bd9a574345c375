"""An expression of a function's body becomes a parameter: its default, or what every call passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.names import name_of
from forgewright.code.javascript.refactor.annotate import Annotations
from forgewright.code.javascript.refactor.calls import family_at
from forgewright.code.javascript.refactor.changes import outcome
from forgewright.code.javascript.refactor.extract_variable import (
    in_place,
    selected,
    value_text,
)
from forgewright.code.javascript.refactor.inline_variable import check_names
from forgewright.code.javascript.refactor.parameters import Fresh, adding, slots_of
from forgewright.code.javascript.refactor.purity import Doing, Effect, between, effect, missing, postponed
from forgewright.code.javascript.refactor.region import line_of
from forgewright.code.javascript.refactor.signature import change_signature
from forgewright.code.javascript.refactor.uses import LOOPS, host_of, this_of
from forgewright.code.project import Splice
from forgewright.code.scopes.words import kinds
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.refactor.uses import Uses
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.operations.base import Outcome
    from forgewright.code.scopes.tree import Node

_NAMED = kinds("variable_declarator pair public_field_definition field_definition assignment_expression")
_BRANCHES = kinds("if_statement switch_case switch_default try_statement") | LOOPS


def introduce_parameter(
    resolver: JavaScriptResolver, path: str, start: int, end: int, name: str, *, as_default: bool
) -> Outcome:
    """Raises `EditRefused`."""
    uses, _, node = selected(resolver, path, start, end, name)
    function, called = _function(node)
    _check_moved(uses, node, function)
    family = family_at(resolver, path, called.start, hierarchy=False)
    if family.functions != [function]:
        raise EditRefused(
            f"{called.text} has several declarations", hint="add the parameter with (add-parameter …) to all"
        )
    if not as_default:
        _check_seen(uses, node, function, [call.node for call in family.only_calls()])
    text = value_text(node)
    type_ = ""
    if not as_default and not uses.unit.javascript:
        types = Annotations(resolver.checker, uses, uses.unit.scope_at(function.up))
        type_ = types.said(resolver.checker.widened(node))
    fresh = Fresh(name, type_, text if as_default else None, None if as_default else text)
    done = change_signature(resolver, family, adding(slots_of(function), fresh, None, called.text))
    done.add(Splice(path, node.start, node.end, in_place(node, name).encode()))
    if not as_default and not type_ and not uses.unit.javascript:
        done.notes.append(f"the type could not be told of: {name}")
    return outcome(done, f"introduced {name}", (name,))


def _function(node: Node) -> tuple[Node, Node]:
    """(function, its name) of the innermost function around that has one."""
    host = host_of(node)
    while host.parent is not None:
        name = name_of(host) if host.type != "arrow_function" else None
        if name is None and host.up.type in _NAMED and host.field in ("value", "right"):
            name = name_of(host.up) or host.up.get("left")
        body = host.get("body")
        if name is not None and body is not None and node.within(body) and host.type != "class_static_block":
            return host, name
        host = host_of(host)
    raise EditRefused(
        "no function with a name stands around the selection", hint="extract a variable instead"
    )


def _check_moved(uses: Uses, node: Node, function: Node) -> None:
    """Refuse what cannot be computed before the body, or would not be the same."""
    body = function.get("body")
    assert body is not None
    hint = "extract a variable, or a function"
    for use in uses.within(node.start, node.end):
        if use.entity is not None and any(n.within(body) for n in use.entity.names):
            if not all(n.within(node) for n in use.entity.names):
                raise EditRefused(f"{use.node.text} is declared in the function's body", hint=hint)
    special = [n for n in node.walk() if n.type in ("this", "super") or n.text == "arguments"]
    if special and this_of(node) is not this_of(body):
        raise EditRefused(f"{special[0].text} is another one there", hint=hint)
    if any(n.type in ("await_expression", "yield_expression") for n in node.walk()):
        raise EditRefused("the selection waits, which a parameter cannot", hint=hint)
    if effect(uses, node) <= Effect.STABLE and not missing(uses, node):
        return
    why = postponed(node, body)
    inside = host_of(node) is not function
    around = [a for a in node.above() if a.within(body) and a.type in _BRANCHES]
    if why or inside or around:
        raise EditRefused("the selection is not computed exactly once in each call", hint=hint)
    own = Doing(uses, [node])
    before = Doing(uses, between(body, body.start, node.start))
    if before.disturbs(own) or own.disturbs(before):
        raise EditRefused("what comes before the selection may change its value", hint=hint)


def _check_seen(uses: Uses, node: Node, function: Node, calls: list[Node]) -> None:
    """Refuse where a call does not know what the expression names."""
    names = [use for use in uses.within(node.start, node.end) if use.entity is not None]
    for use in names:
        if use.entity is not None and any(n.within(function) for n in use.entity.names):
            raise EditRefused(
                f"{use.node.text} is a parameter of the function",
                hint="make it a default, with as_default: true",
            )
    if any(n.type in ("this", "super") for n in node.walk()):
        raise EditRefused(
            "this is another one where it is called", hint="make it a default, with as_default: true"
        )
    for call in calls:
        if call.path != node.path:
            if names:
                raise EditRefused(
                    f"{call.path} does not know {names[0].node.text}",
                    hint="make it a default, with as_default: true",
                )
            continue
        check_names(uses, node, call)
    if not calls:
        raise EditRefused(
            f"nothing calls the function of line {line_of(function)}", hint="use as_default: true"
        )
