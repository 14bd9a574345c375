"""Proofs about the home's log: that a record is in it, and that it only ever grew.

An inclusion proof is written in the form of C2SP tlog-proof: index, hashes and the signed tree head in one
text, which anybody can verify offline with the log's key and the record's bytes.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import msgspec

from forgewright.core.errors import IntegrityError, NotFound
from forgewright.journal.log.checkpoint import TreeHead, parse_head
from forgewright.journal.log.notes import VerifierKey, canonical_base64, verify_note
from forgewright.journal.log.tiles import HEIGHT, TILES_KEPT, WIDTH, edge_path, subtree_reader, tile_path
from forgewright.journal.log.tree import (
    HASH_BYTES,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forgewright.store.ports import JournalStore

HEADER = "c2sp.org/tlog-proof@v1"
HASHES_MAX = 63
PROOF_BYTES_MAX = 1 << 17


class InclusionProof(msgspec.Struct, frozen=True):
    """That the record at `index` is in the tree of `head`."""

    index: int
    hashes: tuple[bytes, ...]
    head: TreeHead

    def __str__(self) -> str:
        lines = [HEADER, f"index {self.index}", *(b64encode(h).decode() for h in self.hashes), ""]
        return "\n".join(lines) + "\n" + self.head.data.decode()

    def verify(self, data: bytes, key: VerifierKey) -> None:
        """Raises `IntegrityError` unless `key` signed the head and these record bytes are in its tree."""
        verify_note(self.head.note, key)
        if self.head.origin != key.name:
            raise IntegrityError(f"the tree head is one of {self.head.origin}, the key one of {key.name}")
        if not verify_inclusion(leaf_hash(data), self.index, self.head.size, self.hashes, self.head.root):
            raise IntegrityError(
                f"these bytes are not record {self.index} of the log {self.head.origin}",
                record=str(self.index),
                hint="the record or the proof was changed, or they do not belong together",
            )


def parse_proof(text: str) -> InclusionProof:
    """Reads a C2SP tlog-proof without verifying it. Raises `IntegrityError`."""
    try:
        if len(text) > PROOF_BYTES_MAX:
            raise ValueError
        above, _, note = text.partition("\n\n")
        header, index, *hashes = above.split("\n")
        if index.startswith("extra ") and hashes:
            index, *hashes = hashes
        number = index.removeprefix("index ")
        if header != HEADER or f"index {int(number)}" != index or len(hashes) > HASHES_MAX:
            raise ValueError
        path = tuple(canonical_base64(line) for line in hashes)
        if any(len(h) != HASH_BYTES for h in path):
            raise ValueError
    except ValueError:
        raise IntegrityError(
            "not a proof of inclusion", hint="expected the form c2sp.org/tlog-proof@v1"
        ) from None
    return InclusionProof(int(number), path, parse_head(note.encode()))


class Prover:
    """Proves records to be in one tree: what their paths share is read once. Keeps `kept` tiles of 8 KiB."""

    def __init__(self, store: JournalStore, head: TreeHead, *, kept: int = TILES_KEPT) -> None:
        self._store = store
        self._head = head
        self._kept = kept
        self.tiles: dict[tuple[int, int], bytes] = {}
        """The ones used last at the end."""

    async def inclusion(self, index: int) -> InclusionProof:
        """That record `index` is in the tree. Raises `NotFound`, `IntegrityError`."""
        size, tiles = self._head.size, self.tiles
        if not 0 <= index < size:
            raise NotFound(f"record {index} is not in the tree of {size} records")
        wanted = _places(size, [index])
        path = {place: tiles[place] for place in wanted if place in tiles}
        missing = {place: width for place, width in wanted.items() if place not in path}
        path |= await read_tiles(self._store, missing)
        hashes = inclusion_proof(index, size, subtree_reader(lambda level, number: path[level, number]))
        for place, tile in path.items():
            tiles.pop(place, None)
            tiles[place] = tile
        while len(tiles) > self._kept:
            del tiles[next(iter(tiles))]
        return InclusionProof(index, tuple(hashes), self._head)


async def prove_inclusion(store: JournalStore, index: int, head: TreeHead) -> InclusionProof:
    """That record `index` is in the tree of `head`, a head of this log. Raises `NotFound`, `IntegrityError`."""
    return await Prover(store, head).inclusion(index)


async def prove_consistency(store: JournalStore, old: int, new: int) -> list[bytes]:
    """That the tree of `old` records is the beginning of the one of `new`. Raises `NotFound`."""
    size = await store.size()
    if not 0 <= old <= new <= size:
        raise NotFound(f"no trees of {old} and {new} records in a log of {size}")
    if old in (0, new):
        return []
    tiles = await read_tiles(store, _places(new, [old - 1, min(old, new - 1)]))
    return consistency_proof(old, new, subtree_reader(lambda level, number: tiles[level, number]))


def check_consistency(old: TreeHead, new: TreeHead, proof: list[bytes]) -> None:
    """Raises `IntegrityError` unless `new` is a later state of the log of `old`."""
    if old.origin != new.origin or not verify_consistency(old.size, new.size, proof, old.root, new.root):
        raise IntegrityError(
            f"the tree of {new.size} records does not continue the one of {old.size}",
            hint="the log was rolled back or forked; trust the older head",
        )


def _places(size: int, leaves: list[int]) -> dict[tuple[int, int], int]:
    """Level, number → width of the tiles from these leaves to the root of a tree of `size`, and of its right edge."""
    wanted: dict[tuple[int, int], int] = {}
    level = 0
    while size >> HEIGHT * level:
        count = size >> HEIGHT * level
        for number in {leaf >> HEIGHT * (level + 1) for leaf in leaves} | {count // WIDTH}:
            width = min(WIDTH, count - number * WIDTH)
            if width > 0:
                wanted[level, number] = width
        level += 1
    return wanted


async def read_tiles(
    store: JournalStore, wanted: Mapping[tuple[int, int], int]
) -> dict[tuple[int, int], bytes]:
    """Tiles by level and number, cut to the width wanted. Raises `IntegrityError` where the home lost one."""
    names = [tile_path(*place) for place in wanted]
    names += {edge_path(level) for level, _ in wanted if level}
    pages = await store.pages(names)
    found = {}
    for (level, number), width in wanted.items():
        data = pages.get(tile_path(level, number))
        if data is None and level == 0:
            records = await store.scan(start=number * WIDTH, limit=width)
            data = b"".join(leaf_hash(placed.data) for placed in records)
        elif data is None:
            data = pages.get(edge_path(level), b"")
        if len(data) < width * HASH_BYTES:
            raise IntegrityError(
                f"{tile_path(level, number)} is missing from the home",
                record=tile_path(level, number),
                hint="run `forgewright audit fsck`",
            )
        found[level, number] = data[: width * HASH_BYTES]
    return found
