"""A three-way merge of one text: what one side changed is taken, what both changed differently is put to `resolve`.

As in diff3 (Khanna, Kunal, Pierce, 2007) and `git merge-file`: changes that touch each other are one place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from forgewright.swarm.merge.lines import Hunk, hunks


class Conflict(msgspec.Struct, frozen=True):
    """One place that both sides changed, differently. Each side as its lines, with their ends."""

    line: int
    """Where it stands in the merged text, from 1."""
    base: bytes
    ours: bytes
    theirs: bytes


class Merged(msgspec.Struct, frozen=True):
    """The merged text holds our side of each conflict."""

    text: bytes
    conflicts: tuple[Conflict, ...] = ()

    def with_markers(self) -> bytes:
        """The text with both sides of each conflict between markers, as git shows it with `diff3` style."""
        lines = self.text.splitlines(keepends=True)
        for place in reversed(self.conflicts):
            at = place.line - 1
            count = len(split(place.ours))
            lines[at : at + count] = [
                b"<<<<<<< ours\n", ended(place.ours), b"||||||| base\n", ended(place.base),
                b"=======\n", ended(place.theirs), b">>>>>>> theirs\n",
            ]  # fmt: skip
        return b"".join(lines)


Sides = tuple[Sequence[bytes], Sequence[bytes], Sequence[bytes]]
"""Lines of base, ours and theirs at one place."""
Resolve = Callable[[Sides], "Sequence[bytes] | None"]
"""The lines that hold what both sides meant, or None where that is not clear."""


def merge_text(base: bytes, ours: bytes, theirs: bytes, resolve: Resolve | None = None) -> Merged:
    """Merges by lines; `resolve` is asked about each place that both changed."""
    if ours == theirs or theirs == base:
        return Merged(ours)
    if ours == base:
        return Merged(theirs)
    lines = split(base), split(ours), split(theirs)
    out: list[bytes] = []
    conflicts: list[Conflict] = []
    at = 0
    for start, end, sides in _places(*lines):
        out += lines[0][at:start]
        at = end
        mine, other = sides[1], sides[2]
        if mine == other or other == sides[0]:
            out += mine
        elif mine == sides[0]:
            out += other
        else:
            found = resolve(sides) if resolve is not None else None
            if found is not None:
                out += found
                continue
            before, inner, after = _trimmed(sides)
            out += before
            found = resolve(inner) if resolve is not None else None
            if found is None:
                found = inner[1]
                conflicts.append(Conflict(len(out) + 1, *(b"".join(side) for side in inner)))
            out += found
            out += after
    out += lines[0][at:]
    return Merged(b"".join(out), tuple(conflicts))


def split(text: bytes) -> list[bytes]:
    """Lines with their ends; only a line feed ends one."""
    lines = text.split(b"\n")
    out = [line + b"\n" for line in lines[:-1]]
    return [*out, lines[-1]] if lines[-1] else out


def ended(text: bytes) -> bytes:
    """The text, with a line end after its last line."""
    return text if not text or text.endswith(b"\n") else text + b"\n"


def _places(base: list[bytes], ours: list[bytes], theirs: list[bytes]) -> list[tuple[int, int, Sides]]:
    """Places that anybody changed: which lines of the base, and what each side has there."""
    todo: list[tuple[Hunk, int]] = sorted(
        [*((hunk, 1) for hunk in hunks(base, ours)), *((hunk, 2) for hunk in hunks(base, theirs))]
    )
    found: list[tuple[int, int, Sides]] = []
    shift = {1: 0, 2: 0}
    at = 0
    while at < len(todo):
        (start, end, *_), _ = todo[at]
        group = []
        while at < len(todo) and todo[at][0][0] <= end:
            group.append(todo[at])
            end = max(end, todo[at][0][1])
            at += 1
        sides = []
        for number, text in ((1, ours), (2, theirs)):
            first = start + shift[number]
            for (b0, b1, o0, o1), side in group:
                if side == number:
                    shift[number] += (o1 - o0) - (b1 - b0)
            sides.append(text[first : end + shift[number]])
        found.append((start, end, (base[start:end], sides[0], sides[1])))
    return found


def _trimmed(sides: Sides) -> tuple[Sequence[bytes], Sides, Sequence[bytes]]:
    """What both sides begin and end with in the same way is no part of their conflict."""
    base, ours, theirs = sides
    before = 0
    while before < min(len(ours), len(theirs)) and ours[before] == theirs[before]:
        before += 1
    after = 0
    while after < min(len(ours), len(theirs)) - before and ours[-1 - after] == theirs[-1 - after]:
        after += 1
    cut = len(ours) - after
    return ours[:before], (base, ours[before:cut], theirs[before : len(theirs) - after]), ours[cut:]
