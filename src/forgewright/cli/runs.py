"""Finds a run by what a person types: its id, the beginning of its id, or `last`."""

from __future__ import annotations

from pathlib import Path

from forgewright.core.errors import NotFound, UsageError
from forgewright.core.ids import RunId


async def find_run(home: Path, name: str) -> RunId:
    """Raises `NotFound`, and `UsageError` where several runs begin like that."""
    from forgewright.runtime.engine import Engine

    if not (home / "journal.db").exists() and not home.is_dir():
        raise NotFound(
            f"there are no runs in {home}", hint="start one: forgewright run GOAL; or name another --home"
        )
    async with Engine(home=home) as engine:
        rows = await engine.journal.runs()
    if name == "last" and rows:
        return rows[0].run
    found = [row.run for row in rows if row.run.startswith(name.lower())]
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(f"there is no run {name!r} in {home}", hint="run: forgewright runs")
    raise UsageError(
        f"{len(found)} runs begin with {name!r}: {', '.join(found[:5])}", hint="give more of its id"
    )
