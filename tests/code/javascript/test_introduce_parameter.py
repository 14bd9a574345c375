"""`introduce-parameter` in scripts: a default, or what every call passes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.code.javascript.refactoring import refactored, refusal


@pytest.mark.parametrize(
    ("program", "before", "after"),
    [
        ("as_default: true", "class A {\n  m(a) {\n    const b = «a.b»;\n    return b;\n  }\n}\n",
         "class A {\n  m(a, p = a.b) {\n    const b = p;\n    return b;\n  }\n}\n"),
        ("", "function f(a: number) {\n  return a + «10»;\n}\nf(f(1));\n",
         "function f(a: number, p: number) {\n  return a + p;\n}\nf(f(1, 10), 10);\n"),
    ],
)  # fmt: skip
def test_the_parameter(tmp_path: Path, program: str, before: str, after: str) -> None:
    assert refactored(tmp_path, f"(introduce-parameter {{range}} name: 'p' {program})", before) == after


@pytest.mark.parametrize(
    ("program", "before", "why"),
    [
        ("", "function f(a) { return «a + 1»; }\nf(1);\n", "is a parameter of the function"),
        ("", "function f() { return «1»; }\n", "nothing calls"),
        ("", "function f() { return «1»; }\nxs.map(f);\n", "f "),
        ("as_default: true", "function f() { let b = 1; return «b + 1»; }\n", "in the function's body"),
        ("as_default: true", "function f() { g(); return «h()»; }\n", "may change its value"),
        ("as_default: true", "function f(a) { if (a) return «h()»; }\n", "exactly once"),
        ("as_default: true", "async function f(a) { return «await a»; }\n", "waits"),
        ("as_default: true", "xs.map(x => «1»);\n", "no function with a name"),
        (
            "",
            "const n = 1;\nfunction f() { return «n + 1»; }\nfunction g(n) { f(); }\n",
            "means something else",
        ),
    ],
)
def test_refusals(tmp_path: Path, program: str, before: str, why: str) -> None:
    operation = f"(introduce-parameter {{range}} name: 'p' {program})"
    assert why in refusal(tmp_path, operation, before, "a.js")
