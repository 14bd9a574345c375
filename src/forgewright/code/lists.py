"""Items between commas: arguments, parameters, elements, pairs, names; in and out with their comma."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code import layout
from forgewright.code.project import Source, Splice

if TYPE_CHECKING:
    from tree_sitter import Node

LISTS = frozenset(
    (
        *(
            "argument_list",
            "arguments",
            "parameters",
            "formal_parameters",
            "parameter_list",
            "lambda_parameters",
        ),
        *("list", "tuple", "set", "dictionary", "array", "object", "array_expression", "tuple_expression"),
        *(
            "type_parameters",
            "type_arguments",
            "type_parameter",
            "named_imports",
            "export_clause",
            "object_pattern",
        ),
        *(
            "array_pattern",
            "import_from_statement",
            "expression_list",
            "pattern_list",
            "enum_body",
            "literal_value",
        ),
        *(
            "array_initializer",
            "use_list",
            "field_initializer_list",
            "tuple_pattern",
            "list_pattern",
            "with_clause",
        ),
        *("class_heritage", "extends_clause", "implements_clause", "superclasses", "interfaces", "type_list"),
    )
)
_OPEN = frozenset(("(", "[", "{", "<", "|"))
_COMMENTS = frozenset(("comment", "line_comment", "block_comment"))


def items(parent: Node) -> list[Node]:
    """The items of a list, without comments (and without the module of a from-import)."""
    if parent.type == "import_from_statement":
        return parent.children_by_field_name("name")
    return [c for c in parent.named_children if c.type not in _COMMENTS]


def is_item(node: Node) -> bool:
    """Whether a node is an item between commas."""
    parent = node.parent
    return parent is not None and parent.type in LISTS and node in items(parent)


def delete(source: Source, node: Node) -> Splice:
    """Take an item out with its comma, and with its lines if they are its own."""
    parent = node.parent
    assert parent is not None
    data = source.data
    found = items(parent)
    at = found.index(node)
    comma = _comma_after(node)
    own = _own_lines(data, node, comma)
    keeps_comma = parent.type in ("tuple", "tuple_expression") and len(found) == 2
    if len(found) == 1 and parent.type == "argument_list" and _is_class(parent.parent):
        return Splice(source.path, parent.start_byte, parent.end_byte, b"")
    if at == 0 and keeps_comma and _comma_after(found[1]) is None:
        kept = data[found[1].start_byte : found[1].end_byte] + b","
        return Splice(source.path, node.start_byte, found[1].end_byte, kept)
    if own is not None and not (at == len(found) - 1 and comma is None):
        return Splice(source.path, own[0], own[1], b"")
    if at < len(found) - 1:
        return Splice(source.path, node.start_byte, found[at + 1].start_byte, b"")
    if at == 0:
        end = comma.end_byte if comma is not None else node.end_byte
        return Splice(source.path, node.start_byte, end, b"")
    if own is not None:
        before = _comma_after(found[at - 1])
        if before is not None and layout.only_space(data[before.end_byte : own[0]]):
            keep = b"," if keeps_comma or before.end_byte < own[0] - 1 else b""
            return Splice(
                source.path, before.start_byte, own[1] - _line_end_length(data, own[1]), keep or b","
            )
    end = comma.end_byte if comma is not None and not keeps_comma else node.end_byte
    keep = (
        b","
        if keeps_comma and comma is None
        else b","
        if comma is not None and comma.end_byte == end
        else b""
    )
    return Splice(source.path, found[at - 1].end_byte, end, keep)


def _is_class(node: Node | None) -> bool:
    return node is not None and node.type == "class_definition"


def _line_end_length(data: bytes, end: int) -> int:
    return 2 if data[end - 2 : end] == b"\r\n" else 1 if data[end - 1 : end] == b"\n" else 0


def _comma_after(node: Node) -> Node | None:
    following = node.next_sibling
    while following is not None and following.type in _COMMENTS:
        following = following.next_sibling
    return following if following is not None and following.type == "," else None


def _own_lines(data: bytes, node: Node, comma: Node | None) -> tuple[int, int] | None:
    """The lines of an item if nothing else stands on them (but a comment)."""
    start = layout.line_start(data, node.start_byte)
    end = comma.end_byte if comma is not None else node.end_byte
    stop = layout.line_stop(data, end)
    rest = data[end:stop].strip()
    if layout.only_space(data[start : node.start_byte]) and (not rest or rest.startswith((b"#", b"//"))):
        return start, layout.after_line(data, stop)
    return None


def insert(source: Source, parent: Node, index: int, text: str) -> Splice:
    """Put an item at place `index` (0 … number of items), laid out as its neighbours are."""
    data = source.data
    found = items(parent)
    text = text.strip().rstrip(",").rstrip()
    if not found:
        opening = next((c for c in parent.children if c.type in _OPEN), None)
        at = opening.end_byte if opening is not None else parent.start_byte
        closing = parent.children[-1] if parent.child_count else parent
        stop = closing.start_byte if layout.only_space(data[at : closing.start_byte]) else at
        comma = "," if parent.type in ("tuple", "tuple_expression") else ""
        padded = f" {text} " if parent.type in ("object", "named_imports", "export_clause") else text + comma
        return Splice(source.path, at, max(at, stop), padded.encode())
    end = layout.line_end(data)
    first = found[0]
    stacked = layout.line_start(data, first.start_byte) > parent.start_byte and (
        len(found) == 1 or layout.line_start(data, found[-1].start_byte) > first.end_byte
    )
    if index < len(found):
        node = found[index]
        if stacked:
            indent = layout.indentation(data, node.start_byte)
            start = layout.line_start(data, node.start_byte)
            return Splice(source.path, start, start, layout.fit(text, source, indent) + b"," + end)
        return Splice(source.path, node.start_byte, node.start_byte, _tight(text, source, node) + b", ")
    node = found[-1]
    comma_node = _comma_after(node)
    if stacked:
        indent = layout.indentation(data, node.start_byte)
        code = layout.fit(text, source, indent)
        if comma_node is not None:
            stop = layout.line_stop(data, comma_node.end_byte)
            return Splice(source.path, stop, stop, end + code + b",")
        return Splice(source.path, node.end_byte, node.end_byte, b"," + end + code)
    code = _tight(text, source, node)
    if comma_node is not None:
        single = parent.type in ("tuple", "tuple_expression") and len(found) == 1
        tail = b"" if single else b","
        return Splice(source.path, comma_node.end_byte, comma_node.end_byte, b" " + code + tail)
    return Splice(source.path, node.end_byte, node.end_byte, b", " + code)


def _tight(text: str, source: Source, node: Node) -> bytes:
    indent = layout.indentation(source.data, node.start_byte)
    return layout.fit(text, source, indent).lstrip(b" \t")
