"""The JSDoc comment of a declaration: written, replaced or taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code import layout
from forgewright.code.project import Splice
from forgewright.code.selectors import nodes
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.operations.base import Match

_MEMBERS = frozenset(("class_body", "object_type", "interface_body", "enum_body", "object"))
_STATEMENTS = frozenset(("program", "statement_block", "class_static_block", "switch_case", "switch_default"))


def set_comment(match: Match, text: str) -> Splice:
    """The splice; empty text takes the comment away. Raises `EditRefused`."""
    source, data = match.source, match.source.data
    node = _documented(match.node)
    if node is None:
        raise EditRefused(
            f"{match.kind} {match.name!r} is no declaration that a comment belongs to",
            hint="use (insert-before …) for comments",
        )
    start = node.start_byte
    there = _comment(node)
    if not text.strip():
        if there is None:
            raise EditRefused(f"{match.kind} {match.name!r} has no comment /** */ to remove")
        begin = layout.line_start(data, there.start_byte)
        if layout.only_space(data[begin : there.start_byte]) and b"\n" in data[there.end_byte : start]:
            return Splice(source.path, begin, layout.after_line(data, there.end_byte), b"")
        return Splice(source.path, there.start_byte, start, b"")
    alone = layout.only_space(data[layout.line_start(data, start) : start])
    indent = layout.indentation(data, start)
    end = layout.line_end(data)
    comment = _written(text, indent, end)
    if there is not None:
        return Splice(source.path, there.start_byte, there.end_byte, comment)
    if not alone:
        if b"\n" in comment:
            raise EditRefused(
                f"{match.kind} {match.name!r} does not begin its line", hint="give it a comment of one line"
            )
        return Splice(source.path, start, start, comment + b" ")
    return Splice(source.path, start, start, comment + end + indent)


def _written(text: str, indent: bytes, end: bytes) -> bytes:
    lines = [line.rstrip() for line in text.strip().replace("*/", "*\\/").split("\n")]
    margin = min((len(line) - len(line.lstrip()) for line in lines[1:] if line), default=0)
    lines = [lines[0], *(line[margin:] for line in lines[1:])]
    if len(lines) == 1:
        return f"/** {lines[0]} */".encode()
    inner = [indent + (f" * {line}" if line else " *").encode() for line in lines]
    return end.join([b"/**", *inner, indent + b" */"])


def _documented(node: Node) -> Node | None:
    """The statement or member that a declaration is, with its decorators."""
    here: Node | None = node
    while here is not None and here.parent is not None:
        if here.parent.type in _STATEMENTS or here.parent.type in _MEMBERS:
            break
        if here.type not in nodes.WRAPPERS and here is not node:
            simple = ("variable_declarator", "lexical_declaration", "variable_declaration", "pair")
            fields = (
                "public_field_definition",
                "field_definition",
                "expression_statement",
                "assignment_expression",
            )
            if here.type not in (*simple, *fields, "parenthesized_expression"):
                return None
        here = here.parent
    if here is None or here.parent is None or here.type in ("comment", "import_statement"):
        return None
    while (before := here.prev_sibling) is not None and before.type == "decorator":
        here = before
    return here


def _comment(node: Node) -> Node | None:
    """The `/** */` right before a declaration."""
    before = node.prev_sibling
    text = before.text if before is not None and before.type == "comment" else None
    return before if text is not None and text.startswith(b"/**") else None
