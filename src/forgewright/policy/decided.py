"""Why a run was allowed what it did, decision by decision: from its records, and the policy set that was in force.

A record says what was decided, by which policies, and what they obliged; which of their conditions held is found by
asking the very same set again. Where that set is not at hand another explains, and says that it is another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from forgewright.core.ids import Digest, EffectId, digest
from forgewright.journal import events as ev
from forgewright.policy.diff import Change, compare
from forgewright.policy.explain import Explanation, explain
from forgewright.policy.gate import CedarGate
from forgewright.policy.recorded import attempt_of, verdict_of
from forgewright.policy.types import Attempt, Verdict


class Word(msgspec.Struct, frozen=True):
    """What a person was asked before the effect, and said."""

    question: EffectId
    to: str
    sequence: int
    by: str = ""
    answer: str = ""
    """JSON; empty while nobody answered."""


class Decided(msgspec.Struct, frozen=True):
    """One decision of a run."""

    index: int
    """Of the intent, in the home's log: what `audit prove` takes a proof of."""
    sequence: int
    """Of the intent, in the run."""
    time: int
    """Milliseconds since 1970."""
    effect: EffectId
    intent: Digest
    """SHA-256 of the intent's bytes as they are stored."""
    attempt: Attempt
    """What the journal keeps of what was asked: who, what, and the facts."""
    decision: ev.Decision
    """As it was recorded: the determining policies, and what they obliged."""
    policy: str
    """Digest of the policy set that was in force; empty where none was."""
    inputs: Mapping[str, str]
    """Digests of what the effect was to be given, by what it is: a request, an image, files before and after."""
    words: tuple[Word, ...]
    again: tuple[ev.Decision, ...]
    """Decided once more before it began, since what was approved had changed."""
    outcome: str
    """`done`, `refused: …`, `failed: …`, or `open`."""
    explanation: Explanation
    explained_by: str
    """Digest of the set that explains."""
    change: Change | None
    """How the explaining set would decide now, where that is otherwise."""

    @property
    def same_set(self) -> bool:
        return self.explained_by == self.policy


def decisions(records: Sequence[ev.Record], gate_of: Callable[[str], CedarGate]) -> Iterator[Decided]:
    """Every decision in the records of one run, in order. `gate_of`: the set of a digest, or the one that is to explain
    where that is not at hand."""
    outcomes = {r.event.effect: r.event for r in records if isinstance(r.event, ev.Answered)}
    begun: dict[EffectId, list[ev.Decision]] = {}
    for record in records:
        if isinstance(record.event, ev.EffectBegun) and record.event.decision is not None:
            begun.setdefault(record.event.effect, []).append(record.event.decision)
    words = _words(records, outcomes)
    policy = ""
    for record in records:
        event = record.event
        if isinstance(event, ev.RunStarted | ev.RunResumed) and event.policy:
            policy = str(event.policy)
        attempt, then = attempt_of(record), verdict_of(record)
        if attempt is None or then is None or not isinstance(event, ev.Asked):
            continue
        gate = gate_of(policy)
        found = explain(gate, attempt)
        now = found.verdict
        differs = (
            compare(then, Verdict(now.permit, now.policies, now.tier, now.approval))
            if then.policies
            else None
        )
        yield Decided(
            index=record.index,
            sequence=record.sequence,
            time=record.time,
            effect=event.effect,
            intent=digest(record.data),
            attempt=attempt,
            decision=event.decision,
            policy=policy,
            inputs=_inputs(event),
            words=tuple(words.get(event.effect, ())),
            again=tuple(begun.get(event.effect, ())),
            outcome=_outcome(outcomes.get(event.effect)),
            explanation=found,
            explained_by=str(gate.digest),
            change=differs,
        )


def _words(
    records: Sequence[ev.Record], outcomes: Mapping[EffectId, ev.Answered]
) -> dict[EffectId, list[Word]]:
    """The questions about each effect: `approve-EFFECT.1`, and those that followed where one became void."""
    found: dict[EffectId, list[Word]] = {}
    for record in records:
        event = record.event
        if not isinstance(event, ev.QuestionAsked) or event.about == ev.NULL:
            continue
        about = msgspec.json.decode(event.about)
        effect = about.get("effect") if isinstance(about, dict) else None
        if not isinstance(effect, str):
            continue
        answered = outcomes.get(event.effect)
        word = Word(event.effect, event.to, record.sequence)
        if isinstance(answered, ev.QuestionAnswered):
            word = Word(event.effect, event.to, record.sequence, answered.by, bytes(answered.answer).decode())
        elif isinstance(answered, ev.EffectRefused):
            word = Word(
                event.effect, event.to, record.sequence, answer=msgspec.json.encode(answered.message).decode()
            )
        found.setdefault(EffectId(effect), []).append(word)
    return found


def _inputs(event: ev.Asked) -> dict[str, str]:
    match event:
        case ev.ModelAsked():
            found = {"request": str(event.request)}
        case ev.ToolAsked():
            found = {"arguments": _digest_of(event.arguments)}
        case ev.ExecAsked():
            found = {"spec": str(digest(bytes(event.spec))), "image": event.image_digest}
        case ev.EditAsked():
            found = {f"before {path}": str(value) for path, value in event.before.items()}
            found |= {f"after {path}": str(value) for path, value in event.after.items()}
        case ev.AgentAsked():
            found = {"task": _digest_of(event.task)}
        case _:
            found = {}
    return {name: value for name, value in found.items() if value and value != "None"}


def _digest_of(value: ev.Value) -> str:
    if isinstance(value, ev.Stored):
        return str(value.blob)
    return "" if value == ev.NULL else str(digest(bytes(value)))


def _outcome(answered: ev.Answered | None) -> str:
    match answered:
        case None:
            return "open"
        case ev.EffectRefused():
            return f"refused: {answered.message}"
        case ev.EffectFailed():
            return f"failed: {answered.error}: {answered.message}"
    return "done"
