"""Splices of several steps brought together, and small helpers of moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.binding import Occurrence
from forgewright.code.project import Splice
from forgewright.code.python.refactor.imports import merged_deletions
from forgewright.code.python.scopes import FileIndex

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver


def attribute_at(file: FileIndex, place: Occurrence) -> Node | None:
    """`x.name` if the name at `place` stands after a dot."""
    node = file.root.descendant_for_byte_range(place.start, place.end)
    parent = node.parent if node is not None else None
    if node is not None and parent is not None and parent.type == "attribute":
        if node == parent.child_by_field_name("attribute"):
            return parent
    return None


def empty(resolver: PythonResolver, path: str) -> FileIndex:
    """The facts of a file that is not there yet."""
    from forgewright.code.python.build import build
    from forgewright.code.sources import SourceFile

    return build(SourceFile(path, b"", "python"))


def merge(splices: list[Splice]) -> list[Splice]:
    """Each splice once; deletions that touch joined; insertions at the edge of a deletion kept."""
    unique = list(dict.fromkeys(splices))
    deletions = merged_deletions([s for s in unique if not s.text])
    kept = [s for s in unique if s.text]
    found: list[Splice] = []
    for deletion in deletions:
        inside = [s for s in kept if s.path == deletion.path and deletion.start < s.start < deletion.end]
        if any(s.start == s.end for s in inside):
            text = b"".join(s.text for s in inside if s.start == s.end)
            found.append(Splice(deletion.path, deletion.start, deletion.end, text))
        else:
            found.append(deletion)
        kept = [s for s in kept if s not in inside]
    return joined(kept + found)


def joined(splices: list[Splice]) -> list[Splice]:
    """Insertions at the same byte become one, in the order of lines: imports before code."""
    found: list[Splice] = []
    for splice in sorted(splices, key=lambda s: (s.path, s.start, s.end)):
        last = found[-1] if found else None
        if (
            last is not None
            and last.path == splice.path
            and last.start == last.end == splice.start == splice.end
        ):
            first, second = (last, splice) if _rank(last) <= _rank(splice) else (splice, last)
            found[-1] = Splice(splice.path, splice.start, splice.end, first.text + second.text)
            continue
        found.append(splice)
    return found


def _rank(splice: Splice) -> int:
    text = splice.text.lstrip()
    return (
        0
        if text.startswith((b"import ", b"from ")) and b"\ndef " not in text and b"\nclass " not in text
        else 1
    )
