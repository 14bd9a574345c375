"""SIGKILL at every write to the journal of the demo's job, then resume: as if nothing had happened."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from forgewright.core.ids import RunId
from forgewright.journal import events as ev
from forgewright.journal.journal import open_journal
from forgewright.swarm.workspace import Workspace

ROOT = Path(__file__).parents[2]
WRITES_MAX = 200
"""No less than the job has; a kill point past the last write is an undisturbed run."""
LANES = 8

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(600)]


def victim(home: Path, repository: Path, what: str, *when: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.victim", str(home), str(repository), what, *when],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "orders"
    shutil.copytree(ROOT / "examples" / "orders-api", folder, ignore=shutil.ignore_patterns("__pycache__"))
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "first"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


async def examine(home: Path, run: RunId) -> tuple[str, list[str]]:
    """The final tree, and what was done: kinds of receipts in order. No effect is there twice."""
    journal = await open_journal(home)
    try:
        records = await journal.read(run)
    finally:
        await journal.close()
    events = [r.event for r in records]
    asked = Counter(e.effect for e in events if isinstance(e, ev.Asked))
    answered = Counter(e.effect for e in events if isinstance(e, (ev.Answered, ev.Noted)))
    assert set(asked.values()) == {1}
    assert set(answered.values()) == {1}
    assert isinstance(events[-1], ev.RunFinished)
    # Effects may be journaled in another order after a kill, where two ran side by side.
    done = sorted(f"{e.effect} {type(e).__name__}" for e in events if isinstance(e, (ev.Answered, ev.Noted)))
    workspace = Workspace.open(home, run)
    assert workspace.git.text("rev-parse", f"{workspace.head}^{{tree}}") == workspace.tree_digest()
    return workspace.tree_digest(), done


@pytest.mark.parametrize("when", ["before", pytest.param("after", marks=pytest.mark.soak)])
@pytest.mark.parametrize("lane", range(LANES))
def test_killed_at_a_write_and_resumed(tmp_path: Path, repository: Path, when: str, lane: int) -> None:
    """Each lane takes every eighth write, so that lanes can run on several cores."""
    whole = victim(tmp_path / "whole", repository, "start")
    run, last = whole.stdout.split("\n")[:2]
    assert last.startswith("finished"), whole.stderr
    writes = int(last.split()[-1])
    assert 40 < writes < WRITES_MAX
    expected = asyncio.run(examine(tmp_path / "whole", RunId(run)))

    # Before the first write there is no run yet, so there is nothing to resume.
    first = 2 if when == "before" else 1
    for at in range(first + lane, writes + 1, LANES):
        home = tmp_path / f"home{at}"
        killed = victim(home, repository, "start", when, str(at))
        assert killed.returncode == -9, (at, killed.stderr)
        run = RunId(killed.stdout.split("\n")[0]) if killed.stdout else only_run(home)
        resumed = victim(home, repository, run)
        assert resumed.stdout.startswith("finished"), (at, resumed.stdout, resumed.stderr)
        assert asyncio.run(examine(home, run)) == expected, at
        Workspace.open(home, run).remove()
        shutil.rmtree(home)


def only_run(home: Path) -> RunId:
    """The run of a home whose process died before it could say its name."""

    async def read() -> RunId:
        journal = await open_journal(home)
        try:
            (row,) = await journal.runs()
            return row.run
        finally:
            await journal.close()

    return asyncio.run(read())
