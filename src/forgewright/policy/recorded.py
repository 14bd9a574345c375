"""Attempts as the journal holds them, so that another policy set can be asked about them.

An intent keeps what was done and not each fact that the gate was told; what can be read from it is, and
what cannot is left out: labels that callers added, and counts of lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from forgewright.core.errors import ConfigError, NotFound
from forgewright.core.ids import Digest
from forgewright.journal import events as ev
from forgewright.policy.types import Attempt, Fact, Verdict


def attempt_of(record: ev.Record) -> Attempt | None:
    """What the gate was asked for the record's intent; None for a record that is no intent."""
    event, actor = record.event, record.actor
    match event:
        case ev.ModelAsked():
            return Attempt(actor, "model", event.model)
        case ev.ToolAsked():
            return Attempt(actor, "tool", event.tool, {**_traced(event.facts), "recovery": event.recovery})
        case ev.EditAsked():
            return Attempt(actor, "edit", "worktree", {"paths": tuple(event.before or event.after)})
        case ev.ExecAsked():
            return Attempt(actor, "exec", event.purpose or "unknown", _exec_facts(event))
        case ev.GitAsked():
            return Attempt(actor, "git", "branch", {"operation": event.operation})
        case ev.AgentAsked():
            return Attempt(actor, "delegate", event.agent)
        case ev.QuestionAsked():
            return Attempt(actor, "ask", event.to)
    return None


def verdict_of(record: ev.Record) -> Verdict | None:
    """What the gate said then; None for a record that is no intent."""
    if not isinstance(record.event, ev.Asked):
        return None
    decision = record.event.decision
    return Verdict(decision.permit, decision.by, decision.tier, decision.approval)


def read_attempts(path: Path) -> list[Attempt]:
    """Attempts from a file of JSON lines. Raises `ConfigError`, `NotFound`."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise NotFound(f"the attempts in {path} can't be read: {error.strerror}") from error
    found = []
    for number, line in enumerate(lines, 1):
        try:
            if line.strip():
                found.append(msgspec.json.decode(line, type=Attempt))
        except msgspec.DecodeError as error:
            raise ConfigError(
                f"{path}:{number}: expected an attempt as JSON: {error}",
                hint='{"principal":"coder","action":"edit","resource":"a.py","facts":{"lines":3}}',
            ) from error
    return found


class Recorded:
    """A gate that says again what it said then; `Attempt`s that it was never asked are denied."""

    digest = Digest("")
    partial = True
    """The journal keeps of a verdict whether, by which policies, the tier and the approval."""

    def __init__(self, records: list[ev.Record]) -> None:
        self._verdicts: dict[bytes, Verdict] = {}
        self.attempts: list[Attempt] = []
        for record in records:
            attempt, verdict = attempt_of(record), verdict_of(record)
            if attempt is not None and verdict is not None:
                self.attempts.append(attempt)
                self._verdicts[_KEY(attempt)] = verdict

    def decide(self, attempt: Attempt) -> Verdict:
        return self._verdicts.get(_KEY(attempt)) or Verdict(False, reason="this was never asked")


_KEY = msgspec.json.Encoder(order="deterministic").encode


def _traced(facts: ev.Json) -> dict[str, Fact]:
    if facts == ev.NULL:
        return {}
    return msgspec.json.decode(facts, type=dict[str, bool | int | str | tuple[str, ...]])


def _exec_facts(event: ev.ExecAsked) -> dict[str, Fact]:
    facts: dict[str, Fact] = {"argv": event.argv, "image": event.image, "image_digest": event.image_digest}
    spec: Any = msgspec.json.decode(event.spec)
    if isinstance(spec, Mapping):
        network = spec.get("network") or {}
        facts["network"] = tuple(network.get("allow") or ())
        facts["writable"] = tuple(
            str(mount.get("target")) for mount in spec.get("mounts") or () if mount.get("mode") == "rw"
        )
    return facts
