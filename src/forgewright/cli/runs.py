"""Finds a run by what a person types: its id, the beginning of its id, or `last`."""

from __future__ import annotations

import argparse
from pathlib import Path

from forgewright.core.errors import NotFound, UsageError
from forgewright.core.ids import RunId


async def find_run(home: Path, name: str) -> RunId:
    """Raises `NotFound`, and `UsageError` where several runs begin like that."""
    return (await find_runs(home, [name]))[0]


async def find_runs(home: Path, names: list[str]) -> list[RunId]:
    """The same for several."""
    from forgewright.journal.journal import open_journal

    if not home.is_dir():
        raise NotFound(
            f"there are no runs in {home}", hint="start one: forgewright run GOAL; or name another --home"
        )
    journal = await open_journal(home)
    try:
        known = [row.run for row in await journal.runs()]
    finally:
        await journal.close()
    return [_one(home, known, name) for name in names]


def _one(home: Path, known: list[RunId], name: str) -> RunId:
    if name.startswith("@"):
        return RunId(name)  # of the home itself: @keys, @privacy
    if name == "last" and known:
        return known[0]
    found = [run for run in known if run.startswith(name.lower())]
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(f"there is no run {name!r} in {home}", hint="run: forgewright runs")
    raise UsageError(
        f"{len(found)} runs begin with {name!r}: {', '.join(found[:5])}", hint="give more of its id"
    )


def resolve(args: argparse.Namespace, home: Path) -> None:
    """Puts full ids in place of what was typed for `run`, `run_id` or `runs`."""
    from asyncio import run

    if isinstance(getattr(args, "runs", None), list) and args.runs:
        args.runs = run(find_runs(home, args.runs))
    for name in ("run", "run_id"):
        if isinstance(getattr(args, name, None), str):
            setattr(args, name, run(find_run(home, getattr(args, name))))
