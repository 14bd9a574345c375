"""A superclass made of members, and functions out of functions, in scripts; or why not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.code.javascript.changes import changed, refusal, written

from forgewright.code.engine import CodeEngine

NESTED = "function f(y) {\n  // adds\n  function g(x) {\n    return `\n  ${x}`;\n  }\n  return g(y);\n}\nexport { f };\n"


def test_a_nested_function_goes_behind() -> None:
    assert changed({"a.js": NESTED}, "(make-top-level select: 'function#g')") == {
        "a.js": "function f(y) {\n  return g(y);\n}\n\n// adds\nfunction g(x) {\n  return `\n  ${x}`;\n}\nexport { f };\n"
    }


STAYS = {
    "uses a parameter": ("function f(y) {\n  function g() {\n    return y;\n  }\n}\n", "g uses y"),
    "uses a neighbour": ("function f() {\n  let n = 0;\n  function g() {\n    n++;\n  }\n}\n", "g uses n"),
    "taken": ("const g = 1;\nfunction f() {\n  function g() {}\n  g();\n}\ng;\n", "g means something else"),
    "global elsewhere": ("function f() {\n  function g() {}\n  g();\n}\ng();\n", "g means something else"),
    "at the top": ("function g() {}\n", "at the top already"),
}


@pytest.mark.parametrize(("text", "why"), STAYS.values(), ids=STAYS)
def test_not_to_the_top(text: str, why: str) -> None:
    row = next(n for n, line in enumerate(text.splitlines(), 1) if "function g" in line)
    last = next(n for n, line in enumerate(text.splitlines(), 1) if n >= row and line.rstrip().endswith("}"))
    assert why in refusal({"a.js": text}, f"(make-top-level range: 'a.js:{row}-{last}')")


SUPER = {
    "a taken name": ("const Base = 1;\nclass A {\n  g() {}\n}\n", "stands for something already"),
    "an unknown base": (
        "import { X } from 'x';\nclass A extends X {\n  g() {}\n}\n",
        "what it extends is not known",
    ),
    "what it asks of this": (
        "class A {\n  n = 1;\n  g() {\n    return this.n;\n  }\n}\n",
        "has no n in Base",
    ),
    "type parameters": ("class A<T> {\n  g() {}\n}\n", "it has type parameters"),
}


@pytest.mark.parametrize(("text", "why"), SUPER.values(), ids=SUPER)
def test_no_superclass(text: str, why: str) -> None:
    assert why in refusal({"a.ts": text}, "(extract-superclass select: 'method#A.g' name: 'Base')")


@pytest.mark.usefixtures("node")
def test_the_program_says_the_same(tmp_path: Path) -> None:
    text = (
        "class Root {\n  root() {\n    return 'r' + this.own();\n  }\n}\n\n"
        "class A extends Root {\n  #p = 1;\n  static kind = 'k';\n  n = 2;\n  constructor(...xs) {\n    super();\n"
        "    this.xs = xs;\n  }\n  own() {\n    return this.n;\n  }\n  secret() {\n    return this.#p;\n  }\n}\n\n"
        "class B {\n  constructor() {\n    this.made = this.make();\n  }\n  make() {\n    return 3;\n  }\n}\n"
        "const a = new A(1, 2);\nconsole.log(a.root(), a.own(), a.secret(), A.kind, new B().made);\n"
    )
    root = written(tmp_path, {"a.js": text})

    def said() -> str:
        return subprocess.run(
            ["node", "a.js"], cwd=root, capture_output=True, text=True, timeout=60, check=True
        ).stdout

    before = said()
    engine = CodeEngine(root)
    for program in (
        "(extract-superclass range: 'a.js:15-17' name: 'Own')",
        "(extract-superclass select: 'method#B.make' name: 'Maker')",
        "(push-down select: 'method#Maker.make')",
        "(pull-up select: 'method#B.make')",
    ):
        if "15-17" in program:
            with pytest.raises(Exception, match="has no n in Own"):
                engine.plan(program)
            continue
        engine.commit(engine.plan(program))
        assert said() == before, program
    final = (root / "a.js").read_text()
    assert "class Maker {\n  make() {\n    return 3;\n  }\n}" in final
    assert "class B extends Maker {\n  constructor() {\n    super();" in final
