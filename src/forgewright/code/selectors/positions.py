"""Places written by people: `path:line:column` and `path:line-line`, as offsets and nodes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.operations.base import Match
from forgewright.code.selectors import nodes
from forgewright.code.syntax.diagnostics import SelectorError

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.project import Project, Source

_POSITION = re.compile(r"(?P<path>.+?):(?P<line>\d{1,9})(?::(?P<column>\d{1,9}))?\Z")
_RANGE = re.compile(
    r"(?P<path>.+?):(?P<line>\d{1,9})(?::(?P<column>\d{1,9}))?-(?P<line2>\d{1,9})(?::(?P<column2>\d{1,9}))?\Z"
)


def offset(project: Project, at: str) -> tuple[str, int]:
    """`path:line[:column]`, both from 1, column in characters; without column: the line's first character."""
    found = _POSITION.match(at.strip())
    if found is None:
        raise SelectorError(f"expected path:line:column, found {at!r}", hint="for example: app/util.py:12:5")
    source = project.source(found["path"])
    column = int(found["column"]) if found["column"] else None
    return source.path, _offset(source, int(found["line"]), column, at)


def span(project: Project, text: str) -> tuple[str, int, int]:
    """`path:line:column-line:column` (end exclusive) or `path:line-line` (whole lines, both included)."""
    found = _RANGE.match(text.strip())
    if found is None:
        raise SelectorError(
            f"expected path:line:column-line:column or path:line-line, found {text!r}",
            hint="for example: app/util.py:12-15",
        )
    source = project.source(found["path"])
    if not found["column"]:
        start = _offset(source, int(found["line"]), 1, text)
        last = _offset(source, int(found["line2"]), 1, text)
        end = source.data.find(b"\n", last)
        return source.path, start, len(source.data) if end < 0 else end
    start = _offset(source, int(found["line"]), int(found["column"]), text)
    end = _offset(source, int(found["line2"]), int(found["column2"] or 1), text)
    if end < start:
        raise SelectorError(f"expected a range that ends after its start, found {text!r}")
    return source.path, start, end


def _offset(source: Source, line: int, column: int | None, text: str) -> int:
    lines = source.data.split(b"\n")
    if not 1 <= line <= len(lines):
        raise SelectorError(f"{source.path} has {len(lines)} lines, no line {line} ({text!r})")
    start = sum(len(row) + 1 for row in lines[: line - 1])
    row = lines[line - 1].decode("utf-8", "surrogateescape")
    if column is None:
        return start + len(row) - len(row.lstrip())
    if not 1 <= column <= len(row) + 1:
        raise SelectorError(
            f"line {line} of {source.path} has {len(row)} characters, no column {column} ({text!r})"
        )
    return start + len(row[: column - 1].encode("utf-8", "surrogateescape"))


def place(source: Source, byte: int) -> str:
    """`path:line:column` of an offset."""
    line = source.data.count(b"\n", 0, byte) + 1
    start = source.data.rfind(b"\n", 0, byte) + 1
    return f"{source.path}:{line}:{len(source.data[start:byte].decode('utf-8', 'replace')) + 1}"


def node_at(project: Project, at: str) -> Match:
    """With a column the smallest named node there; without, the statement on the line."""
    path, byte = offset(project, at)
    source = project.source(path)
    root = source.tree.root_node
    node = root.named_descendant_for_byte_range(byte, byte) or root
    if at.count(":") == 1:
        node = _statement(root, node, byte, source)
    return Match(source, node)


def _statement(root: Node, node: Node, byte: int, source: Source) -> Node:
    start = node
    up: Node | None = node
    while up is not None and not nodes.is_statement(up):
        up = up.parent
    if up is None:
        return start
    if up.type in nodes.WRAPPERS and up.start_byte == byte:
        inner = [child for child in up.named_children if nodes.is_statement(child)]
        return inner[-1] if inner else up
    return up
