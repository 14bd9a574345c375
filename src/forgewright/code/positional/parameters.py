"""The parameters of a declaration, one by one, and how a new list of them is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from forgewright.code import lists
from forgewright.code.project import Source, Splice

if TYPE_CHECKING:
    from tree_sitter import Node

DECLARATIONS = frozenset(
    (
        "function_declaration",
        "method_declaration",
        "method_elem",
        "method_spec",
        "function_item",
        "function_signature_item",
    )
)
VARIADIC = frozenset(("variadic_parameter_declaration", "spread_parameter"))
SELF = frozenset(("self_parameter", "receiver_parameter"))


class Parameter(msgspec.Struct, frozen=True):
    """A parameter as it is written; several of Go's may share one type."""

    name: str
    """Empty where Go leaves it out."""
    text: str
    variadic: bool = False


class Slot(msgspec.Struct, frozen=True):
    """One parameter of a new signature: an old one by its place, or a new one."""

    old: int | None = None
    name: str = ""
    type: str = ""
    value: str = ""
    """What the calls pass for a new one, as code."""


def parameters(declaration: Node) -> list[Parameter]:
    """A declaration's parameters, without its receiver."""
    found: list[Parameter] = []
    for item in _items(declaration):
        names = item.children_by_field_name("name") or item.children_by_field_name("pattern")
        if item.type == "spread_parameter":
            inner = (c for c in item.named_children if c.type == "variable_declarator")
            names = [c.child_by_field_name("name") or c for c in inner]
        if len(names) > 1:
            kind = text(item.child_by_field_name("type"))
            found += [Parameter(text(name), f"{text(name)} {kind}") for name in names]
        else:
            name = text(names[0]).removeprefix("mut ") if names else ""
            found.append(Parameter(name, text(item), item.type in VARIADIC))
    return found


def receivers(declaration: Node) -> int:
    """How many items of the list are no parameters: Rust's `self`, Java's `this`."""
    listed = declaration.child_by_field_name("parameters")
    return sum(item.type in SELF for item in lists.items(listed)) if listed is not None else 0


def rewritten(source: Source, declaration: Node, own: list[Parameter], new: list[Slot]) -> list[Splice]:
    """The splices that give a declaration its new parameters."""
    listed = declaration.child_by_field_name("parameters")
    assert listed is not None
    unnamed = bool(own) and not any(parameter.name for parameter in own)
    after = [own[s.old].text if s.old is not None else _written(source.language, s, unnamed) for s in new]
    items = _items(declaration)
    if len(items) != len(own):  # Go's `a, b int`: each gets its own type
        start, end = items[0].start_byte, items[-1].end_byte
        return [Splice(source.path, start, end, ", ".join(after).encode())]
    before = [text(item) for item in items]
    return relisted(source, listed, receivers(declaration), before, after)


def _items(declaration: Node) -> list[Node]:
    listed = declaration.child_by_field_name("parameters")
    found = lists.items(listed) if listed is not None else []
    return [item for item in found if item.type not in SELF and item.type != "attribute_item"]


def _written(language: str, slot: Slot, unnamed: bool) -> str:
    if language == "java":
        return f"{slot.type} {slot.name}"
    if language == "rust":
        return f"{slot.name}: {slot.type}"
    return slot.type if unnamed else f"{slot.name} {slot.type}"


def relisted(source: Source, parent: Node, offset: int, before: list[str], after: list[str]) -> list[Splice]:
    """The items of a list from `offset` on become `after`; what stays is not touched."""
    items = lists.items(parent)[offset:]
    if len(after) == len(before):
        return [
            Splice(source.path, item.start_byte, item.end_byte, now.encode())
            for item, was, now in zip(items, before, after, strict=True)
            if was != now
        ]
    if len(after) == len(before) + 1:
        at = next((i for i, was in enumerate(before) if was != after[i]), len(before))
        if [*after[:at], *after[at + 1 :]] == before:
            return [lists.insert(source, parent, offset + at, after[at])]
    if len(after) == len(before) - 1:
        at = next((i for i, now in enumerate(after) if now != before[i]), len(after))
        if [*before[:at], *before[at + 1 :]] == after:
            return [lists.delete(source, items[at])]
    start, end = items[0].start_byte, items[-1].end_byte
    return [Splice(source.path, start, end, ", ".join(after).encode())]


def text(node: Node | None) -> str:
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""
