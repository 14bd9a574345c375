"""`fsck`: every record of a home held against the tree and its signed head, and everything beside it.

Reads the database as it lies there, without opening the journal: a home that no longer opens can be examined.
"""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from forgewright.core.errors import ForgewrightError, IntegrityError, NotFound
from forgewright.core.ids import Digest, RunId
from forgewright.journal import codec
from forgewright.journal.bundle.verification import Finding, Verification
from forgewright.journal.log.checkpoint import CHECKPOINT, parse_head
from forgewright.journal.log.keys import PUBLIC, chain, read_history
from forgewright.journal.log.lasthead import check_continues, read_last
from forgewright.journal.log.notes import verify_note
from forgewright.journal.log.sealer import Edge
from forgewright.journal.log.tiles import WIDTH, edge_path, hashes_of, tile_path
from forgewright.journal.log.tree import HASH_BYTES, leaf_hash
from forgewright.store.drivers.sqlite.blobs import FileBlobs
from forgewright.store.drivers.sqlite.errors import translate
from forgewright.store.drivers.sqlite.packing import unpack
from forgewright.store.drivers.sqlite.schema import FILE, connect
from forgewright.store.drivers.sqlite.writer import Tables
from forgewright.store.ports import Placed

if TYPE_CHECKING:
    from collections.abc import Callable

    from forgewright.journal.log.checkpoint import TreeHead

FINDINGS_MAX = 100
_BLOB = re.compile(rb'"blob":"(sha256:[0-9a-f]{64})"')


def verify_home(home: Path, key: str | None = None) -> Verification:
    """Examines the home's log, tree, head and blobs. Raises `NotFound` where there is no journal."""
    if not (home / FILE).exists():
        raise NotFound(f"{home} holds no journal", hint="give the home with --home")
    return _Check(home, key).run()


def _tiles(log: Tables, edge: Edge) -> Callable[[int, int], bytes]:
    def tile(level: int, number: int) -> bytes:
        whole = log.page(tile_path(level, number))
        return whole if whole is not None else b"".join(edge.levels[level])

    return tile


class _Check:
    def __init__(self, home: Path, key: str | None) -> None:
        self._home = home
        self._given = key
        self._findings: list[Finding] = []
        self._records = 0
        self._runs: dict[str, int] = {}
        self._blobs: dict[str, str] = {}
        self._head: TreeHead | None = None
        self._last: TreeHead | None = None
        """The head that was written beside the database."""
        self._key = ""

    def run(self) -> Verification:
        path = self._home / FILE
        connection: sqlite3.Connection | None = None
        try:
            connection = connect(path, read_only=True)
            connection.execute("BEGIN")
            log = Tables(connection, 0)
            self._read_head(log)
            self._read_records(log, connection)
            self._structure(connection)
        except sqlite3.Error as error:
            self._found(translate(error, path).message, FILE)
        finally:
            if connection is not None:
                connection.close()
        blobs = self._check_blobs()
        head = self._head
        return Verification(
            findings=tuple(self._findings),
            origin=head.origin if head else "",
            size=head.size if head else 0,
            root=head.root.hex() if head else "",
            key=self._key,
            pinned=self._given is not None,
            records=self._records,
            runs=len(self._runs),
            blobs=blobs,
        )

    def _found(self, message: str, record: str) -> None:
        if len(self._findings) < FINDINGS_MAX:
            self._findings.append(Finding(message, record))

    def _read_head(self, log: Tables) -> None:
        try:
            keys = chain(read_history(self._home), self._given or (self._home / PUBLIC).read_text())
            self._key = str(keys[0])
            self._last = read_last(self._home, keys)
            note = log.page(CHECKPOINT)
            if note is None:
                return
            self._head = parse_head(bytes(note))
            signed = {signature.key_id for signature in self._head.note.signatures}
            verify_note(self._head.note, next((key for key in keys if key.key_id in signed), keys[0]))
        except OSError as error:
            self._found(f"the verifier key could not be read: {error}", PUBLIC)
        except IntegrityError as error:
            self._found(f"the tree head does not verify: {error.message}", CHECKPOINT)

    def _read_records(self, log: Tables, connection: sqlite3.Connection) -> None:
        edge = Edge()
        (end,) = connection.execute("SELECT coalesce(max(idx)+1, 0) FROM records").fetchone()
        for start in range(0, end, WIDTH):
            try:
                page = self._unpacked(log.rows(start, min(WIDTH, end - start)))
            except sqlite3.DatabaseError as error:
                self._found(f"records {start}…{start + WIDTH - 1} cannot be read: {error}", f"record {start}")
                continue
            tile = log.page(tile_path(0, start // WIDTH))
            pages: dict[str, bytes] = {}
            for leaf in self._page(page, start, hashes_of(tile) if tile else None):
                edge.push(leaf, pages)
            for name, data in pages.items():
                if name.startswith("tile/"):
                    self._same(log, name, data)
        for level, hashes in enumerate(edge.levels[1:], 1):
            self._same(log, edge_path(level), b"".join(hashes))
        head = self._head
        try:
            if not self._findings:
                check_continues(self._last, end, _tiles(log, edge), self._home)
        except IntegrityError as error:
            self._found(error.message, error.record or FILE)
        if head is None:
            if self._records:
                self._found(f"{self._records} records have no tree head", CHECKPOINT)
        elif not self._findings and (edge.frontier.size, edge.frontier.root()) != (head.size, head.root):
            first = head.size - head.size % WIDTH
            self._found(
                f"the stored records give another tree than the head signed over {head.size} of them;"
                f" one of the records from {first} on was changed, or some were cut off",
                f"record {first}…{head.size - 1}",
            )

    def _same(self, log: Tables, name: str, data: bytes) -> None:
        if log.page(name) != data:
            self._found(f"{name} is not what the records below it give", name)

    def _unpacked(self, rows: sqlite3.Cursor) -> list[Placed]:
        page = []
        for index, run, sequence, row in rows:
            try:
                data = unpack(row, index)
            except IntegrityError as error:
                place = f"record {index} (run {run}, sequence {sequence})"
                self._found(f"{place}: {error.message}", place)
                data = b""
            page.append(Placed(index, RunId(run or "?"), sequence, data))
        return page

    def _page(self, page: list[Placed], start: int, tile: list[bytes] | None) -> list[bytes]:
        leaves = []
        if tile is not None and len(tile) != WIDTH:
            self._found(
                f"{tile_path(0, start // WIDTH)} has {len(tile) * HASH_BYTES} bytes", f"tile of {start}"
            )
            tile = None
        for expected, placed in enumerate(page, start):
            place = f"record {placed.index} (run {placed.run}, sequence {placed.sequence})"
            if placed.index != expected:
                self._found(f"record {expected} is missing before {place}", f"record {expected}")
                break
            self._records += 1
            data = placed.data
            leaf = leaf_hash(data)
            leaves.append(leaf)
            if data and tile is not None and tile[expected % WIDTH] != leaf:
                self._found(f"{place} is not what the tree says", place)
            if data:
                self._decode(placed, place)
            if self._runs.get(placed.run, 0) + 1 != placed.sequence:
                self._found(f"{place} follows sequence {self._runs.get(placed.run, 0)}", place)
            self._runs[placed.run] = placed.sequence
            for found in _BLOB.finditer(data):
                self._blobs.setdefault(found[1].decode(), place)
        return leaves

    def _decode(self, placed: Placed, place: str) -> None:
        try:
            codec.decode(placed)
        except ForgewrightError as error:
            self._found(error.message, place)

    def _structure(self, connection: sqlite3.Connection) -> None:
        """SQLite's own check: indexes against tables, pages against each other."""
        for (line,) in connection.execute("PRAGMA integrity_check(20)").fetchall():
            if line != "ok":
                self._found(f"the database is damaged: {line}", FILE)

    def _check_blobs(self) -> int:
        blobs = FileBlobs(self._home / "blobs")
        good = 0
        for name in blobs.digests_now():
            try:
                blobs.get_now(name)
                good += 1
            except ForgewrightError as error:
                self._found(error.message, self._blobs.get(name, name))
        for wanted, place in self._blobs.items():
            if not blobs.path(Digest(wanted)).exists():
                self._found(f"the blob {wanted} that {place} refers to is missing", place)
        return good
