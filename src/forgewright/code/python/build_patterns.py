"""The walk at the patterns of `match`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.python.scopes import Attribute, Site

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.build import Builder
    from forgewright.code.python.scopes import Scope


def case(walk: Builder, node: Node, scope: Scope) -> None:
    todo: list[tuple[Node | None, Scope]] = []
    subject = None
    block = node.parent
    if block is not None and block.parent is not None:
        subject = block.parent.child_by_field_name("subject")
    patterns = [child for child in node.named_children if child.type == "case_pattern"]
    for child in node.named_children:
        if child.type != "case_pattern":
            todo.append((child, scope))
    for one in patterns:
        pattern(walk, one, scope, subject if len(patterns) == 1 else None)
    walk.later(todo)


def pattern(walk: Builder, node: Node, scope: Scope, value: Node | None) -> None:
    kind = node.type
    children = node.named_children
    if kind == "case_pattern":
        for child in children:
            pattern(walk, child, scope, value)
    elif kind == "dotted_name":
        if len(children) == 1:
            capture(walk, children[0], scope, value)
        else:
            dotted(walk, node, scope)
    elif kind == "identifier":
        capture(walk, node, scope, value)
    elif kind == "class_pattern":
        dotted(walk, children[0], scope)
        for child in children[1:]:
            pattern(walk, child, scope, None)
    elif kind == "keyword_pattern":
        owner = node.parent
        while owner is not None and owner.type != "class_pattern":
            owner = owner.parent
        if owner is not None:
            key = children[0]
            entry = Attribute(key.start_byte, key.end_byte, owner.named_children[0], scope, "pattern", key)
            walk.file.attributes.setdefault(walk.text(key), []).append(entry)
        for child in children[1:]:
            pattern(walk, child, scope, None)
    elif kind == "as_pattern":
        pattern(walk, children[0], scope, value)
        whole = children[0]
        while whole.type == "case_pattern" and whole.named_children:
            whole = whole.named_children[0]
        capture(walk, children[-1], scope, whole if whole.type == "class_pattern" else value)
    elif kind in ("list_pattern", "tuple_pattern", "union_pattern", "dict_pattern", "splat_pattern"):
        for child in children:
            pattern(walk, child, scope, value if kind == "union_pattern" else None)
    else:
        walk.later([(node, scope)])


def capture(walk: Builder, node: Node, scope: Scope, value: Node | None) -> None:
    if walk.text(node) != "_":
        walk.keep(node, scope, Site(0, 0, "match", scope, node, value))


def dotted(walk: Builder, node: Node, scope: Scope) -> None:
    parts = node.named_children
    walk.name(parts[0], scope)
    for part in parts[1:]:
        entry = Attribute(part.start_byte, part.end_byte, node, scope, "load", part)
        walk.file.attributes.setdefault(walk.text(part), []).append(entry)
