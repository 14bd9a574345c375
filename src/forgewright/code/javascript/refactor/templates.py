"""A concatenation of strings as a template literal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.javascript.refactor.precedence import operator_of
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.scopes.tree import Node

_STRINGS = ("string", "template_string")
_OCTAL = re.compile(r"(?<!\\)(?:\\\\)*\\(?:[1-9]|0\d)")
_PIECE = re.compile(r"\\.|`|\$\{", re.DOTALL)


def template_literal(node: Node) -> str:
    """The template literal that says the same as `'a' + b`. Raises `EditRefused`."""
    operands = _operands(node)
    first = next((at for at, one in enumerate(operands) if one.type in _STRINGS), -1)
    if first < 0 or len(operands) < 2:
        raise EditRefused("the selection is no concatenation with a string literal")
    for above in node.walk():
        if above.type == "comment" and not any(above.within(one) for one in operands):
            raise EditRefused("a comment stands between the strings", hint="take the comment out first")
    pieces: list[str] = []
    raw = ""
    if first > 0:
        data = node.data[operands[0].start : operands[first - 1].end].decode("utf-8", "surrogateescape")
        pieces.append(_substitution(operands[0], data if first > 1 else operands[0].text))
    for one in operands[first:]:
        if one.type == "string":
            raw += _raw(one)
            continue
        pieces.append(_escaped(raw))
        raw = ""
        pieces.append(one.text[1:-1] if one.type == "template_string" else _substitution(one, one.text))
    pieces.append(_escaped(raw))
    return f"`{_joined(pieces)}`"


def concatenation(node: Node) -> Node:
    """The whole concatenation that a node is, or begins."""
    while node.up.type == "binary_expression" and operator_of(node.up) == "+" and node.field == "left":
        node = node.up
    return node


def _operands(node: Node) -> list[Node]:
    """The operands of `a + b + c`, from the left."""
    found: list[Node] = []
    here = node
    while here.type == "binary_expression" and operator_of(here) == "+":
        left, right = here.get("left"), here.get("right")
        assert left is not None
        assert right is not None
        found.append(right)
        here = left
    return [here, *reversed(found)]


def _raw(node: Node) -> str:
    text = node.text[1:-1]
    if _OCTAL.search(text):
        raise EditRefused(f"{node.text[:40]} has an octal escape, which templates do not know")
    return text


def _escaped(text: str) -> str:
    """What stands between the quotes of a string, as it must stand in a template."""
    text = _PIECE.sub(lambda found: found[0] if found[0][0] == "\\" else "\\" + found[0], text)
    return re.sub(r"""(?<!\\)((?:\\\\)*)\\(['"])""", r"\1\2", text)


def _joined(pieces: list[str]) -> str:
    """The pieces behind each other; a `$` at the end of one is not read with a `{` of the next."""
    out = ""
    for piece in pieces:
        if out.endswith("$") and piece.startswith("{"):
            out = out[:-1] + "\\$"
        out += piece
    return out


def _substitution(node: Node, text: str) -> str:
    inner = node.items[0] if node.type == "parenthesized_expression" and len(node.items) == 1 else None
    if inner is not None and text == node.text and node.children[1] is inner and len(node.children) == 3:
        text = inner.text
    if "//" in text and any(n.type == "comment" for n in node.walk()):
        raise EditRefused("a comment stands in the concatenation", hint="take the comment out first")
    return f"${{{text}}}"
