"""Folders as streams of records, in and out of a sandbox; what comes out is not trusted (builtin.c).

Nothing here holds a tree: what is sent is read as it goes, what is received is written as it comes.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from forgewright.core.errors import SandboxError, UnsafePath

RECORD = struct.Struct("<BIIQ")
FOLDER, FILE, LINK, BLOCK, SIZE, END = b"dflbs."
ENTRIES_MAX = 1_000_000
PATH_BYTES_MAX = 4096
PIECE = 1 << 18
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Entry(msgspec.Struct, frozen=True):
    kind: int
    mode: int
    path: bytes
    length: int
    """Of what follows: content, or a link's target."""


def record(kind: int, mode: int, path: bytes, length: int) -> bytes:
    return RECORD.pack(kind, mode, len(path), length) + path


END_RECORD = record(END, 0, b"", 0)


def walk(root: Path) -> Iterator[tuple[bytes, bytes, os.stat_result]]:
    """(path, path below `root`, what it is) of all that is in the folder, folders before what is in them; nothing is
    followed. What goes away meanwhile is left out."""
    base = os.fsencode(root)
    for folder, folders, files in os.walk(base):
        folders.sort()
        for name in sorted(files) + folders:
            path = os.path.join(folder, name)
            try:
                yield path, os.path.relpath(path, base), os.lstat(path)
            except FileNotFoundError:
                continue


def pieces(root: Path, *, bytes_max: int) -> Iterator[bytes]:
    """All of the folder `root` in pieces of at most `PIECE` bytes: folders, regular files and links as they are.

    Raises `SandboxError` where it has more than `bytes_max` or `ENTRIES_MAX`.
    """
    bounds = Bounds(bytes_max, str(root))
    out = bytearray()
    for path, relative, info in walk(root):
        mode = stat.S_IMODE(info.st_mode)
        if stat.S_ISLNK(info.st_mode):
            target = os.readlink(path)
            out += record(LINK, mode, relative, len(target)) + target
            bounds.entry(len(target))
        elif stat.S_ISDIR(info.st_mode):
            out += record(FOLDER, mode, relative, 0)
            bounds.entry(0)
        elif stat.S_ISREG(info.st_mode):
            with open(path, "rb", buffering=0, opener=_no_link) as file:
                size = os.fstat(file.fileno()).st_size
                bounds.entry(size)
                out += record(FILE, mode, relative, size)
                for data in exactly(file.fileno(), 0, size):
                    out += data
                    if len(out) >= PIECE // 2:
                        yield bytes(out)
                        out.clear()
        if len(out) >= PIECE // 2:
            yield bytes(out)
            out.clear()
    yield bytes(out) + END_RECORD


def exactly(fd: int, offset: int, size: int) -> Iterator[bytes]:
    """`size` bytes of a file from `offset` on: one that shrinks meanwhile is filled up, one that grows is cut."""
    while size:
        data = os.pread(fd, min(size, PIECE // 2), offset) or bytes(min(size, PIECE // 2))
        size -= len(data)
        offset += len(data)
        yield data


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


class Bounds:
    """What a tree may have in all. Raises `SandboxError`."""

    def __init__(self, bytes_max: int, what: str) -> None:
        self._left, self._entries = bytes_max, ENTRIES_MAX
        self._text = f"{what} is larger than {bytes_max} bytes or {ENTRIES_MAX} files"

    def entry(self, size: int) -> None:
        self._left -= size + 64
        self._entries -= 1
        if self._left < 0 or self._entries < 0:
            raise SandboxError(self._text, hint="ask for a part of it, or allow more")


class Reader:
    """Records out of a stream that comes in any pieces: `on_entry` for each, `on_data` for what it holds, in order.

    Each record is checked by itself. Raises `UnsafePath` and `SandboxError`.
    """

    def __init__(self, bounds: Bounds, kinds: bytes = bytes((FOLDER, FILE, LINK))) -> None:
        self._bounds, self._kinds = bounds, kinds
        self._buffer = bytearray()
        self._left = 0
        self.ended = False

    def on_entry(self, entry: Entry) -> None: ...
    def on_data(self, data: memoryview | bytes) -> None: ...
    def on_end(self) -> None:
        """The entry that came last is complete."""

    def feed(self, data: bytes) -> None:
        if (
            self._left and not self._buffer and len(data) <= self._left
        ):  # content of a file, as it is most of the time
            self._content(data)
            return
        self._buffer += data
        at = 0
        while not self.ended:
            if self._left:
                take = min(self._left, len(self._buffer) - at)
                if not take:
                    break
                self._content(bytes(self._buffer[at : at + take]))
                at += take
                continue
            entry = self._entry(at)
            if entry is None:
                break
            at += RECORD.size + len(entry.path)
            if entry.kind == END:
                self.ended = True
                break
            self._left = entry.length
            self.on_entry(entry)
            if not self._left:
                self.on_end()
        del self._buffer[:at]

    def close(self) -> None:
        """Nothing more comes."""
        if not self.ended:
            raise SandboxError("a tree from the sandbox ends in the middle")

    def _content(self, data: bytes) -> None:
        self._left -= len(data)
        self.on_data(data)
        if not self._left:
            self.on_end()

    def _entry(self, at: int) -> Entry | None:
        if len(self._buffer) - at < RECORD.size:
            return None
        kind, mode, path_length, length = RECORD.unpack_from(self._buffer, at)
        if kind == END:
            return Entry(END, 0, b"", 0)
        if path_length > PATH_BYTES_MAX or (kind == LINK and length > PATH_BYTES_MAX):
            raise SandboxError("a tree from the sandbox is malformed")
        if len(self._buffer) - at < RECORD.size + path_length:
            return None
        path = bytes(self._buffer[at + RECORD.size : at + RECORD.size + path_length])
        if kind not in self._kinds or any(p in (b"", b".", b"..") or b"\0" in p for p in path.split(b"/")):
            raise UnsafePath(f"a tree from the sandbox names {path!r}")
        self._bounds.entry(length)
        return Entry(kind, mode & 0o777, path, length)


class Receiver(Reader):
    """Makes the folder `root` hold what a stream says; use as a context.

    Every step goes through descriptors of folders opened without following links, so neither a link in the
    stream nor one put there meanwhile leads out. A link that points out of the tree is refused.
    """

    def __init__(self, root: Path, bytes_max: int) -> None:
        super().__init__(Bounds(bytes_max, "the tree from the sandbox"))
        self._root = root
        self._entry_now = Entry(END, 0, b"", 0)
        self._file = -1
        self._target = bytearray()
        self.written: list[bytes] = []

    def __enter__(self) -> Receiver:
        self._base = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        os.close(self._base)

    def on_entry(self, entry: Entry) -> None:
        self._entry_now = entry
        if entry.kind == FILE:
            self._file = open_file(self._base, entry.path, os.O_TRUNC)
        elif entry.kind == FOLDER:
            make_folder(self._base, entry.path, entry.mode)

    def on_data(self, data: memoryview | bytes) -> None:
        if self._file >= 0:
            write_all(self._file, data)
        elif self._entry_now.kind == LINK:
            self._target += data

    def on_end(self) -> None:
        entry = self._entry_now
        if self._file >= 0:
            os.fchmod(self._file, entry.mode)
            os.close(self._file)
            self._file = -1
        elif entry.kind == LINK:
            make_link(self._base, entry.path, bytes(self._target))
            self._target.clear()
        self.written.append(entry.path)

    def remove(self, paths: frozenset[bytes]) -> None:
        """Removes those of `paths` that the stream did not name."""
        for path in sorted(paths - set(self.written), reverse=True):
            _remove(self._base, path)


def apply(
    root: Path, data: Iterable[bytes], *, remove: frozenset[bytes] = frozenset(), bytes_max: int = 1 << 40
) -> list[bytes]:
    """Makes the folder `root` hold what the pieces of `data` say; the paths that were written."""
    with Receiver(root, bytes_max) as receiver:
        for piece in data:
            receiver.feed(piece)
        receiver.close()
        receiver.remove(remove)
        return receiver.written


def write_all(fd: int, data: memoryview | bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def make_folder(base: int, path: bytes, mode: int) -> None:
    fd, name = _parent(base, path)
    try:
        found = _lstat(fd, name)
        if found is not None and not stat.S_ISDIR(found.st_mode):
            os.unlink(name, dir_fd=fd)
            found = None
        if found is None:
            os.mkdir(name, 0o700 | mode, dir_fd=fd)
    finally:
        os.close(fd)


def make_link(base: int, path: bytes, target: bytes) -> None:
    _check_link(path, target)
    fd, name = _parent(base, path)
    try:
        if _not_a_folder(fd, name, path) is not None:
            os.unlink(name, dir_fd=fd)
        os.symlink(target, name, dir_fd=fd)
    finally:
        os.close(fd)


def open_file(base: int, path: bytes, flags: int = 0) -> int:
    """A regular file of its own at `path`, open for writing, of its owner alone until it is complete."""
    fd, name = _parent(base, path)
    try:
        found = _not_a_folder(fd, name, path)
        if found is not None and (
            not stat.S_ISREG(found.st_mode)
            or found.st_nlink > 1
            or not (found.st_mode & stat.S_IWUSR or os.geteuid() == 0)
        ):
            # a link or a second name: what it leads to is not ours to change; or one that its owner may not write
            os.unlink(name, dir_fd=fd)
        return os.open(name, _FLAGS | flags, 0o600, dir_fd=fd)
    finally:
        os.close(fd)


def look(base: int, path: bytes) -> int | None:
    """A regular file with this one name, open for reading; None where there is none."""
    fd, name = _parent(base, path)
    try:
        found = _lstat(fd, name)
        if found is None or not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            return None
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=fd)
    except PermissionError:
        return None  # it is replaced
    finally:
        os.close(fd)


def _not_a_folder(fd: int, name: bytes, path: bytes) -> os.stat_result | None:
    found = _lstat(fd, name)
    if found is not None and stat.S_ISDIR(found.st_mode):
        raise UnsafePath(f"{path!r} would replace a folder")
    return found


def _parent(base: int, path: bytes) -> tuple[int, bytes]:
    """An open folder that holds the last part of `path`, and that part. The caller closes it."""
    *folders, name = path.split(b"/")
    fd = os.dup(base)
    for part in folders:
        try:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
        except OSError as error:
            os.close(fd)
            raise UnsafePath(f"{path!r} goes through {part!r}, which is no folder") from error
        os.close(fd)
        fd = inner
    return fd, name


def _check_link(path: bytes, target: bytes) -> None:
    """Up first, no further than the tree's root, then down: a target that goes up after a name could leave
    through another link, however harmless each looks by itself."""
    parts = [part for part in target.split(b"/") if part not in (b"", b".")]
    up = 0
    while up < len(parts) and parts[up] == b"..":
        up += 1
    depth = path.count(b"/")
    if target.startswith(b"/") or up > depth or b".." in parts[up:] or b"\0" in target or not target:
        raise UnsafePath(f"link {path!r} points out of its tree, to {target!r}")


def _remove(base: int, path: bytes) -> None:
    try:
        fd, name = _parent(base, path)
    except UnsafePath:
        return
    try:
        found = _lstat(fd, name)
        if found is None:
            return
        if stat.S_ISDIR(found.st_mode):
            os.rmdir(name, dir_fd=fd)
        else:
            os.unlink(name, dir_fd=fd)
    except OSError:
        pass  # a folder that is not empty holds what was never sent
    finally:
        os.close(fd)


def _lstat(fd: int, name: bytes) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return None
