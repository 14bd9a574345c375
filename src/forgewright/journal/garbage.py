"""Blobs that nothing refers to any more: counted from what refers to them, and removed.

References are counted and not kept: a count that is kept can be wrong after a crash, and the journal already
says what is referred to. Whatever looks like a digest in a record, in a value of the long-term memory, or in a
blob that is itself referred to, counts. A blob is left alone while it is young, since its record may still come.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from forgewright.core.errors import NotFound
from forgewright.core.ids import Digest

if TYPE_CHECKING:
    from forgewright.journal.journal import Journal

_DIGEST = re.compile(rb"sha256:[0-9a-f]{64}")
YOUNG_SECONDS = 3_600.0
SCAN_RECORDS = 1_000


class Collected(msgspec.Struct, frozen=True):
    removed: int
    bytes: int
    kept: int


async def references(journal: Journal) -> Counter[Digest]:
    """Blob → how often records, memory and other referenced blobs name it."""
    blobs = set(await journal.store.blobs.digests())
    counts: Counter[Digest] = Counter()
    todo: list[Digest] = []

    def count(data: bytes) -> None:
        for found in _DIGEST.findall(data):
            name = Digest(found.decode())
            if name in blobs:
                if name not in counts:
                    todo.append(name)
                counts[name] += 1

    start = 0
    while page := await journal.store.journal.scan(start=start, limit=SCAN_RECORDS):
        for placed in page:
            count(placed.data)
        start = page[-1].index + 1
    for namespace in await journal.memory.namespaces():
        for key in await journal.memory.keys(namespace):
            count(await journal.memory.get(namespace, key) or b"")
    while todo:
        try:
            count(await journal.store.blobs.get(todo.pop()))
        except NotFound:
            continue  # removed in between
    return counts


async def collect(journal: Journal, *, older_than_seconds: float = YOUNG_SECONDS) -> Collected:
    """Removes the blobs that nothing refers to and that are at least so old. Raises `StoreError`."""
    old = await journal.store.blobs.digests(older_than_seconds=older_than_seconds)
    counts = await references(journal)
    removed = size = 0
    for name in old:
        if name not in counts:
            size += len(await journal.store.blobs.get(name))
            await journal.store.blobs.delete(name)
            removed += 1
    return Collected(removed, size, len(await journal.store.blobs.digests()))
