"""Recorded sessions: written by `Recording`, read by `replay:FILE`, and what a wrong one says."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.models.server import ModelServer, answer
from tests.models.test_drivers import ASK, CALLS, HELLO, model_at

from forgewright.core.errors import ConfigError, ReplayExhausted
from forgewright.models import Recording, Replay, make_model
from forgewright.models.types import (
    Assistant,
    Delta,
    Request,
    Response,
    Text,
    TextDelta,
    ToolCall,
    ToolResult,
    User,
)


def session(tmp_path: Path, *lines: str) -> Replay:
    path = tmp_path / "session.jsonl"
    path.write_text("\n".join(lines))
    return Replay(path)


def said(text: str, role: str = "", more: str = "") -> str:
    parts = f'[{{"type": "text", "text": "{text}"}}]'
    head = f'"role": "{role}", ' if role else ""
    return f'{{{head}{more}"response": {{"message": {{"parts": {parts}}}}}}}'


def ask(role: str = "", ordinal: int | None = None, *messages: User | ToolResult) -> Request:
    return Request(messages or (User("Go."),), role=role, ordinal=ordinal)


async def test_what_was_recorded_is_answered_again(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    async with ModelServer([answer(CALLS), answer(HELLO)]) as server:
        recording = Recording(model_at(server, "anthropic:m-1"), path)
        live = [await recording.respond(ASK), await recording.respond(ASK)]
        await recording.close()
    assert path.stat().st_mode & 0o077 == 0
    replay = make_model(f"replay:{path}")
    assert [await replay.respond(ASK), await replay.respond(ASK)] == live
    with pytest.raises(
        ReplayExhausted, match=r"2 answers, but request 3 came; its last message is 'Say hello\.'"
    ):
        await replay.respond(ASK)


async def test_each_role_has_its_own_order(tmp_path: Path) -> None:
    replay = session(tmp_path, said("p1", "planner"), said("c1", "coder"), said("c2", "coder"), said("any"))
    asked = [("coder", None), ("planner", None), ("coder", None), ("tester", None)]
    answers = [(await replay.respond(ask(*pair))).message.text for pair in asked]
    assert answers == ["c1", "p1", "c2", "any"]


async def test_with_ordinals_it_has_no_memory(tmp_path: Path) -> None:
    replay = session(tmp_path, said("one", "coder"), said("two", "coder"))
    for _ in range(2):
        assert (await replay.respond(ask("coder", 1))).message.text == "two"
        assert (await replay.respond(ask("coder", 0))).message.text == "one"
    with pytest.raises(ReplayExhausted, match="request 3"):
        await replay.respond(ask("coder", 2))


async def test_alternatives_are_chosen_by_the_request(tmp_path: Path) -> None:
    lines = (
        said("mend", more='"match": {"last_result_error": true}, '),
        said("go on", more='"or": true, "match": {"last_result_contains": "passed", "results": 1}, '),
    )
    good, bad = ToolResult("1", "test", "3 passed"), ToolResult("1", "test", "boom", error=True)
    odd = ToolResult("1", "test", "nothing ran")
    assert (await session(tmp_path, *lines).respond(ask("", 0, good))).message.text == "go on"
    assert (await session(tmp_path, *lines).respond(ask("", 0, bad))).message.text == "mend"
    with pytest.raises(
        ReplayExhausted, match="the last tool result is no error; the last tool result holds no"
    ):
        await session(tmp_path, *lines).respond(ask("", 0, odd))


async def test_arguments_may_be_written_as_an_object_and_deltas_are_told(tmp_path: Path) -> None:
    parts = (
        '[{"type": "text", "text": "Reading."}, '
        '{"type": "tool_call", "id": "1", "name": "read", "arguments": {"path": "a.py"}}]'
    )
    replay = session(
        tmp_path, "# a comment", "", f'{{"response": {{"message": {{"parts": {parts}}}, "stop": "tools"}}}}'
    )
    deltas: list[Delta] = []
    response = await replay.respond(ask(), on_delta=deltas.append)
    assert response == Response(
        Assistant((Text("Reading."), ToolCall("1", "read", '{"path":"a.py"}'))), stop="tools"
    )
    assert deltas[0] == TextDelta("Reading.")


def test_a_wrong_session_names_every_wrong_line(tmp_path: Path) -> None:
    path = tmp_path / "wrong.jsonl"
    path.write_text('{"response": 5}\n' + said("fine") + '\n{"respons": {}}\n{\n')
    with pytest.raises(ConfigError) as caught:
        Replay(path)
    assert all(f"line {number}:" in str(caught.value) for number in (1, 3, 4))
    assert "line 2:" not in str(caught.value)
