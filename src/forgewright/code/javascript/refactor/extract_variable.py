"""Give an expression a name: a constant before its statement, used in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.hazards import check_name
from forgewright.code.javascript.names import FUNCTIONS
from forgewright.code.javascript.refactor.purity import (
    Doing,
    Effect,
    between,
    earlier,
    effect,
    exchangeable,
    missing,
    postponed,
)
from forgewright.code.javascript.refactor.region import EXPRESSIONS, Region, check_value, line_of, uses_of
from forgewright.code.javascript.refactor.text import Anchor, anchor_of, put_before
from forgewright.code.javascript.refactor.uses import LOOPS, Uses, host_of
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.scopes.tree import Node

_JSX = ("jsx_element", "jsx_fragment")


def extract_variable(
    resolver: JavaScriptResolver, path: str, start: int, end: int, name: str, *, every: bool = False
) -> tuple[list[Splice], tuple[str, ...]]:
    """The splices, and notes on what was left as it is. Raises `EditRefused`."""
    uses, _, node = selected(resolver, path, start, end, name)
    anchor = anchor_of(node)
    check_moved(uses, node, anchor)
    check_free(uses, name, anchor)
    source = resolver.project.source(path)
    notes: list[str] = []
    if node.type in FUNCTIONS and not uses.unit.javascript and untyped(node):
        notes.append("parameters of the function got their types from where it stood, and have none now")
    if node.up.type == "expression_statement":
        at = node.start
        return [Splice(path, at, at, f"const {name} = ".encode())], tuple(notes)
    found = put_before(source, uses.unit, anchor, f"const {name} = {value_text(node)}")
    found.append(Splice(path, node.start, node.end, in_place(node, name).encode()))
    if every:
        places, left = others(uses, node, anchor)
        found += [Splice(path, other.start, other.end, in_place(other, name).encode()) for other in places]
        notes += [
            f"the same code in line {line_of(other)} may mean another value, and stays" for other in left
        ]
    return found, tuple(notes)


def selected(
    resolver: JavaScriptResolver, path: str, start: int, end: int, name: str
) -> tuple[Uses, Region, Node]:
    """The expression that is to be called `name`, and what it stands in. Raises `EditRefused`."""
    check_name(name, quoted=False)
    uses = uses_of(resolver, path)
    region = Region(uses, start, end, "expression")
    assert region.expression is not None
    node = widest(region.expression)
    check_place(node)
    return uses, region, node


def widest(node: Node) -> Node:
    """The parentheses around an expression belong to it, where they only hold it together."""
    while node.up.type == "parenthesized_expression" and node.up.up.type in (
        *EXPRESSIONS,
        "arguments",
        "pair",
    ):
        if node.up.field in ("condition", "body"):
            break
        node = node.up
    return node


def value_text(node: Node) -> str:
    """The value as it stands behind `=`: without parentheses of its own."""
    inner = node.items[0] if node.type == "parenthesized_expression" and len(node.items) == 1 else node
    bare = inner is not node and len([c for c in node.children if c.named]) == 1
    return (
        inner.text
        if bare and inner.type != "sequence_expression" and "comment" not in inner.type
        else node.text
    )


def in_place(node: Node, name: str) -> str:
    """How the name stands where the expression stood."""
    if node.up.type in _JSX or (node.up.type == "jsx_attribute" and node.type == "string"):
        return f"{{{name}}}"
    if node.type == "shorthand_property_identifier":
        return f"{node.text}: {name}"
    return name


def check_place(node: Node) -> None:
    """Refuse an expression that means something else under a name."""
    parent = node.up
    called = parent.type == "call_expression" and node.field == "function"
    if called and node.type in ("member_expression", "subscript_expression"):
        raise EditRefused(
            f"{node.text[:60]} is called as a method, which would lose its this", hint="select the whole call"
        )
    if node.type in ("super", "import") or (called and node.text in ("eval", "require", "import")):
        raise EditRefused(f"{node.text} cannot be given another name", hint="select the whole call")
    goes_on = node.field in ("object", "function") and parent.type in (
        "member_expression",
        "subscript_expression",
        "call_expression",
    )
    if goes_on and any(n.type == "optional_chain" or n.type == "?." for n in node.walk()):
        raise EditRefused("the selection is part of an optional chain", hint="select the whole chain")
    if parent.type == "expression_statement" and node.type == "string":
        raise EditRefused("this string is a directive", hint="select a value")
    if parent.type == "jsx_attribute" and node.type == "string" and any(c in node.text for c in "&\\\n"):
        raise EditRefused("strings in JSX have escapes of their own", hint="put it in braces first")
    if parent.type == "call_expression" and node.field == "arguments" and node.type == "template_string":
        raise EditRefused("the template belongs to its tag", hint="select the whole of it")
    if parent.type == "arguments" and node.type in ("string", "template_string"):
        function = parent.up.get("function")
        if function is not None and (
            function.text in ("require", "import") or function.text.endswith(".mock")
        ):
            raise EditRefused("the string names a module", hint="leave it where tools look for it")
    if parent.type == "enum_assignment":
        raise EditRefused("a constant enum takes literals only", hint="leave it")
    if parent.type == "as_expression" and parent.text.endswith(" const"):
        raise EditRefused("`as const` belongs to the value itself", hint="select it together with `as const`")


def check_moved(uses: Uses, node: Node, anchor: Anchor) -> None:
    """Refuse where the value would be computed at another time, or could not be computed yet."""
    for use in uses.within(node.start, node.end):
        for name in use.entity.names if use.entity is not None else ():
            inside = anchor.node.start <= name.start and name.end <= anchor.node.end
            if inside and not (node.start <= name.start and name.end <= node.end):
                raise EditRefused(
                    f"{use.node.text} is declared only in the statement around the selection",
                    hint="select more, or extract a function",
                )
    if node.up.type == "expression_statement":
        return
    why = postponed(node, anchor.node)
    strength = effect(uses, node)
    if why and strength > Effect.STABLE:
        raise EditRefused(f"the selection {why}", hint="extract a function instead")
    if why:
        _check_ready(uses, node, anchor)
    if not exchangeable(uses, [node], earlier(node, anchor.node)):
        raise EditRefused(
            "what stands before the selection in its statement is computed first, and one may change the other",
            hint="extract what is computed first before",
        )


def _check_ready(uses: Uses, node: Node, anchor: Anchor) -> None:
    if name := missing(uses, node):
        raise EditRefused(
            f"{name} may not be there where it is not needed", hint="extract a function instead"
        )
    for use in uses.within(node.start, node.end):
        entity = use.entity
        if entity is None or entity.kind in ("alias", "function", "parameter"):
            continue
        if any(name.start > anchor.node.start for name in entity.names):
            raise EditRefused(f"{use.node.text} has no value yet there", hint="extract a function instead")


def check_free(uses: Uses, name: str, anchor: Anchor) -> None:
    """Refuse a name that stands anywhere in the block that the new one will be known in."""
    block = anchor.node if anchor.kind == "bare" else anchor.node.up
    if block.type in ("switch_case", "switch_default"):
        block = block.up
    taken = uses.taken(name, block)
    if taken is None and block.up.type in FUNCTIONS and anchor.kind == "block":
        taken = uses.taken(name, block.up)
    if taken is not None:
        raise EditRefused(f"{name} is already used in line {line_of(taken)}", hint="choose another name")
    top = block.type == "program" and uses.unit.module is None
    if top and uses.program.global_(name) is not None:
        raise EditRefused(f"{name} is a global already", hint="choose another name")


def untyped(function: Node) -> bool:
    listed = function.get("parameters")
    if listed is None:
        return function.get("parameter") is not None
    return any(p.get("type") is None and p.get("value") is None for p in listed.items)


def others(uses: Uses, node: Node, anchor: Anchor) -> tuple[list[Node], list[Node]]:
    """(places of the same value, places of the same text whose value may be another) after the new variable."""
    if effect(uses, node) >= Effect.MAKES:
        raise EditRefused(
            f"{node.text[:60]} is computed each time, and may give another value each time",
            hint="extract the one place only",
        )
    if anchor.kind != "block":
        return [], []
    block = anchor.node.up
    found: list[Node] = []
    left: list[Node] = []
    for other in block.walk():
        if (
            other.start < node.end
            or other.type != node.type
            or other.text != node.text
            or other.field == "left"
        ):
            continue
        if any(other.within(one) for one in found) or not same_meaning(uses, node, other):
            continue
        if not is_value(other):
            continue
        (found if _unchanged(uses, node, other, anchor) else left).append(other)
    return found, left


def is_value(node: Node) -> bool:
    """Whether a name can stand for an expression where it stands."""
    try:
        check_value(node)
        check_place(node)
    except EditRefused:
        return False
    return True


def same_meaning(uses: Uses, one: Node, other: Node) -> bool:
    """Whether two pieces of the same text name the same things."""
    shift = other.start - one.start
    mine = [(u.node.start, u.entity) for u in uses.within(one.start, one.end)]
    theirs = [(u.node.start - shift, u.entity) for u in uses.within(other.start, other.end)]
    special = any(n.type in ("this", "super", "meta_property") for n in one.walk())
    return mine == theirs and (not special or host_of(one) is host_of(other))


def _unchanged(uses: Uses, node: Node, other: Node, anchor: Anchor) -> bool:
    """Whether nothing between two places can have changed the value."""
    own = Doing(uses, [node])
    stable = effect(uses, node) <= Effect.STABLE
    if stable:
        return True
    if host_of(node) is not host_of(other) or _loops(other, anchor.node.up):
        return False
    return not Doing(uses, between(anchor.node.up, node.end, other.start)).disturbs(own)


def _loops(node: Node, block: Node) -> bool:
    for above in node.above():
        if above is block:
            return False
        if above.type in LOOPS:
            return True
    return False
