"""Whether an expression can take a call's place in a Python file without the rest of it being read differently.

A call is a *primary* (Python language reference 6.3), and so are names, attributes, subscriptions and other calls:
by the grammar one may stand wherever another does. What is left to see is that the new text is one by itself, and
that its first and last tokens do not run into their neighbours. Many files are changed without compiling each.
"""

from __future__ import annotations

import ast
import re
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.project import Source

DEEPER_MAX = 8
"""Brackets more than before: CPython takes 200 levels of them."""

_BOUND_TO_PLACE = re.compile(rb":=|\b(?:yield|await|async)\b")
"""What the compiler refuses in some places, whatever the grammar says, and what binds a name."""
_PLACES = re.compile(rb":=|\b(?:yield|await|async|lambda|for|from)\b")
_NOT_IN_FSTRINGS = re.compile(rb"""['"\\\n#]""")
_FSTRING = re.compile(rb"""\b(?:f|F|fr|Fr|fR|FR|rf|Rf|rF|RF)['"]""")
_COOKIE = re.compile(rb"^[ \t\f]*#.*coding[:=]", re.M)
"""Another encoding than UTF-8 may be declared (PEP 263)."""
_PART = re.compile(rb"[\w\x80-\xff]")
_JOINING = re.compile(rb"""[\w\x80-\xff'"]""")
_PRIMARIES = (ast.Call, ast.Attribute, ast.Subscript, ast.Name)


class Fitting:
    """One file, in which calls are to be replaced. Everything here says True only if it is sure."""

    def __init__(self, source: Source) -> None:
        self._data = source.data
        self._sound = source.language == "python" and not source.tree.root_node.has_error
        self._utf8 = not _COOKIE.search(self._data[:300])

    def fits(self, node: Node, text: bytes) -> bool:
        """Whether the file is as well-formed with `text` in the place of `node` as it was without."""
        data, start, end = self._data, node.start_byte, node.end_byte
        if not self._sound or node.type != "call" or not (self._utf8 or text.isascii()):
            return False
        old = data[start:end]
        if _BOUND_TO_PLACE.search(text) or _BOUND_TO_PLACE.search(old):
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
        return _primary(text)

    @cached_property
    def _fstrings(self) -> bool:
        return _FSTRING.search(self._data) is not None


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
