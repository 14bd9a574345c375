"""The log's port over the writer (appends) and a reader (everything else)."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from forgewright.core.errors import StoreError
from forgewright.core.ids import RunId
from forgewright.store.drivers.sqlite.errors import translate
from forgewright.store.drivers.sqlite.packing import unpack
from forgewright.store.drivers.sqlite.writer import Tables
from forgewright.store.ports import Placed, RunRow

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from forgewright.store.drivers.sqlite.writer import Writer

T = TypeVar("T")

POLL_SECONDS = 0.1
"""How often a follower looks whether another process wrote (one pragma, about 5 µs)."""

FOLLOW_RECORDS = 1_000
"""Records that a follower reads at once."""


class Reader:
    """One reading connection on a thread of its own."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self._connection = connection
        self._path = path
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="journal-reader")
        self._closed = False

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        import asyncio

        if self._closed:
            raise StoreError("the store is closed", hint="open it again before reading")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._guarded, work)

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return work(self._connection)
        except (sqlite3.Error, OSError) as error:
            raise translate(error, self._path) from error

    def stop(self) -> None:
        self._closed = True
        self._pool.shutdown(wait=True)
        self._connection.close()


class Changes:
    """Wakes followers: at once for what this process wrote, within `POLL_SECONDS` for another's writes."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._waiting: dict[RunId, frozenset[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = {}
        """Replaced and never changed, since the writer's thread reads it."""
        self._poller: asyncio.Task[None] | None = None
        self.closed = False

    def wrote(self, runs: set[RunId]) -> None:
        """Called on the writer's thread."""
        if not self._waiting:
            return
        for run in runs:
            for loop, event in self._waiting.get(run, ()):
                try:
                    loop.call_soon_threadsafe(event.set)
                except RuntimeError:  # that loop is closed
                    continue

    def add(self, run: RunId) -> asyncio.Event:
        import asyncio

        event = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._waiting[run] = self._waiting.get(run, frozenset()) | {(loop, event)}
        if self._poller is None or self._poller.done():
            self._poller = loop.create_task(self._poll())
        return event

    def remove(self, run: RunId, event: asyncio.Event) -> None:
        left = frozenset(pair for pair in self._waiting.get(run, ()) if pair[1] is not event)
        if left:
            self._waiting[run] = left
        else:
            self._waiting.pop(run, None)

    async def _poll(self) -> None:
        """Ends by itself when nobody follows any more."""
        try:
            await self._look()
        except StoreError:
            self.wrote(set(self._waiting))  # closed, or unreadable: the followers see that for themselves

    async def _look(self) -> None:
        import asyncio

        seen = await self._reader.run(_version)
        while self._waiting and not self.closed:
            await asyncio.sleep(POLL_SECONDS)
            now = await self._reader.run(_version)
            if now != seen:
                seen = now
                self.wrote(set(self._waiting))

    def close(self) -> None:
        self.closed = True
        self.wrote(set(self._waiting))


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA data_version").fetchone()
    assert isinstance(version, int)
    return version


class SqliteJournal:
    def __init__(self, writer: Writer, reader: Reader, changes: Changes) -> None:
        self._writer = writer
        self._reader = reader
        self._changes = changes

    def append(
        self, run: RunId, data: Sequence[bytes], *, expected: int, epoch: int | None = None
    ) -> Awaitable[Sequence[Placed]]:
        return self._writer.append(run, data, expected, epoch)

    async def read(self, run: RunId, *, after: int = 0, limit: int | None = None) -> Sequence[Placed]:
        def rows(connection: sqlite3.Connection) -> list[Placed]:
            found = connection.execute(
                "SELECT idx, seq, data FROM records WHERE rid=(SELECT rid FROM runs WHERE run=?) AND seq>?"
                " ORDER BY seq LIMIT ?",
                (run, after, -1 if limit is None else limit),
            )
            return [Placed(index, run, sequence, unpack(row, index)) for index, sequence, row in found]

        return await self._reader.run(rows)

    async def follow(self, run: RunId, *, after: int = 0) -> AsyncIterator[Placed]:
        event = self._changes.add(run)
        try:
            while not self._changes.closed:
                event.clear()
                found = await self.read(run, after=after, limit=FOLLOW_RECORDS)
                for placed in found:
                    after = placed.sequence
                    yield placed
                if not found and not self._changes.closed:
                    await event.wait()
        finally:
            self._changes.remove(run, event)

    async def scan(self, *, start: int = 0, limit: int = 1000) -> Sequence[Placed]:
        return await self._reader.run(lambda connection: Tables(connection, 0).scan(start, limit))

    async def runs(self) -> Sequence[RunRow]:
        def rows(connection: sqlite3.Connection) -> list[RunRow]:
            found = connection.execute(
                "SELECT run, (SELECT max(seq) FROM records WHERE rid=runs.rid) AS last,"
                " (SELECT idx FROM records WHERE rid=runs.rid ORDER BY seq LIMIT 1) AS first,"
                " (SELECT idx FROM records WHERE rid=runs.rid ORDER BY seq DESC LIMIT 1)"
                " FROM runs ORDER BY first DESC"
            )
            return [RunRow(*row) for row in found if row[1] is not None]

        return await self._reader.run(rows)

    async def page(self, name: str) -> bytes | None:
        return await self._reader.run(lambda connection: Tables(connection, 0).page(name))

    async def pages(self, names: Sequence[str]) -> Mapping[str, bytes]:
        def find(connection: sqlite3.Connection) -> dict[str, bytes]:
            connection.execute("BEGIN")  # one state for all of them
            try:
                tables = Tables(connection, 0)
                return {name: page for name in names if (page := tables.page(name)) is not None}
            finally:
                connection.execute("COMMIT")

        return await self._reader.run(find)

    async def size(self) -> int:
        def end(connection: sqlite3.Connection) -> int:
            (found,) = connection.execute("SELECT max(idx) FROM records").fetchone()
            return 0 if found is None else found + 1

        return await self._reader.run(end)
