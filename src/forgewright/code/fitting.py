"""Whether an expression can take a call's place in a Python file without the rest of it being read differently.

A call is a *primary* (Python language reference 6.3), and so are names, attributes, subscriptions and other calls:
by the grammar one may stand wherever another does. What is left to see is that the new text is one by itself, and
that its first and last tokens do not run into their neighbours. Many files are changed without compiling each.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.project import Source

DEEPER_MAX = 8
"""Brackets more than before: CPython takes 200 levels of them."""

_BOUND_TO_PLACE = (b":=", b"yield", b"await", b"async")
"""What the compiler refuses in some places, whatever the grammar says, and what binds a name."""
_PLACES = re.compile(rb":=|\b(?:yield|await|async|lambda|for|from)\b")
_NOT_IN_FSTRINGS = re.compile(rb"""['"\\\n#]""")
_FSTRING = re.compile(rb"""\b(?:f|F|fr|Fr|fR|FR|rf|Rf|rF|RF)['"]""")
_COOKIE = re.compile(rb"^[ \t\f]*#.*coding[:=]", re.M)
"""Another encoding than UTF-8 may be declared (PEP 263)."""
_PART = re.compile(rb"[\w\x80-\xff]")
_JOINING = re.compile(rb"""[\w\x80-\xff'"]""")
_ARGUMENTS = frozenset(
    (
        "attribute",
        "binary_operator",
        "boolean_operator",
        "call",
        "comparison_operator",
        "concatenated_string",
        "dictionary",
        "dictionary_comprehension",
        "false",
        "float",
        "identifier",
        "integer",
        "list",
        "list_comprehension",
        "none",
        "not_operator",
        "parenthesized_expression",
        "set",
        "set_comprehension",
        "string",
        "subscript",
        "true",
        "tuple",
        "unary_operator",
    )
)
_PRIMARIES = (ast.Call, ast.Attribute, ast.Subscript, ast.Name)


class Fitting:
    """One file, in which calls are to be replaced. Everything here says True only if it is sure."""

    def __init__(self, source: Source) -> None:
        self._data = source.data
        self._sound = source.language == "python" and not source.tree.root_node.has_error
        self._utf8 = not _COOKIE.search(self._data[:300])

    def fits(self, node: Node, text: bytes, *, primary: bool = False) -> bool:
        """Whether the file is as well-formed with `text` in the place of `node` as it was without.

        `primary`: the text is known to be one, as `filled` tells.
        """
        data, start, end = self._data, node.start_byte, node.end_byte
        if not self._sound or node.type != "call" or not (self._utf8 or text.isascii()):
            return False
        old = data[start:end]
        if _bound_to_place(text) or _bound_to_place(old):
            if _PLACES.findall(text) != _PLACES.findall(old):
                return False
        if _brackets(text) > _brackets(old) + DEEPER_MAX:
            return False
        if start and _PART.match(data, start - 1) and _JOINING.match(text):
            return False
        if _PART.match(text, len(text) - 1) and _JOINING.match(data, end):
            return False
        if (
            (_NOT_IN_FSTRINGS.search(text) or text.startswith(b"{"))
            and self._fstrings
            and _interpolated(node)
        ):
            return False
        return primary or _primary(text)

    @cached_property
    def _fstrings(self) -> bool:
        return _FSTRING.search(self._data) is not None


def _bound_to_place(text: bytes) -> bool:
    return any(mark in text for mark in _BOUND_TO_PLACE)


def filled(taken: Sequence[Node]) -> bool:
    """Whether captured code is one expression that may stand wherever a call takes an argument by position."""
    return len(taken) == 1 and taken[0].type in _ARGUMENTS


@lru_cache(64)
def takes_arguments(text: str, names: Sequence[str]) -> bool:
    """Whether a text is one primary, in which each of these names stands once: as an argument by position.

    Other expressions in their places leave it one: such an argument begins and ends at a comma or bracket.
    """
    if not _primary(text.encode()):
        return False
    arguments: set[str] = set()
    for node in ast.walk(ast.parse(text, mode="eval")):
        if isinstance(node, ast.JoinedStr):
            return False
        if isinstance(node, ast.Call):
            arguments.update(argument.id for argument in node.args if isinstance(argument, ast.Name))
    return all(text.count(name) == 1 and name in arguments for name in names)


def _brackets(text: bytes) -> int:
    return text.count(b"(") + text.count(b"[") + text.count(b"{")


def _primary(text: bytes) -> bool:
    """Whether the whole text is one call, attribute, subscription or name."""
    text = text.replace(b"\r\n", b"\n")
    if b"\r" in text:
        return False
    try:
        parsed = compile(text, "expression", "eval", ast.PyCF_ONLY_AST, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    assert isinstance(parsed, ast.Expression)
    body = parsed.body
    last = len(text) - 1 - text.rfind(b"\n")
    return (
        isinstance(body, _PRIMARIES)
        and body.col_offset == 0
        and body.lineno == 1
        and (body.end_lineno, body.end_col_offset) == (text.count(b"\n") + 1, last)
    )


def _interpolated(node: Node) -> bool:
    up = node.parent
    while up is not None and up.type != "interpolation":
        up = up.parent
    return up is not None
