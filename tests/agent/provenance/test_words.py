"""Values as they are compared."""

from __future__ import annotations

import pytest

from forgewright.agent.provenance.words import (
    dates,
    is_address,
    is_name,
    normal,
    number,
    stands_in,
    typed,
    words,
)


@pytest.mark.parametrize(
    ("value", "text", "stands"),
    [
        ("ada@example.com", "write to ada@example.com.", True),
        ("ada@example.com", "write to nada@example.com", False),
        ("ada@example.com", "write to ada@example.com.evil.net", False),
        ("example.com", "see www.example.com", False),
        ("www.example.com", "see www.example.com/path", False),
        ("13", "on may 13, please", True),
        ("13", "file 130", False),
        ("new york", "to new york, ny", True),
        ("123", "id-123", False),
        ("le baratin", "hotel le baratin!", True),
    ],
)
def test_a_value_stands_in_a_text_only_as_a_whole(value: str, text: str, stands: bool) -> None:
    assert stands_in(value, text) is stands


def test_words_keep_what_names_something_together() -> None:
    text = normal('Send "98.70" to UK12345678901234567890 (see https://x.example/a?b=1), on 2024-05-19.')
    assert list(words(text)) == [
        "send", "98.70", "to", "uk12345678901234567890", "see", "https://x.example/a?b=1", "on", "2024-05-19",
    ]  # fmt: skip


def test_letters_that_look_alike_in_compatibility_form_are_the_same() -> None:
    assert normal("ＡＤＡ@example.com") == normal("ada@EXAMPLE.com")


@pytest.mark.parametrize(
    ("word", "address", "name"),
    [
        ("ada@example.com", True, True),
        ("https://example.com/a", True, True),
        ("www.secure-systems-252.com", True, True),
        ("evil.io/pay", True, True),
        ("de89370400440532013000", True, True),
        ("463820", False, True),
        ("hgk137803", False, True),
        ("feedback.xlsx", False, False),
        ("2024-05-19", False, False),
        ("12:30", False, False),
        ("98.70", False, False),
        ("14-th", False, False),
        ("hello", False, False),
    ],
)
def test_what_leads_somewhere_and_what_names_one_thing(word: str, address: bool, name: bool) -> None:
    assert is_address(word) is address
    assert is_name(word) is name


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("on january 2nd 2025", ["2025-01-02"]),
        ("the 15th of november", ["--11-15"]),
        ("2024-05-19 12:00", ["2024-05-19"]),
        ("2024-05-19t12:00", ["2024-05-19"]),
        ("5 april, 2024", ["2024-04-05"]),
        ("maybe 12 marches", []),
    ],
)
def test_dates_are_read_however_they_are_written(text: str, found: list[str]) -> None:
    assert list(dates(text)) == found


def test_numbers_without_their_currency() -> None:
    assert number("$1,200.50") == 1200.5
    assert number("1200x") is None


def test_a_forgotten_space_after_a_full_stop_does_not_lengthen_an_address() -> None:
    assert typed("post to www.our-company.com.They sent it") == "post to www.our-company.com. They sent it"
