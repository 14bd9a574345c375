"""Typed questions to a person: the run waits, and what does not fit is asked again."""

from __future__ import annotations

import pytest
from tests.agent.workspace.trees import Said, calling, gate

from forgewright import Engine
from forgewright.agent.builtin.ask import ask_person


async def put(answers: list[str], **arguments: object) -> tuple[str, list[str]]:
    """The tool's result, and the questions that were put, when a person gives these answers."""
    graph = calling(ask_person, arguments)
    questions = []
    async with Engine(gate=gate()) as engine:
        outcome = await engine.run(graph, Said())
        for answer in answers:
            assert outcome.reason == "question", outcome
            questions.append(outcome.detail)
            await engine.answer(outcome.run, answer, by="ada")
            outcome = await engine.execute(outcome.run, graph)
    assert outcome.status == "finished", outcome.detail
    return outcome.state.text, questions


async def test_an_answer_is_the_tools_result() -> None:
    assert await put(["by Friday"], question="By when?") == ("by Friday", ["By when?"])
    assert (await put(["yes"], question="Go on?", kind="yes_no"))[1] == ["Go on? (yes | no)"]
    assert (await put(["b"], question="Which?", kind="choice", choices=["a", "b"]))[0] == "b"


async def test_what_does_not_fit_is_asked_again() -> None:
    text, questions = await put(["many", "3.5"], question="How many?", kind="number")
    assert text == "3.5"
    assert questions == ["How many?", "How many?\n('many' is no number)"]
    assert "no answer fitted" in (await put(["x", "y", "z"], question="How many?", kind="number"))[0]


@pytest.mark.parametrize(
    "arguments",
    [
        {"question": " "},
        {"question": "x" * 5000},
        {"question": "?", "kind": "choice"},
        {"question": "?", "kind": "choice", "choices": ["a"]},
        {"question": "?", "kind": "choice", "choices": ["a", "a"]},
        {"question": "?", "choices": ["a", "b"]},
    ],
)
async def test_a_question_that_makes_no_sense_is_not_put(arguments: dict[str, object]) -> None:
    assert "expected" in (await put([], **arguments))[0]
