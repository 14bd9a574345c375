"""Untrusted programs and the user's terminal: what they write is made harmless, and a shell session takes the terminal over.

A terminal obeys what it is sent: titles, the clipboard, keys, answers that are typed into the next shell (ECMA-48, xterm's
control sequences). Of a command's output only text and colours are left; of a shell's also what moves the cursor.
"""

from __future__ import annotations

import codecs
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forgewright.sandbox.types import Size

_PENDING_MAX = 4096
"""Of a sequence that is not complete yet; a longer one is thrown away."""

_STRINGS = "PX]^_"
"""ESC and one of these begins a string (DCS, SOS, OSC, PM, APC) that goes on to its terminator."""

_COMPLETE = re.compile(r"\x1b(?:\[[0-9:;<=>?]*[ -/]*[@-~]|[ -/]+[0-~]|[@-OQ-WYZ\\`-~0-?])")
_STRING = re.compile(r"\x1b[PX\]^_].*?(?:\x07|\x1b\\)", re.DOTALL)
_CONTROLS = re.compile(r"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f]")
_COLOUR = re.compile(r"\x1b\[[0-9:;]*m")
_SCREEN = re.compile(
    r"\x1b(?:\[[0-9:;]*[@A-HJ-MPSTX`abdefgmrsu]|\[\?(?:1|7|12|25|1047|1048|1049|2004)[hl]|\[4[hl]|[78DEHM=>]|\([0AB])"
)
"""Moving, erasing, scrolling, the alternate screen: no reports, no titles, no keys, no printing, no resizing of windows."""


class Neutral:
    """A filter of one stream of output. `screen`: what a full-screen program needs may pass as well."""

    def __init__(self, *, screen: bool = False) -> None:
        self._allowed = _SCREEN if screen else _COLOUR
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending = ""
        self._skipping = False

    def feed(self, data: bytes) -> bytes:
        """What may be written to the terminal of `data`, and of what came before."""
        text = self._pending + self._decoder.decode(data)
        self._pending = ""
        out = []
        at = 0
        while at < len(text):
            if self._skipping:
                ended = re.search(r"\x07|\x1b\\", text[at:])
                if ended is None:
                    self._pending = "\x1b" if text.endswith("\x1b") else ""
                    break
                at += ended.end()
                self._skipping = False
                continue
            escape = text.find("\x1b", at)
            if escape < 0:
                out.append(_CONTROLS.sub("", text[at:]))
                break
            out.append(_CONTROLS.sub("", text[at:escape]))
            at = self._sequence(text, escape, out)
        return "".join(out).encode("utf-8", "replace")

    def _sequence(self, text: str, at: int, out: list[str]) -> int:
        """Deals with the sequence at `at`; where to go on."""
        if text[at + 1 : at + 2] in tuple(_STRINGS):
            found = _STRING.match(text, at)
            if found is not None:
                return found.end()
            self._skipping = True
            self._pending = "\x1b" if text.endswith("\x1b") and len(text) > at + 1 else ""
            return len(text)
        found = _COMPLETE.match(text, at)
        if found is not None:
            if self._allowed.fullmatch(found[0]):
                out.append(found[0])
            return found.end()
        if re.fullmatch(r"\x1b(?:\[[0-9:;<=>?]*[ -/]*|[ -/]*)", text[at:]) and len(text) - at < _PENDING_MAX:
            self._pending = text[at:]  # the rest comes with the next piece
            return len(text)
        return at + 1  # no sequence: the escape alone goes


def shown(stream: str) -> Callable[[bytes], None]:
    """Writes a command's output: as it is into a pipe or file, neutralised to a terminal."""
    target = sys.stdout if stream == "stdout" else sys.stderr
    neutral = Neutral() if target.isatty() else None

    def write(data: bytes) -> None:
        target.buffer.write(neutral.feed(data) if neutral else data)
        target.flush()

    return write


def size_of(fd: int) -> Size:
    from forgewright.sandbox.types import Size

    columns, rows = os.get_terminal_size(fd)
    return Size(rows, columns)


@contextmanager
def raw_mode(fd: int) -> Iterator[None]:
    """Every key goes to the session as it is typed; the terminal is as before afterwards."""
    import termios
    import tty

    before = termios.tcgetattr(fd)
    try:
        tty.setraw(fd)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
        if sys.stdout.isatty():
            sys.stdout.write(
                "\x1b[?1049l\x1b[?25h\x1b[?2004l\x1b[0m"
            )  # whatever a program that was killed left on
            sys.stdout.flush()
