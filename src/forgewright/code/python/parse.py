"""Trees of Python text, also where the grammar is behind the language or the text stands in a string.

tree-sitter-python has no defaults of type parameters (PEP 696), and takes names in the brackets of an indented
import that stand further left for the end of the block. Such files are read from a copy, byte for byte in the same
places, in which the `=` of a default is a `:` or `|`, and such an import stands in one line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.languages import grammar, parse

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.project import Source

HEADER = re.compile(rb"^[ \t]*(?:async[ \t]+)?(?:type|class|def)[ \t]+\w+[ \t]*\[", re.M)

IMPORT = re.compile(rb"^([ \t]+from[ \t]+[.\w \t]+?[ \t]import[ \t]*)(\((?:[\w\s,]++|#[^\n]*+)*+\))", re.M)
COMMENT = re.compile(rb"#[^\n]*")


def readable(source: Source) -> tuple[Node, bytes]:
    """The root of the file's tree and the bytes it was parsed from (as long as the file's own)."""
    root = source.tree.root_node
    if not root.has_error:
        return root, source.data
    patched = without_type_defaults(source.data)
    joined = IMPORT.sub(_in_one_line, patched)
    if joined == source.data:
        return root, source.data
    return parse("python", joined).root_node, patched


def _in_one_line(found: re.Match[bytes]) -> bytes:
    names = COMMENT.sub(lambda comment: b" " * len(comment.group()), found.group(2))
    return found.group(1) + names.replace(b"\r", b" ").replace(b"\n", b" ")


def without_type_defaults(data: bytes) -> bytes:
    """`data` with the `=` in type parameter lists replaced by something that parses."""
    out = bytearray(data)
    for header in HEADER.finditer(data):
        depth, colon, at = 1, False, header.end()
        while at < len(data) and depth:
            byte = data[at : at + 1]
            if byte in b"[({":
                depth += 1
            elif byte in b"])}":
                depth -= 1
            elif depth == 1 and byte == b",":
                colon = False
            elif depth == 1 and byte == b":":
                colon = True
            elif depth == 1 and byte == b"=":
                out[at : at + 1] = b"|" if colon else b":"
            elif byte in b"\"'#\n" and byte != b"\n":
                break
            at += 1
    return bytes(out)


def parse_span(data: bytes, start: int, end: int) -> Node:
    """The tree of the bytes `start:end` alone, with the offsets of the whole."""
    from tree_sitter import Parser, Point, Range

    row = data.count(b"\n", 0, start)
    column = start - (data.rfind(b"\n", 0, start) + 1)
    last_row = row + data.count(b"\n", start, end)
    last_column = end - (data.rfind(b"\n", 0, end) + 1)
    span = Range(Point(row, column), Point(last_row, last_column), start, end)
    return Parser(grammar("python"), included_ranges=[span]).parse(data).root_node


def plain_string(node: Node) -> Node | None:
    """The content of a string literal that is one piece, without prefix and interpolation."""
    if node.type != "string":
        return None
    children = node.named_children
    if len(children) == 3 and children[1].type == "string_content" and not children[1].named_children:
        opening = node.children[0]
        if opening.end_byte - opening.start_byte in (1, 3):
            return children[1]
    return None
