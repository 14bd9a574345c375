"""Calls that leave a parameter to its default pass it themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from forgewright.code.project import Splice
from forgewright.code.python.refactor.arguments import rewrite
from forgewright.code.python.refactor.callers import check_decorated, inherited
from forgewright.code.python.refactor.calls import Call, calls_of, match
from forgewright.code.python.refactor.constant import check_constant
from forgewright.code.python.refactor.dispatch import from_outside
from forgewright.code.python.refactor.effects import fixed, names
from forgewright.code.python.refactor.signature import family, slots_of
from forgewright.code.python.scopes import Scope
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.binding import Occurrence
    from forgewright.code.python.resolver import PythonResolver


def inline_default(
    resolver: PythonResolver, function: Scope, which: str | int, *, remove: bool
) -> list[Splice]:
    """Calls that leave a parameter to its default pass it; `remove` takes the default off."""
    slots = slots_of(function)
    found = [p for i, p in enumerate(function.parameters) if which in (i, p.name)]
    if not found or found[0].default is None:
        raise EditRefused(
            f"there is no parameter {which} with a default", hint="name a parameter that has one"
        )
    parameter = found[0]
    assert parameter.default is not None
    check_constant(resolver, function.file, parameter.default)
    if function.method_of is not None and len(family(resolver, function)) > 1:
        raise EditRefused(
            f"{function.name} is overridden or overrides another, which may have another default",
            hint="write the arguments by hand",
        )
    text = function.file.text(parameter.default)
    edits: list[Splice] = []
    calls, others = calls_of(resolver, function)
    if remove:
        _check_removable(resolver, function, others)
    for call in calls:
        own = list(function.parameters)
        if call.bound:
            own = own[1:]
        given, extra = match(own, call.arguments)
        if parameter.name in given:
            continue
        if any(a.star for a in extra):
            if remove:
                raise EditRefused(
                    f"a call in {call.file.path} unpacks its arguments", hint="write its arguments out first"
                )
            continue
        _check_same(call, function, parameter.default)
        wanted = [
            s if s.name != parameter.name else msgspec.structs.replace(s, new=True, value=text) for s in slots
        ]
        splice = rewrite(call, function.parameters, wanted, "keep")
        if splice is not None:
            edits.append(splice)
    if remove:
        cut = function.file.data.rfind(b"=", parameter.node.start_byte, parameter.default.start_byte)
        while function.file.data[cut - 1 : cut] == b" ":
            cut -= 1
        edits.append(Splice(function.file.path, cut, parameter.default.end_byte, b""))
    return edits


def _check_removable(resolver: PythonResolver, function: Scope, others: list[Occurrence]) -> None:
    check_decorated(resolver, function)
    caller = from_outside(resolver, function) or inherited(resolver, function)
    if caller is not None:
        raise EditRefused(f"{function.name} is called by {caller}", hint="leave the default: remove: false")
    if others:
        raise EditRefused(
            f"{function.name} is used other than by a call in {others[0].path}", hint="remove: false"
        )


def _check_same(call: Call, function: Scope, default: Node) -> None:
    """Refuse where a name in the default means another thing at the call."""
    if fixed(function.file, default):
        return
    here = function.parent or function.file.module
    for word in names(function.file, default):
        binding = function.file.lookup(here, word, default.start_byte)
        if binding is None:
            continue
        if (
            call.file is not function.file
            or call.file.lookup(call.scope, word, call.node.start_byte) is not binding
        ):
            raise EditRefused(
                f"{word} means something else, or nothing, in {call.file.path}", hint="import it there first"
            )
