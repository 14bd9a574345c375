"""A store that lives and dies with its process: for runs nobody needs to keep, and for tests.

It passes the same contract as the durable ones, and imports neither sqlite3 nor cryptography.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from typing import TYPE_CHECKING

from forgewright.core.errors import LeaseLost, LostRace, NotFound, StoreError
from forgewright.core.ids import Digest, RunId, digest
from forgewright.store.ports import Lease, Placed, RunRow

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from forgewright.store.ports import Sealer


class MemoryJournal:
    """The log as lists."""

    def __init__(self, leases: MemoryLeases, sealer: Sealer | None) -> None:
        self._log: list[Placed] = []
        self._runs: dict[RunId, list[Placed]] = {}
        self._pages: dict[str, bytes] = {}
        self._leases = leases
        self._sealer = sealer
        self._followers: dict[RunId, set[asyncio.Event]] = {}
        self.closed = False
        if sealer is not None:
            sealer.restore(_Snapshot(self._log, self._pages))

    async def append(
        self, run: RunId, data: Sequence[bytes], *, expected: int, epoch: int | None = None
    ) -> Sequence[Placed]:
        if self.closed:
            raise StoreError("the store is closed", hint="open it again before writing")
        if epoch is not None:
            self._leases.check(run, epoch)
        records = self._runs.get(run, [])
        if len(records) != expected:
            raise LostRace(run, expected, len(records))
        start = len(self._log)
        placed = [Placed(start + i, run, expected + 1 + i, item) for i, item in enumerate(data)]
        if not placed:
            return placed
        if self._sealer is not None:
            self._pages.update(self._sealer.seal(placed).pages)
        self._log += placed
        self._runs.setdefault(run, records).extend(placed)
        for event in self._followers.get(run, ()):
            event.set()
        return placed

    async def read(self, run: RunId, *, after: int = 0, limit: int | None = None) -> Sequence[Placed]:
        stop = None if limit is None else after + limit
        return self._runs.get(run, [])[after:stop]

    async def follow(self, run: RunId, *, after: int = 0) -> AsyncIterator[Placed]:
        import asyncio

        event = asyncio.Event()
        self._followers.setdefault(run, set()).add(event)
        try:
            while not self.closed:
                event.clear()
                for placed in self._runs.get(run, [])[after:]:
                    after = placed.sequence
                    yield placed
                if not event.is_set() and len(self._runs.get(run, ())) == after:
                    await event.wait()
        finally:
            self._followers[run].discard(event)
            if not self._followers[run]:
                del self._followers[run]

    async def scan(self, *, start: int = 0, limit: int = 1000) -> Sequence[Placed]:
        return self._log[start : start + limit]

    async def runs(self) -> Sequence[RunRow]:
        rows = [RunRow(run, len(r), r[0].index, r[-1].index) for run, r in self._runs.items()]
        return sorted(rows, key=lambda row: row.first_index, reverse=True)

    async def page(self, name: str) -> bytes | None:
        return self._pages.get(name)

    async def pages(self, names: Sequence[str]) -> Mapping[str, bytes]:
        return {name: self._pages[name] for name in names if name in self._pages}

    async def size(self) -> int:
        return len(self._log)

    def close(self) -> None:
        self.closed = True
        for events in self._followers.values():
            for event in events:
                event.set()


class _Snapshot:
    def __init__(self, log: list[Placed], pages: dict[str, bytes]) -> None:
        self._log = log
        self._pages = pages

    def size(self) -> int:
        return len(self._log)

    def page(self, name: str) -> bytes | None:
        return self._pages.get(name)

    def scan(self, start: int, limit: int) -> Sequence[Placed]:
        return self._log[start : start + limit]


class MemoryBlobs:
    def __init__(self) -> None:
        self._blobs: dict[Digest, bytes] = {}
        self._times: dict[Digest, float] = {}

    async def put(self, data: bytes) -> Digest:
        name = digest(data)
        self._blobs[name] = bytes(data)
        self._times[name] = time.time()
        return name

    async def get(self, digest: Digest) -> bytes:
        try:
            return self._blobs[digest]
        except KeyError:
            raise NotFound(f"no blob {digest}", hint="it was deleted, or never kept here") from None

    async def has(self, digest: Digest) -> bool:
        return digest in self._blobs

    async def delete(self, digest: Digest) -> None:
        self._blobs.pop(digest, None)

    async def digests(self, *, older_than_seconds: float = 0.0) -> Sequence[Digest]:
        limit = time.time() - older_than_seconds
        return sorted(name for name in self._blobs if self._times[name] <= limit)


class MemoryLeases:
    def __init__(self) -> None:
        self._leases: dict[RunId, Lease] = {}

    def check(self, run: RunId, epoch: int) -> None:
        """Raises `LeaseLost` unless `epoch` is the run's newest."""
        lease = self._leases.get(run)
        if lease is None or lease.epoch != epoch:
            newest = "no lease" if lease is None else f"epoch {lease.epoch} ({lease.worker or 'released'})"
            raise LeaseLost(
                f"run {run} was written with lease epoch {epoch}, but has {newest}",
                hint="another worker took the run over; stop working on it",
            )

    async def acquire(
        self, run: RunId, worker: str, *, ttl_seconds: float, instead_of: str | None = None
    ) -> Lease:
        old = self._leases.get(run)
        now = time.time()
        if old is not None and old.worker not in ("", worker, instead_of) and old.expires > now:
            raise LeaseLost(
                f"run {run} is executed by {old.worker} until {old.expires:.0f} (now {now:.0f})",
                hint="wait until its lease expires, or stop that worker",
                worker=old.worker,
            )
        lease = Lease(run, worker, (old.epoch if old else 0) + 1, now + ttl_seconds)
        self._leases[run] = lease
        return lease

    async def renew(self, lease: Lease, *, ttl_seconds: float) -> Lease:
        self.check(lease.run, lease.epoch)
        if self._leases[lease.run].worker != lease.worker:
            raise LeaseLost(f"the lease on run {lease.run} was released", hint="acquire it again")
        new = Lease(lease.run, lease.worker, lease.epoch, time.time() + ttl_seconds)
        self._leases[lease.run] = new
        return new

    async def release(self, lease: Lease) -> None:
        held = self._leases.get(lease.run)
        if held is not None and held.epoch == lease.epoch:
            self._leases[lease.run] = Lease(lease.run, "", lease.epoch, 0.0)


class MemoryMemory:
    """Long-term memory that isn't."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], bytes] = {}
        self._keys: dict[str, list[str]] = {}

    async def get(self, namespace: str, key: str) -> bytes | None:
        return self._values.get((namespace, key))

    async def put(self, namespace: str, key: str, value: bytes) -> None:
        if (namespace, key) not in self._values:
            keys = self._keys.setdefault(namespace, [])
            keys.insert(bisect_right(keys, key), key)
        self._values[namespace, key] = bytes(value)

    async def delete(self, namespace: str, key: str) -> bool:
        if self._values.pop((namespace, key), None) is None:
            return False
        self._keys[namespace].remove(key)
        return True

    async def keys(self, namespace: str) -> Sequence[str]:
        return tuple(self._keys.get(namespace, ()))

    async def items(self, namespace: str) -> Sequence[tuple[str, bytes]]:
        return [(key, self._values[namespace, key]) for key in self._keys.get(namespace, ())]

    async def namespaces(self) -> Sequence[str]:
        return sorted(name for name, keys in self._keys.items() if keys)


class MemoryStore:
    def __init__(self, sealer: Sealer | None) -> None:
        self.leases = MemoryLeases()
        self.journal = MemoryJournal(self.leases, sealer)
        self.blobs = MemoryBlobs()
        self.memory = MemoryMemory()

    async def purge(self) -> None:
        return None

    async def close(self) -> None:
        self.journal.close()


async def open_store(path: Path, *, sealer: Sealer | None = None) -> MemoryStore:
    """A fresh, empty store; `path` is not looked at."""
    return MemoryStore(sealer)
