"""The rule by which a file is not compiled again: it must never be surer than the compiler."""

from __future__ import annotations

import random
import re

import pytest

from forgewright.code.sources import SourceFile
from forgewright.code.substitution import substituted
from forgewright.code.validity import compiled


def sure(before: str, after: str) -> bool:
    source = SourceFile("a.py", before.encode())
    assert source.tree
    return substituted(source, SourceFile("a.py", after.encode()))


def test_a_name_for_another() -> None:
    assert sure("def load(x):\n    return load(x)\n", "def read(x):\n    return read(x)\n")
    assert sure("x = load  # load\ny = 'load'\n", "x = read  # load\ny = 'load'\n")
    assert sure("from m import load\nf'{load} load'\n", "from m import read\nf'{read} load'\n")
    assert sure("id = 1\nidentity = id\n", "key = 1\nidentity = key\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f(a, b): ...\n", "def f(b, b): ...\n"),
        ("f(a=1, b=2)\n", "f(b=1, b=2)\n"),
        ("def f():\n    x = 1\n    def g():\n        nonlocal x\n", "def f():\n    x = 1\n    def g():\n        nonlocal y\n"),
        ("x = 1\n", "if = 1\n"),
        ("x = 1\n", "__debug__ = 1\n"),
        ("x = 1\n", "_ = 1\n"),
        ("x = 1\n", "match = 1\n"),
        ("x = 'x'\n", "y = 'y'\n"),
        ("x = 1 # a\n", "y = 1 # b\n"),
        ("x = 1\n", "y = 2\n"),
        ("x = x\n", "y = x\n"),
        ("xy = 1\n", "xz = 1\ny = 1\n"),
        ("x = 1", "x = 1"),
        ("é = 1\n", "e = 1\n"),
        ("x = (1\n", "y = (1\n"),
    ],
)  # fmt: skip
def test_not_sure(before: str, after: str) -> None:
    assert not sure(before, after)


LINES = (
    "{0} = {1}", "def {0}({1}, {2}): ...", "f({0}={1}, {2}=3)", "for {0} in {1}: {2}", "import {0} as {1}",
    "def {0}():\n    global {1}\n    {2} = {1}", "def {0}({1}):\n    def g():\n        nonlocal {2}", "({0} := {1})",
    "match {0}:\n    case [{1}, {2}]: ...", "match {0}:\n    case f({1}) | g({2}): ...", "lambda {0}, {1}: {2}",
    "del {0}", "class {0}({1}, k={2}): ...", "[{0} for {1} in {2}]", "[({0} := {1}) for {2} in {0}]", "f'{{{0}}} {1}'",
    "def {0}({1}):\n    global {2}", "match {0}:\n    case {1}: ...\n    case 2: ...", "from {0} import {1}, {2}",
)  # fmt: skip


def test_never_surer_than_the_compiler() -> None:
    rng = random.Random(5)
    agreed = 0
    for _ in range(3000):
        names = [rng.choice("abxy") for _ in range(6)]
        before = "".join(
            rng.choice(LINES).format(*rng.sample(names, 3)) + "\n" for _ in range(rng.randint(1, 3))
        )
        old, new = rng.choice("abxy"), rng.choice(["a", "b", "z", "aa", "_", "if", "__z", "match"])
        after = re.sub(rf"\b{old}\b", new, before)
        if rng.random() < 0.3:
            after = re.sub(rf"\b{old}\b", new, before, count=1)
        if before != after and sure(before, after):
            agreed += 1
            left = compiled(SourceFile("a.py", before.encode()))
            right = compiled(SourceFile("a.py", after.encode()))
            assert bool(left) == bool(right), (before, after)
    assert agreed > 100
