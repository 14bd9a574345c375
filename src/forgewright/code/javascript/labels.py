"""Statement labels: names that only `break` and `continue` inside the labelled statement see."""

from __future__ import annotations

from forgewright.code.javascript.names import CLASSES, FUNCTIONS
from forgewright.code.scopes.tree import Node


def labelled(node: Node) -> Node | None:
    """The labelled statement whose label a `statement_identifier` is or jumps to."""
    if node.type != "statement_identifier":
        return None
    if node.up.type == "labeled_statement":
        return node.up
    for above in node.above():
        if above.type in FUNCTIONS or above.type in CLASSES:
            return None
        label = above.get("label") if above.type == "labeled_statement" else None
        if label is not None and label.text == node.text:
            return above
    return None


def occurrences(statement: Node) -> list[Node]:
    """The label and all jumps to it, in order."""
    label = statement.get("label")
    assert label is not None
    return [
        node
        for node in statement.walk()
        if node.type == "statement_identifier" and node.text == label.text and labelled(node) is statement
    ]
