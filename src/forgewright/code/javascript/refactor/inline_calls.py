"""The calls of a function that is inlined: all of them, or a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.refactor.inline_function import Inliner
from forgewright.code.javascript.refactor.inline_variable import (
    check_private,
    delete_statement,
    removed_declarator,
)
from forgewright.code.javascript.refactor.region import line_of
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Entity
    from forgewright.code.javascript.refactor.uses import Uses
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.project import Splice
    from forgewright.code.scopes.tree import Node


def inline_function(
    resolver: JavaScriptResolver,
    uses: Uses,
    entity: Entity,
    function: Node,
    *,
    only: int | None,
    remove: bool,
) -> list[Splice]:
    """Put the body where the function is called: at the byte `only`, else everywhere. Raises `EditRefused`."""
    inliner = Inliner(resolver, uses, entity, function)
    calls = _calls(resolver, uses, entity, function, remove)
    if only is not None:
        calls = [call for call in calls if call.start <= only <= call.end][-1:]
    if not calls:
        raise EditRefused(f"nothing calls {entity.name}", hint="delete it instead")
    for first, second in zip(calls, calls[1:], strict=False):
        if second.start < first.end:
            raise EditRefused(
                f"a call of {entity.name} stands in the arguments of another in line {line_of(first)}",
                hint="inline one of them with only_here first",
            )
    found = [splice for call in calls for splice in inliner.splices(call)]
    if remove:
        if function.up.type == "variable_declarator":
            found += removed_declarator(inliner.source, function.up)
        else:
            found.append(delete_statement(inliner.source, function))
    return found


def _calls(
    resolver: JavaScriptResolver, uses: Uses, entity: Entity, function: Node, remove: bool
) -> list[Node]:
    """All calls in the file, in order. Raises `EditRefused` for uses that are none, or elsewhere."""
    name = entity.name
    if function.type == "method_definition":
        names = _member_uses(resolver, uses, entity, remove)
    else:
        if remove:
            check_private(resolver, entity, entity.names[0].up)
        names = [use.node for use in uses.of(entity) if not use.declares]
    found = []
    for node in names:
        callee = node.up if node.up.type == "member_expression" and node.field == "property" else node
        called = callee.up.type == "call_expression" and callee.field == "function"
        arguments = callee.up.get("arguments") if called else None
        optional = any(
            n.type == "optional_chain" or n.type == "?." for n in [*callee.children, *callee.up.children]
        )
        if arguments is not None and arguments.type == "arguments" and not optional:
            found.append(callee.up)
        elif remove:
            raise EditRefused(
                f"{name} is used in line {line_of(node)}, and not called",
                hint="inline single calls with only_here",
            )
    return sorted(found, key=lambda call: call.start)


def _member_uses(resolver: JavaScriptResolver, uses: Uses, entity: Entity, remove: bool) -> list[Node]:
    symbol = resolver.symbol_here(uses.unit.path, entity.names[0].start)
    assert symbol is not None
    found = []
    for place in resolver.occurrences(symbol):
        if place.start == entity.names[0].start and place.path == uses.unit.path:
            continue
        if not place.certain and remove:
            raise EditRefused(
                f"whether {entity.name} is meant in {place.path} is not certain",
                hint="inline single calls with only_here",
            )
        if place.role in ("definition", "keyword"):
            raise EditRefused(
                f"{entity.name} is overridden, or overrides another, in {place.path}",
                hint="inline it by hand",
            )
        if place.path != uses.unit.path:
            if remove:
                raise EditRefused(
                    f"{entity.name} is used in {place.path}", hint="inline single calls with only_here"
                )
            continue
        if place.certain:
            found.append(uses.unit.root.at(place.start))
    return found
