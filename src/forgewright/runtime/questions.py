"""What a person is asked and how an answer is read: a text, a choice, yes or no, a number, or a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from forgewright.core.errors import UsageError
from forgewright.core.ids import EffectId, RunId
from forgewright.journal import events as ev

_YES = ("yes", "y", "true", "on", "1")
_NO = ("no", "n", "false", "off", "0")


class Question(msgspec.Struct, frozen=True):
    """An open question of a run."""

    run: RunId
    effect: EffectId
    to: str
    text: str
    choices: tuple[str, ...] = ()
    form: Mapping[str, Any] = {}
    """JSON Schema of the answer; empty: a text, or one of the choices."""
    about: Mapping[str, Any] = {}
    """Of an approval: the exact thing that it approves, and what else than yes or no `may` be answered."""

    @property
    def approval(self) -> bool:
        """Whether it asks for a ruling over an effect."""
        return "may" in self.about


def question_of(run: RunId, asked: ev.QuestionAsked) -> Question:
    """The question that an intent records."""
    form = {} if asked.form == ev.NULL else msgspec.json.decode(asked.form)
    about = {} if asked.about == ev.NULL else msgspec.json.decode(asked.about)
    return Question(run, asked.effect, asked.to, asked.question, asked.choices, form, about)


def form_of(answer: Any) -> ev.Json:
    """The schema of an answer of that type; NULL for text."""
    return ev.NULL if answer is str else msgspec.Raw(msgspec.json.encode(msgspec.json.schema(answer)))


def read_answer(answer: Any, question: Question) -> Any:
    """The answer as its form wants it; what was typed as text is converted. Raises `UsageError` with what is wrong."""
    if question.form:
        return _fitting(answer, question.form)
    if not isinstance(answer, str):
        raise UsageError(f"expected a text as answer; found {answer!r:.100}")
    if question.choices and answer not in question.choices:
        raise UsageError(f"the answer {answer!r} is none of: {', '.join(question.choices)}")
    return answer


def _fitting(answer: Any, form: Mapping[str, Any]) -> Any:
    from forgewright.tools.mistakes import mistakes

    value = _typed(answer, _kinds(form)) if isinstance(answer, str) else answer
    found = mistakes(value, form)
    if found:
        raise UsageError(
            "the answer does not fit: " + "; ".join(found),
            hint=f"expected, as JSON Schema: {msgspec.json.encode(form).decode()[:1000]}",
        )
    return value


def _kinds(form: Mapping[str, Any]) -> Sequence[str]:
    """The JSON types that the form takes."""
    if "$ref" in form:
        return _kinds(form.get("$defs", {}).get(str(form["$ref"]).rpartition("/")[2], {}))
    if "anyOf" in form:
        return [
            kind for option in form["anyOf"] for kind in _kinds({**option, "$defs": form.get("$defs", {})})
        ]
    if "enum" in form:
        return ["string" if isinstance(option, str) else "number" for option in form["enum"]]
    kind = form.get("type", "string")
    return [kind] if isinstance(kind, str) else list(kind)


def _typed(text: str, kinds: Sequence[str]) -> Any:
    said = text.strip()
    if "boolean" in kinds and said.lower() in _YES + _NO:
        return said.lower() in _YES
    if "string" in kinds:
        return text
    try:
        return msgspec.json.decode(said)
    except msgspec.DecodeError:
        return text
