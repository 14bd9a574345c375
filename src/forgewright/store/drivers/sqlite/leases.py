"""Leases: who executes a run. Each acquisition raises the epoch, with which an append is fenced."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

from forgewright.core.errors import LeaseLost
from forgewright.store.drivers.sqlite.writer import Task, check_epoch
from forgewright.store.ports import Lease

if TYPE_CHECKING:
    from forgewright.core.ids import RunId
    from forgewright.store.drivers.sqlite.writer import Writer

_PUT = (
    "INSERT INTO leases(run,worker,epoch,expires) VALUES(?,?,?,?) ON CONFLICT(run) DO UPDATE"
    " SET worker=excluded.worker, epoch=excluded.epoch, expires=excluded.expires"
)


class SqliteLeases:
    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def acquire(
        self, run: RunId, worker: str, *, ttl_seconds: float, instead_of: str | None = None
    ) -> Lease:
        def work(connection: sqlite3.Connection) -> Lease:
            now = time.time()
            row = connection.execute(
                "SELECT worker, epoch, expires FROM leases WHERE run=?", (run,)
            ).fetchone()
            holder, epoch, expires = row or ("", 0, 0.0)
            if holder not in ("", worker, instead_of) and expires > now:
                raise LeaseLost(
                    f"run {run} is executed by {holder} until {expires:.0f} (now {now:.0f})",
                    hint="wait until its lease expires, or stop that worker",
                    worker=holder,
                )
            lease = Lease(run, worker, epoch + 1, now + ttl_seconds)
            connection.execute(_PUT, (run, worker, lease.epoch, lease.expires))
            return lease

        lease: Lease = await self._writer.submit(Task(work))
        return lease

    async def renew(self, lease: Lease, *, ttl_seconds: float) -> Lease:
        def work(connection: sqlite3.Connection) -> Lease:
            check_epoch(connection, lease.run, lease.epoch)
            (holder,) = connection.execute("SELECT worker FROM leases WHERE run=?", (lease.run,)).fetchone()
            if holder != lease.worker:
                raise LeaseLost(f"the lease on run {lease.run} was released", hint="acquire it again")
            new = Lease(lease.run, lease.worker, lease.epoch, time.time() + ttl_seconds)
            connection.execute(_PUT, (new.run, new.worker, new.epoch, new.expires))
            return new

        renewed: Lease = await self._writer.submit(Task(work))
        return renewed

    async def release(self, lease: Lease) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE leases SET worker='', expires=0 WHERE run=? AND epoch=?", (lease.run, lease.epoch)
            )

        await self._writer.submit(Task(work))
