"""Reading a part of a long text: lines, bytes, or the lines that hold something."""

from __future__ import annotations

import msgspec

from forgewright.core.errors import ToolError

PAGE_CHARS = 8_000
"""Of one reading; more is asked for with another."""
LINE_CHARS = 400
"""Of a line that was found; what stands around the place is shown."""


class Page(msgspec.Struct, frozen=True):
    """Which part of a result is asked for: lines, bytes, or lines that hold a text."""

    result: str
    """Handle; empty for the list of all."""
    start_line: int = 1
    end_line: int | None = None
    start_byte: int | None = None
    end_byte: int | None = None
    pattern: str = ""


def read_page(text: str, page: Page) -> str:
    """At most `PAGE_CHARS` of it, and how to read on. Raises `ToolError` for a place that is not there."""
    if page.pattern:
        return _find(text, page.pattern, page.start_line)
    if page.start_byte is not None or page.end_byte is not None:
        return _bytes(text, page.start_byte or 0, page.end_byte)
    return _lines(text, max(1, page.start_line), page.end_line)


def _lines(text: str, start: int, end: int | None) -> str:
    lines = text.split("\n")
    if start > len(lines):
        raise ToolError(f"the result has {len(lines):,} lines, and none at {start:,}")
    out: list[str] = []
    room = PAGE_CHARS
    last = min(len(lines), end if end is not None else len(lines))
    for number in range(start, last + 1):
        line = lines[number - 1]
        if len(line) > room:
            if out:
                return "\n".join([*out, f"[{len(lines):,} lines in all; start_line={number} reads on]"])
            before = "\n".join(lines[: number - 1])
            at = len(before.encode("utf-8", "replace")) + (number > 1)
            at += len(line[:room].encode("utf-8", "replace"))
            more = f"[line {number} goes on for {len(line) - room:,} characters; start_byte={at} reads on]"
            return f"{number}: {line[:room]}\n{more}"
        out.append(f"{number}: {line}")
        room -= len(line) + 8
    if last < len(lines):
        out.append(f"[{len(lines):,} lines in all; start_line={last + 1} reads on]")
    return "\n".join(out)


def _bytes(text: str, start: int, end: int | None) -> str:
    data = text.encode("utf-8", "replace")
    if not 0 <= start < len(data):
        raise ToolError(f"the result has {len(data):,} bytes, and none at {start:,}")
    stop = min(len(data), start + PAGE_CHARS, len(data) if end is None else end)
    piece = data[start:stop].decode("utf-8", "replace")
    more = f"; start_byte={stop} reads on" if stop < len(data) else ""
    return f"{piece}\n[bytes {start:,} to {stop:,} of {len(data):,}{more}]"


def _find(text: str, pattern: str, start: int) -> str:
    """Lines that hold the literal text, in whatever case, numbered. No expressions: they could take for ever."""
    wanted = pattern.casefold()
    out: list[str] = []
    room = PAGE_CHARS
    for number, line in enumerate(text.split("\n"), 1):
        at = line.casefold().find(wanted) if number >= start else -1
        if at < 0:
            continue
        around = line[max(0, at - LINE_CHARS // 3) : at + LINE_CHARS * 2 // 3]
        piece = line if len(line) <= LINE_CHARS else f"…{around}…"
        if len(piece) > room:
            return "\n".join([*out, f"[more lines hold it; start_line={number} finds them]"])
        out.append(f"{number}: {piece}")
        room -= len(piece) + 8
    return "\n".join(out) or f"no line holds {pattern[:80]!r}; it is searched literally, in any case"
