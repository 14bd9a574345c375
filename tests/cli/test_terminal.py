"""What untrusted programs write is made harmless before a terminal sees it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgewright.cli.terminal import Neutral

HARMFUL = {
    "title": b"\x1b]0;owned\x07",
    "clipboard": b"\x1b]52;c;b3duZWQ=\x1b\\",
    "hyperlink": b"\x1b]8;;http://evil.example\x1b\\",
    "device-control": b"\x1bP+q544e\x1b\\",
    "application-command": b"\x1b_Ga=T\x1b\\",
    "privacy-message": b"\x1b^x\x1b\\",
    "start-of-string": b"\x1bXx\x1b\\",
    "report-cursor": b"\x1b[6n",
    "report-device": b"\x1b[c",
    "report-secondary": b"\x1b[>c",
    "report-title": b"\x1b[21t",
    "resize-window": b"\x1b[8;1;1t",
    "define-key": b"\x1b[27;5;9~",
    "print-screen": b"\x1b[5i",
    "request-mode": b"\x1b[?2004$p",
    "answer-back": b"\x05",
    "mouse": b"\x1b[?1000h",
    "reset": b"\x1bc",
    "eight-bit-csi": b"\xc2\x9b6n",
    "eight-bit-osc": b"\xc2\x9d0;owned\xc2\x9c",
    "raw-eight-bit": b"\x9b6n",
    "bidirectional": "\u202eexe.txt".encode(),
    "shift-out": b"\x0e",
    "unfinished": b"\x1b]0;owned",
    "escape-alone": b"\x1b",
}


@pytest.mark.parametrize("screen", [False, True])
@pytest.mark.parametrize("name", HARMFUL)
def test_what_a_terminal_would_obey_is_left_out(name: str, screen: bool) -> None:
    data = b"before " + HARMFUL[name]
    whole = Neutral(screen=screen).feed(data)
    piecewise = Neutral(screen=screen)
    pieces = b"".join(piecewise.feed(data[n : n + 1]) for n in range(len(data)))
    for out in (whole, pieces):
        assert out.startswith(b"before ")
        assert b"\x1b" not in out
        assert b"owned" not in out.replace(b"0;owned", b"") or name == "eight-bit-osc"
        assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c == "\u202e" for c in out.decode())


def test_text_and_colours_stay() -> None:
    data = "grün \x1b[1;32mok\x1b[0m\tx\r\n\x1b[38:2::1:2:3mrgb\x1b[m\n".encode()
    assert Neutral().feed(data) == data
    assert Neutral().feed(b"a\x1b[2Jb\x1b[1;1Hc") == b"abc", (
        "what moves the cursor could hide what was written"
    )


def test_a_screen_may_be_drawn_on_in_a_shell() -> None:
    data = b"\x1b[?1049h\x1b[2J\x1b[1;1H\x1b[1mtop\x1b[0m\x1b[K\x1b[?25l\x1b[10;20r\x1b[?1049l\x08 \x1b(B\x1b[?2004h"
    assert Neutral(screen=True).feed(data) == data


@given(st.binary(max_size=200), st.booleans(), st.integers(1, 7))
def test_whatever_is_written_only_known_sequences_pass(data: bytes, screen: bool, step: int) -> None:
    import re

    from forgewright.cli import terminal

    neutral = Neutral(screen=screen)
    out = b"".join(neutral.feed(data[n : n + step]) for n in range(0, len(data), step)).decode()
    allowed = terminal._SCREEN if screen else terminal._COLOUR
    left = re.sub(allowed, "", out)
    if screen:
        left = re.sub(terminal._COLOUR, "", left)
    assert "\x1b" not in left
    assert not terminal._CONTROLS.search(left)


@given(st.text(alphabet="\x1b[]PX^_0;?mHJnc\x07\\ax\u009b\u202e", max_size=60), st.integers(1, 5))
def test_pieces_make_no_difference_to_what_is_harmful(text: str, step: int) -> None:
    data = text.encode()
    neutral = Neutral()
    out = b"".join(neutral.feed(data[n : n + step]) for n in range(0, len(data), step)).decode()
    import re

    assert "\x1b" not in re.sub(r"\x1b\[[0-9:;]*m", "", out)
