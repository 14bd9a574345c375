"""`extract-variable` in scripts: where the new constant goes, and what may not be moved there."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.code.javascript.refactoring import refactored, refusal

VARIABLE = "(extract-variable {range} name: 'v')"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("foo(«a * b» + c);\n", "const v = a * b;\nfoo(v + c);\n"),
        ("foo((«a + b») * c)\n", "const v = a + b\nfoo(v * c)\n"),
        ("  «foo()»;\n", "  const v = foo();\n"),
        ("if (a) return foo(«a.b»)\n", "if (a) {\n  const v = a.b\n  return foo(v)\n}\n"),
        ("if (a)\n  foo(«a.b»);\nelse bar();\n", "if (a) {\n  const v = a.b;\n  foo(v);\n}\nelse bar();\n"),
        ("x = 1; foo(«a()»);\n", "x = 1; const v = a(); foo(v);\n"),
        ("f(x => «x.y»);\n", "f(x => {\n  const v = x.y;\n  return v;\n});\n"),
        ("f(x => ({a: «x.y»}))\n", "f(x => {\n  const v = x.y\n  return ({a: v})\n})\n"),
        ("for (const x of «items()») go(x);\n", "const v = items();\nfor (const x of v) go(x);\n"),
        ("export const a = [«b()»];\n", "const v = b();\nexport const a = [v];\n"),
        ("const s = a\n;[«x.y»].map(f)\n", "const s = a\n;const v = x.y; [v].map(f)\n"),
        ("\tfoo(«a.b»);\n", "\tconst v = a.b;\n\tfoo(v);\n"),
        ("switch (a) {\n  case 1:\n    foo(«b.c»);\n}\n", "switch (a) {\n  case 1:\n    const v = b.c;\n    foo(v);\n}\n"),
        ("async function f() {\n  return g(«await h()»);\n}\n",
         "async function f() {\n  const v = await h();\n  return g(v);\n}\n"),
        ("foo(a ? «'x'» : 'y');\n", "const v = 'x';\nfoo(a ? v : 'y');\n"),
    ],
)  # fmt: skip
def test_where_it_goes(tmp_path: Path, before: str, after: str) -> None:
    assert refactored(tmp_path, VARIABLE, before, "a.js") == after


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("foo(a() || «b()»);\n", "right side of ||"),
        ("foo(a ? «b()» : c);\n", "one branch of ?:"),
        ("foo(a ? «b» : 1);\n", "may not be there"),
        ("a?.foo(«b.c»);\n", "optional chain goes on"),
        ("foo(«a?.b».c);\n", "part of an optional chain"),
        ("while («next()») go();\n", "condition of a loop"),
        ("for (let i = 0; i < «xs.length»; i++) go();\n", "again each time"),
        ("foo(a(), «b()»);\n", "computed first"),
        ("foo(a.x, «b()»);\n", "computed first"),
        ("let n = 1; const up = () => n++; foo(n, «up()»);\n", "computed first"),
        ("class A { x = «b()» }\n", "for each instance"),
        ("function f(x = «b()») {}\n", "is a default"),
        ("const a = 1, b = «a + 1»;\n", "declared only in the statement"),
        ("for (let i = 0, n = «i + 1»; i < n; i++) {}\n", "declared only in the statement"),
        ("«a.b»();\n", "called as a method"),
        ("«a.b» = 1;\n", "is assigned to"),
        ("const {«a»} = b;\n", "no complete expression"),
        ("'use strict';\nfoo(«a.b», v);\n", "already used in line 2"),
        ("function f(v) {\n  foo(«a.b»);\n}\n", "already used in line 1"),
        ("import x from «'./x'»;\n", "a name, not a value"),
        ("switch (a) {\n  case «f()»: break;\n}\n", "no case above matches"),
        ("if (a) b(); else if («c()») d();\n", "does not hold"),
    ],
)
def test_refusals(tmp_path: Path, before: str, why: str) -> None:
    assert why in refusal(tmp_path, VARIABLE, before, "a.js")


def test_every_place_of_the_same_value(tmp_path: Path) -> None:
    before = "function f(a) {\n  let n = 0;\n  g(«a.b», a.b);\n  n = a.b + n;\n  h();\n  return a.b;\n}\n"
    after = "function f(a) {\n  let n = 0;\n  const v = a.b;\n  g(v, v);\n  n = a.b + n;\n  h();\n  return a.b;\n}\n"
    assert refactored(tmp_path, "(extract-variable {range} name: 'v' every: true)", before, "a.js") == after


def test_jsx(tmp_path: Path) -> None:
    before = 'const A = () => <p title=«"x"»><b>{t}</b></p>;\n'
    after = 'const A = () => {\n  const v = "x";\n  return <p title={v}><b>{t}</b></p>;\n};\n'
    assert refactored(tmp_path, VARIABLE, before, "a.tsx") == after
    before = "function A() {\n  return <p>«<b>{t}</b>»</p>;\n}\n"
    after = "function A() {\n  const v = <b>{t}</b>;\n  return <p>{v}</p>;\n}\n"
    assert refactored(tmp_path, VARIABLE, before, "b.tsx") == after


def test_crlf(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_bytes(b"foo(a.b);\r\nbar();\r\n")
    from forgewright.code.engine import CodeEngine

    engine = CodeEngine(tmp_path)
    engine.commit(engine.plan("(extract-variable range: 'a.js:1:5-1:8' name: 'v')"))
    assert (tmp_path / "a.js").read_bytes() == b"const v = a.b;\r\nfoo(v);\r\nbar();\r\n"


def test_the_parentheses_of_a_statement_stay(tmp_path: Path) -> None:
    assert refactored(tmp_path, VARIABLE, "if «(a.b)» c();\n", "a.js") == "const v = a.b;\nif (v) c();\n"
