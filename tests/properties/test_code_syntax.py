"""print∘parse is the identity; the formatter keeps meaning and comments; no text crashes the reader."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.properties.code_strategies import keys, operations, values

from forgewright.code.operations.base import Operation
from forgewright.code.selectors.syntax import parse as parse_selector
from forgewright.code.syntax.diagnostics import InvalidProgram, SelectorError
from forgewright.code.syntax.printer import format_text, print_form, print_value
from forgewright.code.syntax.program import parse, to_json, unparse
from forgewright.code.syntax.reader import Reader

names = st.from_regex(r"[a-z][a-z-]{0,10}", fullmatch=True)


@given(names, st.dictionaries(keys, values, max_size=5))
def test_print_then_read(name: str, arguments: dict[str, Any]) -> None:
    reader = Reader(print_form(name, arguments.items()))
    document = reader.read()
    assert reader.problems == []
    (form,) = document.forms
    assert form.name == name
    assert {argument.key: argument.value for argument in form.arguments} == arguments


@given(st.lists(operations(), min_size=1, max_size=4))
@settings(max_examples=300, deadline=None)
def test_operations_survive_text_and_json(program: list[Operation]) -> None:
    text = unparse(program)
    assert parse(text) == tuple(program)
    assert unparse(parse(text)) == text
    assert parse(to_json(program)) == tuple(program)
    assert format_text(text) == text


@given(st.text(max_size=200) | st.text("()[]{}'\"\\;:, \nabr0.-", max_size=60))
@settings(max_examples=500, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        once = format_text(text)
    except InvalidProgram as error:
        assert error.problems
        assert all(problem.line >= 1 for problem in error.problems)
        return
    assert format_text(once) == once
    first, second = Reader(text).read(), Reader(once).read()
    assert [(f.name, [(a.key, a.value) for a in f.arguments]) for f in first.forms] == [
        (f.name, [(a.key, a.value) for a in f.arguments]) for f in second.forms
    ]
    assert _comments(text) == _comments(once)


def _comments(text: str) -> list[str]:
    document = Reader(text).read()
    found: list[str] = []
    for form in document.forms:
        found.extend(form.comments)
        for argument in form.arguments:
            found.extend(argument.comments)
        found.extend(form.end_comments)
    return sorted([*found, *document.comments])


@given(st.text(max_size=100) | st.text("[]()>:#*`~=^$, 'abc1", max_size=40))
@settings(max_examples=500, deadline=None)
def test_any_selector_is_read_or_refused(text: str) -> None:
    try:
        parse_selector(text)
    except SelectorError as error:
        assert error.problems


@given(st.text(max_size=80))
def test_strings_survive(text: str) -> None:
    reader = Reader(f"(x a: {print_value(text)})")
    assert reader.read().forms[0].arguments[0].value == text
