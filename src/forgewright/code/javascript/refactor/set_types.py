"""Set the annotations of a TypeScript function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from forgewright.code.javascript.names import name_of
from forgewright.code.javascript.refactor.calls import function_at
from forgewright.code.javascript.refactor.parameters import check_type, place_of, slots_of, typed
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.scopes.tree import Node


def set_types(
    resolver: JavaScriptResolver, path: str, offset: int, types: Mapping[str, str], returns: str | None
) -> tuple[list[Splice], str]:
    """The splices, and the function's name; empty text takes an annotation away, None leaves the result's alone."""
    if not types and returns is None:
        raise EditRefused("expected types: or returns:", hint="types: {name: 'number'} returns: 'string'")
    function = function_at(resolver, path, offset)
    named = name_of(function) or name_of(function.up)
    name = named.text if named is not None else "the function"
    if not typed(function):
        raise EditRefused(
            f"{path} is JavaScript, which has no annotations", hint="describe them in a comment"
        )
    for text in (*types.values(), returns):
        if text:
            check_type(text, path)
    slots = slots_of(function)
    bare = function.get("parameter")
    if bare is not None:
        return [_bare(function, bare, types, returns)], name
    found: list[Splice] = []
    for parameter, text in types.items():
        slot = slots[place_of(slots, parameter, name)]
        kind = slot.node.get("type")
        mark = next((child for child in slot.node.children if child.type == "?"), None)
        start = mark.end if mark is not None else slot.pattern.end
        end = kind.end if kind is not None else start
        wanted = f": {text}" if text else ""
        if slot.node.data[start:end].decode() != wanted:
            found.append(Splice(function.path, start, end, wanted.encode()))
    if returns is not None:
        found += _result(function, returns, name)
    return found, name


def _bare(function: Node, parameter: Node, types: Mapping[str, str], returns: str | None) -> Splice:
    """`x => …` needs parentheses for any annotation."""
    if set(types) - {parameter.text}:
        raise EditRefused(f"the only parameter is {parameter.text}", hint="name that one")
    kind = types.get(parameter.text, "")
    text = parameter.text + (f": {kind}" if kind else "")
    result = f": {returns}" if returns else ""
    return Splice(function.path, parameter.start, parameter.end, f"({text}){result}".encode())


def _result(function: Node, returns: str, name: str) -> list[Splice]:
    own = name_of(function)
    if function.has("set") or (own is not None and own.text == "constructor"):
        raise EditRefused(f"{name} has no result to annotate", hint="leave returns: out")
    listed = function.get("parameters")
    assert listed is not None
    there = function.get("return_type")
    end = there.end if there is not None else listed.end
    arrow = function.type == "function_type"
    wanted = (f" => {returns}" if arrow else f": {returns}") if returns else ""
    if arrow and not returns:
        raise EditRefused(f"the type of {name} has to say what it returns", hint="give a type")
    if function.data[listed.end : end].decode() == wanted:
        return []
    return [Splice(function.path, listed.end, end, wanted.encode())]
