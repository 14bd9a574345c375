"""A process that appends to a home and says on its standard output what was acknowledged.

    journal_writer.py HOME RUN COUNT [retry]

Event i of a run carries the number i and, for every third, a large value that becomes a blob.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import msgspec

from forgewright.core.errors import ForgewrightError, LostRace
from forgewright.core.ids import RunId
from forgewright.journal.events import CustomAnswered
from forgewright.journal.journal import open_journal


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


async def main(home: Path, run: RunId, count: int, retry: bool) -> None:
    journal = await open_journal(home)
    at = len(await journal.read(run))
    say(f"open {at}")
    errors = 0
    while at < count:
        value = b"%d" % at if at % 3 else b'"%d %s"' % (at, b"x" * 20_000)
        try:
            kept = await journal.keep(value)
            await journal.append(run, [CustomAnswered(effect=str(at), result=kept)], expected=at)
        except LostRace as lost:
            at = lost.found
            continue
        except ForgewrightError as error:
            say(f"error {at} {error.code} {error.message}")
            errors += 1
            if retry and errors < 100:
                continue
            break
        say(f"ack {at}")
        at += 1
    say("closing")
    await journal.close()
    say("closed")


if __name__ == "__main__":
    msgspec.json.encode(0)
    asyncio.run(main(Path(sys.argv[1]), RunId(sys.argv[2]), int(sys.argv[3]), "retry" in sys.argv))
