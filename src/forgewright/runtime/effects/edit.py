"""Changing the run's work tree by a program of the language of code: planned, judged, journaled, then done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.core.errors import Conflict, ForgewrightError, UsageError
from forgewright.core.ids import Digest, EffectId, digest
from forgewright.journal import events as ev
from forgewright.policy.types import Fact
from forgewright.runtime import door
from forgewright.runtime.effect import Effect
from forgewright.runtime.effects.keep import keep, load

if TYPE_CHECKING:
    from forgewright.code.engine import CodeEngine, Plan
    from forgewright.runtime.context import Context


class Edited(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an edit did, as a model and the journal see it."""

    text: str
    """Results of the program's operations, then the diff."""
    paths: tuple[str, ...] = ()
    """Files that were changed, created or deleted."""


async def edit(program: str, context: Context) -> Edited:
    """Raises `ProgramError`, `EditRefused`, `Conflict`, `UnsafePath`, `PolicyDenied`; then nothing changed."""
    engine = context.code
    if engine is None:
        raise UsageError("this run has no work tree to edit", hint="start it with a repository")
    return await door.perform(EditEffect(program, engine), context)


class EditEffect(Effect[Edited]):
    """Reconcilable: the digests in the intent tell whether the files are as before or as after."""

    action = "edit"
    recovery = "reconcilable"

    def __init__(self, program: str, engine: CodeEngine) -> None:
        self.program = program
        self.engine = engine
        self.plan: Plan | None = None
        self.trouble: ForgewrightError | None = None
        self._diff = ""
        self.resource = "worktree"

    def _planned(self) -> Plan | None:
        """Planned once, when the effect happens for the first time; planning only reads."""
        if self.plan is None and self.trouble is None:
            try:
                self.plan = self.engine.plan(self.program)
                self._diff = self.plan.diff()
            except ForgewrightError as error:
                self.trouble = error
        return self.plan

    def _outcome(self, plan: Plan) -> Edited:
        text = plan.text()
        paths = tuple(change.path for change in plan.changes)
        return Edited(f"{text}\n{self._diff}" if self._diff else text, paths)

    def facts(self) -> Mapping[str, Fact]:
        plan = self._planned()
        if plan is None:
            return {"paths": (), "operations": (), "lines": 0}
        return {
            "paths": tuple(change.path for change in plan.changes),
            "operations": tuple(sorted({result.op for result in plan.results})),
            "lines": self._diff.count("\n"),
        }

    async def oblige(self, verdict: object, context: Context) -> None:
        if self.trouble is not None:
            raise self.trouble

    may = ("edit",)

    def particulars(self) -> Mapping[str, Any]:
        plan = self._planned()
        return {"program": self.program, "path": [] if plan is None else [c.path for c in plan.changes]}

    async def bound(self, context: Context) -> Mapping[str, str]:
        """The files as they are, and as they would be: planned anew, since somebody may have changed them."""
        plan = self.engine.plan(self.program)
        return {"files": str(digest(msgspec.json.encode([plan.before, plan.after])))}

    def void(self) -> None:
        raise Conflict(
            "files that the edit changes were changed while it waited for approval; nothing was done",
            hint="look at them again, and ask for the edit that fits them now",
        )

    def edited(self, arguments: Mapping[str, Any]) -> EditEffect:
        program = arguments.get("program")
        if not isinstance(program, str):
            raise UsageError('expected {"program": "…"}')
        self.engine.plan(program)
        return EditEffect(program, self.engine)

    async def asked(self, effect: EffectId, decision: ev.Decision, context: Context) -> ev.Asked:
        program = await keep(self.program, context)
        plan = self._planned()
        if plan is None:
            return ev.EditAsked(effect, decision, program)
        return ev.EditAsked(
            effect,
            decision,
            program,
            dict(plan.before),
            dict(plan.after),
            await keep(self._outcome(plan), context),
        )

    def matches(self, asked: ev.Asked) -> bool:
        if not isinstance(asked, ev.EditAsked):
            return False
        mine = msgspec.json.encode(self.cleaner.text(self.program))
        if isinstance(asked.program, ev.Stored):
            return asked.program.blob == digest(mine)
        return bytes(asked.program) == mine

    async def perform(self, key: str, context: Context) -> Edited:
        plan = self._planned()
        if plan is None:
            assert self.trouble is not None
            raise self.trouble
        self.engine.commit(plan)
        return self._outcome(plan)

    async def reconcile(self, key: str, asked: ev.Asked, context: Context) -> Edited | None:
        assert isinstance(asked, ev.EditAsked)
        self.engine.recover()
        if _digests(self.engine, asked.after) == asked.after:
            return await load(asked.result, Edited, context)
        if _digests(self.engine, asked.before) == asked.before:
            return None
        raise Conflict(
            "the work tree is neither as it was before the edit nor as it would be after it",
            hint="somebody else changed the run's work tree; fork the run before this edit",
        )

    async def answered(self, effect: EffectId, answer: Edited, ms: int, context: Context) -> ev.Answered:
        return ev.EditAnswered(effect, ev.NULL, ms)

    async def recall(self, asked: ev.Asked, answered: ev.Answered, context: Context) -> Edited:
        assert isinstance(asked, ev.EditAsked)
        return await load(asked.result, Edited, context)


def _digests(engine: CodeEngine, paths: Iterable[str]) -> dict[str, Digest | None]:
    """Of the files as they are on disk now; None for one that is not there."""
    found: dict[str, Digest | None] = {}
    for path in paths:
        try:
            found[path] = digest((engine.root / path).read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            found[path] = None
    return found
