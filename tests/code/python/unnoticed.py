"""Small programs that say what they do: an edit is refused, or they say the same after it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from forgewright.code.engine import CodeEngine
from forgewright.core.errors import EditRefused
from tests.code.python.edits import write

Case = tuple[str, dict[str, str]]
"""Program, and files beside `main.py`, or with it."""
MAIN = {"main.py": "import a\n"}


def said(root: Path) -> str:
    """What `main.py` prints."""
    done = subprocess.run(
        [sys.executable, "-B", "main.py"], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout if done.returncode == 0 else done.stderr


def refused(root: Path, case: Case, reason: str) -> None:
    write(root, MAIN | case[1])
    with pytest.raises(EditRefused) as caught:
        CodeEngine(root).plan(case[0])
    assert reason in caught.value.message


def says_the_same(root: Path, case: Case) -> None:
    write(root, MAIN | case[1])
    before = said(root)
    engine = CodeEngine(root)
    engine.commit(engine.plan(case[0]))
    assert said(root) == before
