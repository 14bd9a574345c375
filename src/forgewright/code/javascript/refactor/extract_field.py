"""A fixed value of a method becomes a static field of its class: no instance gets another property by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.names import name_of
from forgewright.code.javascript.refactor.extract_constant import check_fixed
from forgewright.code.javascript.refactor.extract_variable import (
    in_place,
    selected,
    value_text,
)
from forgewright.code.javascript.refactor.fresh_members import check_member
from forgewright.code.javascript.refactor.text import semicolons, with_comments
from forgewright.code.layout import indentation, line_end
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.resolver import JavaScriptResolver

_LATER = ("const", "let", "class", "enum", "var")


def extract_field(resolver: JavaScriptResolver, path: str, start: int, end: int, name: str) -> list[Splice]:
    """The splices. Raises `EditRefused`."""
    uses, region, node = selected(resolver, path, start, end, name)
    member = region.this_host
    if member.up.type != "class_body":
        raise EditRefused("the selection stands in no method", hint="extract a variable or a constant")
    body, owner = member.up, member.up.up
    called = name_of(owner)
    if called is None:
        raise EditRefused("the class has no name", hint="give it one first, or extract a constant")
    check_fixed(uses, node)
    for use in uses.within(node.start, node.end):
        entity = use.entity
        if entity is not None and entity.kind in _LATER and any(n.start > owner.start for n in entity.names):
            raise EditRefused(
                f"{use.node.text} has no value yet where the class is made", hint="extract a variable"
            )
    if uses.visible(uses.unit.scope_at(node), called.text) is not uses.unit.decl[called].real:
        raise EditRefused(f"{called.text} means something else there", hint="extract a constant")
    check_member(resolver, owner, name)
    first = body.items[0]
    at = with_comments(first)
    indent = indentation(node.data, first.start).decode()
    stop = ";" if semicolons(uses.unit) or first.text[:1] in ("[", "(", "*") else ""
    text = f"static {name} = {value_text(node)}{stop}{line_end(node.data).decode()}{indent}"
    return [
        Splice(path, at, at, text.encode()),
        Splice(path, node.start, node.end, in_place(node, f"{called.text}.{name}").encode()),
    ]
