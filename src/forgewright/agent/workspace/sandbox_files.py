"""Files inside a sandbox, through the sandbox's own protocol: what a command there writes is read here, and back.

Links are not followed, as in every backend. Inside, that is a courtesy and no wall: whoever runs commands there
can swap a folder for a link between a look and a read, and gains nothing but what the sandbox shows anyway.
"""

from __future__ import annotations

import asyncio
import os
import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from forgewright.core.errors import (
    Conflict,
    ForgewrightError,
    NotFound,
    Refused,
    SandboxError,
    StoreFull,
    UnsafePath,
    UsageError,
)
from forgewright.files import content, paths, transfer
from forgewright.files.directory import DEPTH_MAX, UNSEARCHED
from forgewright.files.types import ENTRIES_MAX, FILE_BYTES_MAX, MATCHES_MAX, Entry, Found, Match, Transfer
from forgewright.sandbox.types import Command, Exit, Sandbox

READS_AT_ONCE = 16
"""Files that a grep fetches side by side."""
SECONDS = 120.0
"""What one look around may take."""

_KINDS: dict[bytes, Literal["file", "folder", "link"]] = {b"f": "file", b"d": "folder", b"l": "link"}
_SYSTEM = ("/proc", "/sys", "/dev")
_BINARY = r"""xargs -0r grep -LIZe '' --"""
_HOLDING = r"""xargs -0r grep -lZaFe "$1" --"""
_REPLACE = r"""[ -e "$2" ] && chmod --reference="$2" -- "$1"; exec mv -fT -- "$1" "$2" """


class SandboxFiles:
    """A `Files` over a folder inside a running sandbox; needs `find`, `grep`, `xargs` and `mv` in its image.
    Searches from above do not go into folders named in `unsearched`.

    Raises, beside what every backend raises, `SandboxError` if the sandbox has ended or has no such programs.
    """

    def __init__(
        self, sandbox: Sandbox, root: str = "/", *, unsearched: Collection[str] = UNSEARCHED
    ) -> None:
        if not root.startswith("/"):
            raise UsageError(f"expected an absolute folder inside the sandbox; found {root!r:.100}")
        self.sandbox = sandbox
        self.root = posixpath.normpath("/" + root.strip("/"))
        self._unsearched = sorted(unsearched)

    async def ls(self, path: str = "") -> Sequence[Entry]:
        name = paths.clean(path)
        await self._expect(name, "folder")
        listed = await self._find(self._inside(name), "-maxdepth", "1", "-mindepth", "1", shown="%f")
        return sorted(_moved(entry, name) for entry in listed)[:ENTRIES_MAX]

    async def stat(self, path: str) -> Entry:
        name = paths.clean(path)
        found = await self._status(name)
        if found is None:
            raise NotFound(f"there is no file or folder {name!r}")
        return found

    async def read(self, path: str) -> bytes:
        name = paths.clean(path)
        await self._expect(name, "file")
        return content.bounded(name, await self._fetch(name))

    async def write(self, path: str, data: bytes) -> None:
        name = paths.clean(path)
        content.bounded(name, data)
        if not name:
            raise Conflict("expected the path of a file; found the root")
        found = await self._status(name)
        if found is not None:
            _regular(found)
        target = self._inside(name)
        folder, last = posixpath.split(target)
        fresh = f"{folder}/.{last[:40]}.{os.urandom(6).hex()}.new"
        with _speaking(name):
            await self.sandbox.write(fresh, data)
            try:
                await self._run("sh", "-c", _REPLACE, "sh", fresh, target)
            except ForgewrightError:
                await self.sandbox.remove(fresh)
                raise

    async def edit(self, path: str, old: str, new: str, *, every: bool = False) -> int:
        name = paths.clean(path)
        data, count = content.edited(name, await self.read(name), old, new, every=every)
        await self.write(name, data)
        return count

    async def glob(self, pattern: str, path: str = "") -> Sequence[str]:
        return [entry.path for entry in await self._below(pattern, paths.clean(path))]

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
        found = await self._below(glob or "**", paths.clean(path))
        small = [e.path for e in found if 0 < e.size_bytes <= FILE_BYTES_MAX]
        skipped = {e.path for e in found if e.size_bytes > FILE_BYTES_MAX}
        skipped |= await self._select(small, _BINARY)
        wanted = [name for name in small if name not in skipped]
        if not regex:
            holding = await self._select(wanted, _HOLDING, pattern)
            wanted = [name for name in wanted if name in holding]
        matches: list[Match] = []
        truncated = False
        for start in range(0, len(wanted), READS_AT_ONCE):
            batch = wanted[start : start + READS_AT_ONCE]
            fetched = await asyncio.gather(*(self._fetch_if_there(name) for name in batch))
            there = [(n, data) for n, data in zip(batch, fetched, strict=True) if data is not None]
            part = content.search(there, expression, matches_max - len(matches))
            matches += part.matches
            skipped.update(part.skipped)
            if part.truncated:
                truncated = True
                break
        return Found(tuple(matches), truncated=truncated, skipped=tuple(sorted(skipped)[:100]))

    async def delete(self, path: str) -> None:
        name = paths.clean(path)
        if not name:
            raise UsageError("expected a file or folder to delete; found the root")
        await self.stat(name)
        with _speaking(name):
            await self.sandbox.remove(self._inside(name))

    async def upload(self, files: Sequence[tuple[str, bytes]]) -> Sequence[Transfer]:
        return await transfer.upload(self, files)

    async def download(self, paths: Sequence[str]) -> Sequence[Transfer]:
        return await transfer.download(self, paths)

    # ── how it is looked up ──────────────────────────────────────────────────────────────────────────

    def _inside(self, name: str) -> str:
        return posixpath.join(self.root, name) if name else self.root

    async def _status(self, name: str) -> Entry | None:
        """The entry, None where there is none. Raises `UnsafePath` and `Conflict` for what is on the way."""
        parts = name.split("/") if name else []
        if len(parts) > DEPTH_MAX:
            raise UsageError(f"expected folders at most {DEPTH_MAX} deep; found {len(parts)}")
        way = [self.root, *(self._inside("/".join(parts[: n + 1])) for n in range(len(parts)))]
        found = {e.path: e for e in await self._find(*way, "-maxdepth", "0", shown="%p", lenient=True)}
        for step, above in zip(way[1:-1], range(1, len(way)), strict=False):
            kind = found[step].kind if step in found else "folder"
            if kind == "link":
                raise UnsafePath(f"expected no link on the way to {name!r}; {parts[above - 1]!r} is one")
            if kind != "folder":
                raise Conflict(f"expected folders on the way to {name!r}; found a file")
        last = found.get(way[-1])
        if last is None:
            return None
        if not name:
            return Entry("", "folder")
        return Entry(name, last.kind, 0 if last.kind == "folder" else last.size_bytes, last.modified)

    async def _expect(self, name: str, kind: Literal["file", "folder"]) -> Entry:
        found = await self._status(name)
        if found is None:
            raise NotFound(f"there is no file or folder {name!r}")
        if kind == "file":
            _regular(found)
        elif found.kind == "link":
            raise UnsafePath(f"expected a folder at {name!r}; found a link, and links are not followed")
        elif found.kind != "folder":
            raise Conflict(f"expected a folder at {name!r}; found a file")
        return found

    async def _below(self, pattern: str, start: str) -> list[Entry]:
        """The regular files below `start` that fit the pattern, sorted."""
        fits = paths.matcher(pattern).fullmatch
        found = await self._status(start)
        if found is not None and found.kind == "file":
            return [found] if fits(paths.last(start)) else []
        skip = len(start) + 1 if start else 0
        return [e for e in await self.walk(start) if e.kind == "file" and fits(e.path[skip:])]

    async def walk(self, path: str = "") -> list[Entry]:
        """All files and folders below a folder, sorted, but nothing in folders that are not searched."""
        start = paths.clean(path)
        await self._expect(start, "folder")
        folder = self._inside(start)
        passed = [word for name in self._unsearched for word in ("-o", "-name", name)]
        if folder == "/":
            passed += [word for name in _SYSTEM for word in ("-o", "-path", name)]
        limits = ("-mindepth", "1", "-maxdepth", str(DEPTH_MAX))
        pruned = ("-type", "d", "(", "-false", *passed, ")", "-prune", "-o")
        listed = await self._find(
            folder, *limits, *pruned, "(", "-type", "f", "-o", "-type", "d", ")", shown="%P"
        )
        if len(listed) > ENTRIES_MAX:
            raise _too_many(start)
        return sorted(_moved(entry, start) for entry in listed)

    async def _find(self, *arguments: str, shown: str, lenient: bool = False) -> list[Entry]:
        done = await self._run(
            "find", "-P", *arguments, "-printf", rf"%y\0%s\0%T@\0{shown}\0", lenient=lenient
        )
        if done.stdout_bytes > len(done.stdout):
            raise _too_many(arguments[0])
        fields = done.stdout.split(b"\0")[:-1]
        return [
            Entry(os.fsdecode(path), _KINDS.get(kind, "other"), int(size), float(time))
            for kind, size, time, path in zip(*[iter(fields)] * 4, strict=True)
        ]

    async def _select(self, names: list[str], script: str, *words: str) -> set[str]:
        """Those of the files that the script prints."""
        if not names:
            return set()
        given = b"".join(os.fsencode(self._inside(name)) + b"\0" for name in names)
        done = await self._run("sh", "-c", script, "sh", *words, stdin=given, lenient=True)
        skip = len(self.root.rstrip("/")) + 1
        return {os.fsdecode(line)[skip:] for line in done.stdout.split(b"\0") if line}

    async def _fetch(self, name: str) -> bytes:
        with _speaking(name):
            return await self.sandbox.read(self._inside(name), bytes_max=FILE_BYTES_MAX)

    async def _fetch_if_there(self, name: str) -> bytes | None:
        try:
            return await self._fetch(name)
        except (NotFound, Refused, Conflict, UsageError):
            return None  # it went away, or became something else, since it was listed

    async def _run(self, *argv: str, stdin: bytes = b"", lenient: bool = False) -> Exit:
        """`lenient`: what the command says of some of the paths is no error."""
        command = Command(
            argv, stdin=stdin, environment={"LC_ALL": "C"}, workdir="/", timeout_seconds=SECONDS
        )
        done = await self.sandbox.run(command)
        said = done.stderr.decode("utf-8", "replace").strip()
        if done.reason != "exit" or done.code in (126, 127):
            raise SandboxError(f"{argv[0]} ended with code {done.code} ({done.reason}): {said[:300]}")
        if done.code and not (lenient and "Permission denied" not in said):
            raise _told(said)
        return done


def _told(said: str) -> ForgewrightError:
    """The error behind what a program of the system says."""
    if re.search("Read-only file system|Permission denied|Device or resource busy|not permitted", said):
        return Refused(f"the sandbox does not allow it: {said[:300]}", hint="look at what its mounts permit")
    if "No space left" in said:
        return StoreFull(f"the sandbox's disk is full: {said[:300]}")
    if "No such file" in said:
        return NotFound(said[:300])
    return SandboxError(said[:300])


@contextmanager
def _speaking(name: str) -> Iterator[None]:
    """Says of a file operation what every backend would say."""
    try:
        yield
    except SandboxError as error:
        if "resource busy" in error.message:
            raise Refused(f"{name!r} is held by the sandbox and can't be replaced or removed") from error
        if "No space left" in error.message:
            raise StoreFull(f"{name!r} can't be written: the sandbox's disk is full") from error
        if "at most" in error.message and "were asked for" in error.message:
            raise UsageError(f"expected at most {FILE_BYTES_MAX:,} bytes for the file {name!r}") from error
        raise


def _regular(entry: Entry) -> None:
    if entry.kind == "folder":
        raise Conflict(f"expected a file at {entry.path!r}; found a folder")
    if entry.kind != "file":
        what = "a link, and links are not followed" if entry.kind == "link" else "a device, pipe or socket"
        raise UnsafePath(f"expected a file at {entry.path!r}; found {what}")


def _moved(entry: Entry, folder: str) -> Entry:
    path = f"{folder}/{entry.path}" if folder else entry.path
    return Entry(path, entry.kind, 0 if entry.kind == "folder" else entry.size_bytes, entry.modified)


def _too_many(start: str) -> UsageError:
    return UsageError(
        f"expected at most {ENTRIES_MAX:,} entries below {start or 'the root'!r}; found more",
        hint="look in a folder further down",
    )
