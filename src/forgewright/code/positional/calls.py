"""The calls of a function, found from the places of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from forgewright.code import lists
from forgewright.code.positional.parameters import relisted, text
from forgewright.code.project import Source, Splice

if TYPE_CHECKING:
    from tree_sitter import Node

AROUND = {
    "selector_expression": "field",
    "scoped_identifier": "name",
    "field_expression": "field",
    "generic_function": "function",
}
"""What a call's function may be, and the field with its last name."""
_ACTS = frozenset(
    (
        *("call_expression", "method_invocation", "macro_invocation", "object_creation_expression"),
        *("assignment_expression", "compound_assignment_expr", "update_expression"),
        *("await_expression", "try_expression", "func_literal"),
    )
)


class Call(msgspec.Struct, frozen=True):
    """The arguments of one call."""

    source: Source
    node: Node
    """The list of arguments; in a macro of Rust the tokens of one."""
    by_path: bool
    """Rust: called through its type or trait, with the receiver as first argument."""
    given: tuple[tuple[int, int], ...]
    """The bytes of each argument."""

    def texts(self) -> list[str]:
        return [self.source.data[start:end].decode("utf-8", "replace") for start, end in self.given]

    def acts(self, place: int) -> bool:
        """Whether computing an argument may do something besides having a value."""
        start, end = self.given[place]
        stack = [child for child in self.node.children if start <= child.start_byte and child.end_byte <= end]
        while stack:
            node = stack.pop()
            receives = node.type == "unary_expression" and text(node).startswith("<-")
            if node.type in _ACTS or node.type == "token_tree" or receives:
                return True
            stack += node.named_children
        return False

    def passing(self, offset: int, after: list[str]) -> list[Splice]:
        """The arguments from `offset` on become `after`."""
        before = self.texts()[offset:]
        if self.node.type != "token_tree":
            return relisted(self.source, self.node, offset, before, after)
        if after == before:
            return []
        start, end = self.node.start_byte + 1, self.node.end_byte - 1
        return [Splice(self.source.path, start, end, ", ".join([*self.texts()[:offset], *after]).encode())]


def call_at(source: Source, leaf: Node) -> Call | None:
    """The call whose function is named by this leaf; None where the name is used otherwise."""
    if leaf.parent is None:
        return None
    if leaf.parent.type == "token_tree":
        return _in_macro(source, leaf)
    node, parent, by_path = leaf, leaf.parent, False
    while parent.type in AROUND and parent.child_by_field_name(AROUND[parent.type]) == node:
        by_path = by_path or parent.type == "scoped_identifier"
        if parent.parent is None:
            return None
        node, parent = parent, parent.parent
    called = (parent.type == "call_expression" and parent.child_by_field_name("function") == node) or (
        parent.type == "method_invocation" and parent.child_by_field_name("name") == leaf
    )
    arguments = parent.child_by_field_name("arguments") if called else None
    if arguments is None:
        return None
    given = tuple((item.start_byte, item.end_byte) for item in lists.items(arguments))
    return Call(source, arguments, by_path, given)


def _in_macro(source: Source, leaf: Node) -> Call | None:
    """In `assert_eq!(area(1, 2), 2)` there are only tokens: the arguments are what stands between commas."""
    following, before = leaf.next_sibling, leaf.prev_sibling
    if following is None or following.type != "token_tree" or not text(following).startswith("("):
        return None
    given: list[tuple[int, int]] = []
    inner = following.children[1:-1]
    while inner:
        comma = next((i for i, token in enumerate(inner) if token.type == ","), len(inner))
        if comma:
            given.append((inner[0].start_byte, inner[comma - 1].end_byte))
        inner = inner[comma + 1 :]
    return Call(source, following, before is not None and before.type == "::", tuple(given))
