"""When an expression that takes another's place needs parentheses, and where it cannot stand at all.

The ranks are those of MDN's table of operator precedence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.scopes.words import kinds

if TYPE_CHECKING:
    from forgewright.code.scopes.tree import Node

SEQUENCE, ASSIGNMENT, TERNARY, UNARY, POSTFIX, NEW, CALL, CLOSEST = 1, 2, 3, 15, 16, 17, 18, 20
RANK = {
    "sequence_expression": SEQUENCE,
    "assignment_expression": ASSIGNMENT,
    "augmented_assignment_expression": ASSIGNMENT,
    "arrow_function": ASSIGNMENT,
    "yield_expression": ASSIGNMENT,
    "ternary_expression": TERNARY,
    "as_expression": 10,
    "satisfies_expression": 10,
    "unary_expression": UNARY,
    "await_expression": UNARY,
    "type_assertion": UNARY,
    "update_expression": POSTFIX,
    "new_expression": CALL,
    "call_expression": CALL,
    "member_expression": CALL,
    "subscript_expression": CALL,
    "non_null_expression": CALL,
}
OPERATORS = {
    "??": 4, "||": 4, "&&": 5, "|": 6, "^": 7, "&": 8, "==": 9, "!=": 9, "===": 9, "!==": 9,
    "<": 10, "<=": 10, ">": 10, ">=": 10, "in": 10, "instanceof": 10, "<<": 11, ">>": 11, ">>>": 11,
    "+": 12, "-": 12, "*": 13, "/": 13, "%": 13, "**": 14,
}  # fmt: skip
_STARTERS = kinds("object function_expression generator_function class")
_FREE = kinds(
    "parenthesized_expression template_substitution jsx_expression return_statement throw_statement switch_case "
    "computed_property_name"
)


def operator_of(node: Node) -> str:
    found = node.get("operator")
    return found.type if found is not None else ""


def rank(node: Node) -> int:
    """How closely an expression holds together."""
    if node.type == "binary_expression":
        return OPERATORS.get(operator_of(node), 4)
    if node.type == "new_expression" and node.get("arguments") is None:
        return NEW
    return RANK.get(node.type, CLOSEST)


def needs_parentheses(value: Node, place: Node) -> bool:
    """Whether `value` must be put in parentheses where the expression `place` stands."""
    if _starts_badly(value, place):
        return True
    own, parent = rank(value), place.up
    kind = parent.type
    if kind in _FREE or (kind == "subscript_expression" and place.field == "index"):
        return False
    if kind in ("member_expression", "subscript_expression", "non_null_expression"):
        return own < CALL or value.type == "number" or _chain(value)
    if kind == "call_expression" and place.field == "function":
        return own < CALL or _chain(value) or value.type in ("function_expression", "generator_function")
    if kind == "call_expression":
        return False
    if kind == "new_expression" and place.field == "constructor":
        return own < CALL or _chain(value) or any(n.type == "call_expression" for n in _spine(value))
    if kind in ("class_heritage", "extends_clause", "decorator"):
        return own < CALL
    if kind in ("unary_expression", "await_expression", "type_assertion"):
        signs = value.text[:1] in ("+", "-") and operator_of(parent)[:1] == value.text[:1]
        return own < UNARY or signs
    if kind == "update_expression":
        return True
    if kind == "binary_expression":
        return _in_operation(value, place, parent, own)
    if kind in ("as_expression", "satisfies_expression"):
        return own < rank(parent)
    if kind == "ternary_expression":
        return own <= TERNARY if place.field == "condition" else own < ASSIGNMENT
    if kind == "expression_statement":
        return False
    return own == SEQUENCE


def _in_operation(value: Node, place: Node, parent: Node, own: int) -> bool:
    operator, outer = operator_of(parent), rank(parent)
    inner = operator_of(value) if value.type == "binary_expression" else ""
    if "??" in (operator, inner) and {operator, inner} & {"&&", "||"}:
        return True
    if operator == "**" and place.field == "left":
        return own <= outer or own == UNARY
    if operator == "**":
        return own < outer
    if place.field == "left":
        return own < outer
    if inner == operator and operator in ("&&", "||", "??"):
        return False
    signs = value.text[:1] in ("+", "-") and operator[:1] == value.text[:1]
    return own <= outer or signs


def _chain(node: Node) -> bool:
    """Whether an expression is an optional chain, which would swallow what follows."""
    return any(part.first("optional_chain") is not None or part.has("?.") for part in _spine(node))


def _spine(node: Node) -> list[Node]:
    found: list[Node] = []
    here: Node | None = node
    while here is not None and rank(here) == CALL:
        found.append(here)
        here = here.get("object") or here.get("function") or (here.items[0] if here.items else None)
        if found[-1].type == "new_expression":
            break
    return found


def _leftmost(node: Node) -> Node:
    while node.children and node.type not in _STARTERS and node.type != "parenthesized_expression":
        if node.type in ("arrow_function", "template_string", "array", "string"):
            break
        node = node.children[0]
    return node


def _starts_badly(value: Node, place: Node) -> bool:
    """Whether the value's first word would be read as a block, a function or a class declaration."""
    first = _leftmost(value)
    if first.type not in _STARTERS and value.text[:4] != "let[":
        return False
    for above in place.above():
        if above.start != place.start and above.type != "arrow_function":
            if not (above.type == "export_statement" and above.has("default")):
                return False
        if above.type == "expression_statement":
            return above.start == place.start
        if above.type == "arrow_function":
            body = above.get("body")
            if body is not None and body.start == place.start:
                return first.type == "object"
            if above.start != place.start:
                return False
        if above.type == "export_statement":
            held = above.get("value")
            return held is not None and held.start == place.start and first.type != "object"
    return False


def fitted(value: Node, place: Node) -> str:
    """The text of `value` as it must stand in the place of the expression `place`."""
    return f"({value.text})" if needs_parentheses(value, place) else value.text
