"""What a program makes of some scripts, or why it is refused."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from forgewright.code.engine import CodeEngine
from forgewright.core.errors import ForgewrightError


def changed(files: dict[str, str], program: str) -> dict[str, str | None]:
    """The files that a program changes, as they are then; None for one that is gone."""
    with TemporaryDirectory() as folder:
        root = written(Path(folder), files)
        plan = CodeEngine(root).plan(program)
        return {c.path: None if c.after is None else c.after.decode() for c in plan.changes}


def refusal(files: dict[str, str], program: str) -> str:
    """The message with which a program is refused."""
    with TemporaryDirectory() as folder:
        root = written(Path(folder), files)
        with pytest.raises(ForgewrightError) as caught:
            CodeEngine(root).plan(program)
        return str(caught.value)


def written(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text.encode())
    return root
