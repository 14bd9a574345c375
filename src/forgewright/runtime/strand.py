"""A line of work inside a run: the run itself, or a sub-agent under another line. Who they are, and what they wait for.

While somebody works, a question is no reason to park: only the one who asks waits, and an answer that comes into
the journal from anywhere lets him go on. When nobody works any more, all who ask are told so, and the run parks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.core.errors import BudgetExhausted, Refused
from forgewright.core.ids import EffectId
from forgewright.journal import events as ev
from forgewright.runtime.budget import Budget
from forgewright.runtime.park import ParkSignal
from forgewright.runtime.purse import NOTHING, STEPS, Amounts, Purse

if TYPE_CHECKING:
    from forgewright.code.engine import CodeEngine
    from forgewright.policy.types import Fact
    from forgewright.runtime.execution import Execution


class DelegationLimits(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a run may branch out into sub-agents."""

    depth: int = 4
    """Sub-agents of sub-agents."""
    agents: int = 1000
    """In the whole run."""
    at_once: int = 128
    """Of one parent."""


class Strand:
    """One line of work. The root's name is empty; its depth is 0."""

    __slots__ = (
        "_alarm", "_left", "_paused", "_since", "_slots", "_waits", "caller", "code", "crowd", "depth", "effect",
        "name", "parent", "purse",
    )  # fmt: skip

    def __init__(
        self,
        crowd: Crowd,
        parent: Strand | None = None,
        name: str = "",
        caller: str = "",
        effect: str = "",
        purse: Purse | None = None,
        code: CodeEngine | None = None,
    ) -> None:
        self.crowd = crowd
        self.parent = parent
        self.name = name
        self.caller = caller
        """The principal that gave it its task."""
        self.effect = effect
        """The effect that it is; its own effects are numbered under it."""
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.purse: Purse = purse or Purse(Budget(), parent.purse if parent else None)
        self.code: CodeEngine | None = code if code is not None or parent is None else parent.code
        self._waits = 0
        self._slots: asyncio.Semaphore | None = None
        self._alarm: asyncio.Timeout | None = None
        self._left = 0.0
        self._since = 0.0
        self._paused = 0

    @property
    def facts(self) -> Mapping[str, Fact]:
        """What policies see of where it stands: who called it, all above it, and how deep it is."""
        above = []
        strand: Strand | None = self
        while strand is not None and strand.depth:
            above.append(strand.caller)
            strand = strand.parent
        return {"parent": self.caller, "ancestors": tuple(dict.fromkeys(above)), "depth": self.depth}

    @property
    def works(self) -> bool:
        """Whether it waits neither for a person, nor for its own sub-agents, nor for a share of the budget."""
        return not self._waits

    @property
    def slots(self) -> asyncio.Semaphore:
        """For sub-agents of this one that run at once."""
        if self._slots is None:
            self._slots = asyncio.Semaphore(self.crowd.limits.at_once)
        return self._slots

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While this line waits for others."""
        self._waits += 1
        self.crowd.settle()
        try:
            yield
        finally:
            self._waits -= 1

    # ── the clock: time spent waiting for a person is not the sub-agent's ─────────────────────────────

    def wind(self, alarm: asyncio.Timeout, seconds: float | None) -> None:
        """From now on `alarm` goes off after so many seconds of its own time."""
        if seconds is not None:
            self._alarm, self._left = alarm, seconds
            self._go()

    @contextmanager
    def stopped_clocks(self) -> Iterator[None]:
        """Stops this line's clock and those of all above it."""
        line: list[Strand] = []
        strand: Strand | None = self
        while strand is not None:
            line.append(strand)
            strand = strand.parent
        for one in line:
            one._stop()
        try:
            yield
        finally:
            for one in line:
                one._paused -= 1
                if not one._paused:
                    one._go()

    def _go(self) -> None:
        if self._alarm is not None and not self._paused and not self._alarm.expired():
            self._since = asyncio.get_running_loop().time()
            self._alarm.reschedule(self._since + self._left)

    def _stop(self) -> None:
        self._paused += 1
        if self._alarm is not None and self._paused == 1 and not self._alarm.expired():
            self._left = max(0.0, self._left - (asyncio.get_running_loop().time() - self._since))
            self._alarm.reschedule(None)

    # ── spending ─────────────────────────────────────────────────────────────────────────────────────

    def step(self) -> None:
        """Counts an effect that begins. Raises `ParkSignal` (the run's budget), `BudgetExhausted` (a share)."""
        self.check()
        self.purse.debit(STEPS, 1)

    def check(self) -> None:
        """The same without counting."""
        reached = self.purse.reached()
        if reached is None:
            return
        if reached.parent is None:
            raise ParkSignal("budget", f"the budget is reached: {reached.in_words()}")
        raise BudgetExhausted(
            f"the share of the budget that {self.name} was given is used up: {reached.in_words()}",
            hint="give it a larger one, or a smaller task",
        )

    async def may_ask(self, tokens: int, cost: int) -> None:
        """Returns when a request that may cost so much can begin. Raises as `step`."""
        while (when := self.purse.may_ask(tokens, cost)) == "later":
            self.check()
            with self.waiting():
                if not await self.crowd.turn(self.purse):
                    when = "never"
                    break
        self.check()
        if when == "never":
            raise BudgetExhausted(
                f"what is left of the budget of {self.name or 'the run'} is less than a request takes",
                hint="give it a larger share, or a smaller task",
            )


class Crowd:
    """All lines of work of one execution."""

    def __init__(self, execution: Execution[Any], limits: DelegationLimits) -> None:
        self.execution = execution
        self.limits = limits
        self.started = 0
        self.live: set[Strand] = set()
        self._short: set[asyncio.Future[bool]] = set()
        """Who waits until something of the budget comes back."""
        self._asking: dict[EffectId, asyncio.Future[Any]] = {}
        self._listening: asyncio.Task[None] | None = None

    def admit(self, parent: Strand) -> None:
        """Counts one more sub-agent. Raises `Refused` where there are too many, or too deep."""
        if parent.depth >= self.limits.depth:
            raise Refused(f"sub-agents may be {self.limits.depth} deep, and this would be one more")
        if self.started >= self.limits.agents:
            raise Refused(f"a run may start {self.limits.agents} sub-agents, and this would be one more")
        self.count()

    def count(self) -> None:
        """One that ended in an earlier session counts too."""
        self.started += 1

    def join(self, strand: Strand) -> None:
        """It works from now on."""
        self.live.add(strand)

    def leave(self, strand: Strand) -> None:
        self.live.discard(strand)
        self.settle()

    # ── answers that come while others work ──────────────────────────────────────────────────────────

    async def answer_to(self, effect: EffectId, strand: Strand) -> Any:
        """The answer, as soon as somebody writes it into the journal; None when nobody works any more."""
        if not any(one.works for one in self.live if one is not strand):
            return None
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asking[effect] = future
        if self._listening is None:
            self._listening = asyncio.get_running_loop().create_task(self._listen())
        try:
            with strand.stopped_clocks(), strand.waiting():
                return await future
        finally:
            self._asking.pop(effect, None)
            if not self._asking and self._listening is not None:
                self._listening.cancel()
                self._listening = None

    def answered(self, effect: EffectId, answer: Any) -> None:
        """Hands an answer that stands in the journal to who waits for it."""
        future = self._asking.get(effect)
        if future is not None and not future.done():
            future.set_result(answer)

    async def turn(self, purse: Purse) -> bool:
        """Waits until something comes back to a purse; False where all wait, and so nothing will."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._short.add(future)
        self.settle()
        try:
            return await purse.turn(future)
        finally:
            self._short.discard(future)

    def settle(self) -> None:
        """When nobody works any more: tells those who ask, and if there are none, those who wait for the budget."""
        if not (self._asking or self._short) or any(strand.works for strand in self.live):
            return
        for asking in self._asking.values():
            if not asking.done():
                asking.set_result(None)
        if not self._asking:
            for short in self._short:
                if not short.done():
                    short.set_result(False)

    async def _listen(self) -> None:
        execution = self.execution
        async for record in execution.journal.follow(execution.run, after=execution.ledger.sequence):
            execution.heard(record.event)


def spent_under(effect: EffectId, execution: Execution[Any]) -> Amounts:
    """What earlier sessions recorded as spent by the effects that are numbered under this one."""
    past = execution.history.effects
    if not past:
        return NOTHING
    tokens = cost = steps = 0
    prefix = f"{effect}."
    for name, one in past.items():
        if name.startswith(prefix):
            steps += 1
            if isinstance(one.answered, ev.ModelAnswered):
                tokens += one.answered.input_tokens + one.answered.output_tokens
                cost += one.answered.cost_microdollars
    return tokens, cost, steps
