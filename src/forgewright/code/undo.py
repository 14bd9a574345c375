"""The program that takes a set of changes back, byte for byte."""

from __future__ import annotations

from collections.abc import Sequence

from forgewright.code.operations.restore import Piece, Restore
from forgewright.code.project import FileChange
from forgewright.code.syntax.program import unparse
from forgewright.core.ids import digest


def undo_program(changes: Sequence[FileChange]) -> str:
    """One `restore` for each file; it is refused where the file is no longer as the change left it."""
    return unparse([_restore(change) for change in changes])


def _restore(change: FileChange) -> Restore:
    now = digest(change.after) if change.after is not None else ""
    if change.before is None:
        return Restore(path=change.path, found=now)
    if change.after is None:
        return Restore(path=change.path, pieces=(piece(0, 0, change.before),), gives=digest(change.before))
    pieces = difference(change.after, change.before)
    return Restore(path=change.path, found=now, pieces=pieces, gives=digest(change.before))


def piece(start: int, end: int, data: bytes) -> Piece:
    """A piece with its bytes as text where they are UTF-8, else as base64."""
    try:
        return Piece(start=start, end=end, text=data.decode())
    except UnicodeDecodeError:
        from base64 import b64encode

        return Piece(start=start, end=end, base64=b64encode(data).decode())


def difference(now: bytes, then: bytes) -> tuple[Piece, ...]:
    """Pieces that turn `now` into `then`: whole lines, in order."""
    from difflib import SequenceMatcher

    a, b = now.splitlines(keepends=True), then.splitlines(keepends=True)
    same = _line_by_line(a, b)
    if same is not None:
        return same
    if len(a) > 20_000 or len(b) > 20_000:
        return (_trimmed(0, now, then),)
    starts = [0]
    for line in a:
        starts.append(starts[-1] + len(line))
    return tuple(
        _trimmed(starts[i1], now[starts[i1] : starts[i2]], b"".join(b[j1:j2]))
        for tag, i1, i2, j1, j2 in SequenceMatcher(None, a, b).get_opcodes()
        if tag != "equal"
    )


def _line_by_line(a: list[bytes], b: list[bytes]) -> tuple[Piece, ...] | None:
    """The pieces of two texts with as many lines, most of them the same and in their places; else None."""
    if len(a) != len(b):
        return None
    different = [row for row, (one, other) in enumerate(zip(a, b, strict=True)) if one != other]
    if len(different) * 2 > len(a):
        return None
    pieces: list[Piece] = []
    at = row = 0
    for changed in different:
        at += sum(map(len, a[row:changed]))
        pieces.append(_trimmed(at, a[changed], b[changed]))
        row, at = changed + 1, at + len(a[changed])
    return tuple(pieces)


def _trimmed(start: int, now: bytes, then: bytes) -> Piece:
    """The piece without what is the same at both ends."""
    shorter = min(len(now), len(then))
    head = 0
    while head < shorter and now[head] == then[head]:
        head += 1
    tail = 0
    while tail < shorter - head and now[-1 - tail] == then[-1 - tail]:
        tail += 1
    while head and (now[head : head + 1] or b"\0")[0] & 0xC0 == 0x80:  # not inside a character
        head -= 1
    while tail and now[len(now) - tail] & 0xC0 == 0x80:
        tail -= 1
    return piece(start + head, start + len(now) - tail, then[head : len(then) - tail])
