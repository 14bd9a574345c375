"""The writing end of a run, when events are offered at awkward moments."""

from __future__ import annotations

import asyncio

from forgewright.core.ids import RunId
from forgewright.journal import events as ev
from forgewright.journal.journal import open_journal
from forgewright.runtime.ledger import Ledger


async def test_an_event_offered_between_a_commit_and_its_callback_is_written() -> None:
    """The task that writes has ended, its callback has not run, and somebody waits for what came in between."""
    journal = await open_journal(None)
    run = RunId("r")
    ledger = Ledger(journal, run, 0, epoch=None, on_record=lambda record: None, absorb=lambda records: None)
    ledger.later("a", ev.NodeEntered("first", 1))
    ledger._start()
    task = ledger._flushing
    assert task is not None
    offered: list[asyncio.Task[None]] = []

    def offer(_: object) -> None:
        # Runs before the ledger's own callback would, if that had been added later; drive it by hand.
        async def append() -> None:
            await ledger.append("a", ev.NodeEntered("second", 2))

        offered.append(asyncio.get_running_loop().create_task(append()))

    task.remove_done_callback(ledger._written)
    task.add_done_callback(offer)
    await task
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await offered[0]
    ledger._written(task)
    assert [r.sequence for r in await journal.read(run)] == [1, 2]
    await journal.close()
