"""Programs that say what they do: they say the same after an edit."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.code.python.edits import write

from forgewright.code.engine import CodeEngine


def runs_as_before(root: Path, node: str, program: str, text: str) -> None:
    """`text` is changed by the program, and prints what it printed."""
    write(root, {"a.js": text})

    def output() -> str:
        return subprocess.run(
            [node, "a.js"], cwd=root, capture_output=True, text=True, timeout=30, check=True
        ).stdout

    before = output()
    engine = CodeEngine(root)
    engine.commit(engine.plan(program))
    assert (root / "a.js").read_text() != text
    assert output() == before
