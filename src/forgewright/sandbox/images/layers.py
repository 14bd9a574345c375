"""Archives become a folder tree: hostile ones are refused, and nothing outside the tree is ever touched.

Whiteouts as in the OCI image specification, layer.md. Every step goes through descriptors of folders that were
opened without following links. What an image has no use for in a sandbox is left out: devices, extended
attributes, set-user-id bits.
"""

from __future__ import annotations

import os
import stat
import tarfile
import zlib
from typing import IO, Any

import msgspec

from forgewright.core.errors import SandboxError, UnsafePath

WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"
BYTES_MAX = 16 << 30
ENTRIES_MAX = 1_000_000
PATH_BYTES_MAX = 4096
_HEADER_BYTES_MAX = 1 << 20
_ID_MAX = 65_534
_CHUNK = 1 << 18


class Bounds(msgspec.Struct):
    """What all layers of an image together may still take."""

    bytes_left: int = BYTES_MAX
    entries_left: int = ENTRIES_MAX

    def entry(self) -> None:
        self.entries_left -= 1
        if self.entries_left < 0:
            raise SandboxError(f"the image has more than {ENTRIES_MAX} entries")

    def take(self, count: int) -> None:
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise SandboxError(f"the image has more than {BYTES_MAX} bytes")


class _Info(tarfile.TarInfo):
    """A header whose own text is bounded: tarfile reads it into memory whole."""

    def _proc_member(self, archive: tarfile.TarFile) -> Any:
        if self.type in (
            tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
        ) and self.size > _HEADER_BYTES_MAX:  # fmt: skip
            raise SandboxError(f"a header of the archive has {self.size} bytes, at most {_HEADER_BYTES_MAX}")
        return super()._proc_member(archive)  # type: ignore[misc]  # tarfile's own hook, not in its stub


def unpack(stream: IO[bytes], tree: int, bounds: Bounds, *, whiteouts: bool = True) -> None:
    """Applies the tar archive `stream` to the folder that `tree` has open.

    Raises `UnsafePath` for what would lead out or is no file, folder or link, `SandboxError` for what is malformed or
    too large.
    """
    layer = _Layer(tree, bounds, whiteouts=whiteouts)
    try:
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Info, errorlevel=2) as archive:
            for info in archive:
                archive.members = []  # type: ignore[attr-defined]  # else every header is kept
                layer.put(archive, info)
    except (tarfile.TarError, EOFError, UnicodeError, zlib.error) as error:
        raise SandboxError(f"the archive is malformed: {error}") from None
    except OSError as error:
        raise SandboxError(f"the image cannot be unpacked: {error.strerror or error}") from None
    finally:
        layer.close()


class _Layer:
    """One layer under way. `own`: what it brought itself, which its whiteouts leave alone."""

    def __init__(self, tree: int, bounds: Bounds, *, whiteouts: bool) -> None:
        self._tree = tree
        self._bounds = bounds
        self._whiteouts = whiteouts
        self._own: set[str] = set()
        self._parent: tuple[str, int] | None = None

    def close(self) -> None:
        if self._parent is not None:
            os.close(self._parent[1])
            self._parent = None

    def put(self, archive: tarfile.TarFile, info: tarfile.TarInfo) -> None:
        self._bounds.entry()
        path = _path(info.name)
        if path == "":
            return  # the root itself
        folder, _, name = path.rpartition("/")
        if self._whiteouts and name.startswith(WHITEOUT):
            self._whiteout(folder, name)
            return
        if info.ischr() or info.isblk() or info.isfifo():
            if folder == "dev" or folder.startswith("dev/"):
                return  # a sandbox has a /dev of its own
            raise UnsafePath(f"the image has a device or pipe at {path!r}", hint="use another image")
        fd = self._open(folder)
        if info.isdir():
            self._folder(fd, name, info)
        elif info.issym():
            self._remove(fd, name)
            _check_name(info.linkname)
            os.symlink(
                info.linkname, name, dir_fd=fd
            )  # it may lead anywhere: inside it leads within the root
        elif info.islnk():
            self._hard_link(fd, name, path, info)
        elif info.isreg():
            self._file(archive, fd, name, info)
        else:
            raise UnsafePath(f"the image has an entry of type {info.type!r} at {path!r}")
        if not info.islnk() and os.geteuid() == 0:
            os.chown(name, _id(info.uid), _id(info.gid), dir_fd=fd, follow_symlinks=False)
        self._own.add(path)

    def _folder(self, fd: int, name: str, info: tarfile.TarInfo) -> None:
        found = _lstat(fd, name)
        if found is not None and not stat.S_ISDIR(found.st_mode):
            os.unlink(name, dir_fd=fd)
            found = None
        if found is None:
            os.mkdir(name, 0o700, dir_fd=fd)
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
        try:
            os.fchmod(inner, (info.mode & 0o777) | 0o700)
        finally:
            os.close(inner)

    def _file(self, archive: tarfile.TarFile, fd: int, name: str, info: tarfile.TarInfo) -> None:
        self._remove(fd, name)
        source = archive.extractfile(info)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(name, flags, 0o600, dir_fd=fd), "wb", 0) as target:
            while source is not None and (data := source.read(_CHUNK)):
                self._bounds.take(len(data))
                target.write(data)
            os.fchmod(target.fileno(), (info.mode & 0o777) | 0o400)
            seconds = min(max(int(info.mtime), 0), 1 << 33)
            os.utime(target.fileno(), (seconds, seconds))

    def _hard_link(self, fd: int, name: str, path: str, info: tarfile.TarInfo) -> None:
        """To a file of this tree only, and never through a link."""
        target = _path(info.linkname)
        if target == path:
            raise UnsafePath(f"{path!r} is a second name of itself")
        other_folder, _, other_name = target.rpartition("/")
        other = self._walk(other_folder, make=False)
        try:
            found = _lstat(other, other_name) if other_name else None
            if found is None or not stat.S_ISREG(found.st_mode):
                raise UnsafePath(f"{path!r} is a second name of {target!r}, which is no file of the image")
            self._remove(fd, name)
            os.link(other_name, name, src_dir_fd=other, dst_dir_fd=fd, follow_symlinks=False)
        finally:
            os.close(other)

    def _whiteout(self, folder: str, name: str) -> None:
        try:
            fd = self._walk(folder, make=False)
        except UnsafePath:
            return  # nothing there that could be hidden
        try:
            if name == OPAQUE:
                for entry in os.listdir(fd):
                    self._hide(fd, f"{folder}/{entry}" if folder else entry, entry)
                return
            hidden = name[len(WHITEOUT) :]
            _check_part(hidden)
            self._hide(fd, f"{folder}/{hidden}" if folder else hidden, hidden)
        finally:
            os.close(fd)

    def _hide(self, fd: int, path: str, name: str) -> None:
        """Removes what lower layers brought, at `path` and below; what this one brought stays."""
        found = _lstat(fd, name)
        if found is None:
            return
        if not stat.S_ISDIR(found.st_mode):
            if path not in self._own:
                os.unlink(name, dir_fd=fd)
            return
        self.close()
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
        try:
            for entry in os.listdir(inner):
                self._hide(inner, f"{path}/{entry}", entry)
            empty = not os.listdir(inner)
        finally:
            os.close(inner)
        if empty and path not in self._own:
            os.rmdir(name, dir_fd=fd)

    def _open(self, folder: str) -> int:
        """The folder, open; made where it is missing. It stays open for the entries that follow it."""
        if self._parent is None or self._parent[0] != folder:
            self.close()
            self._parent = (folder, self._walk(folder, make=True))
        return self._parent[1]

    def _walk(self, folder: str, *, make: bool) -> int:
        fd = os.dup(self._tree)
        for part in folder.split("/") if folder else ():
            try:
                if make and _lstat(fd, part) is None:
                    os.mkdir(part, 0o755, dir_fd=fd)
                inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
            except OSError:
                raise UnsafePath(
                    f"{folder!r} of the image goes through {part!r}, which is no folder"
                ) from None
            finally:
                os.close(fd)
            fd = inner
        return fd

    def _remove(self, fd: int, name: str) -> None:
        found = _lstat(fd, name)
        if found is None:
            return
        if not stat.S_ISDIR(found.st_mode):
            os.unlink(name, dir_fd=fd)
            return
        remove_tree(fd, name)


def remove_tree(fd: int, name: str) -> None:
    """Removes the folder `name` in `fd` and all in it; links are removed, not followed."""
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
    try:
        os.fchmod(inner, 0o700)
        for entry in os.scandir(inner):
            if entry.is_dir(follow_symlinks=False):
                remove_tree(inner, entry.name)
            else:
                os.unlink(entry.name, dir_fd=inner)
    finally:
        os.close(inner)
    os.rmdir(name, dir_fd=fd)


def _path(text: str) -> str:
    """`./usr/bin/` → `usr/bin`. Raises `UnsafePath` for what is absolute, climbs, or cannot be a path."""
    if text.startswith("/") or "\0" in text or len(text.encode("utf-8", "surrogateescape")) > PATH_BYTES_MAX:
        raise UnsafePath(f"the image names {text[:200]!r}")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise UnsafePath(f"the image names {text[:200]!r}")
    return "/".join(parts)


def _check_part(name: str) -> None:
    if name in ("", ".", "..") or "/" in name:
        raise UnsafePath(f"the image hides {name!r}")


def _check_name(target: str) -> None:
    if not target or "\0" in target or len(target.encode("utf-8", "surrogateescape")) > PATH_BYTES_MAX:
        raise UnsafePath(f"a link of the image leads to {target[:200]!r}")


def _id(number: int) -> int:
    return number if 0 <= number <= _ID_MAX else _ID_MAX


def _lstat(fd: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return None
