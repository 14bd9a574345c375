"""Where sources come from: a folder on disk, a mapping in memory, or either with changes laid over it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self

from forgewright.code.deadline import check as check_time
from forgewright.code.globs import matcher
from forgewright.code.languages import FAMILIES, Unparsable, language_of, parse
from forgewright.code.listing import TICK_NANOSECONDS, Listing
from forgewright.core.errors import NotFound, UnsafePath
from forgewright.core.limits import SOURCE_BYTES_MAX

if TYPE_CHECKING:
    from tree_sitter import Tree

    from forgewright.code.project import Project

CACHE_BYTES_MAX = 64 << 20
"""File contents that a DiskProject keeps between programs."""

READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
FOLDER = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_DIRECTORY


class SourceFile:
    """One file as it was read; its tree is parsed at first use and kept."""

    __slots__ = ("_tree", "_unparsable", "data", "language", "path")

    def __init__(self, path: str, data: bytes, language: str | None = None) -> None:
        self.path = path
        self.data = data
        self.language = language or language_of(path)
        self._tree: Tree | None = None
        self._unparsable: Unparsable | None = None

    @property
    def tree(self) -> Tree:
        if self._tree is None:
            if self._unparsable is not None:
                raise Unparsable(self._unparsable.message, hint=self._unparsable.hint)
            try:
                self._tree = parse(self.language, self.data)
            except Unparsable as error:
                error.message = f"{self.path}: {error.message}"
                self._unparsable = error
                raise
        return self._tree

    @property
    def parsed(self) -> bool:
        return self._tree is not None

    def forget_tree(self) -> None:
        """Drop the tree; it is parsed again when asked for."""
        self._tree = None


def clean_path(path: str) -> str:
    """`path` relative to the root with single `/`. Raises `UnsafePath` if it leaves the root."""
    parts = path.replace(os.sep, "/").split("/")
    kept = [part for part in parts if part not in ("", ".")]
    if path.startswith("/") or ".." in kept or "\0" in path or not kept:
        raise UnsafePath(
            f"expected a path inside the root, found {path!r}",
            hint="paths are relative to the root, without '..'",
        )
    return "/".join(kept)


def languages_with(language: str | None) -> tuple[str, ...] | None:
    """The languages whose files can refer to each other, `language` among them; None for all."""
    return None if language is None else FAMILIES.get(language, (language,))


class MemoryProject:
    """Files from a mapping: for tests, for other back-ends, for trying things."""

    def __init__(self, files: Mapping[str, bytes | str]) -> None:
        self._files = {
            clean_path(path): data.encode() if isinstance(data, str) else data for path, data in files.items()
        }
        self._sources: dict[str, SourceFile] = {}

    def paths(self, glob: str | None = None, language: str | None = None) -> Iterator[str]:
        wanted = matcher(glob)
        languages = languages_with(language)
        for path in sorted(self._files):
            if (languages is None or language_of(path) in languages) and wanted(path):
                yield path

    def exists(self, path: str) -> bool:
        return clean_path(path) in self._files

    def source(self, path: str) -> SourceFile:
        path = clean_path(path)
        if path not in self._sources:
            if path not in self._files:
                raise NotFound(f"no file {path!r}", hint="paths are relative to the root")
            self._sources[path] = SourceFile(path, self._files[path])
        return self._sources[path]

    def containing(self, word: bytes, language: str | None = None) -> Iterator[str]:
        for path in self.paths(language=language):
            if word in self._files[path]:
                yield path


class DiskProject:
    """The files below a folder. Links are not followed, wherever they stand; nothing is written."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))
        if not self.root.is_dir():
            raise NotFound(f"no folder {str(root)!r}", hint="name the root of the project")
        self._listing = Listing(self.root)
        self._lists: dict[tuple[str, ...] | None, list[str]] = {}
        self._listed_now = False
        self._found: dict[tuple[bytes, str | None], list[str]] = {}
        """Answers of `containing`, until the next look at the disk."""
        self._sources: dict[str, SourceFile] = {}
        self._stamps: dict[str, tuple[int, ...]] = {}
        self._fresh: set[str] = set()
        self._cached_bytes = 0
        self.left_alone: dict[str, str] = {}
        """Path → why it is not looked at (`link`, `binary`, `larger than …`)."""

    def refresh(self) -> None:
        """Look at the disk again: the next access sees what has changed meanwhile."""
        self._listed_now = False
        self._found.clear()
        self._fresh.clear()
        self.left_alone.clear()

    def paths(self, glob: str | None = None, language: str | None = None) -> Iterator[str]:
        listed = self._listed(languages_with(language))
        yield from listed if glob is None else filter(matcher(glob), listed)

    def exists(self, path: str) -> bool:
        """Whether there is anything at `path`, of whatever kind."""
        return os.path.lexists(self.root / clean_path(path))

    def source(self, path: str) -> SourceFile:
        path = clean_path(path)
        found: SourceFile | None = self._sources.get(path)
        if found is not None and path in self._fresh:
            return found
        found = self._read(path)
        if found is None:
            raise UnsafePath(
                f"{path} is left alone: {self.left_alone[path]}",
                hint="only regular text files inside the root are read and changed",
            )
        return found

    def containing(self, word: bytes, language: str | None = None) -> Iterator[str]:
        known = self._found.get((word, language))
        if known is not None:
            yield from known
            return
        found: list[str] = []
        with _Folders(self.root) as folders:
            for path in self.paths(language=language):
                source = self._sources.get(path)
                try:
                    if source is None or not self._is_fresh(path):
                        source = self._read(path, folders)
                except NotFound:
                    continue
                if source is not None and word in source.data:
                    found.append(path)
                    yield path
        self._found[word, language] = found

    def _is_fresh(self, path: str) -> bool:
        """Whether a listed file is as it was when it was read."""
        if path in self._fresh:
            return True
        try:
            stat = os.lstat(f"{self.root}/{path}")
        except OSError:
            return False
        if self._stamps.get(path) != _stamp(stat):
            return False
        self._fresh.add(path)
        return True

    def stamp(self, path: str) -> tuple[int, int, int] | None:
        """(modification time in nanoseconds, size, inode) of a file: the same stamp, the same content."""
        try:
            stat = os.lstat(f"{self.root}/{path}")
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def read_once(self, path: str) -> SourceFile | None:
        """A file that is not kept: for passes over the whole project. None if it is gone or left alone."""
        with _Folders(self.root) as folders:
            try:
                return self._sources.get(path) or self._read(path, folders, keep=False)
            except NotFound:
                return None

    def _read(self, path: str, folders: _Folders | None = None, keep: bool = True) -> SourceFile | None:
        """Read `path` anew unless it is as it was; None if it is left alone."""
        if folders is None:
            with _Folders(self.root) as folders:
                return self._read(path, folders)
        folder, _, name = path.rpartition("/")
        try:
            handle = os.open(name, READ, dir_fd=folders.open(folder))
        except FileNotFoundError:
            self._drop(path)
            raise NotFound(f"no file {path!r}", hint="paths are relative to the root") from None
        except (OSError, ValueError) as error:
            self._leave(path, f"a link or no file ({getattr(error, 'strerror', error)})")
            return None
        try:
            stat = os.fstat(handle)
            stamp = _stamp(stat)
            if self._stamps.get(path) == stamp and path in self._sources:
                self._fresh.add(path)
                return self._sources[path]
            if stat.st_mode & 0o170000 != 0o100000:
                self._leave(path, "no regular file")
                return None
            if stat.st_size > SOURCE_BYTES_MAX:
                self._leave(path, f"larger than {SOURCE_BYTES_MAX >> 20} MiB")
                return None
            data = _read_all(handle, stat.st_size)
        finally:
            os.close(handle)
        if b"\0" in data:
            self._leave(path, "binary")
            return None
        return self._keep(path, data, stamp) if keep else SourceFile(path, data)

    def _keep(self, path: str, data: bytes, stamp: tuple[int, ...]) -> SourceFile:
        self._drop(path)
        source = SourceFile(path, data)
        if self._cached_bytes + len(data) > CACHE_BYTES_MAX:
            return source
        self._cached_bytes += len(data)
        self._sources[path] = source
        if max(stamp[:2]) < time.time_ns() - TICK_NANOSECONDS:  # else it could change within the same tick
            self._stamps[path] = stamp
        self._fresh.add(path)
        return source

    def _drop(self, path: str) -> None:
        old = self._sources.pop(path, None)
        if old is not None:
            self._cached_bytes -= len(old.data)
        self._stamps.pop(path, None)
        self._fresh.discard(path)

    def _leave(self, path: str, reason: str) -> None:
        self._drop(path)
        self.left_alone[path] = reason

    def _listed(self, languages: tuple[str, ...] | None) -> list[str]:
        """All paths in these languages, sorted."""
        if not self._listed_now:
            paths = self._listing.paths()
            if paths is not self._lists.get(None):
                self._lists = {None: paths}
            self._listed_now = True
        if languages not in self._lists:
            self._lists[languages] = [
                path for path in self._lists[None] if language_of(path) in (languages or ())
            ]
        return self._lists[languages]


def _stamp(stat: os.stat_result) -> tuple[int, ...]:
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino


class _Folders:
    """The folder opened last, kept open: files are read folder by folder."""

    __slots__ = ("_folder", "_handle", "_root")

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = ""
        self._handle = -1

    def open(self, folder: str) -> int:
        if self._handle < 0 or folder != self._folder:
            self.close()
            self._handle = _open_folder(self._root, folder)
            self._folder = folder
        return self._handle

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _open_folder(root: Path, folder: str) -> int:
    """A handle of `root/folder`, every step of the way without following a link."""
    handle = os.open(root, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    for part in folder.split("/") if folder else ():
        try:
            deeper = os.open(part, FOLDER, dir_fd=handle)
        finally:
            os.close(handle)
        handle = deeper
    return handle


def _read_all(handle: int, size: int) -> bytes:
    data = os.read(handle, size + 1)
    if len(data) == size:
        return data
    chunks = [data]
    total = len(data)
    while total <= SOURCE_BYTES_MAX and (more := os.read(handle, 1 << 20)):
        chunks.append(more)
        total += len(more)
    return b"".join(chunks)


class Overlay:
    """A project with changes laid over it: what the later operations of a program see."""

    def __init__(self, base: Project) -> None:
        self.base = base
        self._changed: dict[str, SourceFile | None] = {}

    def put(self, path: str, data: bytes | None) -> None:
        """From now on `path` holds `data`; None: it is gone."""
        self._changed[path] = None if data is None else SourceFile(path, data)

    def changed(self) -> Mapping[str, SourceFile | None]:
        return self._changed

    def paths(self, glob: str | None = None, language: str | None = None) -> Iterator[str]:
        if not self._changed:
            yield from self.base.paths(glob, language)
            return
        wanted = matcher(glob)
        languages = languages_with(language)
        here = {path for path in self.base.paths(glob, language) if path not in self._changed}
        for path, source in self._changed.items():
            if source is not None and (languages is None or source.language in languages) and wanted(path):
                here.add(path)
        yield from sorted(here)

    def exists(self, path: str) -> bool:
        path = clean_path(path)
        return self._changed[path] is not None if path in self._changed else self.base.exists(path)

    def source(self, path: str) -> SourceFile:
        check_time()
        path = clean_path(path)
        if path not in self._changed:
            found = self.base.source(path)
            assert isinstance(found, SourceFile)
            return found
        changed = self._changed[path]
        if changed is None:
            raise NotFound(f"no file {path!r} any more", hint="an earlier operation deleted or moved it")
        return changed

    def containing(self, word: bytes, language: str | None = None) -> Iterator[str]:
        languages = languages_with(language)
        yield from (path for path in self.base.containing(word, language) if path not in self._changed)
        for path, source in self._changed.items():
            if (
                source is not None
                and word in source.data
                and (languages is None or source.language in languages)
            ):
                yield path
