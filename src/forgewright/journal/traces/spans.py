"""Records → spans, as they come or afterwards: the same builder, fed one record after the other.

Names and attributes are those of OpenTelemetry's semantic conventions for generative AI. Prompts, answers and
arguments stay in the journal; a span carries names, counts and places. Identifiers follow from the run and the
sequence, so that a trace that is exported twice is one trace.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Literal

import msgspec

from forgewright.core.ids import RunId
from forgewright.journal import events as ev

Attribute = str | int | bool
Kind = Literal["internal", "client"]


class Span(msgspec.Struct, frozen=True):
    trace_id: str
    """32 hexadecimal digits."""
    span_id: str
    """16 hexadecimal digits."""
    parent_id: str | None
    name: str
    kind: Kind
    start_ms: int
    end_ms: int
    """Milliseconds since 1970."""
    attributes: dict[str, Attribute]
    error: str | None = None
    """What went wrong, where something did."""


class _Open(msgspec.Struct):
    record: ev.Record
    parent: str | None


class SpanBuilder:
    """Of one run. `add` each record in order; it returns the spans that this record ended."""

    def __init__(self, run: RunId) -> None:
        self._run = run
        self._trace = sha256(b"trace\0" + run.encode()).hexdigest()[:32]
        self._stretch: _Open | None = None
        self._first: str | None = None
        self._graph = ""
        self._nodes: dict[int, _Open] = {}
        self._effects: dict[str, _Open] = {}
        self._agents: set[str] = set()

    def add(self, record: ev.Record) -> list[Span]:
        event = record.event
        match event:
            case ev.RunStarted() | ev.RunResumed():
                self._begin(record)
            case ev.RunFinished() | ev.RunParked() | ev.RunFailed():
                return self._end(record)
            case ev.NodeEntered():
                self._nodes[event.visit] = _Open(record, self._here())
            case ev.NodeLeft() | ev.NodeFailed():
                return self._left(event, record)
            case ev.Asked():
                self._effects[event.effect] = _Open(record, self._above(event.effect))
                if isinstance(event, ev.AgentAsked):
                    self._agents.add(event.effect)
            case ev.Answered():
                return self._answered(event, record)
            case _:
                pass
        return []

    # ── the run: one span for each stretch from a start or resumption to where it parked or ended ─────

    def _begin(self, record: ev.Record) -> None:
        if isinstance(record.event, ev.RunStarted):
            self._graph = record.event.graph
        elif self._first is None:  # seen from its resumption on, in another process
            self._first = self._id_of(1)
        self._stretch = _Open(record, self._first)
        if self._first is None:
            self._first = self._id(record)

    def _end(self, record: ev.Record) -> list[Span]:
        opened, self._stretch = self._stretch, None
        self._nodes.clear()
        self._effects.clear()
        if opened is None:
            return []
        event = record.event
        attributes: dict[str, Attribute] = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": self._graph,
            "gen_ai.conversation.id": self._run,
        }
        error = None
        if isinstance(event, ev.RunParked):
            attributes["forgewright.parked"] = event.reason
        elif isinstance(event, ev.RunFailed):
            attributes["error.type"] = event.error
            error = event.error
        name = f"invoke_agent {self._graph}".strip()
        return [self._span(opened, record.time, name, "internal", attributes, error)]

    # ── nodes ────────────────────────────────────────────────────────────────────────────────────────

    def _left(self, event: ev.NodeLeft | ev.NodeFailed, record: ev.Record) -> list[Span]:
        opened = self._nodes.pop(event.visit, None)
        if opened is None or not isinstance(opened.record.event, ev.NodeEntered):
            return []
        entered = opened.record.event
        attributes: dict[str, Attribute] = {
            "forgewright.node": entered.node,
            "forgewright.visit": entered.visit,
        }
        error = None
        if isinstance(event, ev.NodeFailed):
            attributes["error.type"] = error = event.error
        return [self._span(opened, record.time, f"node {entered.node}", "internal", attributes, error)]

    # ── effects ──────────────────────────────────────────────────────────────────────────────────────

    def _answered(self, event: ev.Answered, record: ev.Record) -> list[Span]:
        opened = self._effects.pop(event.effect, None)
        self._agents.discard(event.effect)
        if opened is None or not isinstance(opened.record.event, ev.Asked):
            return []
        name, kind, attributes = _described(opened.record.event, event)
        attributes["forgewright.effect"] = event.effect
        if opened.record.event.decision.by:
            attributes["forgewright.policies"] = ",".join(opened.record.event.decision.by)
        error = None
        if isinstance(event, ev.EffectFailed):
            attributes["error.type"] = error = event.error
        elif isinstance(event, ev.EffectRefused):
            attributes["error.type"] = error = "policy_denied"
        elif isinstance(event, ev.ToolAnswered) and event.error:
            attributes["error.type"] = error = "tool"
        elif isinstance(event, ev.AgentAnswered) and event.status != "completed":
            attributes["error.type"] = error = event.status
        return [self._span(opened, record.time, name, kind, attributes, error)]

    def _above(self, effect: str) -> str | None:
        """The span of the sub-agent, else of the node visit, that the effect's id begins with."""
        inner = effect.rpartition(".")[0]
        while self._agents and inner:
            if inner in self._agents and inner in self._effects:
                return self._id(self._effects[inner].record)
            inner = inner.rpartition(".")[0]
        visit = effect.partition(".")[0]
        opened = self._nodes.get(int(visit)) if visit.isdigit() else None
        return self._id(opened.record) if opened is not None else self._here()

    def _here(self) -> str | None:
        return self._id(self._stretch.record) if self._stretch is not None else self._first

    def _id(self, record: ev.Record) -> str:
        return self._id_of(record.sequence)

    def _id_of(self, sequence: int) -> str:
        return sha256(f"span\0{self._run}\0{sequence}".encode()).hexdigest()[:16]

    def _span(
        self,
        opened: _Open,
        end_ms: int,
        name: str,
        kind: Kind,
        attributes: dict[str, Attribute],
        error: str | None,
    ) -> Span:
        attributes["forgewright.record"] = opened.record.index
        start = opened.record.time
        span_id = self._id(opened.record)
        return Span(
            self._trace, span_id, opened.parent, name, kind, start, max(start, end_ms), attributes, error
        )


def _described(asked: ev.Asked, answered: ev.Answered) -> tuple[str, Kind, dict[str, Attribute]]:
    """OpenTelemetry semantic conventions for generative AI: client and agent spans."""
    match asked:
        case ev.ModelAsked():
            provider, _, model = asked.model.partition(":")
            attributes: dict[str, Attribute] = {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": provider,
                "gen_ai.request.model": model,
            }
            if isinstance(answered, ev.ModelAnswered):
                attributes["gen_ai.usage.input_tokens"] = answered.input_tokens
                attributes["gen_ai.usage.output_tokens"] = answered.output_tokens
                attributes["forgewright.cost_microdollars"] = answered.cost_microdollars
            return f"chat {model}", "client", attributes
        case ev.ToolAsked():
            attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": asked.tool}
            if asked.call:
                attributes["gen_ai.tool.call.id"] = asked.call
            return f"execute_tool {asked.tool}", "internal", attributes
        case ev.ExecAsked():
            attributes = {
                "process.command": asked.argv[0] if asked.argv else "",
                "forgewright.tier": asked.tier,
            }
            attributes["container.image.name"] = asked.image
            return f"exec {asked.purpose or attributes['process.command']}", "internal", attributes
        case ev.EditAsked():
            return "edit", "internal", {"forgewright.files": len(asked.after)}
        case ev.GitAsked():
            return f"git {asked.operation}", "internal", {}
        case ev.QuestionAsked():
            return "question", "internal", {"forgewright.to": asked.to}
        case ev.AgentAsked():
            attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": asked.agent}
            return f"invoke_agent {asked.agent}", "internal", attributes
        case ev.CustomAsked():
            return f"effect {asked.what}", "internal", {}
        case _:
            return "effect", "internal", {}
