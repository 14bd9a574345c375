"""The digest of a work tree changes with anything that a command could see there, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from forgewright.runtime.tree import tree_digest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "run.sh").write_text("echo 1\n")
    (tmp_path / "b.py").write_text("x = 1\n")
    (tmp_path / "link").symlink_to("b.py")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "index").write_bytes(b"1")
    return tmp_path


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": lambda root: (root / "b.py").write_text("x = 2\n"),
    "a new file": lambda root: (root / "c.py").write_text(""),
    "a name": lambda root: (root / "b.py").rename(root / "d.py"),
    "a file less": lambda root: (root / "a" / "run.sh").unlink(),
    "what may be run": lambda root: (root / "a" / "run.sh").chmod(0o755),
    "a link's target": lambda root: ((root / "link").unlink(), (root / "link").symlink_to("a")),
    "a file for a link": lambda root: ((root / "link").unlink(), (root / "link").write_text("x = 1\n")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_it(root: Path, change: str) -> None:
    before = tree_digest(root)
    CHANGES[change](root)
    assert tree_digest(root) != before


def test_what_does_not(root: Path) -> None:
    before = tree_digest(root)
    (root / ".git" / "index").write_bytes(b"2")
    (root / "a" / "__pycache__").mkdir()
    (root / "a" / "__pycache__" / "run.pyc").write_bytes(b"")
    (root / "b.py").touch()
    assert tree_digest(root) == before
    (root / "elsewhere").symlink_to("/etc")
    assert tree_digest(root) != before, "a link out of the tree counts as a link, and is not followed"
