"""Writes one run's events in order, many at a time, and survives the cancellation of who is waiting."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from forgewright.core.errors import LostRace
from forgewright.core.ids import RunId
from forgewright.journal import events as ev
from forgewright.journal.events import Event, Record
from forgewright.journal.journal import Journal

CLEAN = {
    *(ev.ModelAsked, ev.ToolAsked, ev.EditAsked, ev.EffectBegun, ev.NodeEntered, ev.NodeLeft, ev.ValueRead),
    *(ev.ModelAnswered, ev.ToolAnswered, ev.ExecAnswered, ev.EditAnswered),
}
"""Events of which the door and the effects have seen to it that they hold no secrets."""

LATE_SECONDS = 0.02
"""How long an event offered with `later` may wait for another one to be written with."""


class Ledger:
    """The writing end of one run.

    Events offered while a commit is under way are written together by the next one. When another process has
    written to the run meanwhile (an answer, a stop), `absorb` sees its records first.
    """

    def __init__(
        self,
        journal: Journal,
        run: RunId,
        sequence: int,
        *,
        epoch: int | None,
        clean: Callable[[Event], Event],
        on_record: Callable[[Record], None],
        absorb: Callable[[Sequence[Record]], None],
    ) -> None:
        self.journal = journal
        self.run = run
        self.sequence = sequence
        self._epoch = epoch
        self._clean = clean
        self._on_record = on_record
        self._absorb = absorb
        self._offered = 0
        self._durable = 0
        self._waiting: list[tuple[str, Event]] = []
        self._waiters: deque[tuple[int, asyncio.Future[None]]] = deque()
        """Who waits until how many events are durable, in that order."""
        self._writer: asyncio.Task[None] | None = None
        self._writing = False
        self._timer: asyncio.TimerHandle | None = None
        self._in_memory = journal.home is None

    async def append(self, actor: str, *events: Event) -> None:
        """Returns when the events, and all offered before them, are durable."""
        self._offer(actor, events)
        await self.flush()

    def later(self, actor: str, *events: Event) -> None:
        """Offers events whose loss in a crash is harmless; durable with the next commit."""
        self._offer(actor, events)
        if self._timer is None and not self._writing:
            self._timer = asyncio.get_running_loop().call_later(LATE_SECONDS, self._start)

    async def flush(self) -> None:
        """Returns when all that was offered is durable. Who is cancelled meanwhile does not stop the writing."""
        if self._durable >= self._offered:
            return
        if self._in_memory and not self._writing:
            await self._write(
                raises=True
            )  # without a disk there is nothing to wait for, and nothing to be cancelled in
            await asyncio.sleep(0)  # … but others have their turn
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((self._offered, future))
        self._start()
        await future

    def _offer(self, actor: str, events: Sequence[Event]) -> None:
        clean = self._clean
        self._waiting.extend((actor, event if type(event) in CLEAN else clean(event)) for event in events)
        self._offered += len(events)

    def _start(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._writing and self._waiting:
            self._writing = True
            self._writer = asyncio.get_running_loop().create_task(self._write())

    async def _write(self, *, raises: bool = False) -> None:
        """Until nothing is left. What can't be written stays, and everybody who waits is told why."""
        self._writing = True
        try:
            while self._waiting:
                await self._write_some()
        except asyncio.CancelledError:
            for _, future in self._waiters:
                future.cancel()
            self._waiters.clear()
            raise
        except BaseException as error:
            for _, future in self._waiters:
                if not future.done():
                    future.set_exception(error)
            self._waiters.clear()
            if raises:
                raise
        finally:
            self._writing = False

    async def _write_some(self) -> None:
        actor = self._waiting[0][0]
        count = next((i for i, (who, _) in enumerate(self._waiting) if who != actor), len(self._waiting))
        events = [event for _, event in self._waiting[:count]]
        records = await self._append(actor, events)
        del self._waiting[:count]
        self._durable += count
        self.sequence = records[-1].sequence
        for record in records:
            self._on_record(record)
        while self._waiters and self._waiters[0][0] <= self._durable:
            future = self._waiters.popleft()[1]
            if not future.done():
                future.set_result(None)

    async def _append(self, actor: str, events: Sequence[Event]) -> Sequence[Record]:
        while True:
            try:
                return await self.journal.append(
                    self.run, events, expected=self.sequence, actor=actor, epoch=self._epoch
                )
            except LostRace:
                foreign = await self.journal.read(self.run, after=self.sequence)
                if not foreign:
                    raise
                self._absorb(foreign)
                self.sequence = foreign[-1].sequence
                for record in foreign:
                    self._on_record(record)
