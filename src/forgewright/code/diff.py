"""Unified diffs of changes, as `git diff` prints them, without what stayed the same."""

from __future__ import annotations

from difflib import SequenceMatcher

from forgewright.code.project import FileChange

CONTEXT = 3


def unified(change: FileChange) -> str:
    """One file's diff; empty if nothing changed. Bytes that are no UTF-8 are shown as `\\xNN`."""
    if change.before == change.after:
        return ""
    old = _lines(change.before)
    new = _lines(change.after)
    head = f"--- {'a/' + change.path if change.before is not None else '/dev/null'}\n"
    head += f"+++ {'b/' + change.path if change.after is not None else '/dev/null'}\n"
    return head + "".join(_hunks(old, new))


def _lines(data: bytes | None) -> list[str]:
    if not data:
        return []
    lines = data.decode("utf-8", "backslashreplace").split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])


def _hunks(old: list[str], new: list[str]) -> list[str]:
    start = 0
    while start < len(old) and start < len(new) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    keep = max(0, start - CONTEXT)
    tail = max(0, end - CONTEXT)
    a, b = old[keep : len(old) - tail], new[keep : len(new) - tail]
    out: list[str] = []
    for group in SequenceMatcher(None, a, b).get_grouped_opcodes(CONTEXT):
        first, last = group[0], group[-1]
        out.append(
            f"@@ -{_span(first[1] + keep, last[2] + keep)} +{_span(first[3] + keep, last[4] + keep)} @@\n"
        )
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                out.extend(_line(" ", line) for line in a[i1:i2])
                continue
            out.extend(_line("-", line) for line in a[i1:i2])
            out.extend(_line("+", line) for line in b[j1:j2])
    return out


def _span(start: int, end: int) -> str:
    length = end - start
    return f"{start + 1}" if length == 1 else f"{start + (1 if length else 0)},{length}"


def _line(mark: str, line: str) -> str:
    return mark + line if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"
