"""Lines, indentation and statements of Python text, kept byte for byte where nothing changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.scopes import FileIndex, Scope

BLOCKS = ("block", "module")
STRINGS = ("string", "string_content")
CLOSED = frozenset(
    [
        "call",
        "list",
        "tuple",
        "set",
        "dictionary",
        "list_comprehension",
        "set_comprehension",
        "dictionary_comprehension",
        "generator_expression",
        "parenthesized_expression",
        "subscript",
        "string",
        "identifier",
        "integer",
        "float",
        "true",
        "false",
        "none",
        "attribute",
        "ellipsis",
    ]
)
"""Expressions that need no parentheses whatever stands around them."""


def line_start(data: bytes, at: int) -> int:
    return data.rfind(b"\n", 0, at) + 1


def line_end(data: bytes, at: int) -> int:
    """The byte after the line's newline, or the end."""
    found = data.find(b"\n", at)
    return len(data) if found < 0 else found + 1


def indent_at(data: bytes, at: int) -> bytes:
    """The white space at the beginning of the line of `at`."""
    begin = line_start(data, at)
    end = begin
    while end < len(data) and data[end : end + 1] in (b" ", b"\t"):
        end += 1
    return data[begin:end]


def newline(data: bytes) -> bytes:
    """How lines end here."""
    first = data.find(b"\n")
    return b"\r\n" if first > 0 and data[first - 1 : first] == b"\r" else b"\n"


def unit(data: bytes) -> bytes:
    """One step of indentation, as the file has it."""
    found = re.search(rb":[ \t]*(?:#[^\n]*)?\r?\n(?:[ \t]*\r?\n)*([ \t]+)\S", data)
    if found is None:
        return b"    "
    block = found.group(1)
    outer = indent_at(data, found.start())
    step = block[len(outer) :] if block.startswith(outer) and len(block) > len(outer) else block
    return step or b"    "


def walk(node: Node) -> Iterator[Node]:
    """All nodes below and with `node`, in order."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(current.children))


def ancestors(node: Node) -> Iterator[Node]:
    current = node.parent
    while current is not None:
        yield current
        current = current.parent


def statement_of(node: Node) -> Node:
    """The statement that `node` is in: the child of a block or of the module."""
    current = node
    while current.parent is not None and current.parent.type not in BLOCKS:
        current = current.parent
    return current


def inside_strings(root: Node, start: int, end: int) -> list[tuple[int, int]]:
    """Spans of strings of more than one line: their lines are not indented anew."""
    found: list[tuple[int, int]] = []
    stack = [root]
    while stack:
        node = stack.pop()
        if node.end_byte <= start or node.start_byte >= end:
            continue
        if node.type == "string":
            if node.start_point[0] != node.end_point[0]:
                found.append((node.start_byte, node.end_byte))
            continue
        stack.extend(node.named_children)
    return found


def reindent(file: FileIndex, start: int, end: int, old: bytes, new: bytes) -> bytes:
    """The bytes `start:end` with `old` at the beginning of lines replaced by `new`.

    The first line begins at `start`, without its indentation; it gets none.
    """
    strings = inside_strings(file.root, start, end)
    out: list[bytes] = []
    at = start
    first = True
    while at < end:
        stop = min(line_end(file.data, at), end)
        line = file.data[at:stop]
        inside = any(begin < at < finish for begin, finish in strings)
        if not first and not inside and line.strip():
            if line.startswith(old):
                line = new + line[len(old) :]
            else:
                line = new + line.lstrip(b" \t") if len(indent_at(line, 0)) < len(old) else line
        out.append(line)
        at = stop
        first = False
    return b"".join(out)


def source(file: FileIndex, node: Node) -> bytes:
    return file.data[node.start_byte : node.end_byte]


def one_line(file: FileIndex, node: Node) -> str:
    """The expression's text, fit to stand alone on a line (in parentheses if it goes over several)."""
    text = source(file, node).decode("utf-8", "replace")
    if "\n" in text and node.type not in CLOSED:
        return f"({text})"
    if "\n" in text and node.type in ("attribute", "tuple", "subscript", "call") and not text.startswith("("):
        return f"({text})" if node.type != "call" and node.type != "subscript" else text
    return text


def has_docstring(block: Node) -> Node | None:
    """The docstring statement of a body."""
    for child in block.named_children:
        if child.type == "comment":
            continue
        if child.type == "expression_statement" and child.named_children:
            if child.named_children[0].type in ("string", "concatenated_string"):
                return child
        return None
    return None


def with_comments(file: FileIndex, node: Node) -> int:
    """The byte at which a definition begins with the comments right above it; a comment that opens the file is the file's."""
    start, row = node.start_byte, node.start_point[0]
    previous = node.prev_named_sibling
    while previous is not None and previous.type == "comment" and previous.end_point[0] == row - 1:
        begin = line_start(file.data, previous.start_byte)
        shared = previous.start_byte == 0 or file.data.startswith(b"#!", previous.start_byte)
        if shared or file.data[begin : previous.start_byte].strip():
            break
        start, row = previous.start_byte, previous.start_point[0]
        previous = previous.prev_named_sibling
    return start


def gap_above(data: bytes, at: int) -> bytes:
    """The line breaks that are lacking for two blank lines above a definition put at `at`."""
    above = data[:at].replace(b"\r", b"")
    blank = len(above) - len(above.rstrip(b"\n")) - 1
    return newline(data) * (max(0, 2 - blank) if above else 1)


def definition_of(node: Node) -> Node:
    """A definition with its decorators."""
    parent = node.parent
    return parent if parent is not None and parent.type == "decorated_definition" else node


def hides(function: Scope, name: str) -> bool:
    """Whether a function or class within a function binds `name` itself."""
    return any(
        scope is not function
        and function.node.start_byte <= scope.node.start_byte < function.node.end_byte
        and name in scope.bindings
        for scope in function.file.scopes
    )


def check_movable(file: FileIndex, nodes: Iterable[Node], what: str, *, above: bool = False) -> None:
    """Refuse to take code out of its class that means another thing elsewhere: `super()`, and private names.

    `above`: it goes to a class right above, from which `super()` without arguments goes on as before.
    """
    for node in nodes:
        for inner in walk(node):
            if inner.type != "identifier":
                continue
            word = file.text(inner)
            call = inner.parent.child_by_field_name("arguments") if inner.parent is not None else None
            if above and word == "super" and call is not None and not call.named_children:
                continue
            if word in ("super", "__class__"):
                raise EditRefused(f"{what} calls super()", hint="leave it in its class")
            if word.startswith("__") and not word.endswith("__"):
                raise EditRefused(
                    f"{what} uses {word}, which Python names after its class", hint="rename that first"
                )
