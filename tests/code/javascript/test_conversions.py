"""Templates and switches: the same decisions and texts, or a refusal."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.code.javascript.refactoring import refactored, refusal


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("'a' + b;\n", "`a${b}`;\n"),
        ("a + 'b' + (c + 1);\n", "`${a}b${c + 1}`;\n"),
        ("a + b + 'c' + d + e;\n", "`${a + b}c${d}${e}`;\n"),
        ("'$' + '{a}' + '`' + \"'\\\"\\\\n\";\n", "`\\${a}\\`'\"\\\\n`;\n"),
        ("'a' +\n  `b${c}` +\n  'd';\n", "`ab${c}d`;\n"),
        ("'it\\'s ' + a;\n", "`it's ${a}`;\n"),
        ("'$' + `{b}` + a;\n", "`\\${b}${a}`;\n"),
    ],
)
def test_templates(tmp_path: Path, before: str, after: str) -> None:
    marked = "f(" + before.replace(";\n", ");\n")
    (tmp_path / "a.js").write_text(marked)
    assert refactored(
        tmp_path, "(to-f-string target: 'a.js:1:3')", "«" + marked, "a.js"
    ) == "f(" + after.replace(";\n", ");\n")


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("f(a + b);\n", "no concatenation"),
        ("f('\\1' + a);\n", "octal"),
        ("f('a' + // one\n  b);\n", "comment"),
    ],
)
def test_no_templates(tmp_path: Path, before: str, why: str) -> None:
    assert why in refusal(tmp_path, "(to-f-string target: 'binary_expression')", "«" + before, "a.js")


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("if (x == 1) a();\n", "no comparison with ==="),
        ("if (x === 1) a();\nelse if (y === 2) b();\n", "compare 'x' and 'y'"),
        ("if (f() === 1) a();\n", "does more than look"),
        ("for (;;) { if (x === 1) { break; } }\n", "would leave the switch"),
        ("if (x === 1) a(); // one\nelse b();\n", "comment"),
    ],
)
def test_no_switch(tmp_path: Path, before: str, why: str) -> None:
    assert why in refusal(tmp_path, "(if-to-match target: 'a.js:1')" if before[0] == "i" else
                          "(if-to-match target: 'if')", "«" + before, "a.js")  # fmt: skip


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("switch (x) { case 1: a(); case 2: b(); }\n", "falls through"),
        ("switch (f()) { case 1: a(); }\n", "computed for each case"),
        ("switch (x) { case 1: if (y) break; a(); break; case 2: b(); }\n", "from the middle of a case"),
        ("switch (x) { case 1: let y = 1; break; case 2: y = 2; }\n", "declared in one case"),
        ("switch (x) { default: a(); }\n", "no case but default"),
    ],
)
def test_no_if(tmp_path: Path, before: str, why: str) -> None:
    assert why in refusal(tmp_path, "(match-to-if target: 'switch')", "«" + before, "a.js")


def test_default_in_the_middle(tmp_path: Path) -> None:
    before = (
        "«switch (x) {\n  case 1:\n  case 2: {\n    a();\n    break;\n  }\n"
        "  default:\n    b();\n    break;\n  case a | 3:\n    return c();\n}\n"
    )
    after = (
        "if (x === 1 || x === 2) {\n  a();\n} else if (x === (a | 3)) {\n  return c();\n} else {\n  b();\n}\n"
    )
    assert refactored(tmp_path, "(match-to-if target: 'switch')", before, "a.js") == after


@pytest.mark.usefixtures("node")
def test_the_same_decisions(tmp_path: Path) -> None:
    program = (
        "const seen = [];\nfor (const x of [1, '1', 2, null, undefined, 3, NaN, -1]) {\n"
        "  if (x === 1 || 2 === x) {\n    const y = 1;\n    seen.push(y);\n  } else if (x === null) {\n"
        "    seen.push('null');\n  } else if (x === -1) seen.push(-1);\n  else {\n    seen.push('other');\n  }\n}\n"
        "console.log(seen.join());\n"
    )
    said = []
    for step in ("", "(if-to-match target: 'a.js:3')", "(match-to-if target: 'switch')"):
        if step:
            program = refactored(tmp_path, step, "«" + program, "a.js")
        else:
            (tmp_path / "a.js").write_text(program)
        said.append(
            subprocess.run(
                ["node", "a.js"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
            ).stdout
        )
    assert said == ["1,other,1,null,other,other,other,-1\n"] * 3
