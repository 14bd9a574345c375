"""A run as its records tell it: where it stands, what its open nodes already did, what it waits for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Generic, Literal, TypeVar

import msgspec

from forgewright.core.errors import IntegrityError
from forgewright.core.ids import EffectId, RunId
from forgewright.graph.graph import Graph
from forgewright.graph.position import Position
from forgewright.graph.state import State, decode_update
from forgewright.graph.transition import Branch
from forgewright.journal import events as ev
from forgewright.runtime.approvals import Approvals
from forgewright.runtime.budget import Budget, Spent

S = TypeVar("S", bound=State)

Status = Literal["running", "parked", "finished", "failed"]


class Past:
    """What is known of one effect: its intent, and its receipt unless that was lost."""

    __slots__ = ("actor", "answered", "asked", "begins")

    def __init__(self, asked: ev.Asked, actor: str) -> None:
        self.asked = asked
        self.actor = actor
        self.answered: ev.Answered | None = None
        waits = asked.decision.approval is not None and asked.decision.standing is None
        self.begins = 0 if waits else 1
        """How often it may have begun: with its intent, or with each `effect.begun` after a person's word."""


class Places(msgspec.Struct, frozen=True):
    """Where a node went, with the fields that single branches see replaced."""

    node: str
    fields: msgspec.Raw = ev.NULL


class History(Generic[S]):
    """Folded from records, one at a time; holds receipts only of nodes that have not left yet."""

    def __init__(self, graph: Graph[S]) -> None:
        self.graph = graph
        self.run: RunId = RunId("")
        self.started: ev.RunStarted | None = None
        self.position: Position[S] | None = None
        self.effects: dict[EffectId, Past] = {}
        self.noted: dict[EffectId, ev.Noted] = {}
        self.budget = Budget()
        self.spent = Spent()
        self.status: Status = "running"
        self.detail = ""
        self.entered: set[int] = set()
        self.model_calls: dict[str, int] = {}
        """Actor → requests to models in nodes that left; those of open nodes are counted as they are replayed."""
        self.approvals = Approvals()
        self.sequence = 0
        self._session_start = 0

    async def fold(
        self,
        records: Iterable[ev.Record],
        load: Callable[[ev.Value], Awaitable[bytes]],
        run: RunId | None = None,
    ) -> None:
        """Takes in records, in order; `load` fetches values that were too large to stand in them. Standing approvals
        are those of `run` alone: a fork inherits none."""
        for record in records:
            value: bytes = b""
            match record.event:
                case ev.RunStarted(state=state):
                    value = await load(state)
                case ev.NodeLeft(update=update):
                    value = await load(update)
                case _:
                    pass
            self._one(record, msgspec.Raw(value))
            if record.run == run:
                self.approvals.see(record)
            self.sequence = record.sequence

    def _one(self, record: ev.Record, value: msgspec.Raw) -> None:
        event = record.event
        self.spent.add(event)
        match event:
            case ev.RunStarted():
                self._start(record, event, value)
            case ev.RunResumed():
                self.status, self.detail = "running", ""
                self._session_start = record.time
                if event.budget != ev.NULL:
                    self.budget = msgspec.json.decode(event.budget, type=Budget)
            case ev.RunParked():
                self.status, self.detail = "parked", f"{event.reason}: {event.detail}"
                self.spent.wall_ms += max(0, record.time - self._session_start)
                self._session_start = record.time
            case ev.RunFinished():
                self.status = "finished"
            case ev.RunFailed():
                self.status, self.detail = "failed", event.message
            case ev.NodeEntered():
                self.entered.add(event.visit)
            case ev.NodeLeft():
                self._leave(event, value)
            case ev.Noted():
                self.noted[event.effect] = event
            case ev.Asked():
                self.effects[event.effect] = Past(event, record.actor)
            case ev.EffectBegun():
                self.effects[event.effect].begins += 1
            case ev.Answered():
                self._answer(record, event)
            case _:
                pass

    def _start(self, record: ev.Record, event: ev.RunStarted, value: msgspec.Raw) -> None:
        self.run = record.run
        if self.started is not None:  # a fork: its parent's records came first
            self.started = event
            self.status, self.detail = "running", ""
        else:
            self.started = event
            state = msgspec.json.decode(value, type=self.graph.state)
            self.position = Position(self.graph, state)
        if event.budget != ev.NULL:
            self.budget = msgspec.json.decode(event.budget, type=Budget)
        self._session_start = record.time

    def _leave(self, event: ev.NodeLeft, value: msgspec.Raw) -> None:
        assert self.position is not None
        self.position.leave(event.visit, decode_update(self.graph.state, value), self._branches(event))
        self.forget(event.visit)

    def forget(self, visit: int) -> None:
        """Lets go of the receipts of a node that left."""
        if self.effects or self.noted:
            prefix = f"{visit}."
            inside = tuple(
                f"{e}." for e, past in self.effects.items() if isinstance(past.asked, ev.AgentAsked)
            )
            for effect, past in self.effects.items():
                if not isinstance(past.asked, ev.ModelAsked) or effect.startswith(inside):
                    continue  # a sub-agent's requests are counted apart, and it does not come back
                if effect.startswith(prefix):
                    self.model_calls[past.actor] = self.model_calls.get(past.actor, 0) + 1
            self.effects = {k: v for k, v in self.effects.items() if not k.startswith(prefix)}
            self.noted = {k: v for k, v in self.noted.items() if not k.startswith(prefix)}

    def _branches(self, event: ev.NodeLeft) -> list[Branch]:
        if event.branches == ev.NULL:
            return [Branch(name) for name in event.to]
        places = msgspec.json.decode(event.branches, type=list[Places])
        out = []
        for place in places:
            fields: dict[str, Any] = (
                {} if place.fields == ev.NULL else decode_update(self.graph.state, place.fields)
            )
            out.append(Branch(place.node, **fields))
        return out

    def _answer(self, record: ev.Record, event: ev.Answered) -> None:
        past = self.effects.get(event.effect)
        if past is None:
            raise IntegrityError(
                f"record {record.sequence} of run {record.run} answers effect {event.effect}, which nobody asked",
                record=str(record.index),
                hint="run: forgewright audit fsck",
            )
        if past.answered is None:
            past.answered = event


def encode_branches(cls: type[State], branches: Iterable[Branch]) -> msgspec.Raw:
    """Targets as they are journaled; NULL where no branch replaces fields, since the names say it all."""
    from forgewright.graph.state import encode_update

    places = [Places(b.node, encode_update(cls, b.fields) if b.fields else ev.NULL) for b in branches]
    if all(place.fields == ev.NULL for place in places):
        return ev.NULL
    return msgspec.Raw(msgspec.json.encode(places))
