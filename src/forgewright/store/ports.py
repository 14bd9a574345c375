"""What a store promises. Bytes go in and come out; what they mean is the journal's business (floor 1).

Every driver passes `tests/contracts/test_store.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from typing import Protocol

import msgspec

from forgewright.core.ids import Digest, RunId


class Placed(msgspec.Struct, frozen=True, gc=False):
    """A record's bytes and its place."""

    index: int
    """Position in the home's log, from 0, gapless."""
    run: RunId
    sequence: int
    """Position in the run, from 1, gapless."""
    data: bytes


class RunRow(msgspec.Struct, frozen=True):
    """What the store knows of a run without reading its records."""

    run: RunId
    sequence: int
    """Sequence of its last record."""
    first_index: int
    last_index: int


class Sealed(msgspec.Struct, frozen=True):
    """What a commit group adds beside its records, written in the same transaction."""

    pages: Mapping[str, bytes]
    """Name → bytes: finished tiles and the newest tree head. A name may be written again."""


class Snapshot(Protocol):
    """What a sealer may read while it catches up: one state of the log, blocking, on the writer's thread."""

    def size(self) -> int: ...
    def page(self, name: str) -> bytes | None: ...
    def scan(self, start: int, limit: int) -> Sequence[Placed]: ...


class Sealer(Protocol):
    """Adds tiles and a tree head to each commit group. Called on the writer's thread only."""

    def restore(self, log: Snapshot) -> None:
        """Take up the log as it stands: at opening, after another process wrote, and after a commit failed.
        Raises `IntegrityError` where the stored head does not fit the stored records."""

    def seal(self, records: Sequence[Placed]) -> Sealed:
        """Once per commit group, with its records in log order, before the commit."""

    def committed(self, *, closing: bool = False) -> None:
        """What was sealed last is durable. Also once at the end, `closing`."""


class JournalStore(Protocol):
    """An append-only log of all runs of a home.

    Raises `LostRace` (append), `StoreFull`, `StoreError`, `IntegrityError` (the file is damaged).
    """

    def append(
        self, run: RunId, data: Sequence[bytes], *, expected: int, epoch: int | None = None
    ) -> Awaitable[Sequence[Placed]]:
        """Adds records after sequence `expected`; returns when they are durable. All or none.

        With `epoch`, raises `LeaseLost` unless that is the epoch of the run's newest lease (a writer whose
        lease went to another worker is fenced off, however late its append arrives)."""

    async def read(self, run: RunId, *, after: int = 0, limit: int | None = None) -> Sequence[Placed]: ...

    def follow(self, run: RunId, *, after: int = 0) -> AsyncIterator[Placed]:
        """The run's records from `after` on, then new ones as they come, also from other processes."""

    async def scan(self, *, start: int = 0, limit: int = 1000) -> Sequence[Placed]:
        """Records of all runs in log order."""

    async def runs(self) -> Sequence[RunRow]:
        """All runs, newest first."""

    async def page(self, name: str) -> bytes | None:
        """A page that a sealer wrote."""

    async def pages(self, names: Sequence[str]) -> Mapping[str, bytes]:
        """Those of these pages that there are, all of one state of the log."""

    async def size(self) -> int:
        """Number of records in the log."""


class BlobStore(Protocol):
    """Content-addressed bytes. Raises `NotFound`, `StoreFull`, `IntegrityError` (content ≠ digest)."""

    async def put(self, data: bytes) -> Digest: ...
    async def get(self, digest: Digest) -> bytes: ...
    async def has(self, digest: Digest) -> bool: ...
    async def delete(self, digest: Digest) -> None:
        """Not an error where there is no such blob."""

    async def digests(self, *, older_than_seconds: float = 0.0) -> Sequence[Digest]:
        """All blobs that were put at least so long ago, sorted."""


class Lease(msgspec.Struct, frozen=True):
    run: RunId
    worker: str
    epoch: int
    """Grows at every acquisition; a writer with an older epoch has lost."""
    expires: float
    """Seconds since 1970."""


class LeaseStore(Protocol):
    """Who executes a run. Raises `LeaseLost`."""

    async def acquire(
        self, run: RunId, worker: str, *, ttl_seconds: float, instead_of: str | None = None
    ) -> Lease:
        """Raises `LeaseLost` while another worker holds the run; it carries that `worker`'s name. A caller that
        knows that worker to be dead says so with `instead_of`."""

    async def renew(self, lease: Lease, *, ttl_seconds: float) -> Lease: ...
    async def release(self, lease: Lease) -> None: ...


class MemoryStore(Protocol):
    """Long-term values by namespace and key."""

    async def get(self, namespace: str, key: str) -> bytes | None: ...
    async def put(self, namespace: str, key: str, value: bytes) -> None: ...
    async def delete(self, namespace: str, key: str) -> bool: ...
    async def keys(self, namespace: str) -> Sequence[str]: ...
    async def items(self, namespace: str) -> Sequence[tuple[str, bytes]]:
        """All keys with their values, in the order of the keys."""

    async def namespaces(self) -> Sequence[str]: ...


class Store(Protocol):
    """All of it, opened on one place. `close` is idempotent and waits for what was acknowledged."""

    journal: JournalStore
    blobs: BlobStore
    leases: LeaseStore
    memory: MemoryStore

    async def purge(self) -> None:
        """After deletions: of what was deleted, nothing is left in any file. Raises `StoreError` while another
        process reads."""

    async def close(self) -> None: ...
