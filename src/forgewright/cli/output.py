"""What goes to the terminal: words for people, one JSON object per line for programs, errors with what to do next."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

_CONTROLS = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\].*?(?:\x07|\x1b\\)|\x1b."
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)


def clean(text: str) -> str:
    """Text of a model, a repository or a tool, without what a terminal would obey."""
    return _CONTROLS.sub("", text)


def one_line(text: str, chars_max: int = 120) -> str:
    """The text on one line, cut where it is too long."""
    line = " ".join(clean(text).split())
    return line if len(line) <= chars_max else line[: chars_max - 1].rstrip() + "…"


def print_json(value: Any, stream: TextIO | None = None) -> None:
    """One JSON object on one line, at once."""
    import msgspec

    stream = stream or sys.stdout
    stream.write(msgspec.json.encode(value).decode() + "\n")
    stream.flush()


def say(text: str = "") -> None:
    """Words for people, on stdout."""
    sys.stdout.write(text + "\n")


def say_error(error: BaseException, *, as_json: bool) -> None:
    """The error's message and what to do next, on stderr; never a traceback, unless FORGEWRIGHT_DEBUG is 1."""
    if os.environ.get("FORGEWRIGHT_DEBUG") == "1":
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    message = getattr(error, "message", None) or f"{type(error).__name__}: {error}"
    hint = getattr(error, "hint", None)
    notes = list(getattr(error, "__notes__", ()))
    code = getattr(error, "code", "internal")
    if as_json:
        print_json({"error": code, "message": message, "hint": hint, "notes": notes}, sys.stderr)
        return
    red, dim, end = ("\x1b[31m", "\x1b[2m", "\x1b[0m") if colored(sys.stderr) else ("", "", "")
    lines = [clean(line) for line in str(message).split("\n")]
    out = [f"{red}error:{end} {lines[0]}", *(f"       {line}" for line in lines[1:])]
    out += [f"       {dim}{clean(note)}{end}" for note in notes]
    if hint:
        out.append(f"  → {clean(hint)}")
    sys.stderr.write("\n".join(out) + "\n")


def colored(stream: TextIO) -> bool:
    """Whether a person looks at the stream and wants colours (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def table(rows: Sequence[Sequence[str]], *, header: Sequence[str] = ()) -> str:
    """Columns, as wide as their longest cell; the last one is not padded."""
    every = [list(header), *map(list, rows)] if header else [list(row) for row in rows]
    if not every:
        return ""
    widths = [max(len(row[i]) for row in every) for i in range(len(every[0]))]
    lines = []
    for row in every:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def fields(values: Mapping[str, str]) -> str:
    """Name and value per line, aligned; empty values are left out."""
    shown = {name: value for name, value in values.items() if value}
    width = max((len(name) for name in shown), default=0)
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in shown.items())
