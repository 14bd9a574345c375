"""The names in the braces of an import or export, with the comments and the layout that they have there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from forgewright.code.scopes.tree import Node


class Item(msgspec.Struct, frozen=True, eq=False):
    """One name: the white space before it, its text with the comments before it, and the comment behind it."""

    node: Node | None
    before: str
    core: str
    after: str = ""


class Named:
    """The braces of `import { … }` or `export { … }`."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.items: list[Item] = []
        at = node.start + 1
        start: int | None = None
        spec: Node | None = None
        comma: int | None = None
        begun = at
        for child in node.children[1:-1]:
            if child.type == ",":
                comma, at = child.start, child.end
            elif child.type == "comment" and spec is not None and b"\n" not in node.data[at : child.start]:
                at = child.end
            else:
                if spec is not None:
                    self.items.append(_item(begun, start, spec, comma, at))
                    begun, start, spec, comma = at, None, None, None
                start = child.start if start is None else start
                if child.type != "comment":
                    spec, at = child, child.end
        if spec is not None:
            self.items.append(_item(begun, start, spec, comma, at))
            begun = at
        self.trailing = comma is not None
        self.tail = node.data[begun : node.end - 1].decode("utf-8", "replace")
        """What stands behind the last name: white space, and comments of their own."""

    def left(self, gone: Collection[Node]) -> list[Item]:
        return [item for item in self.items if item.node not in gone]

    def changed(
        self,
        gone: Collection[Node],
        more: Sequence[str] = (),
        order: Callable[[Item], object] | None = None,
    ) -> str:
        """The braces without some names, with others behind the last, sorted if asked."""
        slots: list[str] = []
        kept: list[Item] = []
        carried = ""
        for item in self.items:
            if item.node in gone:
                if "\n" in item.before or not slots:
                    carried = carried or item.before
                continue
            slots.append(carried or item.before)
            carried = ""
            kept.append(item)
        lined = len(self.items) > 1 and all("\n" in item.before for item in self.items[1:])
        for text in more:
            before = self.items[-1].before if self.items else " "
            if slots and not lined and (len(self.items) != 1 or "\n" not in before):
                before = " "
            slots.append(before if slots or not self.items else self.items[0].before)
            kept.append(Item(None, "", text))
        if order is not None and not (any("//" in item.after for item in kept) and not lined):
            kept.sort(key=order)  # type: ignore[arg-type]  # its values are compared with each other only
        tail = self.tail
        if not self.items:
            slots, tail = [" "] * len(slots), " "
        out = ["{"]
        for number, (before, item) in enumerate(zip(slots, kept, strict=True)):
            last = number == len(kept) - 1
            out += [before, item.core, "" if last and not self.trailing else ",", item.after]
        return "".join([*out, tail, "}"])


def _item(begun: int, start: int | None, spec: Node, comma: int | None, end: int) -> Item:
    def text(one: int, other: int) -> str:
        return spec.data[one:other].decode("utf-8", "replace")

    start = spec.start if start is None else start
    after = text(spec.end, end) if comma is None else text(spec.end, comma) + text(comma + 1, end)
    return Item(spec, text(begun, start), text(start, spec.end), after)
