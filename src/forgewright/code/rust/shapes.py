"""What is written at each occurrence of a renamed Rust name: shorthand fields expanded or collapsed."""

from __future__ import annotations

from forgewright.code.project import Splice
from forgewright.code.rust.items import Item, plain
from forgewright.code.rust.meaning import Meanings
from forgewright.code.scopes.tree import Node


def splice(meanings: Meanings, node: Node, items: list[Item], new: str) -> Splice:
    """The edit at one occurrence of `items`, which are renamed to `new`."""
    parent = node.up
    field = items[0].kind == "field"
    old = node.text
    if parent.type == "shorthand_field_initializer":
        text = f"{new}: {old}" if field else f"{old}: {new}"
        return Splice(node.path, node.start, node.end, text.encode())
    if node.type == "shorthand_field_identifier":
        prefix_start = parent.start if parent.type == "field_pattern" else node.start
        binding = node.data[prefix_start : node.start].decode()
        if field:
            return Splice(node.path, prefix_start, node.end, f"{new}: {binding}{old}".encode())
        return Splice(node.path, prefix_start, node.end, f"{old}: {binding}{new}".encode())
    if parent.type == "field_initializer":
        collapsed = _initializer(node, parent, field, new)
        if collapsed is not None:
            return collapsed
    pattern = next((above for above in node.above() if above.type == "field_pattern"), None)
    if pattern is not None:
        collapsed = _pattern(node, pattern, field, new)
        if collapsed is not None:
            return collapsed
    return Splice(node.path, node.start, node.end, new.encode())


def _initializer(node: Node, initializer: Node, field: bool, new: str) -> Splice | None:
    """`Foo { i: bar }` becomes `Foo { bar }` where both names become the same."""
    name = initializer.get("field") or initializer.get("name")
    value = initializer.get("value")
    if name is None or value is None or value.type != "identifier":
        return None
    other = value if field else name
    if node is (name if field else value) and plain(other.text) == plain(new):
        return Splice(node.path, initializer.start, initializer.end, new.encode())
    return None


def _pattern(node: Node, pattern: Node, field: bool, new: str) -> Splice | None:
    """`Foo { i: ref baz }` becomes `Foo { ref baz }` where both names become the same."""
    name, inner = pattern.get("name"), pattern.get("pattern")
    if name is None or inner is None or inner.type not in ("identifier", "ref_pattern", "mut_pattern"):
        return None
    bound = (
        inner
        if inner.type == "identifier"
        else next((n for n in inner.items if n.type == "identifier"), None)
    )
    if bound is None:
        return None
    prefix = inner.data[inner.start : bound.start].decode()
    if (field and node is name and bound.text == new) or (not field and node is bound and name.text == new):
        return Splice(node.path, pattern.start, pattern.end, f"{prefix}{new}".encode())
    return None


__all__ = ["Meanings", "splice"]
