"""Definitions of scripts that nothing uses go; what is used, or may do something, stays."""

from __future__ import annotations

import pytest
from tests.code.javascript.changes import changed, refusal

CLASS = "class A {\n  /** d */\n  @dec()\n  static m(): void {}\n\n  @dec n = 1;\n}\n"
GONE = {
    "one of several": ("const old = 1, x = 2;\nx;\n", "1:7", "const x = 2;\nx;\n"),
    "the last of several": ("const x = 1,\n  old = () => 2;\nx;\n", "2:3", "const x = 1;\nx;\n"),
    "overloads": ("function old(): void;\nfunction old(a?: 1) {}\nexport {};\n", "2:10", "export {};\n"),
    "listed": (
        "function old() {}\nexport { old, k };\nconst k = 1;\n",
        "1:10",
        "export { k };\nconst k = 1;\n",
    ),
    "the default": ("const k = 1;\nfunction old() {}\nexport default old;\n", "2:10", "const k = 1;\n"),
    "a recursive one": (
        "export const k = 1;\n\nfunction old() {\n  old();\n}\n",
        "3:10",
        "export const k = 1;\n",
    ),
    "an import": ("import { a } from './b';\nimport c from 'c';\nc;\n", "1:10", "import c from 'c';\nc;\n"),
    "a decorated member": (CLASS, "4:10", "class A {\n  @dec n = 1;\n}\n"),
    "a property of an interface": (
        "interface A {\n  a: 1;\n  b?: 2;\n}\n",
        "3:3",
        "interface A {\n  a: 1;\n}\n",
    ),
    "a namespace": ("namespace N {\n  export const x = 1;\n}\nlet k;\n", "1:11", "let k;\n"),
}


@pytest.mark.parametrize(("before", "at", "after"), GONE.values(), ids=GONE)
def test_what_nothing_uses_goes(before: str, at: str, after: str) -> None:
    assert changed({"a.ts": before}, f"(delete-unused at: 'a.ts:{at}')") == {"a.ts": after}


STAYS = {
    "a value that is computed": ("const old = open();\n", "1:7", "which may do something"),
    "a member of an enum": ("enum E {\n  A,\n  B,\n}\n", "2:3", "which is not taken out like this"),
    "a part of a pattern": ("const { a, b } = c;\nb;\n", "1:9", "is taken out of something"),
    "what a type names": ("interface Old {}\nlet x: Old;\n", "1:11", "is used in 1 place"),
}


@pytest.mark.parametrize(("before", "at", "why"), STAYS.values(), ids=STAYS)
def test_refused(before: str, at: str, why: str) -> None:
    assert why in refusal({"a.ts": before}, f"(delete-unused at: 'a.ts:{at}')")


def test_users_through_barrels_are_found() -> None:
    files = {
        "a.ts": "export const old = () => 1;\n",
        "b.ts": "export * from './a';\n",
        "c.ts": "import { old } from './b';\nold();\n",
    }
    assert "c.ts:2" in refusal(files, "(delete-unused symbol: 'function#old')")
    assert "c.ts:2" in refusal(files, "(safe-delete target: 'function#old')")
