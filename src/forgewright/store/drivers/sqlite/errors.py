"""What SQLite's errors mean to a caller, in one table."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from forgewright.core.errors import IntegrityError, StoreError, StoreFull

_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def translate(error: sqlite3.Error | OSError, path: Path) -> StoreError | IntegrityError:
    """The error of `core.errors` that says what happened to the file at `path`, and what to do."""
    if isinstance(error, OSError):
        return _os(error, path)
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if primary == sqlite3.SQLITE_FULL:
        return StoreFull(f"{path} could not grow: {error}", hint=f"free space on the disk of {path.parent}")
    if primary in _FULL:
        return StoreFull(
            f"{path} could not be written: {error}",
            hint=f"make {path.parent} and its files writable for this user, on a writable disk",
        )
    if primary in _DAMAGED:
        return IntegrityError(
            f"{path} is damaged: {error}",
            hint="run `forgewright audit fsck`, then restore the home from a backup or a bundle",
        )
    if primary in _BUSY:
        return StoreError(
            f"{path} was locked by another process for longer than the wait allowed",
            hint="find the process that holds the file open (fuser shows it) and let it finish",
        )
    return StoreError(
        f"{path} could not be read or written: {error}",
        hint="look for disk errors in the system log; nothing unacknowledged was kept; open the home again",
    )


def _os(error: OSError, path: Path) -> StoreError:
    import errno

    where = error.filename or path
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFull(f"{where} could not be written: {error.strerror}", hint="free space on its disk")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return StoreFull(
            f"{where} could not be written: {error.strerror}",
            hint="make the folder writable for this user, on a writable disk",
        )
    return StoreError(f"{where} could not be read or written: {error.strerror}", hint="look at the disk")
