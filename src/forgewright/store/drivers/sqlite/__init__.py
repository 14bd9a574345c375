"""The store of one machine: a folder with one SQLite file and a folder of blobs.

Write-ahead log, `synchronous=FULL` (an fsync at every commit), one writer with group commit. SQLite's own
locks let several processes use one home; each sees the others' records at its next commit or read.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from forgewright.core.errors import IntegrityError, StoreError
from forgewright.store.drivers.sqlite.blobs import FileBlobs
from forgewright.store.drivers.sqlite.errors import translate
from forgewright.store.drivers.sqlite.leases import SqliteLeases
from forgewright.store.drivers.sqlite.log import Changes, Reader, SqliteJournal
from forgewright.store.drivers.sqlite.memory import SqliteMemory
from forgewright.store.drivers.sqlite.schema import FILE, HEADER_BYTES, connect, prepare
from forgewright.store.drivers.sqlite.writer import Writer

if TYPE_CHECKING:
    from forgewright.core.ids import RunId
    from forgewright.store.ports import Sealer

__all__ = ["SqliteStore", "open_store"]


class SqliteStore:
    """See `forgewright.store.ports.Store`."""

    def __init__(self, home: Path, sealer: Sealer | None) -> None:
        path = home / FILE
        opened: list[sqlite3.Connection] = []
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            elif 0 < path.stat().st_size < HEADER_BYTES:  # SQLite would take it for an empty one
                raise IntegrityError(
                    f"{path} is cut off: it has {path.stat().st_size} bytes",
                    hint="restore the home from a backup or a bundle",
                )
            opened.append(connect(path))
            prepare(opened[0], path)
            opened.append(connect(path, read_only=True))
            self._connection = opened[0]
            self._reader = Reader(opened[1], path)
            self._changes = Changes(self._reader)
            self._writer = Writer(self._connection, path, sealer, self._wrote)
        except BaseException as error:
            for connection in opened:
                connection.close()
            if isinstance(error, (sqlite3.Error, OSError)):
                raise translate(error, path) from error
            raise
        self._path = path
        self._closed = False
        self.journal = SqliteJournal(self._writer, self._reader, self._changes)
        self.blobs = FileBlobs(home / "blobs")
        self.leases = SqliteLeases(self._writer)
        self.memory = SqliteMemory(self._writer, self._reader)

    def _wrote(self, runs: set[RunId]) -> None:
        self._changes.wrote(runs)

    async def purge(self) -> None:
        """Deleted rows were overwritten with zeros (`secure_delete`); this carries that from the write-ahead
        log, which still has the old pages, into the table file, and empties the log."""
        import asyncio

        busy = await asyncio.to_thread(self._purge)
        if busy:
            raise StoreError(
                f"another process reads {self._path}, so its write-ahead log could not be emptied",
                hint="close the other processes that use this home, then repeat",
            )

    def _purge(self) -> bool:
        try:
            connection = connect(self._path)
            try:
                (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                return bool(busy)
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise translate(error, self._path) from error

    async def close(self) -> None:
        import asyncio

        if self._closed:
            return
        self._closed = True
        self._changes.close()
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self._writer.stop()
        self._reader.stop()
        try:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error:
            pass  # the log stays and is read at the next opening; everything acknowledged is in it
        self._connection.close()


async def open_store(path: Path, *, sealer: Sealer | None = None) -> SqliteStore:
    """The store in the folder `path`, made if it is not there (mode 0700).

    Raises `StoreFull`, `StoreError`, `IntegrityError`.
    """
    import asyncio

    return await asyncio.to_thread(SqliteStore, path, sealer)
