"""`inline` of functions and methods in scripts: bodies in the place of calls."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.code.javascript.refactoring import refactored, refusal


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("function «f»(x) {\n  return x * 2;\n}\n\nlog(f(a + 1), f(3) ** 2);\n", "log((a + 1) * 2, (3 * 2) ** 2);\n"),
        ("const «f» = x => x.y;\nlog(f(a).z);\n", "log(a.y.z);\n"),
        ("const «f» = (x, y = 2) => ({ x, y });\nlog(f(1));\n", "log({ x: 1, y: 2 });\n"),
        ("const «f» = (x, y) => [x, y];\nlog(f(1));\n", "log([1, undefined]);\n"),
        ("const «f» = (x) => x;\nlog(f(a, b));\n", "log(a);\n"),
        ("function «f»() {}\nf();\nlog(f());\n", "log(undefined);\n"),
        ("function «f»(a) {\n  log(a);\n  log(2);\n}\nif (x) {\n  f(1);\n}\n",
         "if (x) {\n  log(1);\n  log(2);\n}\n"),
        ("function «f»(a) {\n  const b = a();\n  return b + 1;\n}\nfunction g() {\n  const c = f(h);\n  return c;\n}\n",
         "function g() {\n  const b = h();\n  const c = b + 1;\n  return c;\n}\n"),
        ("class A {\n  «m»(a) {\n    return this.n + a;\n  }\n\n  k() {\n    return this.m(1) * 2;\n  }\n}\n",
         "class A {\n  k() {\n    return (this.n + 1) * 2;\n  }\n}\n"),
        ("class A {\n  #x = 1;\n  #«m»() { return this.#x; }\n  k(a) {\n    return this.#m();\n  }\n}\n",
         "class A {\n  #x = 1;\n  k(a) {\n    return this.#x;\n  }\n}\n"),
        ("const «f» = () => o.m;\nf()();\n", "(0, o.m)();\n"),
        ("const «f» = (x) => x + g();\nlog(f(h()));\n", "log(h() + g());\n"),
    ],
)  # fmt: skip
def test_the_body_in_its_place(tmp_path: Path, before: str, after: str) -> None:
    assert refactored(tmp_path, "(inline {at})", before, "a.js") == after


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("function «f»(x) { return f(x); }\nf(1);\n", "calls itself"),
        ("function «f»(x) { if (x) return 1; return 2; }\nf(1);\n", "returns in the middle"),
        ("async function «f»(x) { return 1; }\nf(1);\n", "async or a generator"),
        ("function «f»() { return this.a; }\nf();\n", "uses this"),
        ("function «f»() { return arguments[0]; }\nf();\n", "uses arguments"),
        ("function «f»({ a }) { return a; }\nf(b);\n", "takes its parameters apart"),
        ("function «f»(a) { a = 1; return a; }\nf(b);\n", "assigns its parameter"),
        ("function «f»(a) { return a + a; }\nlog(f(g()));\n", "computed 2 times"),
        ("function «f»(a) { return b && a; }\nlog(f(g()));\n", "under a condition"),
        ("function «f»(a, b) { return b + a; }\nlog(f(g(), h()));\n", "order"),
        ("function «f»(a) { return g() + a; }\nlog(f(h()));\n", "after other code"),
        ("function «f»(a) { return () => a; }\nlog(f(h()));\n", "another function"),
        ("function «f»() { return 1; }\nlog(f);\n", "not called"),
        ("export function «f»() { return 1; }\nf();\n", "is exported"),
        ("const n = 1;\nfunction «f»() { return n; }\nfunction g(n) { return f(); }\n", "means something else"),
        ("function «f»(a) { return g(b => a + b); }\nfunction h(b) { return f(b); }\n", "of its own"),
        ("function «f»() { log(1); return 2; }\nlog(f());\n", "in the middle of a statement"),
        ("function «f»(a = 1) { return a; }\nlog(f(b));\n", "may be undefined"),
        ("function «f»(a) { return a; }\nlog(f(...b));\n", "with ..."),
        ("function «f»(a) { return a; }\nlog(f(f(1)));\n", "arguments of another"),
        ("class A {\n  «m»() { return 1; }\n}\nclass B extends A {\n  m() { return 2; }\n}\nnew A().m();\n", "overrid"),
        ("function «f»(a) {\n  const b = a;\n  log(b, a);\n}\nfunction g(b) {\n  f(b);\n}\n", "of its own"),
        ("class A {\n  «m»() { return this.n; }\n}\nnew A().m();\n", "more than a name"),
    ],
)  # fmt: skip
def test_refusals(tmp_path: Path, before: str, why: str) -> None:
    assert why in refusal(tmp_path, "(inline {at})", before, "a.js")


def test_one_call_only(tmp_path: Path) -> None:
    before = "export const f = (x: number) => x + 1;\nlog(«f»(1), f(2));\n"
    after = "export const f = (x: number) => x + 1;\nlog(1 + 1, f(2));\n"
    assert refactored(tmp_path, "(inline {at} only_here: true)", before) == after
