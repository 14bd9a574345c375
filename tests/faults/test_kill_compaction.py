"""A process is killed while a conversation is compacted; the next one goes on as if nothing had happened."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

READER = Path(__file__).with_name("long_reader.py")


def life(home: Path, *where: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(READER), str(home), *where],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("where", ["turn 9", "summary 1", "summary 2", "note 1", "note 3", "turn 40"])
def test_killed_and_resumed(where: str, tmp_path: Path) -> None:
    died = life(tmp_path, where)
    assert died.returncode == -signal.SIGKILL, died.stderr
    done = life(tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "finished 156 KESTREL 61 61\n"
