"""A project sees what changed on disk since the last program, and reads nothing else again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from forgewright.code.sources import DiskProject, MemoryProject, Overlay
from forgewright.core.errors import NotFound


@pytest.fixture
def project(tmp_path: Path) -> DiskProject:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "a.py").write_text("x = 1\n")
    (tmp_path / "b.py").write_text("y = 2\n")
    for path in (tmp_path / "pkg" / "a.py", tmp_path / "b.py", tmp_path / "pkg", tmp_path):
        os.utime(path, (1e9, 1e9))
    return DiskProject(tmp_path)


def test_changes_on_disk_are_seen_after_a_refresh(project: DiskProject) -> None:
    root = project.root
    assert list(project.paths()) == ["b.py", "pkg/a.py"]
    assert list(project.containing(b"x")) == ["pkg/a.py"]
    (root / "pkg" / "a.py").write_text("z = 3\n")
    (root / "pkg" / "new.py").write_text("x = 4\n")
    (root / "b.py").unlink()
    project.refresh()
    assert list(project.paths()) == ["pkg/a.py", "pkg/new.py"]
    assert list(project.containing(b"x")) == ["pkg/new.py"]
    assert project.source("pkg/a.py").data == b"z = 3\n"
    with pytest.raises(NotFound):
        project.source("b.py")


def test_changes_within_one_tick_of_the_clock_are_seen(project: DiskProject) -> None:
    file = project.root / "pkg" / "a.py"
    for number in range(50):
        file.write_text(f"x = {number % 10}\n")
        project.refresh()
        assert project.source("pkg/a.py").data == file.read_bytes()
        assert list(project.containing(f"x = {number % 10}".encode())) == ["pkg/a.py"]
        other = project.root / f"n{number}.py"
        other.write_text("")
        project.refresh()
        assert other.name in list(project.paths())


def test_ignored_again_when_the_rules_change(project: DiskProject) -> None:
    assert "pkg/a.py" in list(project.paths())
    (project.root / ".gitignore").write_text("pkg/\n")
    project.refresh()
    assert list(project.paths("*.py")) == ["b.py"]
    (project.root / ".gitignore").write_text("# pkg/\n")
    project.refresh()
    assert "pkg/a.py" in list(project.paths())


def test_trees_are_kept_while_the_file_is_the_same(
    project: DiskProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forgewright.code.sources.TICK_NANOSECONDS", 0)
    list(project.containing(b"x"))
    tree = project.source("pkg/a.py").tree
    project.refresh()
    list(project.containing(b"x"))
    assert project.source("pkg/a.py").tree is tree


def test_overlay() -> None:
    overlay = Overlay(MemoryProject({"a.py": "x = 1\n", "b.ts": "x"}))
    overlay.put("a.py", None)
    overlay.put("c.py", b"x = 2\n")
    assert list(overlay.paths()) == ["b.ts", "c.py"]
    assert list(overlay.paths(language="python")) == ["c.py"]
    assert list(overlay.paths("*.ts")) == ["b.ts"]
    assert sorted(overlay.containing(b"x")) == ["b.ts", "c.py"]
    assert not overlay.exists("a.py")
    with pytest.raises(NotFound):
        overlay.source("a.py")
