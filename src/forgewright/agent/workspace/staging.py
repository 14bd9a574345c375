"""New contents of files between the moment they are known and the moment they are written, on disk and in no journal."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from forgewright.core.errors import NotFound, StoreFull
from forgewright.core.ids import Digest, digest

if TYPE_CHECKING:
    from forgewright.runtime.context import Context

FOLDER = "staging"

_temporary: list[tempfile.TemporaryDirectory[str]] = []


class Staging:
    """Contents by digest in a folder that only its owner can read. Raises `StoreFull`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, data: bytes) -> Digest:
        name = digest(data)
        path = self._path(name)
        fresh = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
        try:
            fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(fd, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, path)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise StoreFull(f"a changed file can't be staged in {self._folder}: {error.strerror}") from error
        return name

    def get(self, name: Digest) -> bytes:
        try:
            data = self._path(name).read_bytes()
        except FileNotFoundError:
            data = b""
        if digest(data) != name:
            raise NotFound(
                f"the staged content {name[:19]}… is not there any more",
                hint="make the change again, or fork the run before it",
            )
        return data

    def drop(self, names: Iterable[Digest]) -> None:
        """Lets go of contents that are written."""
        for name in names:
            self._path(name).unlink(missing_ok=True)

    def _path(self, name: Digest) -> Path:
        return self._folder / name.partition(":")[2]


def staging_of(context: Context) -> Staging:
    """Of the run that `context` belongs to; a journal in memory has its own until the process ends."""
    home = context.execution.engine.home
    if home is None:
        if not _temporary:
            _temporary.append(tempfile.TemporaryDirectory(prefix="forgewright-"))
        home = Path(_temporary[0].name)
    return Staging(home / FOLDER / context.run)
