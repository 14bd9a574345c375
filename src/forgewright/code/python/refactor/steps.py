"""What may be computed between the beginning of one statement and an expression further on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.python.narrowing import LOOPS
from forgewright.code.python.refactor.order import Place
from forgewright.code.python.refactor.text import BLOCKS

if TYPE_CHECKING:
    from tree_sitter import Node

DEFERRED = ("function_definition", "class_definition")


def steps(start: Node, node: Node) -> list[Node] | None:
    """The code that may run from the beginning of the statement `start` to `node`; None if `node` is not sure to come after it.

    Loops around `node` that begin after `start` count as a whole: another round may come before.
    """
    found: list[Node] = []
    block = start.parent
    place = Place(node)
    child = place.statement
    found += place.before
    while child.parent is not None and child.parent != block:
        parent = child.parent
        if parent.type in LOOPS or parent.type in DEFERRED:
            found = [parent]
        elif parent.type in BLOCKS:
            found += [c for c in parent.named_children if c.end_byte <= child.start_byte]
        else:
            found += [
                c for c in parent.named_children if c.end_byte <= child.start_byte and c.type != "comment"
            ]
        child = parent
    if child.parent is None or child.start_byte < start.start_byte:
        return None
    between = start
    while between != child:
        found.append(between)
        following = between.next_named_sibling
        if following is None:
            return None
        between = following
    return found
