"""`extract-constant` in scripts: fixed values only, above everything that can see them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.code.javascript.refactoring import refactored, refusal

CONSTANT = "(extract-constant {range} name: 'C')"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("const f = () => «'a'» + 'a';\n", "const C = 'a';\nconst f = () => C + C;\n"),
        ("'use strict'\n\n/** Does. */\nfunction f() { return «2 * 3» }\n",
         "'use strict'\n\nconst C = 2 * 3\n/** Does. */\nfunction f() { return C }\n"),
        ("const a = 1;\nrun();\nconst f = () => «a + 1»;\n", "const a = 1;\nrun();\nconst C = a + 1;\nconst f = () => C;\n"),
        ("f('a', {'a': «'a'»}, require('a'));\n", "const C = 'a';\nf(C, {'a': C}, require('a'));\n"),
        ("const f = r => «2 * Math.PI» * r;\n", "const C = 2 * Math.PI;\nconst f = r => C * r;\n"),
        ("f(«/a/i»);\n", "const C = /a/i;\nf(C);\n"),
        ("f(1);\nfunction g(C) { return 1 }\ng(«1»);\n", "const C = 1;\nf(C);\nfunction g(C) { return 1 }\ng(C);\n"),
    ],
)  # fmt: skip
def test_where_it_goes(tmp_path: Path, before: str, after: str) -> None:
    assert refactored(tmp_path, CONSTANT, before, "a.js") == after


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("f(«[1]»);\n", "computed each time"),
        ("f(«g()»);\n", "computed each time"),
        ("f(«/a/g»);\n", "computed each time"),
        ("f(«a.b»);\n", "computed each time"),
        ("f(«window»);\n", "may not be there"),
        ("const f = x => «x»;\n", "not known at the top"),
        ("const C = 1;\nf(«2»);\n", "already used"),
        ("function f(C) { return «2» }\n", "already declared"),
        ("run();\nconst a = 1;\nfunction f() { return «a + 1» }\n", "no value yet"),
        ("html`«b»`;\n", "no complete expression"),
        ("tag«`b`»;\n", "belongs to its tag"),
        ("require(«'b'»);\n", "names a module"),
    ],
)
def test_refusals(tmp_path: Path, before: str, why: str) -> None:
    assert why in refusal(tmp_path, CONSTANT, before, "a.js")


def test_typescript(tmp_path: Path) -> None:
    before = "type A = 'a';\nenum E { X = 'a' }\nconst a: A = «'a'»;\n"
    after = "type A = 'a';\nenum E { X = 'a' }\nconst C = 'a';\nconst a: A = C;\n"
    assert refactored(tmp_path, CONSTANT, before) == after
