"""Folders as streams of records, in and out of a sandbox; what comes out is not trusted (builtin.c)."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec

from forgewright.core.errors import SandboxError, UnsafePath

_RECORD = struct.Struct("<BIIQ")
_FOLDER, _FILE, _LINK, _END = ord("d"), ord("f"), ord("l"), ord(".")
ENTRIES_MAX = 200_000
PATH_BYTES_MAX = 4096


class Entry(msgspec.Struct, frozen=True):
    kind: int
    mode: int
    path: bytes
    data: bytes = b""


def encode(root: Path, *, bytes_max: int) -> bytes:
    """All of the folder `root`: folders, regular files and links as they are; nothing is followed."""
    out = bytearray()
    entries = 0
    for folder, folders, files in os.walk(os.fsencode(root)):
        folders.sort()
        for name in sorted(files) + folders:
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, os.fsencode(root))
            info = os.lstat(path)
            entries += 1
            if stat.S_ISLNK(info.st_mode):
                kind, data = _LINK, os.readlink(path)
            elif stat.S_ISDIR(info.st_mode):
                kind, data = _FOLDER, b""
            elif stat.S_ISREG(info.st_mode):
                with open(path, "rb") as file:
                    kind, data = _FILE, file.read(bytes_max + 1)
            else:
                continue
            out += _RECORD.pack(kind, stat.S_IMODE(info.st_mode), len(relative), len(data)) + relative + data
            if len(out) > bytes_max or entries > ENTRIES_MAX:
                raise SandboxError(f"{root} is larger than {bytes_max} bytes or {ENTRIES_MAX} files")
    return bytes(out) + _RECORD.pack(_END, 0, 0, 0)


def decode(data: bytes) -> Iterator[Entry]:
    """The records of `data`, each checked by itself. Raises `UnsafePath` and `SandboxError`."""
    at = entries = 0
    while True:
        if len(data) - at < _RECORD.size:
            raise SandboxError("a tree from the sandbox ends in the middle")
        kind, mode, path_length, length = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        if kind == _END:
            return
        entries += 1
        if path_length > PATH_BYTES_MAX or length > len(data) - at - path_length or entries > ENTRIES_MAX:
            raise SandboxError("a tree from the sandbox is malformed or has too many entries")
        path = data[at : at + path_length]
        content = data[at + path_length : at + path_length + length]
        at += path_length + length
        parts = path.split(b"/")
        if kind not in (_FOLDER, _FILE, _LINK) or any(p in (b"", b".", b"..") or b"\0" in p for p in parts):
            raise UnsafePath(f"a tree from the sandbox names {path!r}")
        yield Entry(kind, mode & 0o777, path, content)


def apply(root: Path, data: bytes, *, remove: frozenset[bytes] = frozenset()) -> list[bytes]:
    """Makes the folder `root` hold what `data` says; the paths that were written.

    Every step goes through descriptors of folders opened without following links, so neither a link in the
    stream nor one put there meanwhile leads out. A link that points out of the tree is refused. Paths in
    `remove` that the stream does not name are removed.
    """
    entries = list(decode(data))
    written = []
    base = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for entry in entries:
            _put(base, entry)
            written.append(entry.path)
        for path in sorted(remove - {entry.path for entry in entries}, reverse=True):
            _remove(base, path)
    finally:
        os.close(base)
    return written


def _parent(base: int, path: bytes) -> tuple[int, bytes]:
    """An open folder that holds the last part of `path`, and that part. The caller closes it."""
    *folders, name = path.split(b"/")
    fd = os.dup(base)
    for part in folders:
        try:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
        except OSError as error:
            os.close(fd)
            raise UnsafePath(f"{path!r} goes through {part!r}, which is no folder") from error
        os.close(fd)
        fd = inner
    return fd, name


def _put(base: int, entry: Entry) -> None:
    fd, name = _parent(base, entry.path)
    try:
        found = _lstat(fd, name)
        if entry.kind == _FOLDER:
            if found is not None and not stat.S_ISDIR(found.st_mode):
                os.unlink(name, dir_fd=fd)
                found = None
            if found is None:
                os.mkdir(name, 0o700 | entry.mode, dir_fd=fd)
            return
        if found is not None and stat.S_ISDIR(found.st_mode):
            raise UnsafePath(f"{entry.path!r} would replace a folder")
        if entry.kind == _LINK:
            _check_link(entry)
            if found is not None:
                os.unlink(name, dir_fd=fd)
            os.symlink(entry.data, name, dir_fd=fd)
            return
        if found is not None and (not stat.S_ISREG(found.st_mode) or found.st_nlink > 1):
            os.unlink(name, dir_fd=fd)  # a link or a second name: what it leads to is not ours to change
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        file = os.open(name, flags, 0o600, dir_fd=fd)
        with os.fdopen(file, "wb") as stream:
            stream.write(entry.data)
            os.fchmod(stream.fileno(), entry.mode)
    finally:
        os.close(fd)


def _check_link(entry: Entry) -> None:
    """Up first, no further than the tree's root, then down: a target that goes up after a name could leave
    through another link, however harmless each looks by itself."""
    parts = [part for part in entry.data.split(b"/") if part not in (b"", b".")]
    up = 0
    while up < len(parts) and parts[up] == b"..":
        up += 1
    depth = entry.path.count(b"/")
    if (
        entry.data.startswith(b"/")
        or up > depth
        or b".." in parts[up:]
        or b"\0" in entry.data
        or not entry.data
    ):
        raise UnsafePath(f"link {entry.path!r} points out of its tree, to {entry.data!r}")


def _remove(base: int, path: bytes) -> None:
    try:
        fd, name = _parent(base, path)
    except UnsafePath:
        return
    try:
        found = _lstat(fd, name)
        if found is None:
            return
        if stat.S_ISDIR(found.st_mode):
            os.rmdir(name, dir_fd=fd)
        else:
            os.unlink(name, dir_fd=fd)
    except OSError:
        pass  # a folder that is not empty holds what was never sent
    finally:
        os.close(fd)


def _lstat(fd: int, name: bytes) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return None
