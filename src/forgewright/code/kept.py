"""Where a byte of a changed file was before, on the lines that did not change."""

from __future__ import annotations

from bisect import bisect_right
from difflib import SequenceMatcher


class Kept:
    """The lines that two versions of a file share."""

    def __init__(self, old: bytes, new: bytes) -> None:
        a, b = old.splitlines(keepends=True), new.splitlines(keepends=True)
        self._starts = [0]
        for line in b:
            self._starts.append(self._starts[-1] + len(line))
        begins = [0]
        for line in a:
            begins.append(begins[-1] + len(line))
        self._before: dict[int, int] = {}
        for i, j, size in SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks():
            for k in range(size):
                self._before[j + k] = begins[i + k]

    def before(self, offset: int) -> int | None:
        """Where a byte of the new version was in the old one, if its line is the same."""
        line = bisect_right(self._starts, offset) - 1
        begin = self._before.get(line)
        return None if begin is None else begin + offset - self._starts[line]
