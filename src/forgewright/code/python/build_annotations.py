"""The walk at annotations: in code, in strings, in type comments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.python import build_definitions
from forgewright.code.python.parse import parse_span, plain_string
from forgewright.code.python.scopes import Name, Site

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.build import Builder
    from forgewright.code.python.scopes import Scope


def type_(walk: Builder, node: Node, scope: Scope) -> None:
    if node.end_byte > walk.annotated_until:
        walk.annotated_until = node.end_byte
        span = walk.data[node.start_byte : node.end_byte]
        if b'"' in span or b"'" in span:
            annotation_strings(walk, node, scope)
    walk.stack.extend([(child, scope) for child in reversed(node.named_children)])


def annotation_strings(walk: Builder, node: Node, scope: Scope) -> None:
    todo = [node]
    while todo:
        current = todo.pop()
        if current.type == "string":
            annotation_string(walk, current, scope)
            continue
        children = current.named_children
        if current.type in ("generic_type", "subscript") and children:
            head = walk.text(children[0]).rpartition(".")[2]
            if head == "Literal":
                continue
            if head == "Annotated":
                children = children[:2]
                if len(children) == 2 and children[1].type == "type_parameter":
                    children = children[1].named_children[:1]
        elif current.type in ("call", "tuple") and current.type == "call":
            continue
        todo.extend(children)


def annotation_string(walk: Builder, node: Node, scope: Scope) -> None:
    content = plain_string(node)
    if content is not None:
        annotation_span(walk, content.start_byte, content.end_byte, scope)


def annotation_span(walk: Builder, start: int, end: int, scope: Scope) -> None:
    walk.file.annotations.append((start, end))
    span = walk.data[start:end]
    if SIMPLE.fullmatch(span):
        found = Name(start, end, scope)
        walk.file.names.setdefault(span.decode("utf-8", "replace"), []).append(found)
        return
    walk.stack.append((parse_span(walk.data, start, end), scope))


def comment(walk: Builder, node: Node, scope: Scope) -> None:
    span = walk.data[node.start_byte : node.end_byte]
    found = re.match(rb"#\s*type:\s*(?!ignore\b)(?=\S)", span)
    if found is None:
        return
    start, end = node.start_byte + found.end(), node.end_byte
    extra = span.find(b"#", found.end())
    if extra > 0:
        end = node.start_byte + extra
    arrow = walk.data.find(b"->", start, end)
    if arrow >= 0 and walk.data[start : start + 1] == b"(":
        annotation_span(walk, start, arrow, scope)
        annotation_span(walk, arrow + 2, end, scope)
        return
    tree = parse_span(walk.data, start, end)
    if tree.has_error:
        return
    walk.file.annotations.append((start, end))
    walk.stack.append((tree, scope))
    if walk.last[0] == node.start_point[0] and tree.named_children:
        inner = tree.named_children[0]
        for site in walk.last[1]:
            if site.annotation is None and not site.unpack:
                site.annotation = inner.named_children[0] if inner.named_children else None


def type_alias(walk: Builder, node: Node, scope: Scope) -> None:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    inner = scope
    name = left
    while name is not None and name.type != "identifier":
        children = name.named_children
        if name.type == "generic_type" and len(children) > 1:
            inner = build_definitions.type_scope(walk, children[1], scope)
        name = children[0] if children else None
    if name is not None:
        walk.keep(name, scope, Site(0, 0, "type", inner, name, right))
    walk.later([(right, inner)])


SIMPLE = re.compile(rb"[A-Za-z_]\w*")
