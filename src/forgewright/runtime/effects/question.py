"""Asking a person: the run is parked until the answer stands in the journal, and needs no process meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from forgewright.core.ids import EffectId
from forgewright.journal import events as ev
from forgewright.policy.types import Fact
from forgewright.runtime.approvals import read_ruling
from forgewright.runtime.effect import Effect
from forgewright.runtime.park import ParkSignal
from forgewright.runtime.questions import form_of, question_of, read_answer

if TYPE_CHECKING:
    from forgewright.journal.redact.cleaner import Cleaner
    from forgewright.runtime.context import Context


T = TypeVar("T")


class QuestionEffect(Effect[T]):
    """`perform` never answers by itself: an answer is what a person says, or a receipt that somebody else writes."""

    action = "ask"

    def __init__(
        self,
        question: str,
        to: str,
        choices: tuple[str, ...],
        about: Mapping[str, Any] | None,
        reason: str,
        answer: type[T] = cast("type[T]", str),  # noqa: B008 - a constant
    ) -> None:
        self.question = question
        self.to = to
        self.choices = choices
        self.about = ev.NULL if about is None else msgspec.Raw(msgspec.json.encode(about))
        self.reason = reason
        self.answer: Any = answer
        self.resource = to

    def facts(self) -> Mapping[str, Fact]:
        return {"reason": self.reason}

    async def asked(self, effect: EffectId, decision: ev.Decision, context: Context) -> ev.Asked:
        return self._intent(effect, decision)

    def _intent(self, effect: EffectId, decision: ev.Decision = ev.GRANTED) -> ev.QuestionAsked:
        form = ev.NULL if self.reason == "approval" else form_of(self.answer)
        return ev.QuestionAsked(effect, decision, self.to, self.question, self.choices, self.about, form)

    def matches(self, asked: ev.Asked) -> bool:
        return (
            isinstance(asked, ev.QuestionAsked)
            and asked.question == self.cleaner.text(self.question)
            and asked.about == self.cleaner.raw(self.about)
        )

    def withhold(self, cleaner: Cleaner) -> None:
        self.question, self.about = cleaner.text(self.question), cleaner.raw(self.about)

    async def perform(self, key: str, context: Context) -> T:
        effect = EffectId(key.rpartition("/")[2])
        question = question_of(context.run, self._intent(effect))
        answer, self.recorded = await context.execution.answer_to(question, context.strand)
        if answer is None:
            choices = f" ({' | '.join(self.choices)})" if self.choices else ""
            raise ParkSignal(self.reason, f"{self.question}{choices}")
        if question.approval:
            read_ruling(answer, tuple(question.about["may"]))
            return cast("T", answer)
        found: T = msgspec.convert(read_answer(answer, question), self.answer)
        return found

    async def answered(self, effect: EffectId, answer: T, ms: int, context: Context) -> ev.Answered:
        return ev.QuestionAnswered(effect, msgspec.Raw(msgspec.json.encode(answer)), self.to)

    async def recall(self, asked: ev.Asked, answered: ev.Answered, context: Context) -> T:
        assert isinstance(answered, ev.QuestionAnswered)
        found: T = msgspec.json.decode(answered.answer, type=self.answer)
        return found
