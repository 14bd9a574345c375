"""`forgewright sandbox logs`: the pieces of a log as they come, from where on they were asked for."""

from __future__ import annotations

import argparse
import datetime
import re
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from forgewright.cli.output import clean, one_line, print_json, say
from forgewright.core.errors import UsageError

if TYPE_CHECKING:
    from forgewright.sandbox.keeping import Answer, Line

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class LogView:
    """Shows a log. Raises `UsageError` for arguments that make no sense."""

    def __init__(self, args: argparse.Namespace) -> None:
        if args.tail is not None and args.tail < 0:
            raise UsageError(f"--tail {args.tail}: expected a number of lines")
        self._json = args.json
        self._tail: int | None = args.tail
        self._since = moment(args.since) if args.since else 0.0
        self._broken = False
        """Whether the last thing that was shown ended in the middle of a line."""

    def show(self, answer: Answer) -> None:
        lines: Sequence[Line] = [line for line in answer.lines if line.time >= self._since]
        if self._tail is not None:
            lines, self._tail = last_lines(lines, self._tail), None
        if answer.dropped:
            sys.stderr.write(f"forgewright: {answer.dropped} pieces of the log came too fast and are lost\n")
        for line in lines:
            self._line(line)
        sys.stdout.flush()

    def _line(self, line: Line) -> None:
        text = line.data.decode("utf-8", "replace")
        if self._json:
            print_json({"number": line.number, "kind": line.kind, "text": text, "time": line.time})
        elif line.kind in ("stdout", "stderr"):
            sys.stdout.write(clean(text))
            self._broken = not text.endswith("\n")
        else:
            if self._broken:
                sys.stdout.write("\n")
                self._broken = False
            at = time.strftime("%H:%M:%S", time.localtime(line.time))
            say(f"── {at} {line.number} {'$' if line.kind == 'command' else '·'} {one_line(text)}")


def last_lines(lines: Sequence[Line], count: int) -> list[Line]:
    """The last `count` lines of text; where a command began or ended is one."""
    found: list[Line] = []
    for line in reversed(lines):
        if count <= 0:
            break
        if line.kind in ("stdout", "stderr"):
            parts = line.data.splitlines(keepends=True)
            line = msgspec.structs.replace(line, data=b"".join(parts[-count:]))
            count -= len(parts)
        else:
            count -= 1
        found.append(line)
    return found[::-1]


def moment(text: str) -> float:
    """Seconds since 1970 of `10m` (ago) or `2026-11-21T14:05` (by this machine's clock)."""
    ago = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if ago:
        return time.time() - int(ago[1]) * _SECONDS[ago[2]]
    try:
        return datetime.datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise UsageError(
            f"--since {text!r}: expected 90s, 10m, 2h, 1d or a time", hint="for example 2026-11-21T14:05"
        ) from None
