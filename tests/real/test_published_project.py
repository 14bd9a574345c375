"""The main job on a published project with its own test suite: cachetools 6.2.6, from its source distribution.

The model's answers are recorded; the project, its 221 tests, the sandbox, the edits and the journal are real.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
SESSION = HERE / "cachetools-session.jsonl"
GOAL = "Add Cache.peek(key, default=None), which looks at an item without counting as a use of it"
SDIST = "cachetools-6.2.6.tar.gz"
SHA256 = "16c33e1f276b9a9c0b49ab5782d901e3ad3de0dd6da9bf9bcd29ac5672f2f9e6"

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(600)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The unpacked source distribution, as pip finds it."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:",
         "--dest", str(tmp_path), "cachetools==6.2.6"],
        check=True,
        timeout=300,
    )  # fmt: skip
    archive = tmp_path / SDIST
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == SHA256
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path)  # its digest is known
    folder = tmp_path / "cachetools-6.2.6"
    (tmp_path / "forgewright.toml").write_text(f'[tests]\nenvironment = "{sys.prefix}"\n')
    return folder


def forgewright(home: Path, project: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "forgewright", *arguments,
         "--home", str(home), "--config", str(project.parent / "forgewright.toml")],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_goal_is_met_and_all_tests_pass(tmp_path: Path, project: Path) -> None:
    home = tmp_path / "home"
    before = {p: p.read_bytes() for p in project.rglob("*.py")}
    lines = forgewright(
        home, project, "run", GOAL, "--repo", str(project), "--model", f"replay:{SESSION}", "--json"
    ).splitlines()
    events = [json.loads(line) for line in lines]
    kinds = {event.get("event", event).get("kind") for event in events}
    assert {"edit.answered", "exec.answered", "git.answered", "run.finished"} <= kinds

    reports = [found for event in events if (found := noted(event, "tests")) is not None]
    assert [(r.get("passed"), r.get("failed", 0)) for r in reports] == [
        (221, 0),
        (229, 1),
        (230, 0),
        (230, 0),
    ]
    assert reports[1]["failures"][0]["id"] == "tests/test_ttl.py::TTLCacheTest::test_ttl_peek_expired"
    assert {p: p.read_bytes() for p in project.rglob("*.py")} == before  # the user's files are as they were

    run = json.loads(forgewright(home, project, "runs", "--json").splitlines()[0])["run"]
    forgewright(home, project, "apply", run)
    changed = {str(p.relative_to(project)) for p, data in before.items() if p.read_bytes() != data}
    assert changed == {
        "src/cachetools/__init__.py",
        "tests/__init__.py",
        "tests/test_lru.py",
        "tests/test_ttl.py",
    }
    assert "def peek(self, key, default=None):" in (project / "src/cachetools/__init__.py").read_text()

    bundle = tmp_path / "run.tar"
    forgewright(home, project, "audit", "export", run, "-o", str(bundle))
    assert "verified" in forgewright(home, project, "audit", "verify", str(bundle))


def noted(event: dict[str, Any], topic: str) -> dict[str, Any] | None:
    """The value of a note on `topic`, if the line is one."""
    inner = event.get("event", event)
    if inner.get("kind") == "note.written" and inner.get("topic") == topic:
        value = inner["value"]
        assert isinstance(value, dict)
        return value
    return None
