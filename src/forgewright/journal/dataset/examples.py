"""One example per edit that happened: the goal, what the model saw, the program it wrote, and how it ended."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from forgewright.core.ids import RunId
from forgewright.journal import events as ev
from forgewright.journal.attest.lineage import asked_by, tests_after
from forgewright.journal.dataset.conversation import Conversations, Said

if TYPE_CHECKING:
    from forgewright.journal.journal import Journal

Outcome = Literal["passed", "failed", "untested"]
Split = Literal["train", "validation", "test"]
_SUBJECT = re.compile(rb'"sealed":"sha256:[0-9a-f]{64}","subject":"([^"\\]{1,100})"')


class Example(msgspec.Struct, frozen=True):
    run: RunId
    sequence: int
    """Of the edit's intent."""
    goal: str
    context: tuple[Said, ...]
    program: str
    outcome: Outcome
    """Of the first run of the tests after the edit."""
    run_outcome: str
    """`finished`, `failed`, or `open`."""
    model: str
    licence: str

    @property
    def digest(self) -> str:
        """Of what a model would learn from: two examples with one digest teach the same."""
        parts = [self.goal, *(f"{said.role}\0{said.text}" for said in self.context), self.program]
        return sha256("\0\0".join(parts).encode()).hexdigest()

    @property
    def split(self) -> Split:
        """By run, so that no run is in two splits: 90, 5 and 5 per cent, the same at every export."""
        at = sha256(self.run.encode()).digest()[0]
        return "train" if at < 230 else "validation" if at < 243 else "test"


async def examples(journal: Journal, run: RunId) -> AsyncIterator[Example]:
    """The run's examples, in order."""
    records = await journal.read(run)
    if not records or not isinstance(records[0].event, ev.RunStarted):
        return
    started = records[0].event
    talks = Conversations(journal, records)
    happened = {record.event.effect for record in records if isinstance(record.event, ev.EditAnswered)}
    for record in records:
        edit = record.event
        if not isinstance(edit, ev.EditAsked) or edit.effect not in happened:
            continue
        effect = asked_by(records, record.sequence)
        _, passed = await tests_after(journal, records, record.sequence)
        yield Example(
            run=run,
            sequence=record.sequence,
            goal=started.goal,
            context=tuple(await talks.request(effect)) if effect is not None else (),
            program=str(msgspec.json.decode(await journal.load(edit.program))),
            outcome="untested" if passed is None else "passed" if passed else "failed",
            run_outcome=_ended(records),
            model=talks.model(effect) if effect is not None else "",
            licence=_licence(started),
        )


async def subjects(journal: Journal, run: RunId) -> set[str]:
    """Pseudonyms of the persons whom the run is for, or whose sealed values stand in its records."""
    found: set[str] = set()
    for record in await journal.read(run):
        if isinstance(record.event, ev.RunStarted) and record.event.subject:
            found.add(record.event.subject)
        found |= {match.decode() for match in _SUBJECT.findall(record.data)}
    return found


def _ended(records: list[ev.Record]) -> str:
    for record in reversed(records):
        if isinstance(record.event, ev.RunFinished):
            return "finished"
        if isinstance(record.event, ev.RunFailed):
            return "failed"
    return "open"


def _licence(started: ev.RunStarted) -> str:
    """`licence` (an SPDX expression) of the options that the run was started with."""
    options: Any = msgspec.json.decode(started.options)
    return str(options.get("licence", "")) if isinstance(options, dict) else ""
