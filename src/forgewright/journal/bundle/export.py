"""Writing a bundle: records, the tiles that prove them, the tree head, blobs, a signed manifest.

Works through the log tile by tile, so its memory is bounded by 256 records and one blob whatever the size.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from forgewright.core.errors import NotFound, UsageError
from forgewright.core.ids import Digest, RunId
from forgewright.journal.bundle import verifier
from forgewright.journal.log.keys import PRIVATE, read_history, read_signer
from forgewright.journal.log.keys import RUN as KEYS
from forgewright.journal.log.proofs import read_tiles
from forgewright.journal.log.tiles import HEIGHT, WIDTH, number_path, tile_path
from forgewright.journal.log.witnessing import witnessed_head
from forgewright.store.drivers.sqlite.errors import translate

if TYPE_CHECKING:
    from forgewright.journal.journal import Journal
    from forgewright.journal.log.checkpoint import TreeHead
    from forgewright.journal.log.notes import Signer
    from forgewright.store.ports import Placed


class Exported(msgspec.Struct, frozen=True):
    path: str
    records: int
    runs: int
    blobs: int
    size: int
    """Records in the log when it was exported."""


async def export(
    journal: Journal,
    path: Path,
    *,
    runs: Sequence[RunId] | None = None,
    since: int | None = None,
) -> Exported:
    """Writes a bundle to `path`: of `runs`, or of all records from log index `since` on, or of everything.

    Raises `UsageError`, `NotFound` (no such run, nothing recorded), `StoreFull`, `IntegrityError`.
    """
    if journal.home is None:
        raise UsageError("a journal that is not kept cannot be exported", hint="open a durable journal")
    if runs is not None and since is not None:
        raise UsageError("a bundle is of runs, or of everything since an index, not both")
    signer = read_signer(journal.home / PRIVATE)
    head = await journal.head()
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(scratch, "xb") as file:  # noqa: ASYNC230 - written in small pieces, between awaits
            os.fchmod(file.fileno(), 0o600)
            exported = await _Export(journal, head, file, signer).write(path, runs, since or 0)
            file.flush()
            os.fsync(file.fileno())
        os.rename(scratch, path)
    except OSError as error:
        raise translate(error, path) from error
    finally:
        scratch.unlink(missing_ok=True)
    return exported


class _Export:
    def __init__(self, journal: Journal, head: TreeHead, file: BinaryIO, signer: Signer) -> None:
        self._journal = journal
        assert journal.home is not None
        self._home = journal.home
        self._head = head
        self._file = file
        self._signer = signer
        self._files: dict[str, str] = {}
        self._blobs: dict[str, None] = {}
        self._spans: dict[str, list[int]] = {}
        self._records = 0

    async def write(self, path: Path, runs: Sequence[RunId] | None, since: int) -> Exported:
        self._add("checkpoint", self._head.data)
        self._add("log.pub", f"{self._signer.key}\n".encode())
        self._add("verify.py", _verifier())
        handovers = read_history(self._home)
        if handovers:
            self._add("keys.json", msgspec.json.encode(handovers))
        tiles = self._witnessed() | _edge(self._head.size)
        pages = self._of_runs(runs) if runs is not None else self._of_all(since)
        async for number, records in pages:
            self._page(number, records)
            tiles |= _ancestors(number, self._head.size)
        for level, number in sorted(tiles):
            width = min(WIDTH, (self._head.size >> HEIGHT * level) - number * WIDTH)
            tiles_read = await read_tiles(self._journal.store.journal, {(level, number): width})
            self._add(tile_path(level, number, width), tiles_read[level, number])
        missing = []
        for name in self._blobs:
            try:
                self._add(f"blobs/{name}", await self._journal.store.blobs.get(Digest(f"sha256:{name}")))
            except NotFound:
                missing.append(name)
        if missing:
            self._add("missing.json", msgspec.json.encode(missing))
        self._manifest()
        self._file.write(bytes(2 * verifier.BLOCK))
        return Exported(
            str(path), self._records, len(self._spans), len(self._blobs) - len(missing), self._head.size
        )

    def _witnessed(self) -> set[tuple[int, int]]:
        """Adds the newest cosigned head; gives the tiles that show that the log continues it."""
        head = witnessed_head(self._home)
        if head is None or head.size > self._head.size:
            return set()
        self._add("witnessed", head.data)
        return _proof_tiles(head.size, self._head.size)

    async def _of_all(self, since: int) -> AsyncIterator[tuple[int, list[Placed]]]:
        for number in range(since // WIDTH, -(-self._head.size // WIDTH)):
            start = max(number * WIDTH, since)
            stop = min((number + 1) * WIDTH, self._head.size)
            found = await self._journal.store.journal.scan(start=start, limit=stop - start)
            yield number, list(found)

    async def _of_runs(self, runs: Iterable[RunId]) -> AsyncIterator[tuple[int, list[Placed]]]:
        known = {row.run: row for row in await self._journal.runs(system=True)}
        numbers: dict[int, list[Placed]] = {}
        for run in dict.fromkeys([*runs, *({KEYS} & known.keys())]):
            if run not in known:
                raise NotFound(f"no run {run}", hint="`forgewright runs` lists them")
            for placed in await self._journal.store.journal.read(run):
                if placed.index < self._head.size:
                    numbers.setdefault(placed.index // WIDTH, []).append(placed)
        for number in sorted(numbers):
            yield number, sorted(numbers[number], key=lambda placed: placed.index)

    def _page(self, number: int, records: Sequence[Placed]) -> None:
        parts = []
        for placed in records:
            parts.append(bytes([placed.index % WIDTH]) + len(placed.data).to_bytes(2) + placed.data)
            span = self._spans.setdefault(placed.run, [placed.sequence, placed.sequence])
            span[1] = placed.sequence
            if b'"blob":"sha256:' in placed.data:
                for found in verifier._BLOB.finditer(placed.data):
                    self._blobs[found[1].decode()] = None
        self._records += len(records)
        self._add(f"records/{number_path(number)}", b"".join(parts))

    def _manifest(self) -> None:
        manifest = {
            "format": verifier.FORMAT,
            "origin": self._head.origin,
            "size": self._head.size,
            "root": b64encode(self._head.root).decode(),
            "runs": [{"run": r, "first": a, "last": b} for r, (a, b) in self._spans.items()],
            "files": self._files,
        }
        data = msgspec.json.encode(manifest)
        text = f"{verifier.FORMAT}\n{self._signer.key.name}\n{sha256(data).hexdigest()}\n"
        self._add(verifier.NOTE, self._signer.sign(text))
        self._add(verifier.MANIFEST, data)

    def _add(self, name: str, data: bytes) -> None:
        self._files[name] = sha256(data).hexdigest()
        self._file.write(verifier.tar_header(name, len(data)))
        self._file.write(data)
        self._file.write(bytes(-len(data) % verifier.BLOCK))


def _verifier() -> bytes:
    return Path(verifier.__file__).read_bytes()


def _ancestors(number: int, size: int) -> set[tuple[int, int]]:
    """The level-0 tile and the tiles above it."""
    found = set()
    level = 0
    while (size >> HEIGHT * level) > number * WIDTH:
        found.add((level, number))
        number //= WIDTH
        level += 1
    return found


def _proof_tiles(old: int, size: int) -> set[tuple[int, int]]:
    """The tiles that hold the perfect subtrees of the tree over `old` leaves, and the tiles above them."""
    found = set()
    end = old
    while end:
        height = (end & -end).bit_length() - 1
        level = height // HEIGHT
        number = (end - (1 << height) >> HEIGHT * level) // WIDTH
        while (size >> HEIGHT * level) > number * WIDTH:
            found.add((level, number))
            number //= WIDTH
            level += 1
        end -= 1 << height
    return found


def _edge(size: int) -> set[tuple[int, int]]:
    """The unfinished tile of each level."""
    found = set()
    level = 0
    while size >> HEIGHT * level:
        if (size >> HEIGHT * level) % WIDTH:
            found.add((level, (size >> HEIGHT * level) // WIDTH))
        level += 1
    return found
