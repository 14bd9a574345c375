"""What each commit group gets beside its records: the tiles it filled and one signed tree head.

The work per record is one leaf hash and, on average, one node hash: the edge of the tree is kept as the
hashes of its perfect subtrees (the frontier), and the root is folded from those.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from forgewright.core.errors import IntegrityError
from forgewright.journal.log.checkpoint import CHECKPOINT, parse_head, sign_head
from forgewright.journal.log.notes import verify_note
from forgewright.journal.log.tiles import HEIGHT, WIDTH, edge_path, hashes_of, tile_path
from forgewright.journal.log.tree import EMPTY, leaf_hash, node_hash
from forgewright.store.ports import Sealed

if TYPE_CHECKING:
    from forgewright.journal.log.notes import Signer
    from forgewright.store.ports import Placed, Snapshot


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

    def root(self) -> bytes:
        """RFC 9162 §2.1.1."""
        if not self.parts:
            return EMPTY
        result = self.parts[-1][1]
        for _, left in self.parts[-2::-1]:
            result = node_hash(left, result)
        return result


class LogSealer:
    """See `forgewright.store.ports.Sealer`."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._frontier = Frontier()
        self._edges: list[list[bytes]] = [[]]
        """Per level, the hashes of its unfinished tile."""

    def restore(self, log: Snapshot) -> None:
        size = log.size()
        self._edges = []
        level = 0
        while size >> HEIGHT * level or level == 0:
            self._edges.append(self._edge(log, level, (size >> HEIGHT * level) % WIDTH))
            level += 1
        self._frontier = Frontier()
        for level in reversed(range(len(self._edges))):
            for node in self._edges[level]:
                self._frontier.push(node, HEIGHT * level)
        self._check(log.page(CHECKPOINT))

    def seal(self, records: Sequence[Placed]) -> Sealed:
        frontier = self._frontier
        if records[0].index != frontier.size:
            raise IntegrityError(f"record {records[0].index} does not follow a log of {frontier.size}")
        pages: dict[str, bytes] = {}
        for record in records:
            leaf = sha256(b"\0" + record.data).digest()
            self._edges[0].append(leaf)
            for height, node in frontier.push(leaf):
                self._fill(height // HEIGHT, node, pages)
        pages[CHECKPOINT] = sign_head(self._signer, frontier.size, frontier.root())
        return Sealed(pages)

    def _fill(self, level: int, node: bytes, pages: dict[str, bytes]) -> None:
        """The tile below `level` is full and has the hash `node`."""
        below = self._edges[level - 1]
        number = (self._frontier.size >> HEIGHT * level) - 1
        pages[tile_path(level - 1, number)] = b"".join(below)
        below.clear()
        if level > 1:
            pages[edge_path(level - 1)] = b""
        if level == len(self._edges):
            self._edges.append([])
        self._edges[level].append(node)
        pages[edge_path(level)] = b"".join(self._edges[level])

    def _edge(self, log: Snapshot, level: int, width: int) -> list[bytes]:
        if level == 0:
            return [leaf_hash(placed.data) for placed in log.scan(log.size() - width, width)] if width else []
        hashes = hashes_of(log.page(edge_path(level)) or b"")
        if len(hashes) != width:
            raise IntegrityError(
                f"the edge of tree level {level} has {len(hashes)} hashes, expected {width}",
                hint="run `forgewright audit fsck`",
            )
        return hashes

    def _check(self, note: bytes | None) -> None:
        """What is stored has to fit the head that was signed over it."""
        if note is None:
            if self._frontier.size:
                raise IntegrityError(
                    f"the log has {self._frontier.size} records and no tree head",
                    hint="run `forgewright audit fsck`",
                )
            return
        head = parse_head(note)
        verify_note(head.note, self._signer.key)
        if (head.size, head.root) != (self._frontier.size, self._frontier.root()):
            raise IntegrityError(
                f"the newest tree head is over {head.size} records and does not fit"
                f" the {self._frontier.size} stored",
                hint="run `forgewright audit fsck`; it names the records that do not fit",
            )
