"""When a piece of code that takes another's place needs parentheses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

RANK = {
    "named_expression": 0,
    "expression_list": 0,
    "yield": 0,
    "lambda": 1,
    "conditional_expression": 2,
    "boolean_operator": 3,
    "not_operator": 5,
    "comparison_operator": 6,
    "binary_operator": 7,
    "unary_operator": 13,
    "await": 15,
}
"""The language reference's table of operator precedence, loosest first; what is not here binds closest."""
OPERATORS = {
    "|": 7,
    "^": 8,
    "&": 9,
    "<<": 10,
    ">>": 10,
    "+": 11,
    "-": 11,
    "*": 12,
    "@": 12,
    "/": 12,
    "//": 12,
    "%": 12,
    "**": 14,
}
CLOSEST = 20


def rank(node: Node) -> int:
    """How closely an expression holds together."""
    if node.type == "binary_operator":
        operator = node.child_by_field_name("operator")
        return OPERATORS.get(operator.type if operator is not None else "", 7)
    if node.type == "boolean_operator":
        return 3 if node.children[1].type == "or" else 4
    if node.type == "expression_statement":
        return 0
    return RANK.get(node.type, CLOSEST)


def needs_parentheses(value: Node, place: Node) -> bool:
    """Whether `value` must be put in parentheses where `place` stands."""
    own = rank(value)
    parent = place.parent
    if parent is None:
        return False
    kind = parent.type
    if kind == "attribute" and place == parent.child_by_field_name("object"):
        return own < CLOSEST or value.type == "integer"
    if kind == "call" and place == parent.child_by_field_name("function"):
        return own < CLOSEST
    if kind == "subscript" and place == parent.child_by_field_name("value"):
        return own < CLOSEST
    if own == CLOSEST:
        return False
    if kind in RANK and kind not in ("named_expression", "expression_list", "yield"):
        outer = rank(parent)
        if kind == "binary_operator" or kind == "comparison_operator":
            right = place != parent.named_children[0]
            power = kind == "binary_operator" and outer == 14
            if power:
                return own <= outer
            return own < outer or (own == outer and (right or kind == "comparison_operator"))
        if kind == "unary_operator":
            return own < outer
        if kind in ("conditional_expression", "lambda"):
            return own <= 2 if kind == "conditional_expression" else own < 1
        return own < outer
    if kind in ("list_splat", "dictionary_splat"):
        return own < 7
    if own == 0:
        inside = (
            "return_statement",
            "assignment",
            "expression_statement",
            "parenthesized_expression",
            "subscript",
        )
        if value.type in ("expression_list", "expression_statement"):
            return kind not in inside
        return kind not in ("parenthesized_expression",)
    return False


def put(text: str, value: Node, place: Node) -> str:
    """The text of `value` as it stands at `place`. Raises `EditRefused` inside an f-string that it would break."""
    _check_string(text, place)
    if needs_parentheses(value, place) or (
        "\n" in text and not _bracketed(place) and value.type not in CLOSED
    ):
        return f"({text})"
    return text


CLOSED = frozenset(
    [
        "list",
        "tuple",
        "set",
        "dictionary",
        "list_comprehension",
        "set_comprehension",
        "dictionary_comprehension",
        "parenthesized_expression",
        "generator_expression",
        "call",
        "subscript",
        "string",
    ]
)


def _bracketed(place: Node) -> bool:
    current = place.parent
    while current is not None:
        if current.type in (
            "argument_list",
            "parenthesized_expression",
            "list",
            "tuple",
            "set",
            "dictionary",
        ):
            return True
        if current.type.endswith("_statement"):
            return False
        current = current.parent
    return False


def _check_string(text: str, place: Node) -> None:
    current = place.parent
    while current is not None and not current.type.endswith("_statement"):
        if current.type == "string":
            opening = (current.children[0].text or b"").decode().lstrip("rRbBfFuUtT")
            if opening[:1] in text or "\n" in text or "\\" in text:
                raise EditRefused(
                    "the value does not fit into the f-string around its use",
                    hint="take it out of the f-string first",
                )
        current = current.parent
