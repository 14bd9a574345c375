"""A list in parentheses with other items: its layout, trailing comma and comments stay with their places and items."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from forgewright.code.project import Splice
from forgewright.code.scopes.tree import Node

Text = Callable[[str, bytes, int, int], str]
"""(path, data, start, end) → what stands there."""


def _plain(path: str, data: bytes, start: int, end: int) -> str:
    return data[start:end].decode()


class Item(msgspec.Struct, frozen=True, eq=False):
    """One item as it is written, with the comments that belong to it."""

    node: Node
    text: str
    """With the comments before it, and those before its comma."""
    behind: str
    """A comment behind its comma, on the same line."""


class Listed:
    """The items of a list node, the white space before each, and what stands before the closing parenthesis."""

    def __init__(self, node: Node, text: Text | None = None) -> None:
        """`text` gives what stands between two places; else it is read from the file."""
        self.node = node
        self._text = text or _plain
        self.items: list[Item] = []
        self.leads: list[str] = []
        self.comma = False
        """Whether a comma stands behind the last."""
        self._end = node.start + 1
        group: list[Node] = []
        for child in node.children[1:-1]:
            if child.type == ",":
                self._close(group)
                self._end, self.comma, group = child.end, True, []
            elif child.type == "comment" and not group and self._behind(child):
                last = self.items[-1]
                self.items[-1] = Item(last.node, last.text, f"{last.behind} {child.text}".strip())
                self._end = child.end
            else:
                group.append(child)
        if any(child.type != "comment" for child in group):
            self._close(group)
            self.comma = False
        self.tail = node.data[self._end : node.end - 1].decode()

    def _behind(self, comment: Node) -> bool:
        """Whether a comment stands on the line of the comma before it, which ends with it."""
        data = self.node.data
        stop = data[comment.end : data.find(b"\n", comment.end)]
        gap = data[self._end : comment.start]
        return bool(self.items) and self.comma and b"\n" not in gap and not stop.strip()

    def _close(self, group: list[Node]) -> None:
        data = self.node.data
        at = next((i for i, one in enumerate(group) if one.type != "comment"), None)
        if at is None:
            return
        start, end, behind = self._end, group[at].end, ""
        for one in group[at + 1 :]:
            if b"\n" in data[end : one.start]:
                break
            if one.text.startswith("//"):
                behind = one.text
                self._end = one.end
                break
            end = one.end
        self.leads.append(data[start : group[0].start].decode())
        self.items.append(Item(group[at], self._text(self.node.path, data, group[0].start, end), behind))
        self._end = max(self._end, end)

    def lead(self, index: int) -> str:
        if index < len(self.leads):
            return self.leads[index]
        if not self.leads:
            return " " if index else ""
        if len(self.leads) > 1 or "\n" in self.leads[0]:
            return self.leads[-1]
        return " "

    def written(self, entries: list[Node | str]) -> str:
        """The list with these items: nodes that it has, and new texts."""
        known = {item.node: item for item in self.items}
        if not entries:
            return "()" if self.items or not self.tail.strip() else f"({self.tail})"
        out = ["("]
        line = False
        for index, entry in enumerate(entries):
            item = known.get(entry) if isinstance(entry, Node) else None
            text = item.text if item is not None else entry.text if isinstance(entry, Node) else entry
            lead = self.lead(index)
            if line and "\n" not in lead:
                lead = "\n" + self._indent()
            last = index == len(entries) - 1
            rest = isinstance(entry, Node) and _rest(entry)
            comma = "," if not last or (self.comma and not rest) else ""
            behind = item.behind if item is not None else ""
            line = (behind or (text if not comma else "")).rpartition("\n")[2].lstrip().startswith("//")
            line = line or "//" in behind
            out += [lead, text, comma, f" {behind}" if behind else ""]
        tail = self.tail if self.items else self.tail and f" {self.tail.strip()}"
        if line and "\n" not in tail:
            tail = "\n" + self._indent()
        return "".join([*out, tail, ")"])

    def _indent(self) -> str:
        data, at = self.node.data, self.node.data.rfind(b"\n", 0, self.node.start) + 1
        return data[at : len(data) - len(data[at:].lstrip(b" \t"))].decode()

    def splice(self, entries: list[Node | str]) -> Splice | None:
        """The change; None if nothing is one."""
        node = self.node
        same = [item.node for item in self.items] == entries
        if same and self._text(node.path, node.data, node.start, node.end) == node.text:
            return None
        text = self.written(entries)
        if text == self.node.text:
            return None
        return Splice(self.node.path, self.node.start, self.node.end, text.encode())


def _rest(node: Node) -> bool:
    """A rest parameter, behind which no comma may stand."""
    pattern = node.get("pattern") or node
    return pattern.type == "rest_pattern"
