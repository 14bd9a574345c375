"""Files in the store's memory: they outlive the run, and are seen from every process of the home."""

from __future__ import annotations

from collections.abc import Sequence

from forgewright.core.errors import Conflict, UsageError
from forgewright.files import content, paths, transfer
from forgewright.files.types import ENTRIES_MAX, MATCHES_MAX, Entry, Found, Match, Transfer
from forgewright.store.ports import MemoryStore


class StoredFiles:
    """A `Files` over one namespace of a `MemoryStore`: each file is a value, folders are prefixes.

    Of two writers of one file the later wins; an edit that another writer overtook may be lost, as with any
    shared folder.
    """

    def __init__(self, store: MemoryStore, namespace: str) -> None:
        if not namespace:
            raise UsageError("expected a namespace for stored files; found nothing")
        self._store = store
        self._namespace = namespace

    async def ls(self, path: str = "") -> Sequence[Entry]:
        folder = paths.clean(path)
        names = await self._names()
        if folder in names:
            raise Conflict(f"expected a folder at {folder!r}; found a file")
        prefix = folder + "/" if folder else ""
        found: dict[str, Entry] = {}
        for name in names:
            if name.startswith(prefix):
                first, deeper, _ = name[len(prefix) :].partition("/")
                full = prefix + first
                found[full] = Entry(full, "folder") if deeper else await self._entry(full)
        if not found and folder:
            raise content.missing(folder, names, "folder")
        return sorted(found.values())

    async def stat(self, path: str) -> Entry:
        name = paths.clean(path)
        names = await self._names()
        if name in names:
            return await self._entry(name)
        if not name or any(other.startswith(name + "/") for other in names):
            return Entry(name, "folder")
        raise content.missing(name, names)

    async def read(self, path: str) -> bytes:
        name = paths.clean(path)
        data = await self._store.get(self._namespace, name) if name else None
        if data is None:
            if (await self.stat(name)).kind == "folder":
                raise Conflict(f"expected a file at {name!r}; found a folder")
            raise content.missing(name, await self._names(), "file")
        return data

    async def write(self, path: str, data: bytes) -> None:
        name = paths.clean(path)
        content.bounded(name, data)
        if not name:
            raise UsageError("expected the path of a file; found the root")
        names = await self._names()
        if any(other.startswith(name + "/") for other in names):
            raise Conflict(f"expected a file at {name!r}; found a folder")
        parts = name.split("/")
        for depth in range(1, len(parts)):
            if "/".join(parts[:depth]) in names:
                raise Conflict(f"expected a folder at {'/'.join(parts[:depth])!r}; found a file")
        if name not in names and len(names) >= ENTRIES_MAX:
            raise UsageError(f"expected at most {ENTRIES_MAX:,} stored files; found more")
        await self._store.put(self._namespace, name, data)

    async def edit(self, path: str, old: str, new: str, *, every: bool = False) -> int:
        name = paths.clean(path)
        data, count = content.edited(name, await self.read(name), old, new, every=every)
        await self._store.put(self._namespace, name, data)
        return count

    async def glob(self, pattern: str, path: str = "") -> Sequence[str]:
        return await self._below(pattern, path)

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
        matches: list[Match] = []
        skipped: list[str] = []
        for name in await self._below(glob or "**", path):
            data = await self._store.get(self._namespace, name)
            if data is None:
                continue  # it went away since it was listed
            left = matches_max - len(matches)
            found = content.search([(name, data)], expression, left, plain=plain)
            matches += found.matches
            skipped += found.skipped
            if found.truncated:
                return Found(tuple(matches), truncated=True, skipped=tuple(skipped[:100]))
        return Found(tuple(matches), skipped=tuple(skipped[:100]))

    async def delete(self, path: str) -> None:
        name = paths.clean(path)
        if not name:
            raise UsageError("expected a file or folder to delete; found the root")
        names = await self._names()
        gone = [other for other in names if paths.inside(other, name)]
        if not gone:
            raise content.missing(name, names)
        for other in gone:
            await self._store.delete(self._namespace, other)

    async def upload(self, files: Sequence[tuple[str, bytes]]) -> Sequence[Transfer]:
        return await transfer.upload(self, files)

    async def download(self, paths: Sequence[str]) -> Sequence[Transfer]:
        return await transfer.download(self, paths)

    async def _names(self) -> set[str]:
        return set(await self._store.keys(self._namespace))

    async def _entry(self, name: str) -> Entry:
        data = await self._store.get(self._namespace, name)
        return Entry(name, "file", len(data or b""))

    async def _below(self, pattern: str, path: str) -> list[str]:
        folder = paths.clean(path)
        fits = paths.matcher(pattern).fullmatch
        skip = len(folder) + 1 if folder else 0
        names = await self._names()
        if folder in names:
            return [folder] if fits(paths.last(folder)) else []
        inside = [name for name in names if paths.inside(name, folder)]
        if folder and not inside:
            raise content.missing(folder, names, "folder")
        return sorted(name for name in inside if fits(name[skip:]))
