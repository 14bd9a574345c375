"""What is one Python's syntax is not always another's: a program is not to leave code that older ones cannot read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from forgewright.code.sources import SourceFile
from forgewright.code.validity import compiled, mistake, nested_strings

OLD = [
    "f'{x}'",
    "f'{d[\"a\"]}'",
    "f'''{d['a']}'''",
    "f'''{\nx}'''",
    'f"{x!r:>{width}}"',
    "f'{x:\\n}'",
    "f'a\\n{x}'",
    "rf'\\d{x}'",
    "f'{{}}'",
    "f'{f\"{x}\"}'",
    "'{' + d['a'] + '}'",
]
NEW = [
    "f'{d['a']}'",
    "f'{\"\\n\".join(x)}'",
    "f'{\nx}'",
    "f'''{d['''a''']}'''",
    "f'{f'{x}'}'",
    "f'{x:{d['a']}}'",
]


def source(text: str) -> SourceFile:
    return SourceFile("a.py", f"value = {text}\n".encode())


@pytest.mark.parametrize("text", [*OLD, *NEW])
def test_strings_that_older_pythons_do_not_read_are_told_apart(text: str) -> None:
    assert bool(nested_strings(source(text))) == (text in NEW)
    if sys.version_info < (3, 12):
        assert bool(compiled(source(text))) == (text in NEW)


@pytest.mark.parametrize("text", NEW)
def test_no_program_leaves_such_a_string(text: str) -> None:
    assert mistake(source("f'{x}'"), source(text)).startswith("a.py:1: " if "\n" not in text else "a.py:")
    assert mistake(None, source(text))


@pytest.mark.skipif(sys.version_info < (3, 12), reason="older Pythons do not read the project either")
def test_a_project_that_has_them_may_have_more(tmp_path: Path) -> None:
    assert mistake(source(NEW[0]), source(NEW[1])) == ""
