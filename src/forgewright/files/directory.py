"""Files of a directory, and of nothing outside it.

Every step of a path is opened relative to the one before without following links, so no race between
check and use, no link and no device leads out. Files are replaced, never written through: what another
hard link names stays as it was.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from forgewright.core.errors import Conflict, NotFound, StoreError, StoreFull, UnsafePath, UsageError
from forgewright.files import content, paths, transfer
from forgewright.files.types import ENTRIES_MAX, FILE_BYTES_MAX, MATCHES_MAX, Entry, Found, Transfer

T = TypeVar("T")

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # O_NONBLOCK: a FIFO must not hang
DEPTH_MAX = 128
UNSEARCHED = frozenset((".git", ".hg", ".svn", "node_modules", ".venv", "__pycache__"))
"""Folders that a glob and a grep from above do not go into; from within they do."""


class DirectoryFiles:
    """A `Files` over a directory that is there. The root itself may be a link; nothing below may."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root).resolve()
        try:
            self._root = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise NotFound(f"expected a directory at {self.root}: {error.strerror}") from error

    def close(self) -> None:
        """Gives the directory's handle back. Idempotent."""
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def __del__(self) -> None:
        if getattr(self, "_root", -1) >= 0:
            self.close()

    async def ls(self, path: str = "") -> Sequence[Entry]:
        name = paths.clean(path)
        with self._folder(name) as handle, _speaking(name):
            names = sorted(os.listdir(handle))[:ENTRIES_MAX]
            entries = [_entry(f"{name}/{n}" if name else n, _lstat(n, handle)) for n in names]
        return [entry for entry in entries if entry is not None]

    async def stat(self, path: str) -> Entry:
        name = paths.clean(path)
        if not name:
            return Entry("", "folder")
        with self._parent(name) as (handle, last), _speaking(name):
            entry = _entry(name, os.stat(last, dir_fd=handle, follow_symlinks=False))
        assert entry is not None
        return entry

    async def read(self, path: str) -> bytes:
        return self._read(paths.clean(path))

    async def write(self, path: str, data: bytes, *, executable: bool | None = None) -> None:
        """`executable`: whether it can be run, where that shall not stay as it is."""
        self._write(paths.clean(path), data, executable)

    async def edit(self, path: str, old: str, new: str, *, every: bool = False) -> int:
        name = paths.clean(path)
        data, count = content.edited(name, self._read(name), old, new, every=every)
        self._write(name, data)
        return count

    async def glob(self, pattern: str, path: str = "") -> Sequence[str]:
        return await _aside(lambda: sorted(name for name, _ in self._below(pattern, paths.clean(path))))

    async def grep(
        self,
        pattern: str,
        path: str = "",
        *,
        glob: str | None = None,
        regex: bool = False,
        matches_max: int = MATCHES_MAX,
    ) -> Found:
        expression = paths.expression(pattern, regex=regex)
        plain = None if regex else pattern

        def contents() -> Iterator[tuple[str, bytes | None]]:
            for name, size in sorted(self._below(glob or "**", paths.clean(path))):
                try:
                    yield name, self._read(name) if size <= FILE_BYTES_MAX else None
                except (NotFound, UnsafePath, Conflict):
                    continue  # it went away, or became something else, since it was listed

        return await _aside(lambda: content.search(contents(), expression, matches_max, plain=plain))

    async def delete(self, path: str) -> None:
        name = paths.clean(path)
        if not name:
            raise UsageError("expected a file or folder to delete; found the root")
        with self._parent(name) as (handle, last), _speaking(name):
            self._remove(handle, last, 0)

    async def upload(self, files: Sequence[tuple[str, bytes]]) -> Sequence[Transfer]:
        return await transfer.upload(self, files)

    async def download(self, paths: Sequence[str]) -> Sequence[Transfer]:
        return await transfer.download(self, paths)

    def _read(self, name: str) -> bytes:
        with self._parent(name) as (handle, last), _speaking(name):
            fd = os.open(last, _FILE, dir_fd=handle)
            try:
                _regular(name, os.fstat(fd).st_mode)
                parts: list[bytes] = []
                left = FILE_BYTES_MAX + 1
                while left > 0 and (part := os.read(fd, min(left, 1 << 20))):
                    parts.append(part)
                    left -= len(part)
            finally:
                os.close(fd)
        return content.bounded(name, b"".join(parts))

    def _write(self, name: str, data: bytes, executable: bool | None = None) -> None:
        content.bounded(name, data)
        if not name:
            raise UsageError("expected the path of a file; found the root")
        with self._parent(name, make=True) as (handle, last), _speaking(name):
            mode = 0o644
            old = _lstat(last, handle)
            if old is not None:
                _regular(name, old.st_mode)
                mode = stat.S_IMODE(old.st_mode) & 0o777
            if executable is not None:
                mode = mode | (mode & 0o444) >> 2 if executable else mode & ~0o111
            fresh = f".{last[:40]}.{os.urandom(6).hex()}.new"
            fd = os.open(
                fresh,
                os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC,
                0o600,
                dir_fd=handle,
            )
            try:
                try:
                    view = memoryview(data)
                    while view:
                        view = view[os.write(fd, view) :]
                    os.fchmod(fd, mode)
                finally:
                    os.close(fd)
                os.replace(fresh, last, src_dir_fd=handle, dst_dir_fd=handle)
            except BaseException:
                os.unlink(fresh, dir_fd=handle)
                raise

    def _remove(self, handle: int, name: str, depth: int) -> None:
        if depth > DEPTH_MAX:
            raise UsageError(f"expected folders at most {DEPTH_MAX} deep; found more")
        found = os.stat(name, dir_fd=handle, follow_symlinks=False)
        if not stat.S_ISDIR(found.st_mode):
            os.unlink(name, dir_fd=handle)
            return
        inner = os.open(name, _FOLDER, dir_fd=handle)
        try:
            for child in os.listdir(inner):
                self._remove(inner, child, depth + 1)
        finally:
            os.close(inner)
        os.rmdir(name, dir_fd=handle)

    def _below(self, pattern: str, start: str) -> Iterator[tuple[str, int]]:
        """Path and size of the regular files below `start` that fit the pattern."""
        fits = paths.matcher(pattern).fullmatch
        if start:
            with self._parent(start) as (handle, last), _speaking(start):
                found = os.stat(last, dir_fd=handle, follow_symlinks=False)
            if stat.S_ISREG(found.st_mode):
                if fits(last):
                    yield start, found.st_size
                return
        skip = len(start) + 1 if start else 0
        todo, seen = [start], 0
        while todo:
            folder = todo.pop()
            if folder.count("/") > DEPTH_MAX:
                continue
            try:
                with self._folder(folder) as handle:
                    listed = [(n, _lstat(n, handle)) for n in os.listdir(handle)]
            except (NotFound, Conflict, UnsafePath):
                if folder == start:
                    raise
                continue  # it went away since it was listed
            for name, found_one in listed:
                seen += 1
                if seen > ENTRIES_MAX:
                    raise UsageError(
                        f"expected at most {ENTRIES_MAX:,} entries below {start or 'the root'!r}; found more",
                        hint="look in a folder further down",
                    )
                full = f"{folder}/{name}" if folder else name
                if found_one is None:
                    continue
                if stat.S_ISDIR(found_one.st_mode):
                    if name not in UNSEARCHED:
                        todo.append(full)
                elif stat.S_ISREG(found_one.st_mode) and fits(full[skip:]):
                    yield full, found_one.st_size

    @contextmanager
    def _folder(self, name: str, *, make: bool = False) -> Iterator[int]:
        """A handle of a folder, every step of the way opened without following links."""
        if self._root < 0:
            raise StoreError(f"the directory {self.root} was closed")
        handle = os.dup(self._root)
        try:
            with _speaking(name):
                for part in name.split("/") if name else ():
                    try:
                        inner = os.open(part, _FOLDER, dir_fd=handle)
                    except FileNotFoundError:
                        if not make:
                            raise
                        try:
                            os.mkdir(part, 0o755, dir_fd=handle)
                        except FileExistsError:
                            pass  # somebody else was quicker
                        inner = os.open(part, _FOLDER, dir_fd=handle)
                    except NotADirectoryError:
                        if stat.S_ISLNK(os.stat(part, dir_fd=handle, follow_symlinks=False).st_mode):
                            raise UnsafePath(
                                f"expected no link on the way to {name!r}; {part!r} is one"
                            ) from None
                        raise
                    os.close(handle)
                    handle = inner
            yield handle
        finally:
            os.close(handle)

    @contextmanager
    def _parent(self, name: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        if not name:
            raise Conflict("expected the path of a file; found the root")
        folder, _, last = name.rpartition("/")
        with self._folder(folder, make=make) as handle:
            yield handle, last


@contextmanager
def _speaking(name: str) -> Iterator[None]:
    """Turns the system's errors into ours."""
    import errno

    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"there is no file or folder {name!r}") from error
    except NotADirectoryError as error:
        raise Conflict(f"expected folders on the way to {name!r}; found a file") from error
    except IsADirectoryError as error:
        raise Conflict(f"expected a file at {name!r}; found a folder") from error
    except PermissionError as error:
        raise StoreError(
            f"{name!r} can't be accessed: {error.strerror}", hint="look at its owner and mode"
        ) from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnsafePath(
                f"expected a file at {name!r}; found a link, and links are not followed"
            ) from error
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise StoreFull(f"{name!r} can't be written: {error.strerror}") from error
        raise StoreError(f"{name!r}: {error.strerror}") from error


def _lstat(name: str, handle: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=handle, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _entry(path: str, found: os.stat_result | None) -> Entry | None:
    if found is None:
        return None
    mode = found.st_mode
    if stat.S_ISDIR(mode):
        return Entry(path, "folder", 0, found.st_mtime)
    kind = "file" if stat.S_ISREG(mode) else "link" if stat.S_ISLNK(mode) else "other"
    return Entry(path, kind, found.st_size, found.st_mtime)  # type: ignore[arg-type]


def _regular(name: str, mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise Conflict(f"expected a file at {name!r}; found a folder")
    what = "a link" if stat.S_ISLNK(mode) else "a device, pipe or socket"
    raise UnsafePath(f"expected a file at {name!r}; found {what}")


async def _aside(work: Callable[[], T]) -> T:
    import asyncio

    return await asyncio.to_thread(work)
