"""Statements that no semicolon ends stay apart when code is put between them, or taken away."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.code.python.edits import edited

BARE = "const a = f\nb(1)\nconst g = () => 1\nb(2)\n"


@pytest.mark.parametrize(
    ("program", "before", "after"),
    [
        ("(replace-node target: 'a.js:2' code: '(c(1))')", BARE, BARE.replace("b(1)", ";(c(1))")),
        ("(insert-after target: 'a.js:1' code: '[1].map(b)')", BARE, BARE.replace("f\n", "f\n;[1].map(b)\n")),
        ("(rewrite pattern: 'b($A)' template: '`${$A}`')", "b(0)\n" + BARE,
         "`${0}`\nconst a = f\n;`${1}`\nconst g = () => 1\n;`${2}`\n"),
        ("(insert-last target: 'function#k' code: '(c)()')", "function k() {\n  const x = 1 // why\n}\n",
         "function k() {\n  const x = 1 // why\n  ;(c)()\n}\n"),
        ("(insert-after target: 'a.js:1' code: 'let k = 1')", "a();\n(b)();\n", "a();\nlet k = 1;\n(b)();\n"),
        ("(insert-after target: 'a.js:1' code: 'let k = 1 // why')", "a();\n(b)();\n",
         "a();\nlet k = 1 // why\n;(b)();\n"),
        ("(delete-node target: 'a.js:2')", "a = b\nc();\n(d)()\n", "a = b\n;(d)()\n"),
        ("(replace-node target: 'a.js:2' code: '(c(1))')", "a = f;\nb(1);\n", "a = f;\n(c(1))\n"),
        ("(replace-node target: 'a.js:2:3' code: '(c)')", "f(\n  b,\n)\n", "f(\n  (c),\n)\n"),
        ("(rename symbol: 'function#f' new: 'g')", "/**\n * See {@link f}\n */\nfunction f() {}\n",
         "/**\n * See {@link g}\n */\nfunction g() {}\n"),
        ("(rename at: 'a.js:4:12' new: 'y')", "/**\n * @param {Object} x\n */\nfunction f(x) {}",
         "/**\n * @param {Object} y\n */\nfunction f(y) {}"),
        ("(replace-node target: 'a.js:2:5' code: '[c]')", "x = a +\n    b\n", "x = a +\n    [c]\n"),
    ],
)  # fmt: skip
def test_a_statement_does_not_go_on_with_the_next_line(
    tmp_path: Path, program: str, before: str, after: str
) -> None:
    found, _ = edited(tmp_path, program, {"a.js": before})
    assert found == {"a.js": after}
