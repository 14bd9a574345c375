"""One run under way in this process: steps through its graph until it ends, parks or is stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import msgspec

from forgewright.core.errors import ForgewrightError
from forgewright.core.ids import EffectId, RunId
from forgewright.graph.position import Visit
from forgewright.graph.state import State, decode_update, encode_update
from forgewright.graph.transition import END
from forgewright.journal import events as ev
from forgewright.journal.journal import Journal
from forgewright.models.types import OnDelta
from forgewright.policy.types import Gate
from forgewright.runtime.context import Context
from forgewright.runtime.history import History, encode_branches
from forgewright.runtime.ledger import Ledger
from forgewright.runtime.park import ParkSignal
from forgewright.runtime.purse import Purse
from forgewright.runtime.strand import Crowd, Strand

if TYPE_CHECKING:
    from forgewright.code.engine import CodeEngine
    from forgewright.journal.redact.cleaner import Cleaner
    from forgewright.runtime.engine import Engine
    from forgewright.runtime.questions import Question
    from forgewright.sandbox.types import OnOutput

S = TypeVar("S", bound=State)


class Outcome(msgspec.Struct, Generic[S], frozen=True):
    """How an execution ended."""

    run: RunId
    status: Literal["finished", "parked", "failed"]
    state: S
    reason: str = ""
    """Why it is parked: `question`, `approval`, `budget`, `interrupted`, `model:…`, `error:…` …"""
    detail: str = ""


class Execution(Generic[S]):
    """Owns the ledger of the run; `go` is called once."""

    def __init__(
        self,
        engine: Engine,
        history: History[S],
        *,
        sequence: int,
        epoch: int | None,
        gate: Gate,
        code: CodeEngine | None,
        run: RunId,
    ) -> None:
        self.engine = engine
        self.journal: Journal = engine.journal
        self.history = history
        self.run = run
        self.gate = gate
        self.code = code
        self.ledger = Ledger(
            engine.journal,
            run,
            sequence,
            epoch=epoch,
            clean=engine.cleaner.value,
            on_record=self._on_record,
            absorb=self._absorb,
        )
        self.cleaner = engine.cleaner
        """Takes secrets out of whatever is journaled or shown to a model."""
        started = history.started
        self.subject = started.subject if started is not None else ""
        """Pseudonym of the person whom the run is for, or nothing."""
        self.salt = started.salt.encode() if started is not None else b""
        self.model_calls = dict(history.model_calls)
        spent = history.spent
        self.crowd = Crowd(self, engine.delegation)
        self.strand = Strand(
            self.crowd,
            purse=Purse(
                history.budget,
                spent=(spent.input_tokens + spent.output_tokens, spent.cost_microdollars, spent.steps),
            ),
        )
        """The run's own line of work."""
        self.crowd.live.add(self.strand)
        self.open: set[EffectId] = {name for name, past in history.effects.items() if past.answered is None}
        """Effects that have an intent and no receipt."""
        self._began = time.monotonic_ns()
        self._task: asyncio.Task[None] | None = None
        self._interrupted: tuple[str, str] | None = None
        self._parked_elsewhere = False
        self._answers: dict[EffectId, Any] = {}

    # ── running ──────────────────────────────────────────────────────────────────────────────────────

    async def go(self) -> Outcome[S]:
        """To the end, or to where the run has to wait. Cancelled from outside: parks the run first."""
        self._task = asyncio.ensure_future(self._steps())
        try:
            await asyncio.shield(self._task)
        except asyncio.CancelledError:
            if self._interrupted is None:
                self.interrupt("interrupted", "the engine was asked to end")
                await asyncio.wait([self._task])
                await asyncio.shield(self._park("interrupted", "the engine was asked to end"))
                raise
            await asyncio.wait([self._task])
            return await self._park(*self._interrupted)
        except ParkSignal as signal:
            return await self._park(signal.reason, signal.detail)
        position = self._position
        await self.ledger.append(
            "engine", ev.RunFinished(ev.NULL, str(getattr(position.state, "summary", "")))
        )
        return Outcome(self.run, "finished", position.state)

    def interrupt(self, reason: str, detail: str, *, recorded: bool = False) -> None:
        """Ends the execution soon; the run is parked with this reason. `recorded`: the journal says so already."""
        if self._interrupted is None:
            self._parked_elsewhere = self._parked_elsewhere or recorded
            self._interrupted = (reason, detail)
            if self._task is not None:
                self._task.cancel()

    async def _park(self, reason: str, detail: str) -> Outcome[S]:
        detail = self.cleaner.text(detail)  # what a node raised by itself came through no door
        if not self._parked_elsewhere:
            await self.ledger.append("engine", ev.RunParked(reason, detail))
        return Outcome(self.run, "parked", self._position.state, reason, detail)

    @property
    def _position(self) -> Any:
        assert self.history.position is not None
        return self.history.position

    async def _steps(self) -> None:
        position = self._position
        while not position.done:
            visits: list[Visit] = position.open_visits()
            new = [v for v in visits if v.number not in self.history.entered]
            if new:
                await self.ledger.append("engine", *(ev.NodeEntered(v.branch.node, v.number) for v in new))
            if len(visits) == 1:
                await self._visit(visits[0])
                continue
            ended = await asyncio.gather(*(self._visit(v) for v in visits), return_exceptions=True)
            raise_first(ended)

    async def _visit(self, visit: Visit) -> None:
        """Runs one branch; its siblings go on where it fails or has to wait."""
        position = self._position
        node = self.history.graph.nodes[visit.branch.node]
        context = Context(self, node.name, str(visit.number), node.name)
        try:
            transition = await node.function(position.seen_by(visit), context)
            branches = node.targets(transition)
            cls = self.history.graph.state
            encoded = encode_update(cls, transition.fields if transition is not None else {})
            encoded = self.cleaner.raw(encoded)
            fields = decode_update(cls, encoded)
        except ForgewrightError as error:
            await self.ledger.append(node.name, ev.NodeFailed(visit.number, error.code, error.message))
            raise ParkSignal(f"error:{error.code}", str(error)) from error
        except Exception as error:
            await self.ledger.append(
                node.name, ev.NodeFailed(visit.number, "exception", f"{type(error).__name__}: {error}")
            )
            if self.engine.raise_errors:
                raise
            raise ParkSignal(
                "error:exception", f"node {node.name!r}: {type(error).__name__}: {error}"
            ) from error
        update = await self.journal.keep(bytes(encoded), subject=self.subject)
        names = tuple(b.node for b in branches if b.node != END)
        await self.ledger.append(
            node.name, ev.NodeLeft(visit.number, update, names, encode_branches(cls, branches))
        )
        self.history.forget(visit.number)
        position.leave(visit.number, fields, branches)

    def cleaner_of(self, kinds: tuple[str, ...]) -> Cleaner:
        """One that takes these out as well."""
        return self.engine.cleaner_of(kinds)

    # ── what the door and the effects ask ────────────────────────────────────────────────────────────

    def count_model_call(self, label: str) -> int:
        """How many requests to models this actor (or single sub-agent) made before this one, in the whole run."""
        before = self.model_calls.get(label, 0)
        self.model_calls[label] = before + 1
        return before

    @property
    def wall_seconds_left(self) -> float | None:
        """Of the run's time; None without a limit."""
        limit = self.history.budget.wall_seconds
        if limit is None:
            return None
        running = (time.monotonic_ns() - self._began) // 1_000_000
        return limit - (self.history.spent.wall_ms + running) / 1000

    def check_time(self) -> None:
        """Raises `ParkSignal` where the run's time is over."""
        left = self.wall_seconds_left
        if left is not None and left <= 0:
            limit = self.history.budget.wall_seconds or 0
            raise ParkSignal(
                "budget", f"the budget is reached: {limit - left:.0f} of {limit:.0f} seconds are over"
            )

    async def answer_to(self, question: Question, strand: Strand) -> tuple[Any, bool]:
        """An answer, and whether its receipt is written already; None if there is nobody to wait for."""
        effect = question.effect
        if effect in self._answers:
            return self._answers[effect], True
        if self.engine.on_ask is not None or self.engine.on_question is not None:
            with strand.stopped_clocks(), strand.waiting():
                answer = await self._ask(question)
            if answer is not None:
                return answer, False
        return await self.crowd.answer_to(effect, strand), True

    async def _ask(self, question: Question) -> Any:
        if self.engine.on_ask is not None:
            return await self.engine.on_ask(question)
        assert self.engine.on_question is not None
        return await self.engine.on_question(self.run, question.to, question.text, question.choices)

    def delta_listener(self, actor: str) -> OnDelta | None:
        on_delta = self.engine.on_delta
        if on_delta is None:
            return None
        return lambda delta: on_delta(self.run, actor, delta)

    def output_listener(self, actor: str) -> OnOutput | None:
        on_output = self.engine.on_output
        if on_output is None:
            return None
        return lambda stream, data: on_output(self.run, actor, data)

    def heard(self, event: ev.Event) -> None:
        """Takes in an answer that another process wrote; whatever else it is, it is not looked at."""
        if isinstance(event, ev.QuestionAnswered) and event.effect not in self._answers:
            answer = msgspec.json.decode(event.answer)
            self._answers[event.effect] = answer
            self.crowd.answered(event.effect, answer)

    # ── records ──────────────────────────────────────────────────────────────────────────────────────

    def _on_record(self, record: ev.Record) -> None:
        self.history.spent.add(record.event)
        self.history.approvals.see(record)
        if self.engine.on_record is not None:
            self.engine.on_record(record)

    def _absorb(self, records: Sequence[ev.Record]) -> None:
        """What other processes may write into a run that is executed here: answers, and that it shall stop."""
        for record in records:
            match record.event:
                case ev.QuestionAnswered():
                    self.heard(record.event)
                case ev.RunParked(reason=reason, detail=detail):
                    self._parked_elsewhere = True
                    self.interrupt(reason, detail or f"by {record.actor}")
                case _:
                    pass


def raise_first(ended: Sequence[BaseException | Any]) -> None:
    """Of what went side by side: an unexpected error goes first, then a park signal."""
    failures = [e for e in ended if isinstance(e, BaseException)]
    for failure in failures:
        if not isinstance(failure, ParkSignal):
            raise failure
    if failures:
        raise failures[0]
