"""The order of imports."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.refactor.import_checks import check_order
from forgewright.code.python.refactor.imports import Imports, items_of, remove_statement
from forgewright.code.python.refactor.text import line_end, line_start, newline
from forgewright.code.python.scopes import FileIndex

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver


def sort_imports(resolver: PythonResolver, file: FileIndex, *, to_top: bool = False) -> list[Splice]:
    """Sort the leading imports in groups: future, standard library, others, this project; `to_top` moves all."""
    imports = Imports(file)
    tops = imports.top()
    if not tops:
        return []
    block = leading_block(file, tops)
    chosen = tops if to_top else block
    if not chosen:
        return []
    entries = sorted(
        ((group(resolver, file, node), _order(file, node), _lines(file, node), node) for node in chosen),
        key=lambda entry: (entry[0], entry[1]),
    )
    check_order(resolver, file, chosen, [node for _, _, _, node in entries])
    end = newline(file.data)
    text = b""
    previous = None
    for number, _, lines, _ in entries:
        if previous is not None and number != previous:
            text += end
        text += lines.rstrip() + end
        previous = number
    found: list[Splice] = []
    if block:
        start = block_start(file, block[0])
        stop = line_end(file.data, block[-1].end_byte)
        if file.data[start:stop].rstrip() == text.rstrip() and len(chosen) == len(block):
            return []
        found.append(Splice(file.path, start, stop, text))
    else:
        at, _ = imports.place()
        found.append(Splice(file.path, at, at, text + end * 2))
    if to_top:
        found += [remove_statement(file, node) for node in tops if node not in block]
        if block and len(tops) > len(block):
            rest = file.data[line_end(file.data, block[-1].end_byte) :]
            blank = len(rest) - len(rest.lstrip(b"\r\n"))
            if not blank:
                found[0] = Splice(file.path, found[0].start, found[0].end, text + end * 2)
    return found


def leading_block(file: FileIndex, tops: list[Node]) -> list[Node]:
    """The imports from the first on, until something else comes."""
    found: list[Node] = []
    for child in file.root.named_children:
        if child in tops:
            found.append(child)
        elif child.type == "comment" or (not found and child.type == "expression_statement"):
            continue
        elif found or child.type != "comment":
            break
    return found


def block_start(file: FileIndex, node: Node) -> int:
    begin = line_start(file.data, node.start_byte)
    previous = node.prev_named_sibling
    while previous is not None and previous.type == "comment" and _attached(file, previous):
        begin = line_start(file.data, previous.start_byte)
        previous = previous.prev_named_sibling
    return begin


def _attached(file: FileIndex, comment: Node) -> bool:
    """Whether a comment on a line of its own belongs to the line that follows."""
    begin = line_start(file.data, comment.start_byte)
    if file.data[begin : comment.start_byte].strip() or comment.start_point[0] < 2:
        return False
    following = file.data[line_end(file.data, comment.end_byte) :]
    return bool(following) and not following.startswith((b"\n", b"\r\n"))


def _lines(file: FileIndex, node: Node) -> bytes:
    return file.data[block_start(file, node) : line_end(file.data, node.end_byte)]


def _order(file: FileIndex, node: Node) -> tuple[bool, str]:
    text = file.text(node)
    return text.startswith("from "), text


def group(resolver: PythonResolver, file: FileIndex, node: Node) -> int:
    """0 future, 1 standard library, 2 other distributions, 3 this project."""
    if node.type == "future_import_statement":
        return 0
    items = items_of(file, node)
    if not items:
        return 2
    first = items[0]
    if first.level:
        return 4
    path = tuple(first.module.split("."))
    if resolver.modules.find(file.path, 0, path) is not None:
        return 3
    return 1 if path[0] in sys.stdlib_module_names else 2
