"""`extract-function` in scripts: what goes in and out, where it is put, and what cannot be taken out."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.code.javascript.refactoring import refactored, refusal

FUNCTION = "(extract-function {range} name: 'g')"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("function f(a) {\n  return «(a.b + 1)» * 2;\n}\n",
         "function f(a) {\n  return g(a) * 2;\n}\n\nfunction g(a) {\n  return a.b + 1;\n}\n"),
        # one variable given back, and one that the code around declares
        ("function f(a) {\n  «const b = a + 1;»\n  return b;\n}\n",
         "function f(a) {\n  const b = g(a);\n  return b;\n}\n\nfunction g(a) {\n  const b = a + 1;\n  return b;\n}\n"),
        ("function f(a) {\n  let n = 0;\n  «n += a;»\n  return n;\n}\n",
         "function f(a) {\n  let n = 0;\n  n = g(n, a);\n  return n;\n}\n\n"
         "function g(n, a) {\n  n += a;\n  return n;\n}\n"),
        # what is only written is declared anew
        ("function f(a) {\n  let n;\n  «n = a();»\n  return n;\n}\n",
         "function f(a) {\n  let n;\n  n = g(a);\n  return n;\n}\n\n"
         "function g(a) {\n  let n = a();\n  return n;\n}\n"),
        # several
        ("function f(a) {\n  let n = 0, m = 0\n  «n = a\n  m = a + 1»\n  return n + m\n}\n",
         "function f(a) {\n  let n = 0, m = 0\n  ;({ n, m } = g(a))\n  return n + m\n}\n\n"
         "function g(a) {\n  let n = a\n  let m = a + 1\n  return { n, m }\n}\n"),
        ("function f(a) {\n  let n = 0;\n  «const m = a;\n  n = 2;»\n  return n + m;\n}\n",
         "function f(a) {\n  let n = 0;\n  let m;\n  ({ m, n } = g(a));\n  return n + m;\n}\n\n"
         "function g(a) {\n  const m = a;\n  let n = 2;\n  return { m, n };\n}\n"),
        # loops carry what is written to the next time
        ("function f(xs) {\n  let n = 0;\n  for (const x of xs) {\n    «n = n + x;»\n  }\n}\n",
         "function f(xs) {\n  let n = 0;\n  for (const x of xs) {\n    n = g(n, x);\n  }\n}\n\n"
         "function g(n, x) {\n  n = n + x;\n  return n;\n}\n"),
        # returns
        ("function f(a) {\n  «if (a) return 1;\n  return 2;»\n}\n",
         "function f(a) {\n  return g(a);\n}\n\nfunction g(a) {\n  if (a) return 1;\n  return 2;\n}\n"),
        ("function f(a) {\n  b();\n  «if (!a) return;\n  c();»\n}\n",
         "function f(a) {\n  b();\n  g(a);\n}\n\nfunction g(a) {\n  if (!a) return;\n  c();\n}\n"),
        # async
        ("const f = async (a) => {\n  «const b = await a();»\n  return b;\n};\n",
         "const f = async (a) => {\n  const b = await g(a);\n  return b;\n};\n\n"
         "async function g(a) {\n  const b = await a();\n  return b;\n}\n"),
        ("const f = async (a) => {\n  return («await a()»).b;\n};\n",
         "const f = async (a) => {\n  return (await g(a)).b;\n};\n\n"
         "async function g(a) {\n  return await a();\n}\n"),
        # a callback in a function: beside the statement around it, whose names it sees
        ("function f(a, xs) {\n  return xs.map(x => «a * x»);\n}\n",
         "function f(a, xs) {\n  return xs.map(x => g(x));\n\n  function g(x) {\n    return a * x;\n  }\n}\n"),
        # methods
        ("class A {\n  m(a) {\n    «this.n += a;»\n  }\n}\n",
         "class A {\n  m(a) {\n    this.g(a);\n  }\n\n  g(a) {\n    this.n += a;\n  }\n}\n"),
        ("class A {\n  static m(a) {\n    «log(a);»\n  }\n}\n",
         "class A {\n  static m(a) {\n    this.g(a);\n  }\n\n  static g(a) {\n    log(a);\n  }\n}\n"),
        ("class A extends B {\n  constructor(a) {\n    super(«a + 1»);\n  }\n}\n",
         "class A extends B {\n  constructor(a) {\n    super(g(a));\n  }\n}\n\nfunction g(a) {\n  return a + 1;\n}\n"),
        # at the top of the file
        ("const a = 1;\n\n// say it\n«log(a);»\n",
         "const a = 1;\n\nfunction g() {\n  log(a);\n}\n\n// say it\ng();\n"),
        ("«var a = [1];\na[2] = 1;»\nlog(a);\n",
         "function g() {\n  var a = [1];\n  a[2] = 1;\n  return a;\n}\n\nvar a = g();\nlog(a);\n"),
        # strings over several lines stay
        ("function f() {\n    if (a) {\n        «log(`\n        x`);\n        log(2);»\n    }\n}\n",
         "function f() {\n    if (a) {\n        g();\n    }\n}\n\nfunction g() {\n    log(`\n        x`);\n    log(2);\n}\n"),
        # var, declared twice
        ("function f(xs) {\n  «for (var i = 0; i < 3; i++) a(i);»\n  for (var i = 0; i < 9; i++) b(i);\n}\n",
         "function f(xs) {\n  g();\n  for (var i = 0; i < 9; i++) b(i);\n}\n\n"
         "function g() {\n  for (var i = 0; i < 3; i++) a(i);\n}\n"),
        # what looks like going on with the line above
        ("function f(a) {\n  «a()»\n  ;[1].map(a)\n}\n", "function f(a) {\n  g(a)\n  ;[1].map(a)\n}\n\n"
         "function g(a) {\n  a()\n}\n"),
    ],
)  # fmt: skip
def test_what_goes_in_and_out(tmp_path: Path, before: str, after: str) -> None:
    assert refactored(tmp_path, FUNCTION, before, "a.js") == after


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("function* f() {\n  «yield 1;»\n}\n", "contains yield"),
        ("while (a) {\n  «if (b) break;»\n}\n", "contains break"),
        ("o: while (a) {\n  while (b) {\n    «while (c) continue o;»\n  }\n}\n", "contains continue"),
        ("function f(a) {\n  «if (a) return 1;»\n  b();\n}\n", "returns in one case"),
        ("function f() {\n  «log(arguments);»\n}\n", "uses arguments"),
        ("function f() {\n  «log(this.a);»\n}\n", "uses this"),
        ("class A extends B {\n  constructor() {\n    «super();»\n  }\n}\n", "uses super"),
        ("function f() {\n  let n = 0;\n  const up = () => n++;\n  «up();\n  log(n);»\n}\n", "by another function"),
        ("function f() {\n  let n = 0;\n  «n = 1;»\n  return () => n;\n}\n", "another function uses it"),
        ("function f() {\n  let n = 0;\n  «later(() => n);»\n  n = 2;\n}\n", "keeps n"),
        ("function f(a) {\n  return «(a = 1)»;\n}\n", "assigns a"),
        ("function f() {\n  «function h() {}»\n  h();\n}\n", "used outside"),
        ("function f() {\n  let n;\n  try {\n    «n = 1;\n    h();»\n  } catch {}\n  return n;\n}\n", "after an exception"),
        ("function f() {\n  let n;\n  try {\n    «n = 1;\n    return h();»\n  } finally {\n    log(n);\n  }\n}\n",
         "used behind it"),
        ("class A {\n  m() {\n    «log();»\n  }\n  g() {}\n}\n", "already a member"),
        ("function f() {\n  «log();»\n}\nconst g = 1;\n", "already used there"),
        ("function f() {\n  «log();»\n}\nfoo(g);\n", "already used there"),
        ("function f(a) {\n  «a.b»();\n}\n", "called as a method"),
        ("'use strict';\n«'use strict';»\n", "directive"),
        ("«import x from 'x';»\n", "import statement"),
        ("function f(a) {\n  if (a) {\n    b();\n    «c();\n  }\n  d();»\n}\n", "neither one expression"),
    ],
)  # fmt: skip
def test_refusals(tmp_path: Path, before: str, why: str) -> None:
    assert why in refusal(tmp_path, FUNCTION, before, "a.js")


def test_assigning_what_is_not_seen_any_more(tmp_path: Path) -> None:
    before = "function f() {\n  let n = 0;\n  xs.map(x => {\n    «n += x;»\n  });\n}\n"
    assert "enclosing function" in refusal(
        tmp_path, "(extract-function {range} name: 'g' top: true)", before, "a.js"
    )


def test_types(tmp_path: Path) -> None:
    before = (
        "function f<T extends object, U>(a: T, b?: U[], n = 1) {\n  const c = { x: 1 };\n"
        "  «log(a as T, b, n, c);»\n}\n"
    )
    after = (
        "function f<T extends object, U>(a: T, b?: U[], n = 1) {\n  const c = { x: 1 };\n"
        "  g(a, b, n, c);\n}\n\n"
        "function g<T extends object, U>(a: T, b: U[] | undefined, n: number, c) {\n  log(a as T, b, n, c);\n}\n"
    )
    assert refactored(tmp_path, FUNCTION, before) == after


def test_a_place_and_a_kind(tmp_path: Path) -> None:
    before = "class A {\n  /** Does. */\n  m(a) {\n    return «[a, 1]»;\n  }\n}\n"
    after = (
        "class A {\n  static g(a) {\n    return [a, 1];\n  }\n\n"
        "  /** Does. */\n  m(a) {\n    return A.g(a);\n  }\n}\n"
    )
    program = "(extract-function {range} name: 'g' kind: 'staticmethod' place: 'before')"
    assert refactored(tmp_path, program, before, "a.js") == after
    before = "function o() {\n  function f(a) {\n    «log(a);»\n  }\n}\n"
    after = "function o() {\n  function f(a) {\n    g(a);\n  }\n}\n\nfunction g(a) {\n  log(a);\n}\n"
    program = "(extract-function {range} name: 'g' top: true)"
    assert refactored(tmp_path, program, before, "b.js") == after


def test_jsx(tmp_path: Path) -> None:
    before = "function A({ t }) {\n  return <p>«<b>{t}</b>»</p>;\n}\n"
    after = "function A({ t }) {\n  return <p>{g(t)}</p>;\n}\n\nfunction g(t) {\n  return <b>{t}</b>;\n}\n"
    assert refactored(tmp_path, FUNCTION, before, "a.jsx") == after


def test_overloads_stay_together(tmp_path: Path) -> None:
    before = "class A {\n  m(a: string): void;\n  m(a: number): void;\n  m(a: any) {\n    «log(a);»\n  }\n}\n"
    after = (
        "class A {\n  g(a: any) {\n    log(a);\n  }\n\n"
        "  m(a: string): void;\n  m(a: number): void;\n  m(a: any) {\n    this.g(a);\n  }\n}\n"
    )
    assert refactored(tmp_path, "(extract-function {range} name: 'g' place: 'before')", before) == after
