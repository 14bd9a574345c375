"""Who executes a run: held while it is executed, renewed for all runs together, taken over from the dead."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable

from forgewright.core.errors import LeaseLost
from forgewright.core.ids import RunId
from forgewright.store.ports import Lease, LeaseStore

TTL_SECONDS = 30.0


class Leases:
    """All leases of one engine."""

    def __init__(self, store: LeaseStore) -> None:
        self.worker = worker_name()
        self._store = store
        self._held: dict[RunId, tuple[Lease, Callable[[RunId, LeaseLost], None]]] = {}
        self._renewing: asyncio.Task[None] | None = None

    async def hold(self, run: RunId, on_lost: Callable[[RunId, LeaseLost], None]) -> int:
        """The lease's epoch. Raises `LeaseLost` where a living process executes the run."""
        try:
            lease = await self._store.acquire(run, self.worker, ttl_seconds=TTL_SECONDS)
        except LeaseLost as error:
            holder = getattr(error, "worker", None)
            if holder is None or not is_dead(holder):
                raise
            lease = await self._store.acquire(run, self.worker, ttl_seconds=TTL_SECONDS, instead_of=holder)
        self._held[run] = (lease, on_lost)
        if self._renewing is None:
            self._renewing = asyncio.get_running_loop().create_task(self._renew())
        return lease.epoch

    async def let_go(self, run: RunId) -> None:
        held = self._held.pop(run, None)
        if held is not None:
            try:
                await self._store.release(held[0])
            except LeaseLost:
                pass  # somebody else has it, which is what letting go is for

    async def close(self) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            self._renewing = None
        for run in list(self._held):
            await self.let_go(run)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(TTL_SECONDS / 3)
            for run, (lease, on_lost) in list(self._held.items()):
                try:
                    renewed = await self._store.renew(lease, ttl_seconds=TTL_SECONDS)
                except LeaseLost as error:
                    self._held.pop(run, None)
                    on_lost(run, error)
                else:
                    if run in self._held:
                        self._held[run] = (renewed, on_lost)


def worker_name() -> str:
    """`host:pid:start`, where `start` tells a process from a later one with the same number."""
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}:{_started(pid)}"


def is_dead(worker: str) -> bool:
    """Whether this worker was a process of this host and is gone."""
    try:
        host, pid, started = worker.rsplit(":", 2)
        return host == socket.gethostname() and _started(int(pid)) != started
    except ValueError:
        return False


def _started(pid: int) -> str:
    """The process's start in clock ticks since boot (proc(5), field 22), `0` where there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[19].decode()
    except OSError:
        return "0"
