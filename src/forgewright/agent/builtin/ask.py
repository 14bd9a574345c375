"""The tool by which a model asks a person; the run needs no process until the answer comes."""

from __future__ import annotations

from typing import Literal

from forgewright.core.errors import UsageError
from forgewright.runtime.context import Context
from forgewright.tools import tool

TRIES = 3
QUESTION_CHARACTERS_MAX = 4_000

Kind = Literal["text", "yes_no", "choice", "number"]


@tool(recovery="idempotent")
async def ask_person(
    question: str, context: Context, kind: Kind = "text", choices: list[str] | None = None
) -> str:
    """Ask the person you work for. Ask only what you can't find out and what changes what you will do; say what you
    would do without an answer.

    Args:
        question: The question, complete in itself
        kind: text, yes_no, choice (one of the choices) or number
        choices: For a choice: what can be chosen, at least two
    """
    options = tuple(choices or ())
    if not question.strip() or len(question) > QUESTION_CHARACTERS_MAX:
        raise UsageError(f"expected a question of 1 to {QUESTION_CHARACTERS_MAX:,} characters")
    if (kind == "choice") != (len(options) >= 2) or len(set(options)) != len(options):
        raise UsageError(
            "expected two or more different choices for a question of kind choice, and none otherwise"
        )
    if kind == "yes_no":
        options = ("yes", "no")
    asked = question
    for _ in range(TRIES):
        answer = (await context.ask(asked, choices=options)).strip()
        problem = _problem(answer, kind, options)
        if problem is None:
            return answer
        asked = f"{question}\n({answer[:100]!r} {problem})"
    raise UsageError(f"no answer fitted in {TRIES} tries", hint="ask something simpler, or as text")


def _problem(answer: str, kind: Kind, options: tuple[str, ...]) -> str | None:
    """What is wrong with an answer; None if it fits."""
    if options and answer not in options:
        return f"is none of {', '.join(options)}"
    if kind == "number":
        try:
            float(answer)
        except ValueError:
            return "is no number"
    return None if answer else "is empty"
