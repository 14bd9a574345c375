"""What is done with a file's content, the same for every backend."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable

from forgewright.core.errors import Conflict, ForgewrightError, NotFound, UsageError
from forgewright.files.types import FILE_BYTES_MAX, LINE_CHARACTERS_MAX, Found, Match


def bounded(path: str, data: bytes) -> bytes:
    """The data. Raises `UsageError` if it is too large for a file."""
    if len(data) > FILE_BYTES_MAX:
        raise UsageError(
            f"expected at most {FILE_BYTES_MAX:,} bytes for the file {path!r:.200}; found {len(data):,}"
        )
    return data


def missing(name: str, files: Container[str], what: str = "file or folder") -> ForgewrightError:
    """The error for a path that is not there: `Conflict` where a file stands on the way, else `NotFound`."""
    parts = name.split("/")
    for depth in range(1, len(parts)):
        if "/".join(parts[:depth]) in files:
            return Conflict(f"expected folders on the way to {name!r}; found a file")
    return NotFound(f"there is no {what} {name!r}")


def edited(path: str, data: bytes, old: str, new: str, *, every: bool) -> tuple[bytes, int]:
    """The changed content, and how many places changed. Raises `Conflict`, `UsageError`."""
    if not old:
        raise UsageError("expected the text to replace; found nothing", hint="to make a file, write it")
    if old == new:
        raise UsageError("expected a new text that differs from the old one; found the same")
    wanted = old.encode()
    count = data.count(wanted)
    if count == 0 and b"\r\n" in data and "\r" not in old:
        wanted, new = wanted.replace(b"\n", b"\r\n"), new.replace("\n", "\r\n")
        count = data.count(wanted)
    if count == 0:
        raise Conflict(
            f"expected the text {old!r:.120} in {path}; it is not there",
            hint="read the file and give the text exactly as it stands, with its indentation",
        )
    if count > 1 and not every:
        raise Conflict(
            f"expected the text {old!r:.120} once in {path}; it is there {count} times",
            hint="give more of the text around it, or replace every one",
        )
    return bounded(path, data.replace(wanted, new.encode())), count


def search(
    files: Iterable[tuple[str, bytes | None]],
    expression: re.Pattern[str],
    matches_max: int,
    *,
    plain: str | None = None,
) -> Found:
    """Matching lines of the files, given as path and content (None: too large); `plain` is the text
    looked for where it is one, by which most files are left out quickly."""
    needle = plain.encode() if plain is not None else b""
    matches: list[Match] = []
    skipped: list[str] = []
    for path, data in files:
        if data is None or b"\0" in data[:8192]:
            if len(skipped) < 100:
                skipped.append(path)
            continue
        if needle not in data:
            continue
        for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
            line = line.removesuffix("\r")
            if expression.search(line) is not None:
                if len(matches) >= matches_max:
                    return Found(tuple(matches), truncated=True, skipped=tuple(skipped))
                matches.append(Match(path, number, line[:LINE_CHARACTERS_MAX]))
    return Found(tuple(matches), skipped=tuple(skipped))
