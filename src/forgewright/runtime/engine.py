"""The engine: starts, executes, resumes, forks and stops runs of graphs, on one journal."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from forgewright.core.errors import LeaseLost, LostRace, NotFound, UsageError
from forgewright.core.ids import EffectId, RunId, new_run_id
from forgewright.core.version import VERSION
from forgewright.graph.graph import Graph
from forgewright.graph.state import State
from forgewright.journal import events as ev
from forgewright.journal.journal import Journal
from forgewright.journal.redact.cleaner import Cleaner
from forgewright.models.types import Delta, Model
from forgewright.policy.types import Gate
from forgewright.runtime.approvals import Approvals, Approve, Reject, Standing, read_ruling
from forgewright.runtime.budget import Budget
from forgewright.runtime.execution import Execution, Outcome
from forgewright.runtime.gate import GrantedGate
from forgewright.runtime.history import History
from forgewright.runtime.leases import Leases
from forgewright.runtime.privacy import refuse_erased
from forgewright.runtime.questions import Question, question_of, read_answer
from forgewright.runtime.sandboxes import NoSandboxes, Sandboxes
from forgewright.runtime.strand import DelegationLimits

if TYPE_CHECKING:
    from pathlib import Path

    from forgewright.code.engine import CodeEngine

S = TypeVar("S", bound=State)

OnAsk = Callable[[Question], Awaitable[Any]]
OnQuestion = Callable[[RunId, str, str, tuple[str, ...]], Awaitable[str | None]]


class Engine:
    """Runs graphs on a journal.

        async with Engine(model="openai:gpt-…", home="~/.local/share/forgewright") as engine:
            outcome = await engine.run(graph, Review(goal="…"))

    `home` is a folder for a durable journal; without one everything is kept in memory and gone at the end.
    `model` is what nodes get that have none of their own in `models` (by actor). Without a `gate`, models,
    tools and questions are granted and nothing else.
    """

    def __init__(
        self,
        *,
        home: str | os.PathLike[str] | None = None,
        journal: Journal | None = None,
        model: str | Model | None = None,
        models: Mapping[str, str | Model] | None = None,
        gate: Gate | None = None,
        sandboxes: Sandboxes | None = None,
        on_record: Callable[[ev.Record], None] | None = None,
        on_delta: Callable[[RunId, str, Delta], None] | None = None,
        on_output: Callable[[RunId, str, bytes], None] | None = None,
        on_question: OnQuestion | None = None,
        on_ask: OnAsk | None = None,
        delegation: DelegationLimits = DelegationLimits(),  # noqa: B008 - a frozen value
        raise_errors: bool = False,
        secrets: Iterable[str] = (),
    ) -> None:
        self._home = home
        self._journal = journal
        self._model = model
        self._models = dict(models or {})
        self._made: dict[str, Model] = {}
        self.gate: Gate = gate or GrantedGate()
        self.sandboxes: Sandboxes = sandboxes or NoSandboxes()
        self.on_record = on_record
        self.on_delta = on_delta
        self.on_output = on_output
        self.on_question = on_question
        self.on_ask = on_ask
        """Like `on_question`, with all that is known of the question; goes first where both are given."""
        self.delegation = delegation
        """How far runs may branch out into sub-agents."""
        self.raise_errors = raise_errors
        """Let an unexpected exception of a node through (for tests) instead of parking the run."""
        self.cleaner = Cleaner(secrets)
        """Takes secrets out of whatever is journaled or shown to a model: those of known forms, and `secrets`."""
        self._cleaners: dict[tuple[str, ...], Cleaner] = {}
        self._leases: Leases | None = None
        self._executions: dict[RunId, Execution[Any]] = {}

    # ── opening and closing ──────────────────────────────────────────────────────────────────────────

    async def __aenter__(self) -> Engine:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def home(self) -> Path | None:
        """Folder of the durable journal; None for one in memory."""
        from pathlib import Path

        return None if self._home is None else Path(self._home).expanduser()

    async def open(self) -> None:
        """Opens the journal; called by `async with` and by the first use."""
        if self._journal is None:
            from forgewright.journal.journal import open_journal

            self._journal = await open_journal(self.home)
        if self._leases is None:
            self._leases = Leases(self._journal.leases)

    async def close(self) -> None:
        """Parks what still runs, and closes models and journal."""
        for execution in list(self._executions.values()):
            execution.interrupt("interrupted", "the engine was closed")
        for model in self._made.values():
            await model.close()
        if self._leases is not None:
            await self._leases.close()
            self._leases = None
        if self._journal is not None:
            await self._journal.close()
            self._journal = None

    @property
    def journal(self) -> Journal:
        if self._journal is None:
            raise UsageError("the engine is not open", hint="use: async with Engine(…) as engine")
        return self._journal

    def cleaner_of(self, kinds: tuple[str, ...]) -> Cleaner:
        """One that takes these out as well; the same one each time."""
        found = self._cleaners.get(kinds)
        if found is None:
            found = self._cleaners[kinds] = self.cleaner.with_kinds(kinds)
        return found

    def model_for(self, actor: str, named: str | None = None) -> Model:
        """The model called `named`, or the actor's, or the engine's. What acts for an actor (`coder.summary`)
        has the actor's, unless it has one of its own."""
        own = self._models.get(actor) if "." in actor else None
        choice = (
            own
            or named
            or self._models.get(actor)
            or self._models.get(actor.partition(".")[0])
            or self._model
        )
        if choice is None:
            raise UsageError(
                f"{actor} needs a model, and none was given",
                hint="for example: model='openai:gpt-…', 'anthropic:claude-…' or 'ollama:…'",
            )
        if not isinstance(choice, str):
            return choice
        made = self._made.get(choice)
        if made is None:
            from forgewright.models.registry import make_model

            made = self._made[choice] = make_model(choice)
        return made

    # ── runs ─────────────────────────────────────────────────────────────────────────────────────────

    async def run(
        self,
        graph: Graph[S],
        state: S,
        *,
        goal: str = "",
        budget: Budget | None = None,
        options: Any = None,
        code: CodeEngine | None = None,
        subject: str | None = None,
    ) -> Outcome[S]:
        """Starts a run and executes it."""
        run = await self.start(graph, state, goal=goal, budget=budget, options=options, subject=subject)
        return await self.execute(run, graph, code=code)

    async def start(
        self,
        graph: Graph[S],
        state: S,
        *,
        goal: str = "",
        budget: Budget | None = None,
        options: Any = None,
        run: RunId | None = None,
        subject: str | None = None,
    ) -> RunId:
        """Journals a new run; nothing of it happens yet.

        `subject` names the person whom the run is for (an address, an account): what is personal in it is sealed
        under that person's key, and gone when that person is erased.
        """
        await self.open()
        pseudonym = "" if subject is None else await (await self.journal.privacy()).subject(subject)
        graph.check()
        run = run or new_run_id()
        started = ev.RunStarted(
            graph.name,
            goal,
            await self.journal.keep(self.cleaner.json(msgspec.json.encode(state)), subject=pseudonym),
            ev.NULL if options is None else msgspec.Raw(msgspec.json.encode(options)),
            ev.NULL if budget is None else msgspec.Raw(msgspec.json.encode(budget)),
            self.gate.digest or None,
            VERSION,
            subject=pseudonym,
            salt=os.urandom(16).hex() if pseudonym else "",
        )
        await self._write(run, 0, started)
        return run

    async def execute(
        self,
        run: RunId,
        graph: Graph[S],
        *,
        code: CodeEngine | None = None,
        budget: Budget | None = None,
    ) -> Outcome[S]:
        """Executes a run from where its journal stands: the first time, after a crash, after it was parked.

        Raises `NotFound`, `LeaseLost` (another process executes it), `StoreError`.
        """
        await self.open()
        assert self._leases is not None
        lease = await self._leases.hold(run, self._lost)
        try:
            history = History(graph)
            records = await self.records(run)
            refuse_erased(records[0])
            await history.fold(records, self.journal.load, run)
            assert history.position is not None
            if history.status == "finished":
                return Outcome(run, "finished", history.position.state)
            resumes = len(records) > 1 and not isinstance(records[-1].event, ev.RunStarted)
            if resumes and budget is not None:
                history.budget = budget
            sequence = records[-1].sequence if records[-1].run == run else 0
            execution = Execution(
                self, history, sequence=sequence, epoch=lease, gate=self.gate, code=code, run=run
            )
            self._executions[run] = execution
            if resumes:
                resumed = ev.RunResumed(
                    self._leases.worker,
                    ev.NULL if budget is None else msgspec.Raw(msgspec.json.encode(budget)),
                    self.gate.digest or None,
                )
                await execution.ledger.append("engine", resumed)
            return await execution.go()
        finally:
            self._executions.pop(run, None)
            await self._leases.let_go(run)

    async def records(self, run: RunId) -> Sequence[ev.Record]:
        """The run's records; of a fork, its ancestors' up to the fork first. Raises `NotFound`."""
        own = await self.journal.read(run)
        if not own:
            raise NotFound(f"there is no run {run}", hint="run: forgewright runs")
        first = own[0].event
        if isinstance(first, ev.RunStarted) and first.parent is not None:
            before = await self.records(first.parent)
            cut = first.parent_sequence or 0
            # Ancestors' own ancestors stand whole; of the parent itself, what came up to the fork.
            kept = [r for r in before if r.run != first.parent or r.sequence <= cut]
            return [*kept, *own]
        return own

    async def fork(self, run: RunId, sequence: int | None = None) -> RunId:
        """A new run that shares this one's past up to `sequence`; execute it to go on from there."""
        await self.open()
        own = await self.journal.read(run)
        if not own:
            raise NotFound(f"there is no run {run}", hint="run: forgewright runs")
        last = own[-1].sequence
        at = last if sequence is None else sequence
        if not 1 <= at <= last:
            raise UsageError(f"run {run} has records 1 to {last}, and no record {at}")
        first = own[0].event
        assert isinstance(first, ev.RunStarted)
        fork = new_run_id()
        await self._write(fork, 0, msgspec.structs.replace(first, parent=run, parent_sequence=at))
        return fork

    async def answer(self, run: RunId, answer: Any, *, by: str, effect: str | None = None) -> None:
        """Answers the run's open question (the only one, or that of `effect`), also from another process.

        `answer`: a text, what the question's form asks for, or for an approval `yes`, `no`, `no: why` or a ruling
        (`runtime.approvals`). Raises `UsageError`: no such open question, an answer that does not fit.
        """
        await self.open()
        records = list(await self.records(run))
        while True:
            question = _one(_open(run, records), effect)
            if question.approval:
                given: Any = read_ruling(answer, tuple(question.about["may"]))
                if isinstance(answer, str) and isinstance(given, Approve | Reject):
                    given = answer  # as it was said
            else:
                given = read_answer(answer, question)
            event = ev.QuestionAnswered(question.effect, msgspec.Raw(msgspec.json.encode(given)), by)
            try:
                await self._write(run, records[-1].sequence, event, person=by)
                return
            except LostRace:  # a busy run writes all the time: only what is new is read again
                records += await self.journal.read(run, after=records[-1].sequence)

    async def questions(self, run: RunId) -> Sequence[Question]:
        """The run's open questions, in the order in which they were asked."""
        return _open(run, await self.records(run))

    async def approvals(self, run: RunId) -> Sequence[Standing]:
        """The run's standing approvals; those that expired or are used up as well."""
        await self.open()
        found = Approvals()
        for record in await self.journal.read(run):
            found.see(record)
        return tuple(found.standing.values())

    async def revoke(self, run: RunId, approval: str, *, by: str, reason: str = "") -> None:
        """Ends a standing approval, also from another process: that one sees it with its next record."""
        if approval not in {standing.approval for standing in await self.approvals(run)}:
            raise NotFound(
                f"run {run} has no standing approval {approval}", hint="run: forgewright approvals RUN"
            )
        records = list(await self.journal.read(run))
        event = ev.ApprovalRevoked(EffectId(approval), by, reason)
        while True:
            try:
                await self._write(run, records[-1].sequence, event, person=by)
                return
            except LostRace:  # a busy run writes all the time: only what is new is read again
                records += await self.journal.read(run, after=records[-1].sequence)

    async def stop(self, run: RunId, *, by: str = "owner") -> None:
        """Parks a run, wherever it is executed: that process sees it at its next record."""
        await self.open()
        while True:
            records = await self.journal.read(run)
            if not records:
                raise NotFound(f"there is no run {run}", hint="run: forgewright runs")
            if isinstance(records[-1].event, (ev.RunParked, ev.RunFinished, ev.RunFailed)):
                return
            try:
                await self._write(run, records[-1].sequence, ev.RunParked("stopped"), person=by)
                return
            except LostRace:
                continue

    def interrupt(
        self, run: RunId, reason: str = "interrupted", detail: str = "", *, recorded: bool = False
    ) -> None:
        """Ends an execution in this process; its run is parked. `recorded`: the journal says so already."""
        execution = self._executions.get(run)
        if execution is not None:
            execution.interrupt(reason, detail, recorded=recorded)

    def _lost(self, run: RunId, error: LeaseLost) -> None:
        self.interrupt(run, "lease", error.message)

    async def _write(self, run: RunId, expected: int, event: ev.Event, person: str | None = None) -> None:
        event = self.cleaner.value(event)
        for record in await self.journal.append(run, [event], expected=expected, person=person):
            if self.on_record is not None:
                self.on_record(record)


def _open(run: RunId, records: Sequence[ev.Record]) -> tuple[Question, ...]:
    """The questions that nobody has answered yet, in their order."""
    found: dict[str, Question] = {}
    for record in records:
        if isinstance(record.event, ev.QuestionAsked):
            found[record.event.effect] = question_of(run, record.event)
        elif isinstance(record.event, ev.Answered):
            found.pop(record.event.effect, None)
    return tuple(found.values())


def _one(questions: Sequence[Question], effect: str | None) -> Question:
    found = [question for question in questions if effect in (None, question.effect)]
    if len(found) != 1:
        listed = "; ".join(f"{question.effect}: {question.text}" for question in found)
        raise UsageError(
            f"one open question was expected, and there are {len(found)}"
            + (f" ({listed})" if listed else ""),
            hint="name the effect" if found else "run: forgewright show RUN",
        )
    return found[0]
