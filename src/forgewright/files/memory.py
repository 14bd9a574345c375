"""Files in memory: the state of a run, and what tests use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forgewright.core.errors import Conflict, UsageError
from forgewright.files import content, paths, transfer
from forgewright.files.types import MATCHES_MAX, Entry, Found, Transfer

TOTAL_BYTES_MAX = 256 << 20
"""All files together."""


class MemoryFiles:
    """A `Files` over a dict; `snapshot` gives what it holds, to be kept elsewhere."""

    def __init__(
        self, initial: Mapping[str, bytes] | None = None, *, bytes_max: int = TOTAL_BYTES_MAX
    ) -> None:
        self._files: dict[str, bytes] = {}
        self._bytes = 0
        self._bytes_max = bytes_max
        for path, data in (initial or {}).items():
            self._put(paths.clean(path), data)

    def snapshot(self) -> dict[str, bytes]:
        """Path → content of all files."""
        return dict(self._files)

    async def ls(self, path: str = "") -> Sequence[Entry]:
        folder = paths.clean(path)
        if folder in self._files:
            raise Conflict(f"expected a folder at {folder!r}; found a file")
        prefix = folder + "/" if folder else ""
        found: dict[str, Entry] = {}
        for name, data in self._files.items():
            if name.startswith(prefix):
                first, deeper, _ = name[len(prefix) :].partition("/")
                full = prefix + first
                found[full] = Entry(full, "folder") if deeper else Entry(full, "file", len(data))
        if not found and folder:
            raise content.missing(folder, self._files, "folder")
        return sorted(found.values())

    async def stat(self, path: str) -> Entry:
        name = paths.clean(path)
        if name in self._files:
            return Entry(name, "file", len(self._files[name]))
        if not name or any(other.startswith(name + "/") for other in self._files):
            return Entry(name, "folder")
        raise content.missing(name, self._files)

    async def read(self, path: str) -> bytes:
        name = paths.clean(path)
        if name not in self._files and (await self.stat(name)).kind == "folder":
            raise Conflict(f"expected a file at {name!r}; found a folder")
        return self._files[name]

    async def write(self, path: str, data: bytes) -> None:
        self._put(paths.clean(path), data)

    async def edit(self, path: str, old: str, new: str, *, every: bool = False) -> int:
        name = paths.clean(path)
        data, count = content.edited(name, await self.read(name), old, new, every=every)
        self._put(name, data)
        return count

    async def glob(self, pattern: str, path: str = "") -> Sequence[str]:
        return [name for name, _ in self._below(pattern, path)]

    async def grep(
        self,
        pattern: str,
        path: str = "",
        *,
        glob: str | None = None,
        regex: bool = False,
        matches_max: int = MATCHES_MAX,
    ) -> Found:
        return content.search(
            self._below(glob or "**", path),
            paths.expression(pattern, regex=regex),
            matches_max,
            plain=None if regex else pattern,
        )

    async def delete(self, path: str) -> None:
        name = paths.clean(path)
        if not name:
            raise UsageError("expected a file or folder to delete; found the root")
        gone = [other for other in self._files if paths.inside(other, name)]
        if not gone:
            raise content.missing(name, self._files)
        for other in gone:
            self._bytes -= len(self._files.pop(other))

    async def upload(self, files: Sequence[tuple[str, bytes]]) -> Sequence[Transfer]:
        return await transfer.upload(self, files)

    async def download(self, paths: Sequence[str]) -> Sequence[Transfer]:
        return await transfer.download(self, paths)

    def _below(self, pattern: str, path: str) -> list[tuple[str, bytes]]:
        folder = paths.clean(path)
        fits = paths.matcher(pattern)
        skip = len(folder) + 1 if folder else 0
        if folder in self._files:
            return [(folder, self._files[folder])] if fits.fullmatch(paths.last(folder)) else []
        inside = [item for item in self._files.items() if paths.inside(item[0], folder)]
        if folder and not inside:
            raise content.missing(folder, self._files, "folder")
        return sorted((name, data) for name, data in inside if fits.fullmatch(name[skip:]))

    def _put(self, name: str, data: bytes) -> None:
        content.bounded(name, data)
        if not name:
            raise UsageError("expected the path of a file; found the root")
        if any(other.startswith(name + "/") for other in self._files):
            raise Conflict(f"expected a file at {name!r}; found a folder")
        parts = name.split("/")
        for depth in range(1, len(parts)):
            if "/".join(parts[:depth]) in self._files:
                raise Conflict(f"expected a folder at {'/'.join(parts[:depth])!r}; found a file")
        grown = self._bytes + len(data) - len(self._files.get(name, b""))
        if grown > self._bytes_max:
            raise UsageError(f"expected at most {self._bytes_max:,} bytes in memory; found {grown:,}")
        self._bytes = grown
        self._files[name] = data
