"""Several backends as one: each path goes to the backend with the longest prefix."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import TypeVar

import msgspec

from forgewright.core.errors import NotFound, UsageError
from forgewright.files import paths, transfer
from forgewright.files.types import MATCHES_MAX, Entry, Files, Found, Match, Transfer

T = TypeVar("T")


class CompositeFiles:
    """A `Files` that hands each path to the backend mounted at its longest prefix, else to `default`.

    A folder's listing shows the mounts below it; a glob or grep above a mount looks into it too.
    """

    def __init__(self, default: Files, mounts: Mapping[str, Files]) -> None:
        self._default = default
        cleaned = {paths.clean(prefix): backend for prefix, backend in mounts.items()}
        if "" in cleaned or len(cleaned) != len(mounts):
            raise UsageError(f"expected a different folder for each mount; found {', '.join(mounts)}")
        self._mounts = dict(sorted(cleaned.items(), key=lambda item: -len(item[0])))

    async def ls(self, path: str = "") -> Sequence[Entry]:
        name = paths.clean(path)
        backend, prefix, inner = self._route(name)
        below = {
            (f"{name}/" if name else "") + mount[len(name) :].strip("/").split("/")[0]
            for mount in self._mounts
            if mount != name and paths.inside(mount, name)
        }
        try:
            found = {e.path: e for e in (_back(entry, prefix) for entry in await backend.ls(inner))}
        except NotFound:
            if not below:
                raise
            found = {}
        found.update({folder: Entry(folder, "folder") for folder in below})
        return sorted(found.values())

    async def stat(self, path: str) -> Entry:
        name = paths.clean(path)
        backend, prefix, inner = self._route(name)
        if any(paths.inside(mount, name) for mount in self._mounts):
            return Entry(name, "folder")
        return _back(await backend.stat(inner), prefix)

    async def read(self, path: str) -> bytes:
        backend, _, inner = self._route(paths.clean(path))
        return await backend.read(inner)

    async def write(self, path: str, data: bytes) -> None:
        backend, _, inner = self._route(paths.clean(path))
        await backend.write(inner, data)

    async def edit(self, path: str, old: str, new: str, *, every: bool = False) -> int:
        backend, _, inner = self._route(paths.clean(path))
        return await backend.edit(inner, old, new, every=every)

    async def glob(self, pattern: str, path: str = "") -> Sequence[str]:
        name = paths.clean(path)
        fits = paths.matcher(pattern)
        skip = len(name) + 1 if name else 0
        found: set[str] = set()
        for backend, prefix, inner in self._reach(name):
            for entry in await _unless_hidden(backend.glob("**", inner), self._mounted_below(name), ()):
                full = f"{prefix}/{entry}" if prefix else entry
                if self._route(full)[1] == prefix and fits.fullmatch(full[skip:] or paths.last(full)):
                    found.add(full)
        return sorted(found)

    async def grep(
        self,
        pattern: str,
        path: str = "",
        *,
        glob: str | None = None,
        regex: bool = False,
        matches_max: int = MATCHES_MAX,
    ) -> Found:
        name = paths.clean(path)
        fits = paths.matcher(glob or "**")
        skip = len(name) + 1 if name else 0
        matches: list[Match] = []
        skipped: list[str] = []
        truncated = False
        for backend, prefix, inner in self._reach(name):
            searching = backend.grep(pattern, inner, regex=regex, matches_max=matches_max)
            found = await _unless_hidden(searching, self._mounted_below(name), Found(()))
            truncated |= found.truncated
            for match in found.matches:
                full = f"{prefix}/{match.path}" if prefix else match.path
                if self._route(full)[1] == prefix and fits.fullmatch(full[skip:] or paths.last(full)):
                    matches.append(msgspec.structs.replace(match, path=full))
            skipped += [f"{prefix}/{one}" if prefix else one for one in found.skipped]
        matches.sort()
        truncated |= len(matches) > matches_max
        return Found(tuple(matches[:matches_max]), truncated=truncated, skipped=tuple(skipped[:100]))

    async def delete(self, path: str) -> None:
        name = paths.clean(path)
        inside = [mount for mount in self._mounts if paths.inside(mount, name)]
        if inside:
            raise UsageError(f"expected something below a mount to delete; {inside[0]!r} is mounted there")
        backend, _, inner = self._route(name)
        await backend.delete(inner)

    async def upload(self, files: Sequence[tuple[str, bytes]]) -> Sequence[Transfer]:
        return await transfer.upload(self, files)

    async def download(self, paths: Sequence[str]) -> Sequence[Transfer]:
        return await transfer.download(self, paths)

    def _route(self, name: str) -> tuple[Files, str, str]:
        """Backend, its prefix, and the path within it."""
        for mount, backend in self._mounts.items():
            if paths.inside(name, mount):
                return backend, mount, name[len(mount) + 1 :]
        return self._default, "", name

    def _mounted_below(self, name: str) -> bool:
        return any(mount != name and paths.inside(mount, name) for mount in self._mounts)

    def _reach(self, name: str) -> list[tuple[Files, str, str]]:
        """Backends that hold something at or below the path."""
        below = [
            (b, mount, "") for mount, b in self._mounts.items() if mount != name and paths.inside(mount, name)
        ]
        return [self._route(name), *below]


async def _unless_hidden(work: Awaitable[T], mounted: bool, nothing: T) -> T:
    """The result; nothing where the folder is there only because something is mounted below it."""
    try:
        return await work
    except NotFound:
        if not mounted:
            raise
        return nothing


def _back(entry: Entry, prefix: str) -> Entry:
    if not prefix:
        return entry
    return msgspec.structs.replace(entry, path=f"{prefix}/{entry.path}" if entry.path else prefix)
