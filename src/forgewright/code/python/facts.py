"""The facts of files, kept between the resolvers of one process; each as long as its source is the same."""

from __future__ import annotations

from forgewright.code.project import Source
from forgewright.code.python.build import build
from forgewright.code.python.scopes import FileIndex

INDEXES_MAX = 256
FOCUSED_PERCENT = 75
"""How much of the memory the facts and the tree of a file take if most expressions were passed over."""

_INDEXES: dict[tuple[str, frozenset[str] | None], FileIndex] = {}


def facts(source: Source, focus: frozenset[str] | None = None) -> FileIndex:
    """All facts of a file, or only those that places of the words in `focus` are found by."""
    for wanted in (None, focus):
        found = _INDEXES.get((source.path, wanted))
        if found is not None and found.source is source:
            return found
    found = build(source, focus)
    if len(_INDEXES) >= INDEXES_MAX:
        _INDEXES.clear()
    _INDEXES[source.path, focus] = found
    return found


def forget(file: FileIndex) -> None:
    """Do not keep a file's facts."""
    if _INDEXES.get((file.path, file.focus)) is file:
        del _INDEXES[file.path, file.focus]


def held(file: FileIndex) -> int:
    """What a file's facts take, in bytes of source of which all facts are known."""
    return len(file.data) if file.focus is None else len(file.data) * FOCUSED_PERCENT // 100
