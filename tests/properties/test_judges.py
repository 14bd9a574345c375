"""The judges of random renames tell a program with another name from another program."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.properties.no_harm.bytecode import Comparison, Different
from tests.properties.no_harm.renames import Ground, Harm


def test_annotations_of_mangled_parameters_follow_their_class() -> None:
    before = b"class Group:\n    def f(self, __func: int) -> int: ...\n"
    Comparison("Group", "Other").modules(before, before.replace(b"Group", b"Other"), "a.py")


def test_another_mangled_parameter_is_another_program() -> None:
    before = b"class Group:\n    def f(self, __func: int) -> int: ...\n"
    with pytest.raises(Different):
        Comparison("Group", "Other").modules(before, before.replace(b"__func", b"__fund"), "a.py")


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    origin = tmp_path / "origin"
    origin.mkdir()
    (origin / "a.py").write_text("def foo(bar): ...\nfoo(1, baz=2)\n")
    (origin / "b.py").write_text("import a\na.absent\n")
    return Ground(origin, tmp_path / "work")


def test_a_call_that_never_fitted_does_not_fit_by_another_name(ground: Ground) -> None:
    ground.judged({"a.py": b"def stupid(bar): ...\nstupid(1, baz=2)\n"}, "foo", "stupid")


def test_what_was_not_in_a_module_is_not_in_it_by_another_name(ground: Ground) -> None:
    after = {"a.py": None, "c.py": ground.files["a.py"], "b.py": b"import c\nc.absent\n"}
    ground.judged(after, "a", "c")


def test_what_was_not_judged_of_a_name_is_not_judged_of_the_other(ground: Ground) -> None:
    before = b"import a\ndef f(a): ...\na.absent\n"
    ground.files["b.py"] = before
    ground.project = ground.project.changed({"b.py": before})
    after = {"a.py": None, "c.py": ground.files["a.py"], "b.py": b"import c\ndef f(a): ...\nc.absent\n"}
    ground.judged(after, "a", "c")


def test_a_call_that_does_not_fit_any_more_is_harm(ground: Ground) -> None:
    with pytest.raises(Harm, match="does not fit"):
        ground.judged({"a.py": b"def stupid(bar): ...\nstupid(1, bay=2)\n"}, "foo", "stupid")
