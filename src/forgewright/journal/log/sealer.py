"""What each commit group gets beside its records: the tiles it filled and one signed tree head.

The work per record is one leaf hash and, on average, one node hash: the edge of the tree is kept as the
hashes of its perfect subtrees (the frontier), and the root is folded from those.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from forgewright.core.errors import IntegrityError
from forgewright.journal.log.checkpoint import CHECKPOINT, TreeHead, parse_head, sign_head
from forgewright.journal.log.keys import Keyring, open_ring
from forgewright.journal.log.lasthead import check_continues, read_last, write_last
from forgewright.journal.log.notes import verify_note
from forgewright.journal.log.tiles import HEIGHT, WIDTH, edge_path, hashes_of, tile_path
from forgewright.journal.log.tree import EMPTY, leaf_hash, node_hash
from forgewright.store.ports import Sealed

if TYPE_CHECKING:
    from pathlib import Path

    from forgewright.journal.log.notes import Signer
    from forgewright.store.ports import Placed, Snapshot


LAST_HEAD_SECONDS = 1.0
"""How often the head is written beside the database while there is much to do."""


class Frontier:
    """The edge of a growing tree: (height, hash) of the perfect subtrees that make it up, from the left."""

    def __init__(self) -> None:
        self.size = 0
        self.parts: list[tuple[int, bytes]] = []

    def push(self, node: bytes, height: int = 0) -> list[tuple[int, bytes]]:
        """Adds a perfect subtree at the right; returns the larger ones that it completed."""
        self.size += 1 << height
        done = []
        parts = self.parts
        while parts and parts[-1][0] == height:
            node = sha256(b"\1" + parts.pop()[1] + node).digest()
            height += 1
            if height % HEIGHT == 0:
                done.append((height, node))
        parts.append((height, node))
        return done

    def extend(self, nodes: Sequence[bytes]) -> list[tuple[int, bytes]]:
        """Adds leaves at the right, of which none lies beyond the tile that is being filled; returns the larger
        perfect subtrees that they completed, as `push` does."""
        self.size += len(nodes)
        done = []
        parts = self.parts
        height = 0
        row = list(nodes)
        kept: list[tuple[int, bytes]] = []  # what is left over of each layer, lowest first
        while row:
            if parts and parts[-1][0] == height:
                row.insert(0, parts.pop()[1])
            if len(row) & 1:
                kept.append((height, row.pop()))
            pairs = iter(row)
            row = [sha256(b"\1" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
            height += 1
            if row and height % HEIGHT == 0:
                done += [(height, node) for node in row]
        parts += reversed(kept)
        return done

    def root(self) -> bytes:
        """RFC 9162 §2.1.1."""
        if not self.parts:
            return EMPTY
        result = self.parts[-1][1]
        for _, left in self.parts[-2::-1]:
            result = node_hash(left, result)
        return result


class Edge:
    """A growing tree's unfinished tiles; gives the tiles as they fill up."""

    def __init__(self) -> None:
        self.frontier = Frontier()
        self.levels: list[list[bytes]] = [[]]
        """Per level, the hashes of its unfinished tile."""

    def push(self, leaf: bytes, pages: dict[str, bytes]) -> None:
        """Adds a leaf hash; into `pages` go the tiles that it filled and the edges that it changed."""
        self.levels[0].append(leaf)
        for height, node in self.frontier.push(leaf):
            self._fill(height // HEIGHT, node, pages)

    def push_all(self, leaves: Sequence[bytes], pages: dict[str, bytes]) -> None:
        """The same for many, by layers: half as much work for a group of sixty-four."""
        start = 0
        while start < len(leaves):
            room = WIDTH - len(self.levels[0])
            part = leaves[start : start + room]
            start += len(part)
            self.levels[0] += part
            for height, node in self.frontier.extend(part):
                self._fill(height // HEIGHT, node, pages)

    def _fill(self, level: int, node: bytes, pages: dict[str, bytes]) -> None:
        """The tile below `level` is full and has the hash `node`."""
        below = self.levels[level - 1]
        number = (self.frontier.size >> HEIGHT * level) - 1
        pages[tile_path(level - 1, number)] = b"".join(below)
        below.clear()
        if level > 1:
            pages[edge_path(level - 1)] = b""
        if level == len(self.levels):
            self.levels.append([])
        self.levels[level].append(node)
        pages[edge_path(level)] = b"".join(self.levels[level])


def read_edge(log: Snapshot) -> Edge:
    """The edge of the stored tree: level 0 from its records, the others from their pages."""
    edge = Edge()
    size = log.size()
    edge.levels = []
    level = 0
    while size >> HEIGHT * level or level == 0:
        edge.levels.append(_level(log, level, (size >> HEIGHT * level) % WIDTH))
        level += 1
    for level in reversed(range(len(edge.levels))):
        for node in edge.levels[level]:
            edge.frontier.push(node, HEIGHT * level)
    return edge


def _level(log: Snapshot, level: int, width: int) -> list[bytes]:
    if level == 0:
        return [leaf_hash(placed.data) for placed in log.scan(log.size() - width, width)] if width else []
    hashes = hashes_of(log.page(edge_path(level)) or b"")
    if len(hashes) != width:
        raise IntegrityError(
            f"the edge of tree level {level} has {len(hashes)} hashes, expected {width}",
            hint="run `forgewright audit fsck`",
        )
    return hashes


class LogSealer:
    """See `forgewright.store.ports.Sealer`."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._ring = open_ring(home)
        self._edge = Edge()
        self._note = b""
        """The newest head, until it stands in the file beside the database."""
        self._written = 0.0

    @property
    def signer(self) -> Signer:
        return self._ring.signer

    def use(self, ring: Keyring) -> None:
        """Sign with another key from the next commit on."""
        self._ring = ring

    def restore(self, log: Snapshot) -> None:
        self._edge = read_edge(log)
        self._check(log.page(CHECKPOINT))
        self._note = b""

        def tile(level: int, number: int) -> bytes:
            whole = log.page(tile_path(level, number))
            return whole if whole is not None else b"".join(self._edge.levels[level])

        last = read_last(self._home, self._ring.trusted)
        check_continues(last, log.size(), tile, self._home)

    def seal(self, records: Sequence[Placed]) -> Sealed:
        edge = self._edge
        if records[0].index != edge.frontier.size:
            raise IntegrityError(f"record {records[0].index} does not follow a log of {edge.frontier.size}")
        pages: dict[str, bytes] = {}
        edge.push_all([sha256(b"\0" + record.data).digest() for record in records], pages)
        pages[CHECKPOINT] = self._note = sign_head(
            self._ring.signer, edge.frontier.size, edge.frontier.root()
        )
        return Sealed(pages)

    def committed(self, *, closing: bool = False) -> None:
        now = time.monotonic()
        if self._note and (closing or now - self._written > LAST_HEAD_SECONDS):
            self._written = now
            write_last(self._home, self._note)
            self._note = b""

    def _check(self, note: bytes | None) -> None:
        """What is stored has to fit the head that was signed over it."""
        if note is None:
            if self._edge.frontier.size:
                raise IntegrityError(
                    f"the log has {self._edge.frontier.size} records and no tree head",
                    hint="run `forgewright audit fsck`",
                )
            return
        head = parse_head(note)
        if not self._signed(head):
            self._ring = open_ring(self._home)  # another process may have changed the key
            if not self._signed(head):
                verify_note(head.note, self._ring.signer.key)  # raises
        if (head.size, head.root) != (self._edge.frontier.size, self._edge.frontier.root()):
            raise IntegrityError(
                f"the newest tree head is over {head.size} records and does not fit"
                f" the {self._edge.frontier.size} stored",
                hint="run `forgewright audit fsck`; it names the records that do not fit",
            )

    def _signed(self, head: TreeHead) -> bool:
        """By the key of now, or one before it that handed over to it."""
        for key in self._ring.trusted:
            for signature in head.note.signatures:
                if (signature.name, signature.key_id) == (key.name, key.key_id):
                    verify_note(head.note, key)
                    return True
        return False
