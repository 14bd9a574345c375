"""Deletes a node so that what stays looks as if it had never been there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code import bodies, layout, lists
from forgewright.code.project import Source, Splice
from forgewright.code.selectors import nodes
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

CLAUSES = frozenset(
    ("elif_clause", "else_clause", "except_clause", "finally_clause", "case_clause", "catch_clause")
)
_LINES = frozenset(("decorator", "comment", "line_comment", "block_comment", "attribute_item", "switch_case"))


def delete(source: Source, node: Node, *, comments: bool = False) -> Splice:
    """The splice that takes a node out. Raises `EditRefused` for a node that cannot be left out."""
    if lists.is_item(node):
        parent = node.parent
        assert parent is not None
        if parent.type == "import_from_statement" and len(lists.items(parent)) == 1:
            return delete(source, parent)
        return lists.delete(source, node)
    node = nodes.whole(node)
    if node.parent is None:
        raise EditRefused("a whole file is not deleted as a node", hint="use (delete-file path: …)")
    if nodes.is_statement(node):
        return _statement(source, node, comments)
    line = layout.line_start(source.data, node.start_byte)
    own_line = layout.only_space(source.data[line : node.start_byte])
    if own_line and (node.type in CLAUSES or node.type in _LINES or node.parent.type in nodes.BODIES):
        return _lines(source, node, node.start_byte)
    start = node.start_byte
    while node.type in bodies.COMMENTS and source.data[start - 1 : start] in (b" ", b"\t"):
        start -= 1
    return Splice(source.path, start, node.end_byte, b"")


def _statement(source: Source, node: Node, comments: bool) -> Splice:
    body = node.parent
    assert body is not None
    data = source.data
    needs_pass = source.language == "python" and body.type == "block" and len(bodies.statements(body)) == 1
    if needs_pass:
        return Splice(source.path, node.start_byte, node.end_byte, b"pass")
    start = _with_comments(source, node, comments)
    line = layout.line_start(data, start)
    stop = layout.line_stop(data, node.end_byte)
    rest = data[node.end_byte : stop].strip()
    alone = layout.only_space(data[line:start]) and (
        not rest or rest.startswith((b"#", b"//")) or rest == b";"
    )
    if alone:
        return _lines(source, node, start)
    following = node.next_sibling
    if following is not None and following.type == ";":
        following = following.next_sibling
    if following is not None and following.start_byte <= stop and following.is_named:
        return Splice(source.path, node.start_byte, following.start_byte, b"")
    end = node.end_byte
    previous = node.prev_sibling
    begin = node.start_byte
    if previous is not None and previous.type == ";":
        previous = previous.prev_sibling
    if previous is not None and previous.end_byte > line and previous.is_named:
        begin = previous.end_byte
    while begin > line and data[begin - 1 : begin] in (b" ", b"\t") and begin == node.start_byte:
        begin -= 1
    return Splice(source.path, begin, end, b"")


def _with_comments(source: Source, node: Node, comments: bool) -> int:
    """Where the node begins with the comments that belong to it (a `/** … */` or `///` always does)."""
    data = source.data
    start = node.start_byte
    above = node.prev_named_sibling
    while above is not None and above.type in bodies.COMMENTS:
        text = (above.text or b"").lstrip()
        documents = text.startswith((b"/**", b"///"))
        gap = data[above.end_byte : start]
        on_own_line = layout.only_space(data[layout.line_start(data, above.start_byte) : above.start_byte])
        if not (comments or documents) or gap.count(b"\n") > 1 or not on_own_line:
            break
        start = above.start_byte
        above = above.prev_named_sibling
    return start


def _lines(source: Source, node: Node, start: int) -> Splice:
    """Take out the lines of a node, and the blank lines that would be too many afterwards."""
    data = source.data
    begin = layout.line_start(data, start)
    if not layout.only_space(data[begin:start]):
        return Splice(source.path, start, node.end_byte, b"")
    end = (
        layout.after_line(data, node.end_byte)
        if data[node.end_byte - 1 : node.end_byte] != b"\n"
        else node.end_byte
    )
    above = layout.blank_lines_before(data, begin)
    below = layout.blank_lines_after(data, end)
    if layout.only_space(data[end:]):
        while above and begin:
            begin = layout.line_start(data, begin - 1)
            above -= 1
        return Splice(source.path, begin, len(data), b"")
    first_in_body = node.parent is not None and _first(node)
    drop = below if first_in_body else min(above, below)
    for _ in range(drop):
        end = layout.after_line(data, end)
    return Splice(source.path, begin, end, b"")


def _first(node: Node) -> bool:
    """Whether nothing of the body stands above the node."""
    previous = node.prev_named_sibling
    return previous is None
