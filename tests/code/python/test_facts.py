"""Facts that leave out what does not matter for some words agree with the whole facts about those words."""

from __future__ import annotations

import argparse
import ast
import dataclasses
import enum
import typing
from pathlib import Path

import pytest

from forgewright.code.engine import CodeEngine
from forgewright.code.python import resolver as resolver_module
from forgewright.code.python.build import build
from forgewright.code.python.facts import facts
from forgewright.code.python.occurrences import only_called
from forgewright.code.python.resolver import PythonResolver
from forgewright.code.python.scopes import FileIndex, Scope, Site
from forgewright.code.sources import MemoryProject, SourceFile
from forgewright.core.errors import EditRefused

SOURCES = {
    **{m.__name__: Path(m.__file__ or "").read_bytes() for m in (argparse, ast, dataclasses, enum, typing)},
    "own": b"""
__all__ = ["word", "other"]
__all__ += ["more"]
__all__.extend(["last"])
from m import *
x = []  # type: list[word]
y = f(1)  # type: other
def f(a=lambda q: (yield), *b: "word", c: other = [i for i in y]) -> "other":
    global g
    nonlocal_ = (w := 1), {k: v for k, v in y}
    g = cast("word.a", nonlocal_)
    self.word = print(f"{word} {[e for e in x]} {(z := 2)}")
    return getattr(x, "word"), x["word"], call(word=1, other=2)
class A(B[word], metaclass=lambda: 1):
    __slots__ = ("word", "rest")
    def __init__(self, p): self.p, (self.q, *self.r) = self.s = f(p)
    x: other = [1 for _ in "word"]
match a.b:
    case A(word=1, other=[n, *rest]) | {"k": n, **rest}: pass
with a as b, c as (d, e): del a.word, b[0]
try: pass
except (E, word) as e: raise
for i, (j, k) in other(a): x[lambda: word] = 1
""",
}


def sites(found: list[Site]) -> list[tuple[object, ...]]:
    return [
        (s.start, s.end, s.kind, s.role, s.live, s.unpack, span(s.value), span(s.annotation)) for s in found
    ]


def span(node: object) -> tuple[int, int] | None:
    return (node.start_byte, node.end_byte) if node is not None else None  # type: ignore[attr-defined]


def described(scope: Scope) -> tuple[object, ...]:
    """All that is said of a scope."""
    return (
        (scope.kind, scope.name, scope.index, span(scope.node), scope.is_async, scope.self_name, scope.slots),
        (scope.globals, scope.nonlocals, [span(n) for n in (*scope.decorators, *scope.bases)]),
        (
            [span(n) for n in scope.returns],
            [span(n) for n in scope.yields],
            scope.parent and scope.parent.index,
        ),
        {name: sites(binding.sites) for name, binding in scope.bindings.items()},
        {name: sites(found) for name, found in scope.self_sites.items()},
        [(p.name, p.kind, p.start, span(p.default), span(p.annotation)) for p in scope.parameters],
    )


def places(file: FileIndex, word: str) -> list[object]:
    """All that is said of a word."""
    kinds = (file.names, file.attributes, file.keywords, file.imported, file.segments, file.texts)
    return [[(one.start, one.end) for one in kind.get(word, ())] for kind in kinds]


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("words", [{"word", "other"}, {"name", "self"}, {"get", "add"}, {"_"}, {"nowhere"}])
def test_facts_for_some_words(name: str, words: set[str]) -> None:
    source = SourceFile(f"{name}.py", SOURCES[name])
    whole, some = build(source), build(source, frozenset(words))
    assert [described(scope) for scope in some.scopes] == [described(scope) for scope in whole.scopes]
    assert some.exports() == whole.exports()
    assert [span(s.node) for _, s in some.stars] == [span(s.node) for _, s in whole.stars]
    for word in words:
        assert places(some, word) == places(whole, word)


def test_less_is_kept() -> None:
    source = SourceFile("argparse.py", SOURCES["argparse"])
    assert sum(map(len, build(source, frozenset({"nowhere"})).names.values())) < 0.2 * sum(
        map(len, build(source).names.values())
    )


def test_whole_facts_serve_every_word_and_some_only_theirs() -> None:
    source = SourceFile("a.py", b"x = y\n")
    some = facts(source, frozenset({"x"}))
    assert facts(source, frozenset({"x"})) is some
    assert facts(source, frozenset({"y"})) is not some
    whole = facts(source)
    assert facts(source, frozenset({"x"})) is whole
    assert facts(source, frozenset({"z"})) is whole
    assert facts(SourceFile("a.py", b"x = y\n")) is not whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a.get(1)\nb().get()", True), ("get = 1", False), ("a.get = 1", False), ("def get(): a.get()", False)],
)
def test_only_called(text: str, expected: bool) -> None:
    assert only_called(text.encode(), b"get") is expected


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts are forgotten whenever they may be."""
    monkeypatch.setattr(resolver_module, "HELD_BYTES_MAX", 0)


FILES = {
    "base.py": "class Base:\n    def save(self, now=False):\n        return self\n\n\ndef make() -> Base:\n    return Base()\n",
    "a.py": "from base import Base\n\n\nclass A(Base):\n    def save(self, now=False):\n        return super().save(now)\n",
    "b.py": "import a\nfrom base import make\n\na.A().save()\nmake().save(now=True)\n\n\ndef f(x):\n    x.save()\n",
    "c.py": "from b import a, make as m\n\n\ndef g(y: a.A, z=lambda: m()):\n    return [o.save(1) for o in (y, m())]\n",
}


@pytest.mark.usefixtures("forgetful")
def test_what_is_forgotten_between_files_changes_nothing(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    engine = CodeEngine(tmp_path)
    plan = engine.plan("(rename symbol: 'base.py::class#Base > method#save' new: 'store')")
    after = {change.path: (change.after or b"").decode() for change in plan.changes}
    assert after == {
        name: text.replace("save", "store").replace("x.store", "x.save") for name, text in FILES.items()
    }
    assert [(p.path, p.note) for p in plan.results[0].uncertain] == [
        ("b.py", "the object's type is not known")
    ]
    plan = engine.plan(
        "(add-parameter symbol: 'base.py::class#Base > method#save' name: 'force' default: '0')"
    )
    assert {c.path: (c.after or b"").count(b"force") for c in plan.changes} == {"base.py": 1, "a.py": 1}
    (tmp_path / "c.py").unlink()
    plan = engine.plan("(add-parameter symbol: 'base.py::function#make' name: 'k' value: '2')")
    after = {change.path: (change.after or b"").decode() for change in plan.changes}
    assert after["b.py"] == FILES["b.py"].replace("make()", "make(2)")


def test_calls_by_another_name_are_not_left_behind(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    program = "(add-parameter symbol: 'base.py::function#make' name: 'k' %s)"
    with pytest.raises(EditRefused, match=r"make as m in c\.py:1 gives it another name"):
        CodeEngine(tmp_path).plan(program % "value: '2'")
    assert len(CodeEngine(tmp_path).plan(program % "default: '2'").changes) == 1


def test_focus_is_over_when_it_is_over() -> None:
    resolver = PythonResolver(MemoryProject(FILES))
    kept = resolver.file("base.py")
    with resolver.focused("save"):
        assert resolver.file("base.py") is kept
        assert resolver.file("a.py").focus == frozenset({"save"})
        with resolver.focused("make"):
            assert resolver.file("a.py").focus == frozenset({"save", "make"})
    assert resolver.file("a.py").focus is None
