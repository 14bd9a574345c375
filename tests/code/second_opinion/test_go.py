"""gopls beside the Go resolver, where it is installed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from forgewright.code.binding import Occurrence, Renaming
from forgewright.code.engine import CodeEngine
from forgewright.code.project import Splice
from forgewright.code.scopes.words import places
from forgewright.code.second_opinion import go
from forgewright.code.sources import MemoryProject
from forgewright.core.errors import MissingProgram

FILES = {
    "go.mod": "module m\n\ngo 1.18\n",
    "a/a.go": """package a

type A struct{}

// Close closes.
func (A) Close() {}

type B struct{}

func (B) Close() {}
""",
    "b/b.go": """package b

import "m/a"

func f(x interface{}, ch chan a.A) {
	a.A{}.Close()
	switch w := x.(type) {
	case a.A:
		w.Close()
	case a.B:
		w.Close()
	}
	for q := range ch {
		q.Close()
	}
}
""",
}
PROGRAM = "(rename at: 'a/a.go:6:10' new: 'End')"
RENAMED = FILES["b/b.go"].replace("Close", "End").replace("case a.B:\n\t\tw.End", "case a.B:\n\t\tw.Close")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A module of two packages; the test is skipped, or fails in CI, where gopls is not installed."""
    if not (shutil.which("gopls") and shutil.which("go")):
        message = "needs gopls and go: make setup"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_types_decide_what_syntax_cannot(root: Path) -> None:
    alone = CodeEngine(root).plan(PROGRAM)
    assert len(alone.results[0].uncertain) == 1
    plan = CodeEngine(root, servers=True).plan(PROGRAM)
    assert {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} == FILES.keys()
    assert all((root / path).read_text() == text for path, text in FILES.items()), "the server does not write"
    assert plan.results[0].uncertain == ()
    after = {change.path: (change.after or b"").decode() for change in plan.changes}
    assert after == {
        "a/a.go": FILES["a/a.go"].replace("Close closes", "End closes").replace("(A) Close", "(A) End"),
        "b/b.go": RENAMED,
    }


def test_the_server_sees_the_steps_before(root: Path) -> None:
    plan = CodeEngine(root, servers=True).plan(PROGRAM + PROGRAM.replace("End", "Stop"))
    assert (plan.changes[1].after or b"").decode() == RENAMED.replace("End", "Stop")


def test_silence_of_a_server_that_does_not_see_all_says_nothing() -> None:
    project = MemoryProject({"a.go": "package a\n\n// Close\nvar a, b, c = x.Close, y.Close, z.Close\n"})
    comment, one, two, three = (
        Splice("a.go", at, at + 5, b"End") for at in places(project.source("a.go").data, "Close")
    )
    doubts = tuple(Occurrence("a.go", s.start, s.end, "reference", False, "unknown") for s in (two, three))
    own = Renaming((comment, one), uncertain=doubts)
    assert go.weighed(project, own, [one, two]) == Renaming((comment, one, two))
    assert go.weighed(project, own, [two]) == Renaming((comment, one, two), uncertain=doubts[1:])


def test_without_the_program_the_message_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgram, match="apt-get install gopls"):
        CodeEngine(tmp_path, servers=True).plan(PROGRAM)
