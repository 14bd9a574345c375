"""Which code a pattern matches, and what its metavariables stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from forgewright.code.engine import CodeEngine
from forgewright.code.patterns.compiled import compiled
from forgewright.code.scene import Stage
from forgewright.code.selectors import nodes
from forgewright.code.selectors.select import select
from forgewright.code.sources import MemoryProject
from forgewright.code.syntax.diagnostics import SelectorError
from forgewright.core.errors import ProgramError


def found(language: str, pattern: str, code: str) -> list[dict[str, str]]:
    suffix = {
        "python": "py",
        "javascript": "js",
        "typescript": "ts",
        "go": "go",
        "rust": "rs",
        "java": "java",
    }[language]
    stage = Stage(MemoryProject({f"a.{suffix}": code}))
    return [
        {
            name: " | ".join(nodes.text(node) for node in taken)
            for name, taken in match.captures.items()
            if name != "_MATCH"
        }
        for match in stage.select(f"`{pattern}`")
    ]


@pytest.mark.parametrize(
    ("language", "pattern", "code", "captures"),
    [
        ("python", "print($X)", "print(1)\nprint(1, 2)\nprint( a+b , )\n", [{"X": "1"}, {"X": "a+b"}]),
        ("python", "f($$$A)", "f()\nf(1, *b, c=2)\ng()\n", [{"A": ""}, {"A": "1 | *b | c=2"}]),
        (
            "python",
            "f($A, $$$B, $C)",
            "f(1)\nf(1, 2)\nf(1, 2, 3, 4)\n",
            [{"A": "1", "B": "", "C": "2"}, {"A": "1", "B": "2 | 3", "C": "4"}],
        ),
        ("python", "$X == $X", "a.b == a . b\na == b\n", [{"X": "a.b"}]),
        ("python", "f('x')", 'f("x")\nf(\'y\')\nf(b"x")\n', [{}]),
        (
            "python",
            "def $F($$$P): $$$B",
            "def a(x, y=1):\n    pass\n    return 1\n",
            [{"F": "a", "P": "x | y=1", "B": "pass | return 1"}],
        ),
        ("python", "def $F($$$P): $$$B", "async def a(): pass\n", []),
        (
            "python",
            "if $C:\n    return $X",
            "if a:\n    # why\n    return b\nif a:\n    return b\nelse:\n    c\n",
            [{"C": "a", "X": "b"}],
        ),
        ("python", "$A = $B\n$C = $A", "x = 1\ny = x\nz = 3\n", [{"A": "x", "B": "1", "C": "y"}]),
        (
            "python",
            "import $M",
            "import os\nimport os.path\nfrom os import path\n",
            [{"M": "os"}, {"M": "os.path"}],
        ),
        (
            "python",
            "from $M import $N",
            "from a import b\nfrom a.c import (d)\n",
            [{"M": "a", "N": "b"}, {"M": "a.c", "N": "d"}],
        ),
        ("python", "@$D\ndef $F(): $$$B", "@x\ndef f(): pass\n", [{"D": "x", "F": "f", "B": "pass"}]),
        ("python", "{$K: $V}", "a = {1: 2}\nb = {}\n", [{"K": "1", "V": "2"}]),
        (
            "python",
            "except $E: $$$B",
            "try:\n    a\nexcept ValueError:\n    b\n",
            [{"E": "ValueError", "B": "b"}],
        ),
        ("python", "not $A in $B", "if not x in y: pass\n", [{"A": "x", "B": "y"}]),
        ("javascript", "console.log($$$A)", "console.log(1, b);\nconsole.info(1)\n", [{"A": "1 | b"}]),
        (
            "javascript",
            "const $A = require($B)",
            "const fs = require('fs');\nlet x = require('x')\n",
            [{"A": "fs", "B": "'fs'"}],
        ),
        ("javascript", "if ($C) { $$$B }", "if (a) { b(); c() }\n", [{"C": "a", "B": "b(); | c()"}]),
        ("javascript", "($A) => $B", "x.map((a) => a + 1)\n", [{"A": "a", "B": "a + 1"}]),
        (
            "typescript",
            "function $F($A: $T) { $$$B }",
            "function f(a: string) { return 1 }\n",
            [{"F": "f", "A": "a", "T": "string", "B": "return 1"}],
        ),
        (
            "go",
            "fmt.Println($$$A)",
            'package p\nimport "fmt"\nfunc f() { fmt.Println(1, x) }\n',
            [{"A": "1 | x"}],
        ),
        ("rust", "$A.unwrap()", "fn f() { a.b().unwrap(); }\n", [{"A": "a.b()"}]),
        (
            "java",
            "System.out.println($A);",
            "class A { void f() { System.out.println(1); } }\n",
            [{"A": "1"}],
        ),
    ],
)
def test_pattern(language: str, pattern: str, code: str, captures: list[dict[str, str]]) -> None:
    assert found(language, pattern, code) == captures


def test_a_pattern_that_is_no_code() -> None:
    with pytest.raises(SelectorError, match="is no python code"):
        found("python", "def (", "x = 1\n")


def test_backtracking_is_bounded() -> None:
    code = "f(" + ", ".join("a" for _ in range(300)) + ")\n"
    assert found("python", "f($$$A, $$$B, $$$C, $$$D, b)", code) == []


def test_a_pattern_is_looked_for_where_it_is_code(tmp_path: Path) -> None:
    """In a project of several languages; in none it is a mistake."""
    (tmp_path / "a.js").write_text("f(1);\n")
    (tmp_path / "b.py").write_text("if not a:\n    f(1)\n")
    engine = CodeEngine(tmp_path)
    plan = engine.plan("(rewrite pattern: 'not $X' template: '$X is None')")
    assert [change.after for change in plan.changes] == [b"if a is None:\n    f(1)\n"]
    with pytest.raises(ProgramError, match="is no javascript code"):
        engine.plan("(rewrite pattern: 'f($X' template: '')")


@pytest.mark.parametrize(
    ("pattern", "path", "text"),
    [
        ("$A.get($B, None)", "a.py", "x . get (\n    y,  # why\n    None,\n)\n"),
        ("$A.get($B, None)", "a.py", "(x  # one\n .get(y, # ######## two\n  None # three\n ))\n"),
        ("f(a, b)", "a.py", "f(\n    a,\n    b,\n)\n"),
        ("from m import one, two", "a.py", "from m import (\n    one,\n    two,\n)\n"),
        ("from m import one, two", "a.py", "from m import one, two\n"),
        ("x = 1 if $A else None", "a.py", "x = (1 if y else None)\nx = 1 if y else None\n"),
        ("super().__init__($$$ARGS)", "a.py", "super(  ).__init__(a, b)\n"),
        ("foo($A).then(done)", "a.ts", "foo(x) /* a * b **/ .then(\n  // why\n  done,\n);\n"),
        ("fetch($A).then(done)", "a.js", "fetch(x)\n  .then( done )\n"),
        ("fmt.Println($A)", "a.go", 'package p\n\nfunc f() {\n\tfmt. // here\n\t\tPrintln("x")\n}\n'),
        ("foo(a).bar()", "a.rs", "fn f() { foo(a) /* /* */ */ .bar(); }\n"),
    ],
)
def test_no_match_is_lost_to_the_look_at_the_text(pattern: str, path: str, text: str) -> None:
    project = MemoryProject({path: text.encode()})
    found = list(select(project, f"`{pattern}`"))
    assert len(found) == 1
    language = found[0].source.language
    assert compiled(pattern, language).seen(text.encode())


def test_the_look_at_the_text_takes_no_longer_than_the_text_is_long() -> None:
    pattern = compiled("$A.get($B, None)", "python")
    head = b".get(x)\n"
    assert not pattern.seen(head + b"None , \\" * 200_000)
    assert not pattern.seen(head + b"None" + b" \n" * 500_000)
    assert not pattern.seen(head + b"None" + b" # .\n" * 19 + b"x" * 500_000)
    assert not pattern.seen(b".get(x)\n" * 1000 + b"x" * 1_000_000)
    assert not pattern.seen(b".get(x)\n" * 5000 + b"None)")
    assert pattern.seen((b".get(" * 250 + b")" * 250) * 1000 + b"None)")
    assert pattern.seen(b".get(x, None" + b" # ......\n" * 100_000)


@pytest.mark.parametrize(
    "text",
    [
        "x.get(a)\nprint(None)\n",
        "x.get((a, None))\n",
        "x.get('None)', b)\n",
        "x.get(a # , None)\n)",
        'x.get("""a"None)""", b)\n',
        "# a sentence.\n# None)\nx.get(1)\n",
    ],
)
def test_a_run_of_words_where_no_match_has_it_is_not_taken_for_one(text: str) -> None:
    assert not compiled("$A.get($B, None)", "python").seen(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "x.get(f'{y}', None)\n",
        "x.get(r'\\', None)\n",
        "x.get('''it's (''', None)\n",
        "x.get('(' # (\n , None)\n",
        "f'{x.get(y, None)}'\n",
        "x.get({1: [2]}, # why\n  # and\n None # (\n)\n",
        "x.get(y.get(z), None)\n",
        "x.get(y.get(None), None)\n",
    ],
)
def test_a_match_behind_strings_comments_and_brackets_is_seen(text: str) -> None:
    assert compiled("$A.get($B, None)", "python").seen(text.encode())
    assert len(list(select(MemoryProject({"a.py": text.encode()}), "`$A.get($B, None)`"))) == 1
