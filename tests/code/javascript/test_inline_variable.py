"""`inline` of variables in scripts: parentheses, what is left, and where the value would not be the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.code.javascript.refactoring import refactored, refusal


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("const «v» = a + b;\nfoo(v * 2, [v]);\n", "foo((a + b) * 2, [a + b]);\n"),
        ("let «v» = {a: 1}\nfoo({v})\n", "foo({v: {a: 1}})\n"),
        ("const «v» = async () => 1;\n[v].map(w => w());\n", "[async () => 1].map(w => w());\n"),
        ("const a = 1, «v» = 2, c = 3;\nfoo(v);\n", "const a = 1, c = 3;\nfoo(2);\n"),
        ("const «v» = 2, c = 3;\nfoo(v);\n", "const c = 3;\nfoo(2);\n"),
        ("const «v» = a?.b;\nfoo(v.c);\n", "foo((a?.b).c);\n"),
        ("const «v» = {a: 1};\nconst f = () => v;\n", None),
        ("const f = (a) => {\n  const «v» = a + 1;\n  return () => v;\n};\n",
         "const f = (a) => {\n  return () => a + 1;\n};\n"),
        ("const «v» = a ?? b;\nfoo(v || c, v ?? c);\n", "foo((a ?? b) || c, a ?? b ?? c);\n"),
        ("const «v» = -1;\nfoo(v ** 2, -v, 2 - v, `${v}`);\n", "foo((-1) ** 2, -(-1), 2 - (-1), `${-1}`);\n"),
        ("const «v» = await a();\nfoo(v);\n", "foo(await a());\n"),
        ("const «v» = await a();\nfoo(v.b);\n", "foo((await a()).b);\n"),
        ("const «v» = new A;\nv.b();\n", "(new A).b();\n"),
        ("function f() {\n  const «v» = {a: 1};\n  return () => 2, v;\n}\n",
         "function f() {\n  return () => 2, {a: 1};\n}\n"),
        ("// one\nconst a = 1;\n\n/** two */\nconst «v» = 3;\n\nfoo(v);\n", "// one\nconst a = 1;\n\nfoo(3);\n"),
    ],
)  # fmt: skip
def test_the_value_in_its_place(tmp_path: Path, before: str, after: str | None) -> None:
    if after is None:
        assert "another function" in refusal(tmp_path, "(inline {at})", before, "a.js")
    else:
        assert refactored(tmp_path, "(inline {at})", before, "a.js") == after


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("let «v» = 1;\nv = 2;\nfoo(v);\n", "assigned more than once"),
        ("let «v» = 1;\nv++;\n", "assigned more than once"),
        ("let v = 1;\n({«v»} = x);\n", "assigned more than once"),
        ("const {«v»} = a;\nfoo(v);\n", "taking a value apart"),
        ("export const «v» = 1;\nfoo(v);\n", "is exported"),
        ("const «v» = 1;\nexport { v };\n", "is exported"),
        ("const «v» = a();\nfoo(v, v);\n", "several times"),
        ("const «v» = {};\nfoo(v);\nbar(v);\n", "several times"),
        ("const «v» = a.b;\nfoo();\nbar(v);\n", "may change its value"),
        ("let n = 0;\nconst «v» = n;\nn += 1;\nbar(v);\n", "may change its value"),
        ("const «v» = a();\nb();\nbar(v);\n", "may change its value"),
        ("const «v» = a();\nif (b) bar(v);\n", "under a condition"),
        ("const «v» = a();\nb && bar(v);\n", "under a condition"),
        ("const «v» = a();\ntry { bar(v); } catch {}\n", "under a condition"),
        ("const «v» = a.b;\nwhile (c) bar(v);\n", "again and again"),
        ("for (let i = 0, «n» = xs.length; i < n; i++) {}\n", "again and again"),
        ("const a = 1;\nconst «v» = a + 1;\nfunction f(a) { return v + a; }\n", "means something else"),
        ("const «v» = o.m;\nv();\n", "called as a method"),
        ("const «v» = 1;\n", "nothing reads"),
        ("const «v» = () => v;\n[v].map(w => w());\n", "uses it itself"),
        ("if (a) { var «v» = 1; }\nfoo(v);\n", "outside the block"),
        ("const «v» = this.a;\nfunction f() { return v; }\n", "another this"),
        ("foo()\nconst «v» = 1;\n[1, v].map(f)\n", "without the declaration"),
        ("foo()\nconst «v» = [1]\nv.map(f)\n", "would go on with the value"),
    ],
)
def test_refusals(tmp_path: Path, before: str, why: str) -> None:
    assert why in refusal(tmp_path, "(inline {at})", before, "a.js")


def test_one_place_only(tmp_path: Path) -> None:
    before = "const v = 1;\nfoo(«v», v);\n"
    assert refactored(tmp_path, "(inline {at} only_here: true)", before) == "const v = 1;\nfoo(1, v);\n"


def test_types(tmp_path: Path) -> None:
    assert "part of a type" in refusal(tmp_path, "(inline {at})", "const «v» = 1;\ntype T = typeof v;\n")
    before = "const «v»: A = b as A;\nfoo(v.c, v!);\n"
    assert refactored(tmp_path, "(inline {at})", before) == "foo((b as A).c, (b as A)!);\n"
