"""Converted code computes what it computed before; what would not is refused."""

from __future__ import annotations

import pytest

from forgewright.code.scene import Stage
from forgewright.code.sources import MemoryProject
from forgewright.code.syntax.program import parse
from forgewright.core.errors import EditRefused
from tests.properties.test_code_fuzz import bounded

VALUES = {"a": 1.5, "b": "text", "n": -7, "k": {"x": [3, 4]}, "c": 2 + 3j}


def converted(code: str, program: str) -> str:
    stage = Stage(MemoryProject({"a.py": code}))
    for operation in parse(program):
        stage.apply(operation.plan(stage))
    return stage.project.source("a.py").data.decode()


@pytest.mark.parametrize(
    "expression",
    [
        "'{} {}'.format(a, b)",
        "'{1} {0}'.format(a, b)",
        "'{x!r:>9}|{y:08.3f}'.format(x=b, y=a)",
        "'{c.real} {k}'.format(c=c, k=k)",
        "'{0} {0}'.format(a)",
        "'{{}} {}'.format(a + 1)",
        "'{}'.format({1: 2})",
        "'{}'.format(lambda: 1) and 1",
        "'{}'.format(a if b else n)",
        "r'\\d{}'.format(a)",
        '"""{}\n{}"""'.strip() + ".format(a, b)",
        "'%s %s' % (a, b)",
        "'%r|%10s|%-10s|%.2s' % (b, b, b, b)",
        "'%5.1f|%+.2e|%05.1f|% f' % (a, a, a, a)",
        "'%x %o' % (255, 8)",
        "'%(p)s {x} 100%%' % {'p': a}",
        "'%s' % 12",
    ],
)
def test_f_strings_say_the_same(expression: str) -> None:
    kind = "call[name=format]" if ".format" in expression else "binary_operator[operator='%']"
    try:
        after = converted(f"x = {expression}\n", f'(to-f-string target: "{kind}")')
    except EditRefused as error:
        pytest.fail(str(error))
    assert "f'" in after or 'f"' in after or "fr'" in after
    old: dict[str, object] = dict(VALUES)
    new: dict[str, object] = dict(VALUES)
    exec(f"x = {expression}\n", old)
    exec(after, new)
    assert str(new["x"]).split(" at 0x")[0] == str(old["x"]).split(" at 0x")[0]


@pytest.mark.parametrize(
    "expression",
    [
        "'{}'.format(k['x'])",
        "'{1} {0}'.format(f(), g())",
        "'{0} {0}'.format(f())",
        "'{} {}'.format(*a)",
        "'{}'.format(f(), g())",
        "'{:{}}'.format(a, b)",
        "'{a[x]}'.format(a=k)",
        "'\\x7b}'.format(1)",
        "'%d' % (a,)",
        "'%s' % b",
        "'%s %s' % b",
        "'%*d' % (3, n)",
        "b'%s' % (b,)",
        "'%s' % (a, b)",
        "'{}'.format('\\n')",
    ],
)
def test_f_strings_that_are_refused(expression: str) -> None:
    kind = "call[name=format]" if ".format" in expression else "binary_operator[operator='%']"
    with pytest.raises(EditRefused):
        converted(f"x = {expression}\n", f'(to-f-string target: "{kind}")')


CHAINS = [
    "if x == 1:\n    y = 'a'\nelif x == 'b' or x == 'c':\n    y = 'b'  # why\n"
    "elif x in (-2, 3.5):\n    y = 'c'\nelse:\n    y = 'd'\n",
    "if x == 1:\n    y = 'a'\nelif x is None:\n    y = 'n'\n",
]


@pytest.mark.parametrize("code", CHAINS)
def test_match_and_back(code: str) -> None:
    matched = converted("y = 0\n" + code, "(if-to-match target: 'if')")
    assert "match x:" in matched
    assert ("# why" in matched) == ("# why" in code)
    back = converted(matched, "(match-to-if target: 'switch')")
    for x in (1, "b", "c", -2, 3.5, None, "z"):
        results = []
        for text in ("y = 0\n" + code, matched, back):
            space: dict[str, object] = {"x": x}
            exec(text, space)
            results.append(space["y"])
        assert results[0] == results[1] == results[2]


@pytest.mark.parametrize(
    "condition", ["x", "not x", "x > 1", "x == 1", "x and y", "x is None", "x not in y", "(x or y)", "f(x)"]
)
def test_guards_decide_the_same(condition: str) -> None:
    code = f"def g(x, y, f=bool):\n    out.append(1)\n    if {condition}:\n"
    code += "        out.append(2)\n\n        # then\n        out.append(3)\n"
    after = converted(code, "(guard-clause target: 'if')")
    assert "# then" in after
    for x, y in ((0, [0]), (1, [1]), (2, []), (None, [2])):
        results = []
        for text in (code, after):
            out: list[int] = []
            space: dict[str, object] = {"out": out}
            exec(text, space)
            try:
                exec(f"g({x!r}, {y!r})", space)
            except TypeError:
                out.append(-1)
            results.append(out)
        assert results[0] == results[1]


def test_an_if_without_a_body_is_refused() -> None:
    scene = Stage(MemoryProject({"a.py": b"if x == 1:\n# nothing\nelif x == 2:\n    b()\n"}))
    [operation] = parse("(if-to-match target: 'if')")
    with pytest.raises(EditRefused, match="a branch of the if statement is empty"):
        operation.plan(scene)


def test_what_stands_deep_in_one_another_is_climbed_once() -> None:
    deep = 1500
    scene = Stage(MemoryProject({"a.java": b"if x:\n " * deep}))
    [operation] = parse("(insert-before target: 'name' code: 'x' every: true)")
    with bounded("a thousand matches within each other"):
        assert len(operation.plan(scene).splices) == deep
