"""What is put in a call's place without compiling the file again does compile, in every place a call can stand."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import textwrap
from pathlib import Path

import pytest
from tree_sitter import Node

from forgewright.code.engine import CodeEngine
from forgewright.code.fitting import Fitting
from forgewright.code.patterns.compiled import compiled
from forgewright.code.selectors.select import descendants
from forgewright.code.sources import SourceFile
from forgewright.core.errors import EditRefused

FILES = [Path(module.__file__ or "") for module in (argparse, dataclasses, difflib, textwrap)]
TEXTS = [
    b"name",
    b"a.b",
    b"f(x, *y, k=1)",
    b"a[1:2]",
    b"{1: 2}.get(x)",
    b"'%s'.format(x)",
    b"f(\n    1,\n)",
    b"(a)(b)",
]
PLACES = """\
@f(1)
class A(f(2), metaclass=f(3)):
    x: f(4) = f(5)
    async def g(self, a=f(6), *b: f(7)) -> f(8):
        return(f)(9)if f(10)else[f(11)for f(12).x in f(13)]
    def h(self):
        with f(14) as y, f(15): del f(16).a; yield f(17)
        f(18).x = f(19)[0] = -f(20)**2; f(21)[f(22):f(23)] += 1
        print(f"{f(24)} {f(25)!r:>{f(26)}}", f"{ f(27)=}"); assert f(28), f(29)
        lambda: (f(30), *f(31), {**f(32)}); raise f(33) from f(34)
        match f(35):
            case 1 if f(36): pass
        for x in f(37): x = yield
        while f(38)in f(39)and not(f)(40): "a" if f(41)else"b"
        return f(42).y(43)(44)
"""


def calls(source: SourceFile) -> list[Node]:
    return [node for node in descendants(source.tree.root_node) if node.type == "call"]


@pytest.mark.parametrize("text", TEXTS, ids=repr)
@pytest.mark.parametrize(
    "data", [PLACES.encode(), *(p.read_bytes() for p in FILES)], ids=lambda data: data[:12]
)
def test_what_fits_compiles(data: bytes, text: bytes) -> None:
    """All calls at once that do not lie in each other, from the last to the first."""
    source = SourceFile("a.py", data)
    fitting = Fitting(source)
    after, limit, fitted = data, len(data), 0
    for node in sorted(calls(source), key=lambda node: -node.start_byte):
        if node.end_byte <= limit and fitting.fits(node, text):
            after = after[: node.start_byte] + text + after[node.end_byte :]
            limit = node.start_byte
            fitted += 1
    compile(after, "a.py", "exec")
    assert fitted > 0


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ("x = f(1)", b"g(1) # c"),
        ("x = f(1)", b"g(1) # )"),
        ("x = f(1)", b"a + b"),
        ("x = f(1)", b"a, b"),
        ("x = f(1)", b"g(a"),
        ("x = f(1)", b"g(a))"),
        ("x = f(1)", b"a\n.b"),
        ("x = f(1)", b"g((yield))"),
        ("x = f(1)", b"g(y := 1)"),
        ("x = f(1)", b"g(k=1, 2)"),
        ("x = f(1)", b" g(1)"),
        ("x = f(1)", b"g(" + b"[" * 90 + b"]" * 90 + b")"),
        ("def h():\n    return(f)(1)", b"g(1)"),
        ("x = f(1)if y else 2", b"g"),
        ("x = f'{f(1)}'", b'g("a")'),
        ("x = f'{f(1)}'", b"g('a')"),
        ("x = f'{f(1)}'", b"{1: 2}.get(3)"),
        ("# coding: latin-1\nx = f(1)", "g('ä')".encode()),
        ("x = f(y := 1)", b"g(1)"),
        ("x = f(1)\n)", b"g(1)"),
    ],
)
def test_not_sure(before: str, text: bytes) -> None:
    source = SourceFile("a.py", before.encode())
    node = next(node for node in calls(source) if (node.text or b"").startswith((b"f(1", b"f(y", b"(f)")))
    assert not Fitting(source).fits(node, text)


@pytest.mark.parametrize(
    "text",
    ["self.add($X)", "isinstance($A, $B)", "return $X", "len($X) - 1", "if $A is None: $B", "$A.append($A)"],
)
def test_candidates_are_all_nodes_that_can_fit(text: str) -> None:
    pattern = compiled(text, "python")
    for path in FILES:
        source = SourceFile("a.py", path.read_bytes())
        found = pattern.candidates(source)
        assert found is not None
        fitting = [node.id for node in found if pattern.match(node, source.data) is not None]
        every = [
            node
            for node in descendants(source.tree.root_node)
            if node.type == pattern.root.node_type and pattern.match(node, source.data) is not None
        ]
        assert fitting == [node.id for node in sorted(every, key=lambda n: (n.start_byte, -n.end_byte))]


def engine(root: Path, **files: str) -> CodeEngine:
    for name, text in files.items():
        (root / f"{name}.py").write_text(text)
    return CodeEngine(root)


def test_a_name_that_another_file_has_is_missed(tmp_path: Path) -> None:
    """The file that has the name of the template goes without its import: the name is bound nowhere."""
    files = {"a": "from lib import new\n\nnew(old(1))\n", "b": "from lib import old\n\nold(2)\n"}
    with pytest.raises(EditRefused, match=r"b\.py:3 new: bound nowhere any more"):
        engine(tmp_path, lib="def old(x): ...\ndef new(x): ...\n", **files).plan(
            "(rewrite pattern: 'old($X)' template: 'new($X)' in: '[ab].py')"
        )


def test_a_binding_that_goes_with_the_call_is_missed(tmp_path: Path) -> None:
    with pytest.raises(EditRefused, match=r"a\.py:2 y: bound nowhere any more"):
        engine(tmp_path, a="f(y := 1)\nprint(y)\n").plan("(rewrite pattern: 'f($$$)' template: 'f()')")


def test_an_attribute_that_becomes_a_name_is_missed(tmp_path: Path) -> None:
    files = {"a": "size = 1\nprint(size)\n", "b": "import os\nos.size()\n"}
    program = "(rewrite pattern: '$A.$B()' template: '$B()')"
    with pytest.raises(EditRefused, match=r"b\.py:2 size: bound nowhere any more"):
        engine(tmp_path, **files).plan(f"{program} (rewrite pattern: 'print($X)' template: 'str($X)')")


def test_more_files_than_are_compared_when_nothing_can_be_lost(tmp_path: Path) -> None:
    files = {f"m{n}": "import m\nm.old(x=1)\n" for n in range(120)}
    plan = engine(tmp_path, m="def old(x): ...\n", **files).plan(
        "(rewrite pattern: 'm.old($$$A)' template: 'm.old($$$A, y=2)')"
    )
    assert len(plan.changes) == 120
    assert "not compared" not in plan.text()
    assert plan.changes[5].after == b"import m\nm.old(x=1, y=2)\n"


def test_a_second_edit_of_a_sound_file_is_checked(tmp_path: Path) -> None:
    program = (
        "(rewrite pattern: 'f($X)' template: 'g($X)') (rewrite pattern: 'g($X)' template: 'g($X, k=1, 2)')"
    )
    with pytest.raises(EditRefused, match="would not parse"):
        engine(tmp_path, a="f(1)\n").plan(program)


def test_parentheses_where_only_some_results_need_them(tmp_path: Path) -> None:
    before = "a = twice(1) ** 2\nb = twice(2)\nc = twice(3) ** twice(4)\nd = [twice(5)]\n"
    plan = engine(tmp_path, a=before).plan("(rewrite pattern: 'twice($X)' template: '$X * 2')")
    assert plan.changes[0].after == b"a = (1 * 2) ** 2\nb = 2 * 2\nc = (3 * 2) ** (4 * 2)\nd = [5 * 2]\n"
