"""Asking a person: the run is parked until the answer stands in the journal, and needs no process meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.core.ids import EffectId
from forgewright.journal import events as ev
from forgewright.policy.types import Fact
from forgewright.runtime.effect import Effect
from forgewright.runtime.park import ParkSignal

if TYPE_CHECKING:
    from forgewright.journal.redact.cleaner import Cleaner
    from forgewright.runtime.context import Context


class QuestionEffect(Effect[str]):
    """`perform` never answers by itself: an answer is what a person says, or a receipt that somebody else writes."""

    action = "ask"

    def __init__(
        self,
        question: str,
        to: str,
        choices: tuple[str, ...],
        about: Mapping[str, Any] | None,
        reason: str,
    ) -> None:
        self.question = question
        self.to = to
        self.choices = choices
        self.about = ev.NULL if about is None else msgspec.Raw(msgspec.json.encode(about))
        self.reason = reason
        self.resource = to

    def facts(self) -> Mapping[str, Fact]:
        return {"reason": self.reason}

    async def asked(self, effect: EffectId, decision: ev.Decision, context: Context) -> ev.Asked:
        return ev.QuestionAsked(effect, decision, self.to, self.question, self.choices, self.about)

    def matches(self, asked: ev.Asked) -> bool:
        return (
            isinstance(asked, ev.QuestionAsked)
            and asked.question == self.cleaner.text(self.question)
            and asked.about == self.cleaner.raw(self.about)
        )

    def withhold(self, cleaner: Cleaner) -> None:
        self.question, self.about = cleaner.text(self.question), cleaner.raw(self.about)

    async def perform(self, key: str, context: Context) -> str:
        effect = EffectId(key.rpartition("/")[2])
        answer, self.recorded = await context.execution.answer_to(
            effect, self.to, self.question, self.choices, context.strand
        )
        if answer is None:
            choices = f" ({' | '.join(self.choices)})" if self.choices else ""
            raise ParkSignal(self.reason, f"{self.question}{choices}")
        return answer

    async def answered(self, effect: EffectId, answer: str, ms: int, context: Context) -> ev.Answered:
        return ev.QuestionAnswered(effect, msgspec.Raw(msgspec.json.encode(answer)), self.to)

    async def recall(self, asked: ev.Asked, answered: ev.Answered, context: Context) -> str:
        assert isinstance(answered, ev.QuestionAnswered)
        return msgspec.json.decode(answered.answer, type=str)
