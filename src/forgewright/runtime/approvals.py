"""What a person may rule over an effect, and the rulings that stand for later ones: with constraints, until they expire,
are revoked or do not fit any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from forgewright.core.errors import UsageError
from forgewright.core.ids import EffectId
from forgewright.journal import events as ev
from forgewright.policy.types import Fact

SUSPICIONS = ("untrusted", "addresses", "unplanned", "parties")
"""Facts of a call that a standing approval covers only as far as the call had them that was approved."""
VALUE_CHARS_MAX = 2_000


class Remember(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How far a yes goes beyond the one effect: in this run, for the same agent and resource."""

    until: int | None = None
    """Milliseconds since 1970; None: as long as the run goes on."""
    times: int | None = None
    """How often it may be used."""
    where: Mapping[str, str] = {}
    """Argument → pattern (`*`, `?`, `[…]`) that its value, each value of a list, has to match."""


class Approve(
    msgspec.Struct, frozen=True, omit_defaults=True, tag="approve", tag_field="do", forbid_unknown_fields=True
):
    remember: Remember | None = None


class Reject(
    msgspec.Struct, frozen=True, omit_defaults=True, tag="reject", tag_field="do", forbid_unknown_fields=True
):
    reason: str = ""


class Edit(msgspec.Struct, frozen=True, tag="edit", tag_field="do", forbid_unknown_fields=True):
    """Do it with these arguments."""

    arguments: Mapping[str, Any]


class Answer(
    msgspec.Struct, frozen=True, omit_defaults=True, tag="answer", tag_field="do", forbid_unknown_fields=True
):
    """Do not do it; this is its result."""

    result: str
    error: bool = False


Ruling = Approve | Reject | Edit | Answer


def read_ruling(answer: Any, may: Sequence[str] = ("edit", "answer")) -> Ruling:
    """`yes`, `no`, `no: why`, or a ruling as a mapping. Raises `UsageError`."""
    if isinstance(answer, str):
        word, _, reason = answer.partition(":")
        if word.strip().lower() in ("yes", "y"):
            return Approve()
        return Reject("" if word.strip().lower() in ("no", "n") and not reason else reason.strip() or answer)
    try:
        ruling: Ruling = msgspec.convert(answer, Ruling)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"the ruling can't be read: {error}",
            hint='for example: "yes", "no", {"do": "edit", "arguments": {…}}, {"do": "answer", "result": "…"}',
        ) from error
    word = "edit" if isinstance(ruling, Edit) else "answer" if isinstance(ruling, Answer) else ""
    if word and word not in may:
        raise UsageError(f"this can't be answered by {word!r}; it may be: {', '.join(('yes', 'no', *may))}")
    return ruling


class Standing(msgspec.Struct):
    """A yes that goes on holding."""

    approval: EffectId
    """The question that was answered."""
    by: str
    to: str
    """Who was asked: covers what that person has to approve."""
    given: int
    """Milliseconds since 1970."""
    remember: Remember
    about: Mapping[str, Any]
    used: int = 0

    def lasts(self, now: int) -> bool:
        """Whether it is neither expired nor used up."""
        until, times = self.remember.until, self.remember.times
        return (until is None or now < until) and (times is None or self.used < times)

    def covers(self, about: Mapping[str, Any], particulars: Mapping[str, Any], to: str) -> bool:
        """Whether it holds for another effect: same principal, action, resource, tool and policy, arguments within the
        constraints, and nothing suspect that the approved one had not."""
        same = all(
            self.about.get(key) == about.get(key)
            for key in ("principal", "action", "resource", "policy", "of")
        )
        return (
            same
            and self.to == to
            and all(
                name in particulars and _matches(particulars[name], pattern)
                for name, pattern in self.remember.where.items()
            )
            and not _more_suspect(about.get("facts", {}), self.about.get("facts", {}))
        )


class Approvals:
    """Of one run, folded from its records."""

    def __init__(self) -> None:
        self.standing: dict[EffectId, Standing] = {}
        self._asked: dict[EffectId, ev.QuestionAsked] = {}

    def see(self, record: ev.Record) -> None:
        """Takes in a record."""
        match record.event:
            case ev.QuestionAsked() as asked:
                self._asked[asked.effect] = asked
            case ev.QuestionAnswered() as answered:
                question = self._asked.pop(answered.effect, None)
                if question is not None and question.about != ev.NULL:
                    self._answered(question, answered, record.time)
            case ev.ApprovalRevoked(approval=approval):
                self.standing.pop(approval, None)
            case ev.Asked(decision=ev.Decision(standing=approval)) if approval is not None:
                if approval in self.standing:
                    self.standing[approval].used += 1
            case _:
                pass

    def covering(
        self, about: Mapping[str, Any], particulars: Mapping[str, Any], to: str, now: int
    ) -> EffectId | None:
        """The standing approval that covers the effect, if one does."""
        for standing in self.standing.values():
            if standing.lasts(now) and standing.covers(about, particulars, to):
                return standing.approval
        return None

    def _answered(self, question: ev.QuestionAsked, answered: ev.QuestionAnswered, time: int) -> None:
        about = msgspec.json.decode(question.about)
        if not isinstance(about, dict) or "may" not in about:
            return
        ruling = read_ruling(msgspec.json.decode(answered.answer))
        if isinstance(ruling, Approve) and ruling.remember is not None:
            self.standing[question.effect] = Standing(
                question.effect, answered.by, question.to, time, ruling.remember, about
            )


def shown(particulars: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as a question carries them: long texts are shortened, the digest stands for them."""
    return {
        name: value[:VALUE_CHARS_MAX] + f"… ({len(value):,} characters)"
        if isinstance(value, str) and len(value) > VALUE_CHARS_MAX
        else value
        for name, value in particulars.items()
    }


def _matches(value: Any, pattern: str) -> bool:
    if isinstance(value, list | tuple):
        return all(_matches(inner, pattern) for inner in value)
    return fnmatchcase(value if isinstance(value, str) else msgspec.json.encode(value).decode(), pattern)


def _more_suspect(facts: Mapping[str, Fact], approved: Mapping[str, Fact]) -> bool:
    if facts.get("tainted") and not approved.get("tainted"):
        return True
    if facts.get("plan", "none") != approved.get("plan", "none"):
        return True
    return any(not set(_names(facts, name)) <= set(_names(approved, name)) for name in SUSPICIONS)


def _names(facts: Mapping[str, Fact], name: str) -> Sequence[str]:
    found = facts.get(name, ())
    return [str(one) for one in found] if isinstance(found, list | tuple) else []
