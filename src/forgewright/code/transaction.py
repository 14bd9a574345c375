"""Many files, all or none: the intent is on disk before the first file changes, and outlives a crash.

    pending.new ──fsync, rename──▶ pending ──▶ files replaced one by one ──fsync──▶ pending removed

`pending` holds every file before and after. Killed before the rename, nothing has happened; killed after
it, the next start goes on to the end, as often as it takes. Where a file cannot be written, a marker
`rollback` is set and the way leads back instead. No step follows a link, at any depth.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import msgspec

from forgewright.code.sources import clean_path
from forgewright.core.errors import Conflict, IntegrityError, StoreError, StoreFull, UnsafePath

LOCK_SECONDS = 30.0
STATE = ".forgewright/edit"

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One file of a transaction; None where it is not there."""

    path: str
    before: bytes | None
    after: bytes | None
    mode: int | None = None
    """Permission bits of the file after; None: those that a new file gets."""


class Transaction:
    """The transactions of one root; one at a time, guarded by a lock between processes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def pending(self) -> bool:
        """Whether a transaction was begun and not finished (or is under way in another process)."""
        return os.path.lexists(self.root / STATE / "pending")

    def commit(self, entries: Sequence[Entry]) -> None:
        """Replace, create and delete all files, or none.

        Raises `Conflict` if one is not as it was read, `UnsafePath` for a link on the way, `StoreFull`
        or `StoreError` if it cannot be written; then nothing has changed.
        """
        with self._locked() as state:
            self._recover(state)
            entries = [self._checked(entry) for entry in entries]
            body = msgspec.msgpack.encode(entries)
            try:
                _write(state, "pending.new", sha256(body).digest() + body, 0o600)
                os.rename("pending.new", "pending", src_dir_fd=state, dst_dir_fd=state)
                os.fsync(state)
            except OSError as error:
                _remove(state, "pending.new")
                raise _failed(error) from error
            try:
                self._apply(state, entries)
            except OSError as error:
                self._roll_back(state, entries)
                raise _failed(error) from error
            self._done(state)

    def recover(self) -> bool:
        """Finish what a killed process began. True if there was something to finish."""
        if not self.pending:
            return False
        with self._locked() as state:
            return self._recover(state)

    def _recover(self, state: int) -> bool:
        _remove(state, "pending.new")
        body = _read(state, "pending")
        if body is None:
            _remove(state, "rollback")
            return False
        if sha256(body[32:]).digest() != body[:32]:
            raise IntegrityError("the intent of an unfinished edit is damaged", record=f"{STATE}/pending")
        entries = msgspec.msgpack.decode(body[32:], type=list[Entry])
        for entry in entries:
            clean_path(entry.path)
        backwards = _read(state, "rollback") is not None
        foreign = [e.path for e in entries if self._current(e.path) not in (e.before, e.after)]
        ours = [e for e in entries if e.path not in foreign]
        try:
            self._apply(state, [_reversed(entry) for entry in ours] if backwards else ours)
        except OSError as error:
            raise _failed(error) from error
        self._done(state)
        if foreign:
            raise Conflict(
                f"an unfinished edit was completed, except for files changed by others: {', '.join(foreign)}",
                hint="compare them with the version control's state",
            )
        return True

    def _roll_back(self, state: int, entries: Sequence[Entry]) -> None:
        _write(state, "rollback", b"", 0o600)
        os.fsync(state)
        touched = [e for e in entries if self._current(e.path) != e.before]
        self._apply(state, [_reversed(entry) for entry in touched])
        self._done(state)

    def _done(self, state: int) -> None:
        os.unlink("pending", dir_fd=state)
        os.fsync(state)
        _remove(state, "rollback")

    def _checked(self, entry: Entry) -> Entry:
        """The entry with the mode to keep. Raises `Conflict` if the file is not as it was read."""
        path = clean_path(entry.path)
        if path == ".forgewright" or path.startswith(".forgewright/"):
            raise UnsafePath(f"{path} belongs to the engine itself")
        if self._current(path) != entry.before:
            what = "was changed" if entry.before is not None else "was created"
            raise Conflict(f"{path} {what} since it was read", hint="plan the program again")
        if entry.after is None or entry.mode is not None:
            return entry
        mode = self._mode(path)
        return msgspec.structs.replace(entry, mode=mode) if mode is not None else entry

    def _current(self, path: str) -> bytes | None:
        """A file's bytes; None if there is none. Raises `UnsafePath` for anything else."""
        folder, name = _split(path)
        try:
            parent = self._open(folder)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnsafePath(
                f"{path}: {error.strerror}", hint="links and special files are left alone"
            ) from None
        try:
            return _read(parent, name)
        except OSError as error:
            raise UnsafePath(
                f"{path}: {error.strerror}", hint="links and special files are left alone"
            ) from None
        finally:
            os.close(parent)

    def _mode(self, path: str) -> int | None:
        try:
            return os.lstat(self.root / path).st_mode & 0o7777
        except FileNotFoundError:
            return None

    def mode_of(self, path: str) -> int | None:
        """The permission bits of a file, to give to the one it becomes."""
        return self._mode(clean_path(path))

    def _apply(self, state: int, entries: Iterable[Entry]) -> None:
        folders: dict[str, None] = {}
        for entry in entries:
            folder, name = _split(entry.path)
            if entry.after is None:
                self._delete(folder, name)
            else:
                _write(state, "file", entry.after, entry.mode)
                parent = self._open(folder, create=True)
                try:
                    os.rename("file", name, src_dir_fd=state, dst_dir_fd=parent)
                finally:
                    os.close(parent)
            folders[folder] = None
        for folder in folders:
            try:
                parent = self._open(folder)
            except FileNotFoundError:
                continue
            try:
                os.fsync(parent)
            finally:
                os.close(parent)

    def _delete(self, folder: str, name: str) -> None:
        try:
            parent = self._open(folder)
        except FileNotFoundError:
            return
        try:
            _remove(parent, name)
        finally:
            os.close(parent)
        while folder:  # folders that hold nothing any more
            above, last = _split(folder)
            parent = self._open(above)
            try:
                os.rmdir(last, dir_fd=parent)
            except OSError:
                return
            finally:
                os.close(parent)
            folder = above

    def _open(self, folder: str, create: bool = False) -> int:
        handle = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for part in folder.split("/") if folder else ():
            try:
                if create:
                    try:
                        os.mkdir(part, dir_fd=handle)
                        os.fsync(handle)
                    except FileExistsError:
                        pass
                deeper = os.open(part, _FOLDER, dir_fd=handle)
            finally:
                os.close(handle)
            handle = deeper
        return handle

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The state folder, with the lock held."""
        try:
            state = self._open(STATE, create=True)
        except OSError as error:
            raise _failed(error) from error
        try:
            if _read(state, ".gitignore") is None:
                _write(state, ".gitignore", b"*\n", None)
            lock = os.open("lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=state)
            try:
                _lock(lock)
                yield state
            finally:
                os.close(lock)
        finally:
            os.close(state)


def _lock(handle: int) -> None:
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > end:
                raise Conflict(
                    f"another process has been changing this root for {LOCK_SECONDS:.0f} seconds",
                    hint="wait for it, or end it",
                ) from None
            time.sleep(0.02)


def _reversed(entry: Entry) -> Entry:
    return Entry(entry.path, entry.after, entry.before, entry.mode)


def _split(path: str) -> tuple[str, str]:
    folder, _, name = path.rpartition("/")
    return folder, name


def _read(folder: int, name: str) -> bytes | None:
    try:
        handle = os.open(name, _READ, dir_fd=folder)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, "rb") as file:
        return file.read()


def _write(folder: int, name: str, data: bytes, mode: int | None) -> None:
    """A file's content, durable when this returns."""
    handle = os.open(name, _WRITE, 0o666 if mode is None else 0o600, dir_fd=folder)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        if mode is not None:
            os.fchmod(handle, mode)
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(folder: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass


def _failed(error: OSError) -> StoreError:
    from errno import EDQUOT, ENOSPC, EROFS

    message = f"the files could not be written ({error.strerror}); nothing was changed"
    if error.errno in (ENOSPC, EDQUOT, EROFS):
        return StoreFull(message, hint="free some space, then run it again")
    return StoreError(message, hint="check the permissions of the folder")
