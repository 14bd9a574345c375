"""Homes for the journal's tests: a few interleaved runs, some blobs, and more than one tile."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from forgewright.core.ids import RunId
from forgewright.journal.events import Decision, ToolAnswered, ToolAsked
from forgewright.journal.journal import Journal, open_journal

RUNS = tuple(RunId(f"run{i}") for i in range(3))


async def fill(journal: Journal, records: int = 300, runs: tuple[RunId, ...] = RUNS) -> None:
    """`records` per run, from where the run stands; every fiftieth value is a blob."""

    async def write(run: RunId) -> None:
        rows = {row.run: row.sequence for row in await journal.runs()}
        at = rows.get(run, 0)
        for i in range(at, at + records, 2):
            asked = ToolAsked(
                effect=f"{i}.1", decision=Decision(permit=True, by=("p",)), tool="t", recovery="pure"
            )
            big = b'"' + run.encode() + b"x" * 17_000 + b'%d"' % i
            value = await journal.keep(big if i % 50 == 0 else msgspec.json.encode(f"result {i} of {run}"))
            await journal.append(run, [asked, ToolAnswered(effect=f"{i}.1", result=value)], expected=i)

    await asyncio.gather(*map(write, runs))


async def make_home(home: Path, records: int = 300) -> None:
    journal = await open_journal(home)
    await fill(journal, records)
    await journal.close()
