"""The symbols of a file with their signatures, in order and nested."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from forgewright.code.selectors import kinds, nodes

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.project import Source

SIGNATURE_CHARS_MAX = 160

_DEFINITIONS = ("function", "method", "class", "interface", "enum", "type")
_CONTAINERS = frozenset(("class", "interface", "enum"))
_SPACE = re.compile(r"\s+")


class Entry(msgspec.Struct, frozen=True):
    """One symbol of an outline."""

    path: str
    kind: str
    name: str
    """Dotted."""
    line: int
    end_line: int
    depth: int
    """1 at the top of the file."""
    signature: str


def outline(source: Source, depth: int = 2) -> list[Entry]:
    """The symbols of a file down to `depth`."""
    return list(_entries(source, source.tree.root_node, 1, depth, ""))


def _entries(source: Source, parent: Node, level: int, depth: int, container: str) -> Iterator[Entry]:
    language = source.language
    for child in parent.named_children:
        kind = _kind(child, language)
        if kind:
            name = nodes.names(child)[0]
            if not name:
                continue
            own = nodes.qualified(child, language) if child.type == "method_declaration" else name
            dotted = f"{container}.{name}" if container else own
            first, last = child.start_point.row + 1, child.end_point.row + 1
            yield Entry(source.path, kind, dotted, first, last, level, signature(source, child))
            if level < depth and (kind in _CONTAINERS or kind in ("function", "method")):
                body = nodes.body_of(child) or _type_literal(child)
                if body is not None:
                    yield from _entries(source, body, level + 1, depth, dotted)
        elif child.type == "impl_item":
            body = child.child_by_field_name("body")
            name = nodes.text(child.child_by_field_name("type"))
            if body is not None:
                yield from _entries(source, body, level + 1, depth + 1, name)
        elif child.type not in _OPAQUE:
            yield from _entries(source, child, level, depth, container)


_OPAQUE = frozenset(
    (
        "call",
        "call_expression",
        "string",
        "import_statement",
        "import_from_statement",
        "comment",
        "argument_list",
    )
) | frozenset(nodes.EXPRESSIONS)


def _type_literal(node: Node) -> Node | None:
    """What a Go type is declared as, if that is a struct or an interface."""
    found = node.child_by_field_name("type") if node.type == "type_spec" else None
    return found if found is not None and found.type in ("struct_type", "interface_type") else None


def _kind(node: Node, language: str) -> str:
    for kind, condition in kinds.by_type(language).get(node.type, ()):
        if kind in _DEFINITIONS and nodes.CONDITIONS[condition](node):
            return kind
    if node.type == "variable_declarator":
        value = node.child_by_field_name("value")
        if value is not None and value.type in ("arrow_function", "function_expression", "class"):
            return "class" if value.type == "class" else "function"
    return ""


def signature(source: Source, node: Node) -> str:
    """A definition without its body, on one line."""
    if node.type == "variable_declarator":
        value = node.child_by_field_name("value")
        inner = nodes.body_of(node)
        if value is not None and inner is not None:
            head = source.data[node.start_byte : inner.start_byte].decode("utf-8", "replace")
            return _tidy(head.removesuffix("=> ").rstrip().removesuffix("=>"))
    body = nodes.body_of(node) or _type_literal(node)
    end = body.start_byte if body is not None else node.end_byte
    return _tidy(source.data[node.start_byte : end].decode("utf-8", "replace"))


def _tidy(head: str) -> str:
    head = _SPACE.sub(" ", head).strip().rstrip("{:;").rstrip()
    return head[:SIGNATURE_CHARS_MAX]


def render(entries: Iterable[Entry]) -> str:
    """One line each, indented, below its file's name."""
    lines: list[str] = []
    path = ""
    for entry in entries:
        if entry.path != path:
            path = entry.path
            lines.append(path)
        lines.append(f"{'  ' * entry.depth}{entry.line} {short(entry)}")
    return "\n".join(lines)


def short(entry: Entry) -> str:
    """`kind name(parameters)`; a method that stands outside its type is named with it."""
    name = entry.name.rpartition(".")[2]
    found = re.search(r"(?<![\w$])" + re.escape(name) + r"(?![\w$])(.*)", entry.signature)
    name = entry.name if entry.depth == 1 else name
    rest = found.group(1).strip() if found else ""
    rest = rest.removeprefix("= ").removeprefix("async ").strip() if entry.kind == "function" else rest
    glue = "" if not rest or rest[0] in "([<:" else " "
    return f"{entry.kind} {name}{glue}{rest}"
