"""JavaScript's statements end with a line only if the next one cannot continue it: edits keep them apart.

A line that begins with `(`, `[`, a template, a sign or a slash goes on with an expression that no semicolon ended
(ECMA-262 §12.10). Where code was put before or behind such a line, or taken away between, a semicolon is added if
two statements would become one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.selectors import nodes

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.project import Source

LANGUAGES = frozenset(("javascript", "typescript", "tsx"))
_CONTINUING = frozenset(b"([`+-/*<")
_BLANK = b" \t\r\n\f\v"
_COMMENTS = frozenset(("comment", "html_comment"))


def joining(source: Source, splices: Sequence[Splice]) -> bool:
    """Whether a line could be read as a part of the statement above it, told by bytes alone."""
    if source.language not in LANGUAGES:
        return False
    return any(_lead(source.data, splice) or _tail(source.data, splice) for splice in splices)


def kept_apart(before: Source, after: Source, splices: Sequence[Splice]) -> list[Splice]:
    """The splices with the semicolons that they need. `after` is the file with `splices` done."""
    old, new, data = before.tree.root_node, after.tree.root_node, before.data
    done: list[Splice] = []
    shift = last = 0
    for splice in sorted(splices, key=lambda one: (one.start, one.end)):
        if splice.start < last:  # the same once more, or one that is refused for it
            done.append(splice)
            continue
        if _in_comment(old, splice):
            shift += len(splice.text) - (splice.end - splice.start)
            last = splice.end
            done.append(splice)
            continue
        text = splice.text
        end = _code_end(old, data, splice.start)
        if _lead(data, splice) and end >= last and _ends(old, end) and not _ends(new, end + shift):
            at = len(text) - len(text.lstrip(_BLANK))
            text = text[:at] + b";" + text[at:]
        shift += len(splice.text) - (splice.end - splice.start)
        last = splice.end
        begin = _code_start(old, data, splice.end)
        behind = None
        if _tail(data, splice) and _begins(old, begin) and not _begins(new, begin + shift):
            at = len(text.rstrip(_BLANK))
            if at and b"//" not in text[text.rfind(b"\n", 0, at) + 1 :]:
                text = text[:at] + b";" + text[at:]
            else:
                behind = Splice(splice.path, begin, begin, b";")
        done.append(Splice(splice.path, splice.start, splice.end, text))
        done.extend([behind] if behind is not None else [])
    return done


def _in_comment(root: Node, splice: Splice) -> bool:
    node = root.descendant_for_byte_range(splice.start, splice.end)
    if node is None or node.type not in _COMMENTS:
        return False
    return node.start_byte < splice.start and splice.end < node.end_byte


def _lead(data: bytes, splice: Splice) -> bool:
    """Whether the text is on a line of its own and begins as a continuation does."""
    text = splice.text.lstrip(_BLANK)
    if not text or text[0] not in _CONTINUING:
        return False
    gap = data[_back(data, splice.start) : splice.start] + splice.text[: len(splice.text) - len(text)]
    return b"\n" in gap


def _tail(data: bytes, splice: Splice) -> bool:
    """Whether what comes behind the text is on a line of its own and begins as a continuation does."""
    begin = _forth(data, splice.end)
    if begin == len(data) or data[begin] not in _CONTINUING:
        return False
    text = splice.text.rstrip(_BLANK)
    gap = splice.text[len(text) :] + data[splice.end : begin]
    return b"\n" in gap or (not text and b"\n" in data[_back(data, splice.start) : splice.start])


def _back(data: bytes, at: int) -> int:
    while at and data[at - 1] in _BLANK:
        at -= 1
    return at


def _forth(data: bytes, at: int) -> int:
    while at < len(data) and data[at] in _BLANK:
        at += 1
    return at


def _code_end(root: Node, data: bytes, at: int) -> int:
    """Where the code before a place ends, comments left out."""
    while at := _back(data, at):
        node = root.descendant_for_byte_range(at - 1, at)
        if node is None or node.type not in _COMMENTS:
            return at
        at = node.start_byte
    return 0


def _code_start(root: Node, data: bytes, at: int) -> int:
    """Where the code behind a place begins, comments left out."""
    while (at := _forth(data, at)) < len(data):
        node = root.descendant_for_byte_range(at, at + 1)
        if node is None or node.type not in _COMMENTS:
            return at
        at = node.end_byte
    return at


def _ends(root: Node, at: int) -> bool:
    """Whether a statement ends here; at the beginning of a file none does."""
    node = root.descendant_for_byte_range(at - 1, at) if at > 0 else None
    while node is not None and node.end_byte == at:
        if nodes.is_statement(node):
            return True
        node = node.parent
    return False


def _begins(root: Node, at: int) -> bool:
    node = root.descendant_for_byte_range(at, at + 1) if at < root.end_byte else None
    while node is not None and node.start_byte == at:
        if nodes.is_statement(node):
            return True
        node = node.parent
    return False
