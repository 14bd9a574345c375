"""What of an event is personal. Declared here, once; whoever adds an event or a field with content adds it here.

In a run that was started for a person, everything that was said, read, written or given is that person's. Who answered
a question is personal in every run, and belongs to who answered.
"""

from __future__ import annotations

from collections.abc import Mapping

from forgewright.journal import events as ev
from forgewright.journal.event import Event

CONTENT: Mapping[type[Event], tuple[str, ...]] = {
    ev.RunStarted: ("goal", "state", "options", "salt"),
    ev.RunParked: ("detail",),
    ev.RunFinished: ("result", "summary"),
    ev.RunFailed: ("message",),
    ev.NodeLeft: ("update", "branches"),
    ev.NodeFailed: ("message",),
    ev.ModelAsked: ("head", "messages"),
    ev.ToolAsked: ("arguments", "facts"),
    ev.EditAsked: ("program", "result"),
    ev.ExecAsked: ("argv", "spec"),
    ev.GitAsked: ("detail",),
    ev.QuestionAsked: ("question", "about", "form"),
    ev.AgentAsked: ("task",),
    ev.AgentAnswered: ("result",),
    ev.ApprovalRevoked: ("reason",),
    ev.CustomAsked: ("request",),
    ev.ModelAnswered: ("response",),
    ev.ToolAnswered: ("result",),
    ev.EditAnswered: ("result",),
    ev.ExecAnswered: ("result",),
    ev.GitAnswered: ("result",),
    ev.QuestionAnswered: ("answer",),
    ev.CustomAnswered: ("result",),
    ev.EffectFailed: ("message", "hint"),
    ev.EffectRefused: ("message",),
    ev.ValueRead: ("value",),
    ev.NoteWritten: ("value",),
}
"""Event → its fields with content, sealed for the person whom the run is for. An artifact's bytes are sealed when they
are kept (`Journal.keep_bytes`)."""

IDENTITY: Mapping[type[Event], str] = {ev.QuestionAnswered: "by", ev.ApprovalRevoked: "by"}
"""Event → the field that names a person, sealed for that very person."""

ROLES = frozenset({"", "engine", "owner", "operator", "nobody"})
"""Names that stand for no person in particular."""
