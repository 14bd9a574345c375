"""Code that is the same but for its layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.python.infer import Inference
from forgewright.code.python.narrowing import BLOCKS
from forgewright.code.python.refactor.region import Region
from forgewright.code.python.refactor.text import source, walk
from forgewright.code.python.scopes import FileIndex, Scope
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node


def similar(types: Inference, region: Region, reach: Scope) -> list[Region]:
    """The other places in `reach` with the same code."""
    file = region.file
    found: list[Region] = []
    if region.expression is not None:
        wanted = leaves(file, [region.expression])
        for node in walk(reach.node):
            if node.type != region.expression.type or node.start_byte == region.start:
                continue
            if leaves(file, [node]) == wanted:
                try:
                    found.append(Region(file, node.start_byte, node.end_byte, "expression"))
                except EditRefused:
                    continue
        return found
    wanted = leaves(file, region.statements)
    count = len(region.statements)
    for block in walk(reach.node):
        if block.type not in BLOCKS:
            continue
        children = block.named_children
        at = 0
        while at + count <= len(children):
            chosen = children[at : at + count]
            inside = chosen[0].start_byte < region.end and chosen[-1].end_byte > region.start
            if not inside and chosen[0].type == region.statements[0].type and leaves(file, chosen) == wanted:
                found.append(Region(file, chosen[0].start_byte, chosen[-1].end_byte, "statements"))
                at += count
            else:
                at += 1
    return found


def leaves(file: FileIndex, nodes: list[Node]) -> list[bytes]:
    """The tokens of some nodes: equal for code that differs in layout only."""
    found: list[bytes] = []
    for top in nodes:
        for node in walk(top):
            if not node.children and node.type != "comment":
                found.append(source(file, node))
    return found
