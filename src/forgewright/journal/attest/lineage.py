"""Where each line of a file came from: the edit, its program, the model's answer, the approval, the tests.

Goes backwards over a run's edits: a line that an edit's diff added is that edit's; any other is followed to
where it stood before. What no edit added was there before the run. The base file itself is not needed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.core.errors import NotFound
from forgewright.core.ids import Digest, EffectId, RunId
from forgewright.journal import events as ev

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forgewright.journal.journal import Journal

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


class Origin(msgspec.Struct, frozen=True):
    """What made a line. Sequences are of the run's records."""

    run: RunId
    edit: int
    """Its intent, `edit.asked`."""
    effect: str
    program: str
    policies: tuple[str, ...]
    model: str | None
    """The model whose answer asked for it, and …"""
    answer: int | None
    """… that answer, `model.answered`."""
    approved_by: str | None
    approval: int | None
    tests: int | None
    """The first run of the tests after it, `exec.answered`, and …"""
    tests_passed: bool | None


class Line(msgspec.Struct, frozen=True):
    number: int
    text: str
    origin: Origin | None
    """None: it was there before the run."""


async def find_run(journal: Journal, path: str, digest: Digest) -> RunId:
    """The newest run after one of whose edits the file had this content. Raises `NotFound`."""
    for row in await journal.runs():
        for record in reversed(await journal.read(row.run)):
            if isinstance(record.event, ev.EditAsked) and record.event.after.get(path) == digest:
                return row.run
    raise NotFound(
        f"no run here left {path} as it is now",
        hint="name the run with --run, and check that the file was not changed since",
    )


async def lineage(journal: Journal, run: RunId, path: str, content: str, digest: Digest) -> list[Line]:
    """Each line of `content`, which is what the run left at `path`, with its origin. Raises `NotFound`."""
    records = await journal.read(run)
    edits = _edits(records, path)
    while edits and edits[-1][1].after.get(path) != digest:
        edits.pop()
    if not edits:
        raise NotFound(f"run {run} did not leave {path} as it is now", hint="was the file changed since?")
    lines = content.splitlines()
    place: dict[int, int] = {number: number for number in range(1, len(lines) + 1)}
    origins: dict[int, Origin] = {}
    for at, asked in reversed(edits):
        added, moved = _follow(_diff_of(await _text(journal, asked), path))
        found = None
        for number, here in list(place.items()):
            if here in added:
                found = found or await _origin(journal, run, records, at, asked)
                origins[number] = found
                del place[number]
            else:
                place[number] = moved(here)
    return [Line(number, text, origins.get(number)) for number, text in enumerate(lines, 1)]


def _edits(records: Sequence[ev.Record], path: str) -> list[tuple[int, ev.EditAsked]]:
    """The edits of that file that happened, in order."""
    asked: dict[str, tuple[int, ev.EditAsked]] = {}
    done = []
    for record in records:
        event = record.event
        if isinstance(event, ev.EditAsked) and path in event.after:
            asked[event.effect] = (record.sequence, event)
        elif isinstance(event, ev.EditAnswered) and event.effect in asked:
            done.append(asked.pop(event.effect))
    return done


async def _text(journal: Journal, asked: ev.EditAsked) -> str:
    result: dict[str, Any] = msgspec.json.decode(await journal.load(asked.result)) or {}
    return str(result.get("text", ""))


def _diff_of(text: str, path: str) -> list[str]:
    """The hunks of one file, from a unified diff that may follow other text."""
    hunks: list[str] = []
    inside = False
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if line.startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ "):
            inside = lines[at + 1][4:].split("\t")[0] in (path, f"b/{path}")
        elif inside and not line.startswith("+++ "):
            hunks.append(line)
    return hunks


def _follow(hunks: list[str]) -> tuple[set[int], Any]:
    """The lines (in the new file) that a diff added, and where any other line stood in the old one."""
    added: set[int] = set()
    removed: list[tuple[int, int]] = []  # (place in the new file, lines removed there)
    new = left_old = left_new = 0
    for line in hunks:
        if left_old <= 0 and left_new <= 0:
            found = _HUNK.match(line)
            if found is None:
                continue
            left_old, left_new = int(found[2] or 1), int(found[4] or 1)
            new = int(found[3]) + (0 if left_new else 1)
        elif line.startswith("+"):
            added.add(new)
            new += 1
            left_new -= 1
        elif line.startswith("-"):
            removed.append((new, 1))
            left_old -= 1
        elif not line.startswith("\\"):
            new += 1
            left_old -= 1
            left_new -= 1

    def moved(here: int) -> int:
        return here - sum(at < here for at in added) + sum(n for at, n in removed if at <= here)

    return added, moved


async def _origin(
    journal: Journal, run: RunId, records: Sequence[ev.Record], at: int, asked: ev.EditAsked
) -> Origin:
    """Reads around the edit: the tool call that asked for it, whose answer made that call, what came after."""
    answers = {
        record.event.effect: record.sequence
        for record in records
        if isinstance(record.event, ev.ModelAnswered)
    }
    models = {
        record.event.effect: record.event.model
        for record in records
        if isinstance(record.event, ev.ModelAsked)
    }
    answer = asked_by(records, at)
    questions = {
        question.effect for r in records if (question := approves(r.event, asked.effect)) is not None
    }
    approval = next(
        (
            r
            for r in reversed(records)
            if isinstance(r.event, ev.QuestionAnswered) and r.event.effect in questions
        ),
        None,
    )
    test, passed = await tests_after(journal, records, at)
    return Origin(
        run=run,
        edit=at,
        effect=asked.effect,
        program=str(msgspec.json.decode(await journal.load(asked.program))),
        policies=asked.decision.by,
        model=models.get(answer) if answer is not None else None,
        answer=answers.get(answer) if answer is not None else None,
        approved_by=approval.event.by
        if approval and isinstance(approval.event, ev.QuestionAnswered)
        else None,
        approval=approval.sequence if approval else None,
        tests=test,
        tests_passed=passed,
    )


class _About(msgspec.Struct, frozen=True):
    effect: str = ""


def approves(event: ev.Event, effect: EffectId) -> ev.QuestionAsked | None:
    """The event, if it is the question whether `effect` may be done."""
    if not isinstance(event, ev.QuestionAsked) or event.about == ev.NULL:
        return None
    try:
        return event if msgspec.json.decode(event.about, type=_About).effect == effect else None
    except msgspec.ValidationError:
        return None


def asked_by(records: Sequence[ev.Record], at: int) -> EffectId | None:
    """The model's answer that led to the edit whose intent is record `at`: the one whose tool call it was,
    else the last before it."""
    for record in reversed(records[: at - 1]):
        if isinstance(record.event, ev.ToolAsked) and record.event.answer:
            return record.event.answer
    return next(
        (r.event.effect for r in reversed(records[: at - 1]) if isinstance(r.event, ev.ModelAnswered)), None
    )


async def tests_after(
    journal: Journal, records: Sequence[ev.Record], at: int
) -> tuple[int | None, bool | None]:
    tests = set()
    for record in records:
        event = record.event
        if record.sequence > at and isinstance(event, ev.ExecAsked) and event.purpose == "tests":
            tests.add(event.effect)
        elif isinstance(event, ev.ExecAnswered) and event.effect in tests:
            result: dict[str, Any] = msgspec.json.decode(await journal.load(event.result))
            return record.sequence, result.get("code") == 0
    return None, None
