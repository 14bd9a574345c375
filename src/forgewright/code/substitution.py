"""Whether two versions of a Python file differ by one name for another, everywhere it stands.

Then one of them compiles if and only if the other does. What the compiler refuses depends on the kinds of
tokens, on which names are equal, and on a few names that have a meaning of their own (Python language reference
2.3.1, 2.3.2; `__debug__`, `_` in patterns). A name that takes the place of another one at every token, where it did
not stand before, leaves all three as they were.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forgewright.code.sources import SourceFile

_WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
_PART = re.compile(rb"[\w\x80-\xff]")
PROSE = frozenset({"comment", "string_content", "string", "string_start", "string_end", "escape_sequence"})
SPECIAL = frozenset({"match", "case", "type", "print", "exec", "async", "await", "_"})
"""Names that are words of the grammar in some places, here or in tree-sitter's."""


def substituted(before: SourceFile, after: SourceFile) -> bool:
    """True only if it is sure; False says nothing."""
    words = _words(before.data, after.data)
    if words is None:
        return False
    old, new = words
    if not (_ordinary(old) and _ordinary(new)):
        return False
    if next(standing(before.data, new), None) is not None:
        return False
    places = list(standing(before.data, old))
    kept = _kept(before.data, after.data, old, new, places)
    return kept is not None and _names(before, set(kept), places)


def standing(data: bytes, name: bytes) -> Iterator[int]:
    """Where `name` stands as a word of its own."""
    at = data.find(name)
    while at >= 0:
        end = at + len(name)
        if not (at and _PART.match(data, at - 1)) and not _PART.match(data, end):
            yield at
        at = data.find(name, end)


def _ordinary(name: bytes) -> bool:
    text = name.decode("ascii")
    return not (text.startswith("__") or keyword.iskeyword(text) or text in SPECIAL)


def _words(before: bytes, after: bytes) -> tuple[bytes, bytes] | None:
    """The first word in which the two differ, and what it has become."""
    at = _difference(before, after)
    if at < 0:
        return None
    while at and _PART.match(before, at - 1):
        at -= 1
    old, new = _WORD.match(before, at), _WORD.match(after, at)
    return (old[0], new[0]) if old is not None and new is not None else None


def _difference(before: bytes, after: bytes) -> int:
    """The first byte in which they differ; -1 if they are the same."""
    if before == after:
        return -1
    low, high = 0, min(len(before), len(after))
    while low < high:  # the common beginning, by halves
        middle = (low + high + 1) // 2
        if before[low:middle] == after[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _kept(before: bytes, after: bytes, old: bytes, new: bytes, places: list[int]) -> list[int] | None:
    """Where `old` still stands (bytes of `before`); None if anything else is different."""
    kept: list[int] = []
    done = shift = 0
    for start in places:
        if before[done:start] != after[done + shift : start + shift]:
            return None
        done = start + len(old)
        here = start + shift
        if after.startswith(new, here) and not _PART.match(after, here + len(new)):
            shift += len(new) - len(old)
        elif after.startswith(old, here):
            kept.append(start)
        else:
            return None
    return kept if before[done:] == after[done + shift :] else None


def _names(source: SourceFile, kept: set[int], places: list[int]) -> bool:
    """Whether those that were kept stand in comments and strings, and the others are names."""
    parsed = source.parsed
    root = source.tree.root_node
    if not parsed:
        source.forget_tree()
    if root.has_error:
        return False
    for place in places:
        node = root.descendant_for_byte_range(place, place + 1)
        if node is None or (node.type in PROSE) != (place in kept):
            return False
    return True
