"""Blobs as files named by their digest: a large value goes to disk once, beside the write-ahead log.

Files and not rows, because a row would pass through the one writer (a gigabyte would hold up every run) and
be written twice, log and table; and a file's deletion frees its space at once. A blob is durable before the
record that names it is written: the file is synced, then renamed into place, then its folder is synced.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from forgewright.core.errors import IntegrityError, NotFound, UsageError
from forgewright.core.ids import Digest, digest
from forgewright.core.limits import BLOB_BYTES_MAX
from forgewright.store.drivers.sqlite.errors import translate

if TYPE_CHECKING:
    from collections.abc import Sequence


class FileBlobs:
    """`ROOT/ab/cdef…`, by the hexadecimal SHA-256 of the content."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, data: bytes) -> Digest:
        import asyncio

        return await asyncio.to_thread(self.put_now, data)

    async def get(self, digest: Digest) -> bytes:
        import asyncio

        return await asyncio.to_thread(self.get_now, digest)

    async def has(self, digest: Digest) -> bool:
        return self.path(digest).exists()

    async def delete(self, digest: Digest) -> None:
        import asyncio

        await asyncio.to_thread(self.delete_now, digest)

    async def digests(self, *, older_than_seconds: float = 0.0) -> Sequence[Digest]:
        import asyncio

        return await asyncio.to_thread(self.digests_now, older_than_seconds)

    def put_now(self, data: bytes) -> Digest:
        """Blocking form of `put`."""
        if len(data) > BLOB_BYTES_MAX:
            raise UsageError(f"a blob has at most {BLOB_BYTES_MAX} bytes, this one has {len(data)}")
        name = digest(data)
        path = self.path(name)
        try:
            os.utime(
                path
            )  # there already: as young again, so that it is not collected before its record comes
            return name
        except FileNotFoundError:
            pass
        except OSError as error:
            raise translate(error, path) from error
        scratch = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            if not path.parent.exists():
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                _sync_folder(path.parent.parent)
            with open(scratch, "xb") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.rename(scratch, path)
            _sync_folder(path.parent)
        except OSError as error:
            scratch.unlink(missing_ok=True)
            raise translate(error, path) from error
        return name

    def get_now(self, name: Digest) -> bytes:
        """Blocking form of `get`."""
        path = self.path(name)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise NotFound(f"no blob {name}", hint="it was deleted, or never kept here") from None
        except OSError as error:
            raise translate(error, path) from error
        if digest(data) != name:
            raise IntegrityError(
                f"the content of blob {name} is not what its name says (found {digest(data)})",
                record=name,
                hint="restore the file from a backup or a bundle",
            )
        return data

    def delete_now(self, name: Digest) -> None:
        path = self.path(name)
        try:
            path.unlink(missing_ok=True)
            if path.parent.exists():
                _sync_folder(path.parent)
        except OSError as error:
            raise translate(error, path) from error

    def digests_now(self, older_than_seconds: float = 0.0) -> Sequence[Digest]:
        limit = time.time() - older_than_seconds
        found = []
        for path in self._root.glob("[0-9a-f][0-9a-f]/[!.]*"):
            try:
                if path.stat().st_mtime <= limit:
                    found.append(f"sha256:{path.parent.name}{path.name}")
            except FileNotFoundError:
                continue  # deleted in between
        return sorted(Digest(name) for name in found)

    def path(self, name: Digest) -> Path:
        """Where the blob lies, if it is there. Raises `UsageError` for what is no digest."""
        algorithm, _, hexadecimal = name.partition(":")
        if algorithm != "sha256" or len(hexadecimal) != 64 or set(hexadecimal) - set("0123456789abcdef"):
            raise UsageError(f"expected sha256: and 64 hexadecimal digits, found {name!r}")
        return self._root / hexadecimal[:2] / hexadecimal[2:]


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
