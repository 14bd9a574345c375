"""The reference page of the language of code is what the declarations say now."""

from __future__ import annotations

from pathlib import Path

import pytest

from forgewright.code.operations import registry
from forgewright.code.reference import explain, page
from forgewright.code.selectors.kinds import BY_CONDITION, KINDS, TABLES, UNIONS
from forgewright.code.syntax.diagnostics import InvalidProgram

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "code.md"


def test_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python scripts/reference.py"


def test_every_argument_is_described() -> None:
    for name in registry.names():
        for line in explain(name).split("\n"):
            assert not line.strip().endswith("None")
        assert registry.load(name).__doc__
        assert f"### {name}\n" in page()


def test_unknown_operation_names_the_nearest() -> None:
    with pytest.raises(InvalidProgram, match="did you mean 'rename'"):
        explain("renam")


def test_every_kind_is_described() -> None:
    used = {kind for table in TABLES.values() for kind in table} | set(UNIONS) | set(BY_CONDITION)
    assert used == set(KINDS)
