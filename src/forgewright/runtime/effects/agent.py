"""A sub-agent: work in a line of its own, whose end, whatever it is, is a result for who asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from forgewright.core.errors import BudgetExhausted, ForgewrightError, StuckError
from forgewright.core.ids import EffectId, digest
from forgewright.journal import events as ev
from forgewright.policy.types import Fact, Verdict
from forgewright.runtime.budget import Budget
from forgewright.runtime.effect import Effect
from forgewright.runtime.effects.keep import keep_clean, keep_encoded, load
from forgewright.runtime.park import OWN_TROUBLE, ParkSignal
from forgewright.runtime.purse import Purse
from forgewright.runtime.strand import Strand, spent_under

if TYPE_CHECKING:
    from forgewright.code.engine import CodeEngine
    from forgewright.runtime.context import Context

End = Literal["completed", "failed", "timeout", "budget", "cancelled"]


class Work(msgspec.Struct, frozen=True):
    """What a sub-agent came to by itself."""

    text: str
    value: ev.Json = ev.NULL
    """The structured output behind the text, where there is one."""


Worker = Callable[["Context"], Awaitable[Work]]


class Delegated(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a sub-agent ended, and with what."""

    agent: str
    status: End
    text: str
    """Its answer, or what went wrong."""
    value: ev.Json = ev.NULL
    error: str = ""
    """Stable code of the error, where one ended it."""
    tokens: int = 0
    cost_microdollars: int = 0
    steps: int = 0
    effect: str = ""
    """The effect that it was; its own are numbered under it."""

    @property
    def ok(self) -> bool:
        return self.status == "completed"


class Allowance(msgspec.Struct, frozen=True, omit_defaults=True):
    """The limits of a sub-agent as they are journaled."""

    tokens: int | None = None
    cost_microdollars: int | None = None
    steps: int | None = None
    seconds: float | None = None


class AgentEffect(Effect[Delegated]):
    """Idempotent: after a crash it works again, and its recorded effects are answered from the journal."""

    action = "delegate"
    recovery = "idempotent"
    nested = True

    def __init__(
        self,
        agent: str,
        worker: Worker,
        task: Any,
        budget: Budget,
        timeout_seconds: float | None,
        code: CodeEngine | None,
        background: bool,
    ) -> None:
        self.agent = agent
        self.resource = agent
        self.worker = worker
        self.task = msgspec.json.encode(task)
        self.allowance = Allowance(budget.tokens, budget.cost_microdollars, budget.steps, timeout_seconds)
        if budget.wall_seconds is not None:
            seconds = min(budget.wall_seconds, timeout_seconds or budget.wall_seconds)
            self.allowance = msgspec.structs.replace(self.allowance, seconds=seconds)
        self.code = code
        self.background = background
        self.cancelled = ""
        """Why it was cancelled, where somebody did; empty where the whole run is ended."""
        self.began = False

    def facts(self) -> Mapping[str, Fact]:
        return {"background": self.background}

    async def oblige(self, verdict: Verdict, context: Context) -> None:
        context.strand.crowd.admit(context.strand)

    async def asked(self, effect: EffectId, decision: ev.Decision, context: Context) -> ev.Asked:
        task = await keep_encoded(self._clean_task(), context)
        limits = msgspec.Raw(msgspec.json.encode(self.allowance)) if self.allowance != NO_LIMITS else ev.NULL
        return ev.AgentAsked(effect, decision, self.agent, task, limits)

    def matches(self, asked: ev.Asked) -> bool:
        if not isinstance(asked, ev.AgentAsked) or asked.agent != self.agent:
            return False
        task = self._clean_task()
        if isinstance(asked.task, ev.Stored):
            return asked.task.blob == digest(task)
        return bytes(asked.task) == task

    def _clean_task(self) -> bytes:
        """Without secrets, as it is journaled."""
        return bytes(self.cleaner.raw(msgspec.Raw(self.task)))

    # ── working ──────────────────────────────────────────────────────────────────────────────────────

    def cancel(self, task: asyncio.Task[Delegated], why: str) -> None:
        """Ends it as soon as its end can be journaled; `task` performs it."""
        self.cancelled = why
        if self.began:
            task.cancel()

    async def perform(self, key: str, context: Context) -> Delegated:
        effect = key.rpartition("/")[2]
        strand = self._strand(effect, context)
        if self.cancelled:  # before it began
            return self._ended(strand, "cancelled", self.cancelled)
        return await self._perform(strand, context)

    async def _perform(self, strand: Strand, context: Context) -> Delegated:
        self.began = True
        strand.crowd.join(strand)
        try:
            if self.background:
                return await self._take_turn(strand, context)
            with context.strand.waiting():
                return await self._take_turn(strand, context)
        except asyncio.CancelledError:
            if not self.cancelled:
                raise
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            return self._ended(strand, "cancelled", self.cancelled)
        finally:
            strand.crowd.leave(strand)

    def _strand(self, effect: str, context: Context) -> Strand:
        above = context.strand
        limits = self.allowance
        budget = Budget(limits.tokens, limits.cost_microdollars, limits.steps)
        purse = Purse(budget, above.purse, spent_under(EffectId(effect), context.execution))
        return Strand(above.crowd, above, self.agent, context.actor, effect, purse, self.code)

    async def _take_turn(self, strand: Strand, context: Context) -> Delegated:
        """Waits until few enough work at once, and until its share of the budget is free."""
        slots = context.strand.slots
        with strand.waiting() if slots.locked() else nullcontext():
            await slots.acquire()
        try:
            if not await self._fits(strand):
                return self._ended(
                    strand, "budget", "less is left than the share of the budget that it needs"
                )
            strand.purse.open()
            try:
                return await self._work(strand, context)
            finally:
                strand.purse.close()
        finally:
            slots.release()

    @staticmethod
    async def _fits(strand: Strand) -> bool:
        """Whether its share is free, now or when others gave theirs back."""
        purse = strand.purse
        while not purse.fits():
            if not purse.could_fit():
                return False
            with strand.waiting():
                if not await strand.crowd.turn(purse):
                    return False
        return True

    async def _work(self, strand: Strand, context: Context) -> Delegated:
        inner = context.scope(strand.effect.rpartition(".")[2], actor=self.agent)
        inner.strand = strand
        seconds = self.allowance.seconds
        try:
            async with asyncio.timeout(None) as alarm:
                strand.wind(alarm, seconds)
                done = await self.worker(inner)
            return self._ended(strand, "completed", done.text, value=done.value)
        except TimeoutError as error:
            if not alarm.expired():
                return self._ended(strand, "failed", f"TimeoutError: {error}", "exception")
            return self._ended(strand, "timeout", f"it was given {seconds:g} seconds and did not end")
        except ParkSignal as signal:
            if not signal.reason.startswith("model:"):
                raise
            return self._ended(strand, "failed", signal.detail, signal.reason[6:])
        except BudgetExhausted as error:
            return self._ended(strand, "budget", str(error), error.code)
        except StuckError as error:
            return self._ended(strand, "failed", str(error), error.code)
        except OWN_TROUBLE:
            raise
        except ForgewrightError as error:
            return self._ended(strand, "failed", str(error), error.code)
        except Exception as error:  # noqa: BLE001 - whatever ends a sub-agent is a result for its parent
            return self._ended(strand, "failed", f"{type(error).__name__}: {error}", "exception")

    def _ended(
        self, strand: Strand, status: End, text: str, error: str = "", value: ev.Json = ev.NULL
    ) -> Delegated:
        tokens, cost, steps = strand.purse.spent
        return Delegated(self.agent, status, text, value, error, tokens, cost, steps, strand.effect)

    # ── journaled ────────────────────────────────────────────────────────────────────────────────────

    async def answered(self, effect: EffectId, answer: Delegated, ms: int, context: Context) -> ev.Answered:
        kept = msgspec.structs.replace(answer, agent="", effect="", tokens=0, cost_microdollars=0, steps=0)
        return ev.AgentAnswered(
            effect,
            await keep_clean(kept, context),
            answer.status,
            answer.tokens,
            answer.cost_microdollars,
            answer.steps,
            ms,
        )

    async def recall(self, asked: ev.Asked, answered: ev.Answered, context: Context) -> Delegated:
        assert isinstance(answered, ev.AgentAnswered)
        context.strand.crowd.count()
        kept = await load(answered.result, Delegated, context)
        return msgspec.structs.replace(
            kept,
            agent=self.agent,
            effect=asked.effect,
            tokens=answered.tokens,
            cost_microdollars=answered.cost_microdollars,
            steps=answered.steps,
        )


NO_LIMITS = Allowance()
