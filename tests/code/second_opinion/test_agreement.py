"""What becomes of two answers to one rename."""

from __future__ import annotations

from forgewright.code.binding import Occurrence, Renaming
from forgewright.code.project import Splice
from forgewright.code.second_opinion.agreement import OURS_ONLY, THEIRS_ONLY, agreed


def splice(start: int) -> Splice:
    return Splice("a.ts", start, start + 1, b"new")


def test_what_both_say_is_done() -> None:
    made = agreed(Renaming((splice(1), splice(5))), [splice(1), splice(5)])
    assert made.splices == (splice(1), splice(5))
    assert made.uncertain == ()


def test_the_server_decides_what_was_uncertain() -> None:
    doubts = tuple(Occurrence("a.ts", at, at + 1, "reference", False, "unknown") for at in (5, 9))
    made = agreed(Renaming((splice(1),), uncertain=doubts), [splice(1), splice(5)])
    assert made.splices == (splice(1), splice(5))
    assert made.uncertain == ()


def test_where_only_one_is_sure_nothing_is_touched() -> None:
    made = agreed(Renaming((splice(1), splice(5))), [splice(1), splice(7)])
    assert made.splices == (splice(1),)
    assert [(o.start, o.note, o.certain) for o in made.uncertain] == [
        (5, OURS_ONLY, False),
        (7, THEIRS_ONLY, False),
    ]
