"""Properties of the history's repair and of the event-stream parser."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgewright.core.errors import ModelProtocolError
from forgewright.models.history import repair
from forgewright.models.sse import Event, SseParser
from forgewright.models.types import Assistant, Message, Reasoning, Text, ToolCall, ToolResult, User

ids = st.sampled_from(["1", "2", "3"])
texts = st.sampled_from(["", " ", "x"])
parts = st.one_of(
    st.builds(Text, texts), st.builds(Reasoning, texts), st.builds(ToolCall, ids, st.just("t"), st.just("{}"))
)
messages = st.lists(
    st.one_of(
        st.builds(User, texts),
        st.builds(Assistant, st.lists(parts, max_size=4).map(tuple)),
        st.builds(ToolResult, ids, st.just("t"), texts),
    ),
    max_size=12,
)


def assert_valid(history: tuple[Message, ...]) -> None:
    """What providers demand, written down a second time and in another way."""
    position = 0
    if history:
        assert isinstance(history[0], User)
    while position < len(history):
        message = history[position]
        position += 1
        assert not isinstance(message, ToolResult), "a result that nobody asked for here"
        if isinstance(message, Assistant):
            calls = [call.id for call in message.calls]
            assert len(set(calls)) == len(calls)
            assert calls or message.text.strip()
            answered = []
            while position < len(history) and isinstance(history[position], ToolResult):
                answered.append(history[position].call)
                position += 1
            assert sorted(answered) == sorted(calls)


@given(messages)
def test_a_repaired_history_is_valid_and_stays_as_it_is(history: list[Message]) -> None:
    repaired = repair(history)
    assert_valid(repaired)
    assert repair(repaired) is repaired
    users = [message for message in history if isinstance(message, User)]
    assert [m for m in repaired if isinstance(m, User) and any(m is user for user in users)] == users
    turns = [m for m in history if isinstance(m, Assistant)]
    assert len([m for m in repaired if isinstance(m, Assistant)]) == len(turns)


@given(messages)
def test_what_is_valid_is_left_alone(history: list[Message]) -> None:
    try:
        assert_valid(tuple(history))
    except AssertionError:
        return
    given = tuple(history)
    assert repair(given) is given


line_ends = st.sampled_from(["\n", "\r\n", "\r"])
values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\x00"), max_size=8)
streams = st.lists(
    st.tuples(st.sampled_from(["", "delta", "error"]), st.lists(values, max_size=3)), max_size=6
)


@given(streams, line_ends, st.booleans(), st.data())
def test_events_do_not_depend_on_how_the_bytes_come(
    stream: list[tuple[str, list[str]]], end: str, mark: bool, data: st.DataObject
) -> None:
    lines: list[str] = []
    expected: list[Event] = []
    for type, contents in stream:
        lines += [
            ": a comment",
            *([f"event: {type}"] if type else []),
            *(f"data: {line}" for line in contents),
            "",
        ]
        if contents:
            expected.append(Event(type or "message", "\n".join(contents).encode()))
    raw = ("\ufeff" if mark else "").encode() + "".join(line + end for line in lines).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    parser = SseParser()
    found = []
    for start, stop in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        found += parser.feed(raw[start:stop])
    assert found == expected


def test_an_event_without_its_blank_line_is_not_given() -> None:
    assert SseParser().feed(b"data: half") == []
    assert SseParser().feed(b"data: half\n") == []


def test_fields_as_the_specification_reads_them() -> None:
    raw = b"data\n\ndata:no blank\ndata:  two blanks\nid: 7\nretry: 9\nunknown: x\n\nevent: only\n\n"
    assert SseParser().feed(raw) == [Event("message", b""), Event("message", b"no blank\n two blanks")]


@pytest.mark.parametrize("raw", [b"data: " + b"x" * 2000, b"data: xxxx\n" * 400, b"y" * 2000])
def test_an_event_is_bounded(raw: bytes) -> None:
    with pytest.raises(ModelProtocolError):
        SseParser(event_bytes_max=1000).feed(raw)


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_ignored(raw: bytes) -> None:
    for event in SseParser().feed(raw):
        json.dumps(event.data.decode("utf-8", "replace"))
