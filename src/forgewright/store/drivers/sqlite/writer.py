"""The one writer: a thread that commits the appends of all runs in groups, each with one fsync.

While a group is being made durable, the next one gathers in the queue; so with one writer a commit holds
one append, with many it holds many, and nobody waits on a timer. An append is answered after the commit
that holds it. Which sequence a run has is known from the last commit, unless another process wrote in
between (then the log is longer than we left it, and what we remember is dropped).
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from forgewright.core.errors import ForgewrightError, LeaseLost, LostRace, StoreError, StoreFull
from forgewright.core.ids import RunId
from forgewright.store.drivers.sqlite.errors import translate
from forgewright.store.drivers.sqlite.packing import pack, plain, unpack
from forgewright.store.ports import Placed

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from forgewright.store.ports import Sealer

GROUP_RECORDS_MAX = 2_048
"""With records of 65,535 bytes at most, this also bounds what a group holds in memory (128 MiB)."""

GATHER_SECONDS = 0.000_2
"""How long a commit waits while fewer appends have come than the last one held. A lone writer never waits."""

PACK_GROUP_MAX = 16
"""Rows are packed while groups are no larger than this. Under more load a record's 11 µs of deflating would
be the largest part of its cost."""

ROWS_PER_INSERT = (8, 1)
"""Rows go in by few statements of several rows: each statement lets go of the interpreter once, and has to wait to get
it back; but SQLite takes twice as long for a row out of sixty-four in one statement as for one out of eight."""

_INSERT_ONE = "INSERT INTO records(idx,rid,seq,data) VALUES (?,?,?,?)"
_INSERT = {n: _INSERT_ONE + ",(?,?,?,?)" * (n - 1) for n in ROWS_PER_INSERT}
_PAGE = "INSERT INTO pages(name,data) VALUES(?,?) ON CONFLICT(name) DO UPDATE SET data=excluded.data"

Work = Callable[[sqlite3.Connection], Any]
"""Something else to do inside the group's transaction."""


class Append:
    """One append, waiting for its commit."""

    __slots__ = ("count", "data", "epoch", "expected", "future", "loop", "rows", "run")

    def __init__(
        self,
        run: RunId,
        data: Sequence[bytes],
        expected: int,
        epoch: int | None,
        packer: Callable[[bytes], bytes],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.run = run
        self.data = data
        self.count = len(data)
        self.rows = list(map(packer, data))  # here, while the writer waits for the disk
        self.expected = expected
        self.epoch = epoch
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()


class Task:
    """Other work, waiting for its commit."""

    __slots__ = ("future", "loop", "work")
    count = 1

    def __init__(self, work: Work) -> None:
        import asyncio

        self.work = work
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()


Outcome = tuple["Append | Task", Any, BaseException | None]


class Writer:
    """Owns the writing connection. `submit` from any event loop; `stop` waits for what was submitted."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        sealer: Sealer | None,
        wrote: Callable[[set[RunId]], None],
    ) -> None:
        self._connection = connection
        self._path = path
        self._sealer = sealer
        self._wrote = wrote
        import asyncio

        self._running_loop = asyncio.get_running_loop
        self._queue: SimpleQueue[list[Append | Task] | None] = SimpleQueue()
        self._offered: dict[asyncio.AbstractEventLoop, list[Append | Task]] = {}
        """What the tasks of a loop submitted in this turn of it: handed over together, at its end."""
        self._size: int | None = None  # None: what we remember is not to be trusted
        self._runs: dict[RunId, tuple[int, int]] = {}  # run → rid, last sequence
        self._broken: ForgewrightError | None = None
        self._stopped = False
        self.group = 1
        """Appends and tasks in the last commit."""
        self._in()
        self._refresh()
        self._out("COMMIT")
        self._thread = threading.Thread(target=self._main, name="journal-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Append | Task) -> asyncio.Future[Any]:
        """The future is answered after the commit. Raises `StoreError` when closed."""
        if self._stopped:
            raise StoreError("the store is closed", hint="open it again before writing")
        offered = self._offered.get(job.loop)
        if offered is None:
            self._offered[job.loop] = [job]
            job.loop.call_soon(self._hand_over, job.loop)
        else:
            offered.append(job)
        return job.future

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        offered = self._offered.pop(loop, None)
        if offered is not None:
            self._queue.put(offered)

    def append(
        self, run: RunId, data: Sequence[bytes], expected: int, epoch: int | None
    ) -> asyncio.Future[Any]:
        """As `submit`."""
        packer = pack if self.group <= PACK_GROUP_MAX else plain
        return self.submit(Append(run, data, expected, epoch, packer, self._running_loop()))

    def stop(self) -> None:
        """Blocks until everything submitted is committed; idempotent."""
        if not self._stopped:
            self._stopped = True
            for loop in list(self._offered):
                self._hand_over(loop)
            self._queue.put(None)
        self._thread.join()
        closed = StoreError("the store was closed before this was written", hint="open it again")
        while not self._queue.empty():  # submitted in the moment of stopping
            self._answer([(job, None, closed) for job in self._queue.get() or ()])

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────

    def _main(self) -> None:
        running = True
        while running:
            jobs = self._queue.get()
            if jobs is not None and self._queue.empty() and len(jobs) < self.group:
                time.sleep(GATHER_SECONDS)  # as many as last time are likely on their way
            group: list[Append | Task] = []
            records = 0
            while jobs is not None:
                group += jobs
                records += sum(job.count for job in jobs)
                if records >= GROUP_RECORDS_MAX:
                    break
                try:
                    jobs = self._queue.get_nowait()
                except Empty:
                    break
            running = jobs is not None
            self.group = len(group)
            if group:
                self._answer(self._commit(group))
        if self._sealer is not None and self._broken is None:
            self._sealer.committed(closing=True)

    def _commit(self, group: list[Append | Task]) -> list[Outcome]:
        if self._broken is not None:
            return [(job, None, self._broken) for job in group]
        try:
            self._in()
            outcomes, touched = self._perform(group)
            self._out("COMMIT")
        except Exception as error:  # noqa: BLE001 - whoever waits has to be answered, whatever it was
            self._size = None
            self._undo()
            found = _meaning(error, self._path)
            if not isinstance(found, StoreFull) and not _busy(error):
                # After a failed write or fsync the system may have dropped the pages and say nothing the
                # next time: nothing more is promised until the file has been opened and read anew.
                self._broken = found
            return [(job, None, found) for job in group]
        if touched:
            self._wrote(touched)
            if self._sealer is not None:
                self._sealer.committed()
        return outcomes

    def _perform(self, group: list[Append | Task]) -> tuple[list[Outcome], set[RunId]]:
        connection = self._connection
        if self._size is None or self._end() != self._size:
            self._refresh()
        assert self._size is not None
        index = self._size
        outcomes: list[Outcome] = []
        placed: list[Placed] = []
        rows: list[Any] = []
        touched: dict[RunId, tuple[int, int]] = {}
        for job in group:
            try:
                if isinstance(job, Task):
                    outcomes.append((job, job.work(connection), None))
                    continue
                rid, last = touched.get(job.run) or self._runs.get(job.run) or self._find(job.run)
                if job.epoch is not None:
                    check_epoch(connection, job.run, job.epoch)
                if last != job.expected:
                    raise LostRace(job.run, job.expected, last)
                if job.data and not rid:
                    rid = self._add(job.run)
            except ForgewrightError as error:
                outcomes.append((job, None, error))
                continue
            if job.count == 1:  # the usual case
                last += 1
                at = Placed(index, job.run, last, job.data[0])
                placed.append(at)
                rows += (index, rid, last, job.rows[0])
                index += 1
                touched[job.run] = (rid, last)
                outcomes.append((job, (at,), None))
                continue
            first = len(placed)
            for data, row in zip(job.data, job.rows, strict=True):
                last += 1
                placed.append(Placed(index, job.run, last, data))
                rows += (index, rid, last, row)
                index += 1
            if job.count:
                touched[job.run] = (rid, last)
            outcomes.append((job, placed[first:], None))
        if placed:
            self._insert(rows)
            if self._sealer is not None:
                for page in self._sealer.seal(placed).pages.items():
                    connection.execute(_PAGE, page)
            self._size = index
            self._runs.update(touched)
        return outcomes, set(touched)

    def _insert(self, rows: list[Any]) -> None:
        start, left = 0, len(rows) // 4
        for n in ROWS_PER_INSERT:
            while left >= n:
                self._connection.execute(_INSERT[n], rows[start : start + 4 * n])
                start += 4 * n
                left -= n

    def _answer(self, outcomes: list[Outcome]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[Outcome]] = {}
        for outcome in outcomes:
            by_loop.setdefault(outcome[0].loop, []).append(outcome)
        for loop, some in by_loop.items():
            try:
                loop.call_soon_threadsafe(_resolve, some)
            except RuntimeError:  # that loop is closed: nobody waits any more
                continue

    # ── what is remembered ───────────────────────────────────────────────────────────────────────────

    def _end(self) -> int:
        (end,) = self._connection.execute("SELECT max(idx) FROM records").fetchone()
        return 0 if end is None else end + 1

    def _refresh(self) -> None:
        self._runs.clear()
        self._size = self._end()
        if self._sealer is not None:
            self._sealer.restore(Tables(self._connection, self._size))

    def _find(self, run: RunId) -> tuple[int, int]:
        row = self._connection.execute(
            "SELECT rid, (SELECT max(seq) FROM records WHERE rid=runs.rid) FROM runs WHERE run=?", (run,)
        ).fetchone()
        return (0, 0) if row is None else (row[0], row[1] or 0)

    def _add(self, run: RunId) -> int:
        rid = self._connection.execute("INSERT INTO runs(run) VALUES(?)", (run,)).lastrowid
        assert rid is not None
        return rid

    def _in(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def _out(self, how: str) -> None:
        self._connection.execute(how)

    def _undo(self) -> None:
        if self._connection.in_transaction:
            try:
                self._out("ROLLBACK")
            except sqlite3.Error as error:
                self._broken = translate(error, self._path)


class Tables:
    """The log as the open transaction sees it."""

    def __init__(self, connection: sqlite3.Connection, size: int) -> None:
        self._connection = connection
        self._size = size

    def size(self) -> int:
        return self._size

    def page(self, name: str) -> bytes | None:
        row = self._connection.execute("SELECT data FROM pages WHERE name=?", (name,)).fetchone()
        return None if row is None else row[0]

    def scan(self, start: int, limit: int) -> list[Placed]:
        return [
            Placed(index, run, sequence, unpack(row, index))
            for index, run, sequence, row in self.rows(start, limit)
        ]

    def rows(self, start: int, limit: int) -> sqlite3.Cursor:
        """Index, run, sequence and packed bytes of the records from `start` on."""
        return self._connection.execute(
            "SELECT idx, run, seq, data FROM records LEFT JOIN runs USING(rid)"
            " WHERE idx>=? ORDER BY idx LIMIT ?",
            (start, limit),
        )


def check_epoch(connection: sqlite3.Connection, run: RunId, epoch: int) -> None:
    """Raises `LeaseLost` unless `epoch` is the run's newest."""
    row = connection.execute("SELECT epoch, worker FROM leases WHERE run=?", (run,)).fetchone()
    if row is None or row[0] != epoch:
        newest = "no lease" if row is None else f"epoch {row[0]} ({row[1] or 'released'})"
        raise LeaseLost(
            f"run {run} was written with lease epoch {epoch}, but has {newest}",
            hint="another worker took the run over; stop working on it",
        )


def _meaning(error: Exception, path: Path) -> ForgewrightError:
    if isinstance(error, ForgewrightError):
        return error
    if isinstance(error, (sqlite3.Error, OSError)):
        return translate(error, path)
    return StoreError(
        f"{path} could not be written: {error!r}", hint="this is a mistake of the program; please report it"
    )


def _busy(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _resolve(outcomes: list[Outcome]) -> None:
    for job, result, error in outcomes:
        if job.future.done():  # cancelled
            continue
        if error is None:
            job.future.set_result(result)
        else:
            job.future.set_exception(error)
