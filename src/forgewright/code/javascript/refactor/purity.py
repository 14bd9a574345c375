"""What computing an expression does: nothing, looks at what may change, makes something new, or acts."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING

from forgewright.code.javascript.names import CLASSES, FUNCTIONS
from forgewright.code.javascript.refactor.uses import written
from forgewright.code.scopes.words import kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from forgewright.code.javascript.entities import Entity
    from forgewright.code.javascript.refactor.uses import Uses
    from forgewright.code.scopes.tree import Node


class Effect(IntEnum):
    """How much an expression may not be moved, computed again, or left out."""

    CONSTANT = 0
    """The same value always, without an identity: numbers, strings, what operators make of them."""
    STABLE = 1
    """Names that are bound once, too; it cannot fail where these are bound."""
    READS = 2
    """Looks at variables that are assigned elsewhere, or at members: may fail, and may change."""
    MAKES = 3
    """Makes something with an identity (object, array, function, regular expression)."""
    ACTS = 4
    """Calls, assigns, waits."""


_LITERALS = kinds("number string true false null undefined string_fragment escape_sequence")
_MAKES = kinds("object array regex jsx_element jsx_self_closing_element jsx_fragment") | FUNCTIONS | CLASSES
_READS = kinds(
    "spread_element jsx_attribute member_expression subscript_expression this super meta_property private_property_identifier"
)
_ACTS = kinds(
    "call_expression new_expression assignment_expression augmented_assignment_expression update_expression "
    "await_expression yield_expression import"
)
_TYPES = kinds("type_annotation type_arguments type_parameters")


def effect(uses: Uses, node: Node) -> Effect:
    """The strongest effect of an expression; what a function does when it is called does not count."""
    return max((effect_of(uses, part) for part in evaluated(node)), default=Effect.CONSTANT)


STANDARD = kinds(
    "Array ArrayBuffer BigInt Boolean Date Error Function Infinity Intl JSON Map Math NaN Number Object Promise Proxy "
    "RangeError Reflect RegExp Set String Symbol TypeError WeakMap WeakSet console globalThis isFinite isNaN "
    "parseFloat parseInt undefined"
)


def missing(uses: Uses, node: Node) -> str:
    """A name in an expression that not every environment has, so that looking at it may fail; empty if none."""
    for part in evaluated(node):
        named = part.type in ("identifier", "shorthand_property_identifier") and part.text not in STANDARD
        if named and uses.meaning(part) is None:
            return part.text
    return ""


def evaluated(node: Node) -> Iterator[Node]:
    """The parts of an expression that are computed with it, without types and the insides of functions."""
    stack = [node]
    while stack:
        current = stack.pop()
        if not current.named:
            continue
        yield current
        if current.type in FUNCTIONS:
            name = current.get("name")
            if current.type == "method_definition" and name is not None:
                stack.append(name)
            continue
        children = current.children
        if current.type in ("as_expression", "satisfies_expression"):
            children = current.items[:1]
        stack.extend(reversed([child for child in children if child.type not in _TYPES]))


PURE = frozenset(
    ("Array.isArray", "BigInt", "Boolean", "Number", "Number.isFinite", "Number.isInteger", "Number.isNaN",
     "Number.parseFloat", "Number.parseInt", "Object.entries", "Object.freeze", "Object.is", "Object.keys",
     "Object.values", "String", "String.fromCharCode", "encodeURIComponent", "isFinite", "isNaN", "parseFloat",
     "parseInt")
)  # fmt: skip
"""Functions of the language that change nothing (so does all of `Math` but `random`)."""


_CONSTANTS = re.compile(r"(?:Math|Number)\.[A-Z][A-Z0-9_]*|Symbol\.[a-z]\w*")
"""Members of the language's own objects that cannot be written."""


def _harmless_call(uses: Uses, node: Node) -> bool:
    function = node.get("function")
    arguments = node.get("arguments")
    if function is None or arguments is None or arguments.type != "arguments":
        return False
    name = function.text
    head = next((n for n in function.walk() if n.type == "identifier"), None)
    known = name in PURE or (name.startswith("Math.") and name != "Math.random")
    return known and head is not None and uses.meaning(head) is None


def effect_of(uses: Uses, node: Node) -> Effect:
    """What one part of an expression does by itself."""
    kind = node.type
    if kind == "call_expression" and _harmless_call(uses, node):
        return Effect.READS
    if kind in _ACTS:
        return Effect.ACTS
    if kind in ("identifier", "shorthand_property_identifier"):
        if node.text in ("undefined", "NaN", "Infinity"):
            return Effect.CONSTANT
        return Effect.STABLE if uses.constant(uses.meaning(node)) else Effect.READS
    if kind == "member_expression" and _CONSTANTS.fullmatch(node.text):
        head = node.get("object")
        return Effect.STABLE if head is not None and uses.meaning(head) is None else Effect.READS
    if kind in _MAKES:
        return Effect.MAKES
    if kind in _READS:
        return Effect.READS
    if kind == "unary_expression":
        operator = node.get("operator")
        return Effect.ACTS if operator is not None and operator.type == "delete" else Effect.CONSTANT
    if kind == "binary_expression":
        operator = node.get("operator")
        return (
            Effect.READS
            if operator is not None and operator.type in ("in", "instanceof")
            else Effect.CONSTANT
        )
    if kind in CLASSES or kind == "class_body":
        return Effect.ACTS
    return Effect.CONSTANT


class Doing:
    """What some pieces of code do, as far as it matters for what may happen before or after them."""

    def __init__(self, uses: Uses, nodes: Iterable[Node]) -> None:
        self.acts = self.members = False
        self.variables: set[Entity] = set()
        self.assigned: set[Entity] = set()
        for top in nodes:
            for node in evaluated(top):
                self._add(uses, node)
        self._shared = {v for v in self.variables if any(u.writes for u in uses.captured(v))}

    def _add(self, uses: Uses, node: Node) -> None:
        own = effect_of(uses, node)
        if own is Effect.ACTS:
            self.acts = True
        if node.type in (
            "identifier",
            "shorthand_property_identifier",
            "shorthand_property_identifier_pattern",
        ):
            entity = uses.meaning(node)
            if entity is not None and written(node)[0]:
                self.assigned.add(entity)
            elif entity is not None and own is Effect.READS:
                self.variables.add(entity)
        elif own is Effect.READS and node.type != "this" and not _called(node):
            self.members = True

    def disturbs(self, other: Doing) -> bool:
        """Whether this happening before the other, or after it, makes a difference to the other."""
        if self.assigned & other.variables:
            return True
        return self.acts and (other.acts or other.members or bool(other._shared))


def _called(node: Node) -> bool:
    """The `a.b` of `a.b()`: which function a member is changes hardly ever."""
    return node.type == "member_expression" and node.up.type == "call_expression" and node.field == "function"


def exchangeable(uses: Uses, one: Iterable[Node], other: Iterable[Node]) -> bool:
    """Whether it makes no difference which of two pieces of code is computed first."""
    first, second = Doing(uses, one), Doing(uses, other)
    return not first.disturbs(second) and not second.disturbs(first)


def between(block: Node, start: int, end: int) -> list[Node]:
    """The largest pieces of code that lie between two offsets."""
    found: list[Node] = []
    stack = [block]
    while stack:
        node = stack.pop()
        if node.end <= start or node.start >= end or not node.named:
            continue
        if start <= node.start and node.end <= end:
            found.append(node)
        else:
            stack.extend(node.children)
    return found


def earlier(node: Node, statement: Node) -> list[Node]:
    """What `statement` computes before it comes to `node`, from the left."""
    found: list[Node] = []
    below = node
    for above in node.above():
        if below is statement:
            break
        for child in above.children:
            if child is below:
                break
            if child.named and not _named_only(child, above):
                found.append(child)
        below = above
    return found


def _named_only(node: Node, parent: Node) -> bool:
    """Whether a child names something, and is not computed."""
    if (
        node.field in ("name", "property", "label", "kind", "type", "type_annotation")
        or node.type == "comment"
    ):
        return True
    if node.field == "key":
        return node.type != "computed_property_name"
    return node.field == "left" and parent.type == "assignment_expression" and node.type == "identifier"


_LAZY_OPERATORS = ("&&", "||", "??")


def postponed(node: Node, top: Node) -> str:
    """Why `node` is not computed exactly once when `top` is; empty if it is."""
    below = node
    for above in node.above():
        if below is top:
            return ""
        reason = _postpones(below, above)
        if reason:
            return reason
        below = above
    return ""


def _postpones(below: Node, above: Node) -> str:
    kind = above.type
    if kind == "binary_expression" and below.field == "right":
        operator = above.get("operator")
        if operator is not None and operator.type in _LAZY_OPERATORS:
            return f"is computed only as the right side of {operator.type}"
    if kind == "augmented_assignment_expression" and below.field == "right":
        operator = above.get("operator")
        if operator is not None and operator.type.rstrip("=") in _LAZY_OPERATORS:
            return f"is computed only as the right side of {operator.type}"
    if kind == "ternary_expression" and below.field != "condition":
        return "is computed in one branch of ?: only"
    if below.field in ("arguments", "index") and _chained(above):
        return "is computed only where the optional chain goes on"
    if kind in ("assignment_pattern", "object_assignment_pattern") and below.field == "right":
        return "is a default, computed only where a value is missing"
    if kind in ("required_parameter", "optional_parameter") and below.field == "value":
        return "is a default, computed only where an argument is missing"
    if kind in ("while_statement", "do_statement") and below.field == "condition":
        return "is the condition of a loop, computed again each time"
    if kind == "for_statement" and below.field in ("condition", "increment"):
        return "is computed again each time the loop goes round"
    if kind == "switch_case" and below.field == "value":
        return "is computed only if no case above matches"
    if kind in ("public_field_definition", "field_definition") and below.field == "value":
        return "is computed for each instance of its class"
    if kind == "else_clause" or (kind == "if_statement" and below.field == "alternative"):
        return "is computed only if the condition above does not hold"
    if kind in ("class_heritage", "decorator", "computed_property_name", "enum_assignment"):
        return f"is part of a {kind.replace('_', ' ')}"
    return ""


def _chained(node: Node) -> bool:
    """Whether an optional chain `?.` stands left of a call's arguments or an index."""
    here: Node | None = node
    while here is not None and here.type in ("call_expression", "member_expression", "subscript_expression"):
        if here.first("optional_chain") is not None or here.has("?."):
            return True
        here = here.get("function") or here.get("object")
    return False
