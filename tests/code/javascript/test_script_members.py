"""Members of script classes up to the class theirs extends, and down to those that extend it, or why not."""

from __future__ import annotations

import pytest
from tests.code.javascript.changes import changed, refusal

TWO = {
    "base.ts": "import { log } from './log';\n\nexport class A {\n  protected n = 1;\n  a() {\n    log(this.n);\n  }\n}\n",
    "sub.ts": "import { A } from './base';\nimport { log } from './log';\n\nexport class B extends A {\n"
    "  /** Says. */\n  @log()\n  say(): string {\n    log(this.n);\n    return `\n  x`;\n  }\n\n  b() {}\n}\n",
    "log.ts": "export const log = (...x: unknown[]): any => x;\n",
}


def test_up_to_another_file() -> None:
    after = changed(TWO, "(pull-up select: 'method#B.say')")
    assert after == {
        "base.ts": TWO["base.ts"].replace(
            "  }\n}\n",
            "  }\n\n  /** Says. */\n  @log()\n  say(): string {\n    log(this.n);\n    return `\n  x`;\n  }\n}\n",
        ),
        "sub.ts": "import { A } from './base';\nimport { log } from './log';\n\nexport class B extends A {\n  b() {}\n}\n",
    }


UP = {
    "super": ("class A {\n  f() {}\n}\nclass B extends A {\n  g() {\n    super.f();\n  }\n}\n", "`super`"),
    "a private name": ("class A {}\nclass B extends A {\n  #x = 1;\n  g() {\n    return this.#x;\n  }\n}\n", "#x is seen"),
    "private": ("class A {}\nclass B extends A {\n  private g() {}\n}\n", "is private"),
    "there already": ("class A {\n  g() {}\n}\nclass B extends A {\n  g() {}\n}\n", "A has another g"),
    "asked of this": ("class A {}\nclass B extends A {\n  x = 1;\n  g() {\n    return this.x;\n  }\n}\n", "has no x in A"),
    "half an accessor": ("class A {}\nclass B extends A {\n  get g() { return 1; }\n  set g(x) {}\n}\n", "another half"),
    "a type parameter": ("class A {}\nclass B<T> extends A {\n  g(x: T) {}\n}\n", "is a type parameter"),
    "a local": (
        "class A {}\nfunction f(y: number) {\n  return class B extends A {\n    g() {\n      return y;\n    }\n  };\n}\n",
        "y is not seen",
    ),
    "no base": ("class B {\n  g() {}\n}\n", "extends no class"),
    "a computed value": ("class A {}\nclass B extends A {\n  g = open();\n}\n", "is computed"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "why"), UP.values(), ids=UP)
def test_not_up(text: str, why: str) -> None:
    lines = text.splitlines()
    row = max(
        n for n, line in enumerate(lines, 1) if line.strip().startswith(("g(", "g =", "get g", "private g"))
    )
    last = next(
        n for n, line in enumerate(lines[row - 1 :], row) if line.rstrip().endswith(("}", ";")) and n >= row
    )
    if lines[row - 1].rstrip().endswith("{"):
        indent = len(lines[row - 1]) - len(lines[row - 1].lstrip())
        last = next(n for n, line in enumerate(lines[row:], row + 1) if line == " " * indent + "}")
    assert why in refusal({"a.ts": text}, f"(pull-up range: 'a.ts:{row}-{last}')")


def test_a_class_of_javascript_that_sets_it_itself() -> None:
    text = "class A {\n  constructor() {\n    this.g = 1;\n  }\n}\nclass B extends A {\n  g = 2;\n}\n"
    assert "A has another g" in refusal({"a.js": text}, "(pull-up range: 'a.js:7-7')")
    assert "`this.g` is used there already" in refusal({"a.ts": text}, "(pull-up range: 'a.ts:7-7')")


def test_down_to_all() -> None:
    files = {
        "a.ts": "export class A {\n  keep() {}\n  go(x: number) {\n    return this.keep();\n  }\n}\n",
        "b.ts": "import { A } from './a';\nexport class B extends A {}\nnew B().go(1);\n",
        "c.ts": "import * as a from './a';\nimport { A as Base } from './a';\nexport class C extends Base {\n\tx = 1;\n}\na;\n",
    }
    assert changed(files, "(push-down select: 'method#A.go')") == {
        "a.ts": "export class A {\n  keep() {}\n}\n",
        "b.ts": "import { A } from './a';\nexport class B extends A {\n  go(x: number) {\n    return this.keep();\n  }\n}\n"
        "new B().go(1);\n",
        "c.ts": "import * as a from './a';\nimport { A as Base } from './a';\nexport class C extends Base {\n\tx = 1;\n\n"
        "\tgo(x: number) {\n\t  return this.keep();\n\t}\n}\na;\n",
    }


DOWN = {
    "used of the class itself": (
        "class A {\n  g() {}\n}\nclass B extends A {}\nnew A().g();\n",
        "is used of",
    ),
    "used in the class": (
        "class A {\n  g() {}\n  f() {\n    this.g();\n  }\n}\nclass B extends A {}\n",
        "A uses g itself",
    ),
    "overridden": ("class A {\n  g() {}\n}\nclass B extends A {\n  g() {}\n}\n", "has its own g"),
    "nobody": ("class A {\n  g() {}\n}\n", "no class of this project extends A"),
}


@pytest.mark.parametrize(("text", "why"), DOWN.values(), ids=DOWN)
def test_not_down(text: str, why: str) -> None:
    assert why in refusal({"a.ts": text}, "(push-down range: 'a.ts:2-2')")
