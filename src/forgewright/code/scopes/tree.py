"""A mirror of a tree-sitter tree in plain objects, whose parents and fields cost one attribute.

tree-sitter finds a node's parent by descending from the root, so resolvers that look upwards all the time
would be quadratic in the size of a file. The mirror is built once per file, in one pass of a cursor.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import cache

from tree_sitter import Language, Tree

from forgewright.code.uncollected import uncollected


class Node:
    """One node of the mirror. Offsets are bytes into `data`, the bytes of the whole file."""

    __slots__ = ("children", "data", "end", "field", "named", "parent", "path", "start", "type")

    def __init__(self, type: str, start: int, end: int, parent: Node | None, path: str, data: bytes) -> None:
        self.type = type
        self.start = start
        self.end = end
        self.parent = parent
        self.path = path
        self.data = data
        self.field: str | None = None
        self.named = True
        self.children: list[Node] = []

    def __repr__(self) -> str:
        return f"{self.type}[{self.start}:{self.end}]"

    @property
    def text(self) -> str:
        return self.data[self.start : self.end].decode("utf-8", "replace")

    @property
    def up(self) -> Node:
        """The parent; the root is its own."""
        return self.parent or self

    def get(self, field: str) -> Node | None:
        for child in self.children:
            if child.field == field:
                return child
        return None

    def all(self, field: str) -> list[Node]:
        return [child for child in self.children if child.field == field]

    def first(self, *types: str) -> Node | None:
        for child in self.children:
            if child.type in types:
                return child
        return None

    def has(self, token: str) -> bool:
        """Whether a child (also an anonymous one, such as a keyword) has this type."""
        return any(child.type == token for child in self.children)

    @property
    def items(self) -> list[Node]:
        """Named children without comments."""
        return [c for c in self.children if c.named and "comment" not in c.type]

    def above(self) -> Iterator[Node]:
        """The node's ancestors, nearest first."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in the order of the text."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))

    def at(self, offset: int) -> Node:
        """The smallest node that covers `offset`; on a boundary the one that begins there."""
        node = self
        while node.children:
            index = bisect_right(node.children, offset, key=_start) - 1
            while index >= 0 and node.children[index].end <= offset:
                index -= 1
            if index < 0 or not node.children[index].start <= offset < node.children[index].end:
                return node
            node = node.children[index]
        return node

    def within(self, other: Node) -> bool:
        return self is other or any(above is other for above in self.above())


def _start(node: Node) -> int:
    return node.start


@cache
def _kinds(language: Language) -> tuple[str, ...]:
    return tuple(language.node_kind_for_id(i) or "" for i in range(language.node_kind_count))


def mirror(tree: Tree, path: str, data: bytes, *, shift: int = 0, parent: Node | None = None) -> Node:
    """The whole tree as `Node`s. `shift` is added to every offset, for a fragment parsed on its own."""
    with uncollected():
        return _mirror(tree, path, data, shift, parent)


def _mirror(tree: Tree, path: str, data: bytes, shift: int, parent: Node | None) -> Node:
    kinds = _kinds(tree.language)
    count = len(kinds)
    cursor = tree.walk()
    down, across, up = cursor.goto_first_child, cursor.goto_next_sibling, cursor.goto_parent
    root: Node | None = None
    above = parent
    while True:
        found = cursor.node
        assert found is not None
        kind = found.kind_id
        node = Node(
            kinds[kind] if kind < count else "ERROR",
            found.start_byte + shift,
            found.end_byte + shift,
            above,
            path,
            data,
        )
        node.field = cursor.field_name
        node.named = found.is_named
        if root is None:
            root = node
        elif above is not None:
            above.children.append(node)
        if down():
            above = node
            continue
        while not across():
            if above is root or not up():
                return root
            assert above is not None
            above = above.parent
        if node is root:
            return root
