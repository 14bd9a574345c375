"""Turn a boolean function round: what it returns is negated, and so is every call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.refactor.calls import calls_of
from forgewright.code.python.refactor.dispatch import replaced
from forgewright.code.python.refactor.fields import is_boolean, negated
from forgewright.code.python.refactor.flow_ends import always_returns
from forgewright.code.python.refactor.precedence import RANK
from forgewright.code.python.refactor.signature import family
from forgewright.code.python.scopes import Scope
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.python.resolver import PythonResolver


def invert_function(resolver: PythonResolver, function: Scope) -> list[Splice]:
    """The splices, without a new name. Raises `EditRefused` where a use would not follow."""
    file = function.file
    if function.is_async or function.yields or len(family(resolver, function)) > 1:
        raise EditRefused(
            f"{function.dotted()} is async, a generator, or one of several that override each other",
            hint="invert a plain function",
        )
    if any(
        resolver.types.decorator_name(function, d) not in ("staticmethod", "classmethod")
        for d in function.decorators
    ):
        raise EditRefused(f"{function.name} has decorators", hint="take them off first")
    body = function.node.child_by_field_name("body")
    assert body is not None
    if not always_returns(body):
        raise EditRefused(f"{function.name} can end without a return", hint="let it return False there first")
    found: list[Splice] = []
    for statement in function.returns:
        value = next((child for child in statement.named_children if child.type != "comment"), None)
        if value is None:
            raise EditRefused(
                f"{function.name} returns nothing somewhere", hint="let it return False there first"
            )
        if not is_boolean(value) and not _says_bool(function):
            raise EditRefused(
                f"{function.name} is not known to be boolean: {file.text(value)[:60]}",
                hint="annotate it with -> bool, if it is",
            )
        found.append(Splice(file.path, value.start_byte, value.end_byte, negated(file, value).encode()))
    put = replaced(resolver, function)
    if put is not None:
        raise EditRefused(
            f"{put} puts something else in the place of {function.name}", hint="change that first"
        )
    calls, others = calls_of(resolver, function)
    if others:
        row = resolver.file(others[0].path).data.count(b"\n", 0, others[0].start) + 1
        raise EditRefused(
            f"{function.name} is used other than by a call in {others[0].path}:{row}",
            hint="change that first",
        )
    inside = {(splice.start, splice.end) for splice in found}
    for call in calls:
        node, parent = call.node, call.node.parent
        if call.file is file and any(start <= node.start_byte < end for start, end in inside):
            raise EditRefused(f"{function.name} returns what it calls itself for", hint="invert it by hand")
        if parent is not None and parent.type == "not_operator":
            found.append(Splice(call.file.path, parent.start_byte, node.start_byte, b""))
            continue
        tight = parent is not None and (
            parent.type in RANK or parent.type in ("attribute", "subscript", "call")
        )
        tight = (
            tight
            and parent is not None
            and parent.type not in ("boolean_operator", "lambda", "named_expression")
        )
        tight = tight and parent is not None and parent.type != "conditional_expression"
        found.append(Splice(call.file.path, node.start_byte, node.start_byte, b"(not " if tight else b"not "))
        if tight:
            found.append(Splice(call.file.path, node.end_byte, node.end_byte, b")"))
    return found


def _says_bool(function: Scope) -> bool:
    annotation = function.node.child_by_field_name("return_type")
    return annotation is not None and annotation.text == b"bool"
