"""Sixty-four tasks that append to one home as fast as it takes them, and say on standard output what is acknowledged.

    soak_writer.py HOME

One line each tenth of a second: `ack RUN=SEQUENCE …` of the runs that got further. Ends when it is killed.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import msgspec

from forgewright.core.ids import RunId
from forgewright.journal.events import CustomAnswered
from forgewright.journal.journal import open_journal

WRITERS = 64


async def main(home: Path) -> None:
    journal = await open_journal(home)
    known = {row.run: row.sequence for row in await journal.runs()}
    acknowledged = dict.fromkeys((RunId(f"run{i}") for i in range(WRITERS)), 0)
    said = dict(acknowledged)

    async def write(run: RunId) -> None:
        at = known.get(run, 0)
        while True:
            value = msgspec.Raw(b'"%d %0150d"' % (at, at))
            if at % 997 == 3:
                kept = await journal.keep(b'"%d %s"' % (at, b"x" * 20_000))
                await journal.append(run, [CustomAnswered(effect=str(at), result=kept)], expected=at)
            else:
                await journal.append(run, [CustomAnswered(effect=str(at), result=value)], expected=at)
            at += 1
            acknowledged[run] = at

    async def say() -> None:
        while True:
            await asyncio.sleep(0.1)
            news = {run: at for run, at in acknowledged.items() if at != said[run]}
            said.update(news)
            if news:
                os.write(1, ("ack " + " ".join(f"{run}={at}" for run, at in news.items()) + "\n").encode())

    os.write(1, b"open\n")
    await asyncio.gather(say(), *(write(run) for run in acknowledged))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
