"""Plans and commits a program on files given as text, and gives back what is there afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from forgewright.code.engine import CodeEngine, Plan


def write(root: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def edited(root: Path, program: str, files: Mapping[str, str]) -> tuple[dict[str, str], Plan]:
    """The files that are new or changed (None in no case: a deleted one is simply absent), and the plan."""
    write(root, files)
    engine = CodeEngine(root)
    plan = engine.plan(program)
    engine.commit(plan)
    found = {
        str(path.relative_to(root)): path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".forgewright" not in path.parts
    }
    return {path: text for path, text in found.items() if files.get(path) != text}, plan
