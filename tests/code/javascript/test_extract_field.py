"""`extract-field` in scripts: a static field, since an instance must not get another property."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.code.javascript.refactoring import refactored, refusal

FIELD = "(extract-field {range} name: 'f')"


def test_the_field(tmp_path: Path) -> None:
    before = "const a = 1\nclass A extends B {\n  /** Does. */\n  m() {\n    return () => «a + 1»\n  }\n}\n"
    after = "const a = 1\nclass A extends B {\n  static f = a + 1\n  /** Does. */\n  m() {\n    return () => A.f\n  }\n}\n"
    assert refactored(tmp_path, FIELD, before, "a.js") == after


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("function m() { return «1» }\n", "stands in no method"),
        ("(class { m() { return «1» } })\n", "has no name"),
        ("class A { m(x) { return «x + 1» } }\n", "not known at the top"),
        ("class A { m() { return «a + 1» } }\nconst a = 1;\n", "no value yet"),
        ("class A { m(A) { return «1» } }\n", "means something else"),
        ("class A { f() {}\n m() { return «1» } }\n", "already a member"),
        ("class A { m() { return «1» } }\nclass B extends A { static f = 2 }\n", "extends this class"),
    ],
)
def test_refusals(tmp_path: Path, before: str, why: str) -> None:
    assert why in refusal(tmp_path, FIELD, before, "a.js")
