"""Which lines of two texts are the same: unique common lines first, then the shortest edit between them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

EDITS_MAX = 2000
"""Between two anchors; texts that differ by more have nothing in common there."""


Hunk = tuple[int, int, int, int]
"""Lines `[0]` to `[1]` of the base were replaced by lines `[2]` to `[3]` of the other text."""


def hunks(base: Sequence[bytes], other: Sequence[bytes]) -> list[Hunk]:
    """What was changed, in order; between two hunks stands at least one line that is the same."""
    pairs: list[tuple[int, int]] = []
    todo = [(0, len(base), 0, len(other))]
    while todo:
        b0, b1, o0, o1 = todo.pop()
        while b0 < b1 and o0 < o1 and base[b0] == other[o0]:
            pairs.append((b0, o0))
            b0, o0 = b0 + 1, o0 + 1
        while b0 < b1 and o0 < o1 and base[b1 - 1] == other[o1 - 1]:
            b1, o1 = b1 - 1, o1 - 1
            pairs.append((b1, o1))
        if b0 == b1 or o0 == o1:
            continue
        anchors = _unique(base, other, b0, b1, o0, o1)
        if not anchors:
            pairs += _shortest(base, other, b0, b1, o0, o1)
            continue
        pairs += anchors
        for b, o in anchors:
            todo.append((b0, b, o0, o))
            b0, o0 = b + 1, o + 1
        todo.append((b0, b1, o0, o1))
    found: list[Hunk] = []
    b = o = 0
    for at_base, at_other in [*sorted(pairs), (len(base), len(other))]:
        if (at_base, at_other) != (b, o):
            found.append((b, at_base, o, at_other))
        b, o = at_base + 1, at_other + 1
    return _slid(found, base, other)


def _slid(found: list[Hunk], base: Sequence[bytes], other: Sequence[bytes]) -> list[Hunk]:
    """Where it is open which of several like lines were added or removed, the last ones were, as git sees it: then a
    block is added before the blank line that follows it, and not behind the line before."""
    out: list[Hunk] = []
    for number, (b0, b1, o0, o1) in enumerate(found):
        last = found[number + 1][0] - 1 if number + 1 < len(found) else len(base)
        lines, at, end = (other, o0, o1) if b0 == b1 else (base, b0, b1)
        by = 0
        if b0 == b1 or o0 == o1:
            while b1 + by < last and lines[at + by] == lines[end + by]:
                by += 1
        out.append((b0 + by, b1 + by, o0 + by, o1 + by))
    return out


def _unique(
    base: Sequence[bytes], other: Sequence[bytes], b0: int, b1: int, o0: int, o1: int
) -> list[tuple[int, int]]:
    """Lines that each side has once, as far as they keep their order (patience diff, Bram Cohen)."""
    where: dict[bytes, list[int]] = {}
    for at in range(b0, b1):
        where.setdefault(base[at], [0, 0, 0, 0])[0] += 1
        where[base[at]][1] = at
    for at in range(o0, o1):
        if base_line := where.get(other[at]):
            base_line[2] += 1
            base_line[3] = at
    common = [(at, there) for count, at, times, there in where.values() if count == times == 1]
    common.sort()
    tops: list[int] = []
    before: list[int] = []
    last: list[int] = []
    for number, (_, there) in enumerate(common):
        pile = bisect_left(tops, there)
        before.append(last[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(there)
            last.append(number)
        else:
            tops[pile], last[pile] = there, number
    chosen = []
    at = last[-1] if last else -1
    while at >= 0:
        chosen.append(common[at])
        at = before[at]
    return chosen[::-1]


def _shortest(
    base: Sequence[bytes], other: Sequence[bytes], b0: int, b1: int, o0: int, o1: int
) -> list[tuple[int, int]]:
    """Pairs of equal lines of a shortest edit script (E. Myers, 1986)."""
    n, m = b1 - b0, o1 - o0
    front = {1: 0}
    trace = []
    for edits in range(min(n + m, EDITS_MAX) + 1):
        trace.append(dict(front))
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and front.get(k - 1, -1) < front.get(k + 1, -1))
            x = front.get(k + 1, 0) if down else front.get(k - 1, 0) + 1
            y = x - k
            while x < n and y < m and base[b0 + x] == other[o0 + y]:
                x, y = x + 1, y + 1
            front[k] = x
            if x >= n and y >= m:
                return _back(trace, n, m, b0, o0)
    return []


def _back(trace: list[dict[int, int]], x: int, y: int, b0: int, o0: int) -> list[tuple[int, int]]:
    pairs = []
    for edits in range(len(trace) - 1, -1, -1):
        front, k = trace[edits], x - y
        down = k == -edits or (k != edits and front.get(k - 1, -1) < front.get(k + 1, -1))
        k_before = k + 1 if down else k - 1
        x_before = front.get(k_before, 0)
        while x > (x_before if down else x_before + 1):
            x, y = x - 1, y - 1
            pairs.append((b0 + x, o0 + y))
        x, y = x_before, x_before - k_before
    return pairs
