"""The writing end of a run: in order, many at a time, whoever is cancelled meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from forgewright.core.errors import StoreFull
from forgewright.core.ids import new_run_id
from forgewright.journal import events as ev
from forgewright.journal.journal import Journal, open_journal
from forgewright.runtime.ledger import Ledger


def note(number: int) -> ev.NoteWritten:
    return ev.NoteWritten(f"1.{number}", "n", ev.NULL)  # type: ignore[arg-type]


async def open_ledger(home: Path | None) -> tuple[Journal, Ledger]:
    journal = await open_journal(home)
    ledger = Ledger(
        journal,
        new_run_id(),
        0,
        epoch=None,
        clean=lambda event: event,
        on_record=lambda record: None,
        absorb=lambda records: None,
    )
    return journal, ledger


@pytest.mark.parametrize("durable", [True, False])
async def test_a_crowd_writes_everything_once_and_in_the_order_it_was_offered(
    tmp_path: Path, durable: bool
) -> None:
    journal, ledger = await open_ledger(tmp_path if durable else None)

    async def write(worker: int) -> None:
        for turn in range(5):
            number = worker * 10 + turn
            if turn % 2:
                ledger.later(f"a{worker % 3}", note(number))
            else:
                await ledger.append(f"a{worker % 3}", note(number))

    await asyncio.wait_for(asyncio.gather(*(write(n) for n in range(100))), 60)
    await ledger.flush()
    numbers = [int(r.event.effect[2:]) for r in await journal.read(ledger.run)]  # type: ignore[attr-defined]
    assert sorted(numbers) == sorted(n * 10 + t for n in range(100) for t in range(5))
    for worker in range(100):
        own = [number for number in numbers if number // 10 == worker]
        assert own == sorted(own)
    await journal.close()


async def test_an_event_offered_while_the_last_commit_ends_is_written_too(tmp_path: Path) -> None:
    """Between the end of a commit and the moment at which its waiters go on, somebody else may offer more."""
    journal, ledger = await open_ledger(tmp_path)
    append = journal.append
    more: list[asyncio.Task[None]] = []

    async def appended(*args: object, **options: object) -> object:
        records = await append(*args, **options)  # type: ignore[arg-type]
        if len(more) < 50:
            # Runs right after this commit's own task has ended.
            more.append(asyncio.get_running_loop().create_task(ledger.append("b", note(100 + len(more)))))
        return records

    journal.append = appended  # type: ignore[method-assign, assignment]
    for number in range(20):
        await asyncio.wait_for(ledger.append("a", note(number)), 20)
    await asyncio.wait_for(asyncio.gather(*more), 20)
    await ledger.flush()
    assert len(await journal.read(ledger.run)) == 20 + len(more)
    await journal.close()


async def test_who_is_cancelled_does_not_stop_the_writing(tmp_path: Path) -> None:
    journal, ledger = await open_ledger(tmp_path)
    task = asyncio.create_task(ledger.append("a", note(1)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await ledger.append("a", note(2))
    assert len(await journal.read(ledger.run)) == 2
    await journal.close()


@pytest.mark.parametrize("durable", [True, False])
async def test_what_could_not_be_written_is_told_to_all_who_wait_and_written_when_it_can_be(
    tmp_path: Path, durable: bool
) -> None:
    journal, ledger = await open_ledger(tmp_path if durable else None)
    append = journal.append

    async def full(*args: object, **options: object) -> Sequence[ev.Record]:
        await asyncio.sleep(0)
        raise StoreFull("no space is left")

    journal.append = full  # type: ignore[method-assign, assignment]
    ended = await asyncio.gather(*(ledger.append("a", note(n)) for n in range(3)), return_exceptions=True)
    assert any(isinstance(error, StoreFull) for error in ended)
    assert not [error for error in ended if error is None]
    journal.append = append  # type: ignore[method-assign]
    await ledger.append("a", note(3))
    assert len(await journal.read(ledger.run)) == 4
    await journal.close()
