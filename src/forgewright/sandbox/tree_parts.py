"""Trees by content: what the other side has already is not carried again, so a transfer goes on where it broke.

An inventory names what a folder inside holds, of files the digest of each block (native/parts.c). What it says of itself
is not trusted: it decides what is asked for, never where anything is written.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import msgspec

from forgewright.core.errors import SandboxError
from forgewright.sandbox.trees import (
    BLOCK,
    END,
    END_RECORD,
    FILE,
    FOLDER,
    LINK,
    RECORD,
    SIZE,
    Bounds,
    Entry,
    Reader,
    exactly,
    look,
    make_folder,
    make_link,
    open_file,
    record,
    walk,
    write_all,
)

BLOCK_BYTES = 4 << 20
"""A file is compared, and carried again, in blocks of this size."""

INVENTORY_BYTES_MAX = 256 << 20
_DIGEST = 32


class Item(msgspec.Struct, frozen=True):
    """What the other side has at a path."""

    kind: int
    mode: int
    size: int = 0
    content: bytes = b""
    """Digests of a file's blocks, one after the other; or a link's target."""


class Inventory(Reader):
    """What a folder inside holds."""

    def __init__(self) -> None:
        super().__init__(Bounds(INVENTORY_BYTES_MAX, "the inventory of the tree"))
        self.items: dict[bytes, Item] = {}
        self._entry_now = Entry(END, 0, b"", 0)
        self._data = bytearray()

    def on_entry(self, entry: Entry) -> None:
        self._entry_now = entry

    def on_data(self, data: memoryview | bytes) -> None:
        self._data += data

    def on_end(self) -> None:
        entry, data = self._entry_now, bytes(self._data)
        self._data.clear()
        size = int.from_bytes(data[:8], "little") if entry.kind == FILE else 0
        content = data[8:] if entry.kind == FILE else data
        if entry.kind == FILE and len(content) != _DIGEST * _blocks(size):
            raise SandboxError("an inventory from the sandbox is malformed")
        self.items[entry.path] = Item(entry.kind, entry.mode, size, content)


def _blocks(size: int) -> int:
    return -(-size // BLOCK_BYTES)


def _block_sizes(size: int) -> Iterator[tuple[int, int, int]]:
    """(number, offset, bytes) of each block of a file of that size."""
    for number in range(_blocks(size)):
        offset = number * BLOCK_BYTES
        yield number, offset, min(BLOCK_BYTES, size - offset)


def _digest(fd: int, offset: int, size: int) -> bytes:
    summed = blake2b(digest_size=_DIGEST)
    for data in exactly(fd, offset, size):
        summed.update(data)
    return summed.digest()


# ── up: only what the folder inside has not ──────────────────────────────────────────────────────────


class Skipped(msgspec.Struct):
    """Counts what was not carried, since it is there."""

    bytes: int = 0


def missing_pieces(
    root: Path, items: dict[bytes, Item], skipped: Skipped, *, bytes_max: int
) -> Iterator[bytes]:
    """As `trees.pieces`, without what `items` has; a file that differs is sent in those blocks that do."""
    bounds = Bounds(bytes_max, str(root))
    for path, relative, info in walk(root):
        mode, has = stat.S_IMODE(info.st_mode), items.get(relative)
        if stat.S_ISLNK(info.st_mode):
            target = os.readlink(path)
            bounds.entry(len(target))
            if has is None or (has.kind, has.content) != (LINK, target):
                yield record(LINK, mode, relative, len(target)) + target
        elif stat.S_ISDIR(info.st_mode):
            bounds.entry(0)
            if has is None or (has.kind, has.mode) != (FOLDER, mode & 0o777):
                yield record(FOLDER, mode, relative, 0)
        elif stat.S_ISREG(info.st_mode):
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                size = os.fstat(fd).st_size
                bounds.entry(size)
                if has is None or has.kind != FILE:
                    yield record(FILE, mode, relative, size)
                    yield from exactly(fd, 0, size)
                else:
                    yield from _changed_blocks(fd, relative, mode, size, has, skipped)
            finally:
                os.close(fd)
    yield END_RECORD


def _changed_blocks(
    fd: int, path: bytes, mode: int, size: int, has: Item, skipped: Skipped
) -> Iterator[bytes]:
    changed = False
    for number, offset, length in _block_sizes(size):
        if has.content[number * _DIGEST : (number + 1) * _DIGEST] == _digest(fd, offset, length):
            skipped.bytes += length
            continue
        changed = True
        yield record(BLOCK, 0, path, 8 + length) + offset.to_bytes(8, "little")
        yield from exactly(fd, offset, length)
    if changed or has.size != size or has.mode != mode & 0o777:
        yield record(SIZE, mode, path, 8) + size.to_bytes(
            8, "little"
        )  # last: it says that the file is complete


# ── down: only what the folder here has not ──────────────────────────────────────────────────────────


class Wanted(Reader):
    """Makes the folder `root` hold what an inventory says; use as a context, and feed it the blocks of `requests`."""

    def __init__(self, root: Path, items: dict[bytes, Item], *, bytes_max: int) -> None:
        super().__init__(Bounds(1 << 62, "the blocks from the sandbox"), bytes((BLOCK,)))
        self._items, self._root = items, root
        self._expected: dict[bytes, int] = {}
        """Path → blocks that are under way."""
        self._file, self._path, self._offset = -1, b"", -1
        self._head = bytearray()
        self._summed = blake2b(digest_size=_DIGEST)
        self.skipped = Skipped()
        bounds = Bounds(bytes_max, "the tree from the sandbox")
        for item in items.values():
            bounds.entry(item.size)

    def __enter__(self) -> Wanted:
        self._base = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return self

    def __exit__(self, *exc: object) -> None:
        self._close_file()
        os.close(self._base)

    def requests(self) -> Iterator[bytes]:
        """Records of the blocks that are missing here. Makes folders, links and what is complete on the way."""
        for path, item in self._items.items():
            if item.kind == FOLDER:
                make_folder(self._base, path, item.mode)
            elif item.kind == LINK:
                make_link(self._base, path, item.content)
            else:
                yield from self._file_requests(path, item)
        yield END_RECORD

    def _file_requests(self, path: bytes, item: Item) -> Iterator[bytes]:
        here = look(self._base, path)
        missing = [offset for _, offset, _ in _block_sizes(item.size)]
        complete = False
        if here is not None:
            try:
                missing = self._missing(here, item)
                info = os.fstat(here)
                complete = (info.st_size, stat.S_IMODE(info.st_mode)) == (item.size, item.mode)
            finally:
                os.close(here)
        if not missing and complete:
            return
        if not missing:
            self._complete(path)
            return
        self._expected[path] = len(missing)
        for offset in missing:
            yield RECORD.pack(BLOCK, 0, len(path), offset) + path

    def _missing(self, here: int, item: Item) -> list[int]:
        """Offsets of the blocks that the file here does not have as they should be."""
        has, missing = os.fstat(here).st_size, []
        for number, offset, length in _block_sizes(item.size):
            wanted = item.content[number * _DIGEST : (number + 1) * _DIGEST]
            if offset + length <= has and _digest(here, offset, length) == wanted:
                self.skipped.bytes += length
            else:
                missing.append(offset)
        return missing

    def on_entry(self, entry: Entry) -> None:
        if entry.path not in self._expected or not 8 <= entry.length <= 8 + BLOCK_BYTES:
            raise SandboxError(f"the sandbox sent a block of {entry.path!r} that was not asked for")
        if entry.path != self._path:
            self._close_file()
            self._file, self._path = open_file(self._base, entry.path), entry.path
        self._head.clear()
        self._summed = blake2b(digest_size=_DIGEST)
        self._offset = -1

    def on_data(self, data: memoryview | bytes) -> None:
        if self._offset < 0:
            take = 8 - len(self._head)
            self._head += data[:take]
            data = data[take:]
            if len(self._head) < 8:
                return
            self._offset = int.from_bytes(self._head, "little")
            if self._offset % BLOCK_BYTES or self._offset >= self._items[self._path].size:
                raise SandboxError(f"the sandbox sent a block of {self._path!r} that was not asked for")
            os.lseek(self._file, self._offset, os.SEEK_SET)
        self._summed.update(data)
        write_all(self._file, data)

    def on_end(self) -> None:
        number = self._offset // BLOCK_BYTES
        if (
            self._summed.digest()
            != self._items[self._path].content[number * _DIGEST : (number + 1) * _DIGEST]
        ):
            raise SandboxError(
                f"{self._path!r} changed inside while it was read",
                hint="do it again: what is here already stays",
            )
        path = self._path
        self._expected[path] -= 1
        if not self._expected[path]:
            del self._expected[path]
            self._close_file()
            self._complete(path)

    def close(self) -> None:
        super().close()
        if self._expected:
            raise SandboxError(f"the sandbox did not send all blocks of {next(iter(self._expected))!r}")

    def _complete(self, path: bytes) -> None:
        """Gives the file its size and its mode."""
        item = self._items[path]
        fd = open_file(self._base, path)
        try:
            os.ftruncate(fd, item.size)
            os.fchmod(fd, item.mode)
        finally:
            os.close(fd)

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file, self._path = -1, b""
