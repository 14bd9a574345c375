"""The file operations of a tool's sandbox: by folders that are opened one by one, never through a link."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import BinaryIO

_READ, _WRITE, _LIST, _REMOVE = 1, 2, 3, 4
_CHUNK = 65_536
Sink = Callable[[bytes], object]


class Files:
    """`folders`: (host path, path inside, can be written); "/" is one of them."""

    def __init__(self, folders: tuple[tuple[str, str, bool], ...]) -> None:
        self._folders = folders

    def __call__(self, kind: int, argv: list[bytes], stdin: BinaryIO, out: Sink, err: Sink) -> int:
        """The exit code: 120 with the errno as text on `err` where it failed."""
        try:
            path = argv[0]
            if kind == _READ:
                fd = self._open(path, os.O_RDONLY)
                with os.fdopen(fd, "rb") as file:
                    if not stat.S_ISREG(os.fstat(fd).st_mode):
                        raise OSError(22, "not a regular file")
                    while data := file.read(_CHUNK):
                        out(data)
            elif kind == _WRITE:
                fd = self._open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, make=True)
                with os.fdopen(fd, "wb") as file:
                    while data := stdin.read(_CHUNK):
                        file.write(data)
                    os.fchmod(fd, int(argv[1], 8) & 0o777)
            elif kind == _LIST:
                fd = self._open(path, os.O_RDONLY | os.O_DIRECTORY)
                names = os.listdir(fd)
                os.close(fd)
                out(b"".join(os.fsencode(name) + b"\0" for name in names))
            elif kind == _REMOVE:
                self._remove(path)
            else:
                raise OSError(38, "not offered by this tier")
        except OSError as error:
            err(str(error.errno or 5).encode())
            return 120
        return 0

    def _folder(self, path: bytes) -> tuple[str, list[bytes], bool]:
        inside = os.fsdecode(path)
        host, at, writable = max(
            (f for f in self._folders if inside == f[1] or inside.startswith(f[1].rstrip("/") + "/")),
            key=lambda folder: len(folder[1]),
        )
        rest = inside[len(at.rstrip("/")) :].strip("/")
        return host, [os.fsencode(part) for part in rest.split("/") if part], writable

    def _open(self, path: bytes, flags: int, *, make: bool = False) -> int:
        host, parts, writable = self._folder(path)
        if flags & (os.O_WRONLY | os.O_CREAT) and not writable:
            raise OSError(30, "read-only")
        fd = os.open(host, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            if make and not last:
                try:
                    os.mkdir(part, 0o755, dir_fd=fd)
                except FileExistsError:
                    pass
            wanted = flags | os.O_NONBLOCK if last else os.O_RDONLY | os.O_DIRECTORY
            try:
                inner = os.open(part, wanted | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=fd)
            finally:
                os.close(fd)
            fd = inner
        return fd

    def _remove(self, path: bytes) -> None:
        import shutil

        parent, _, name = os.fsdecode(path).rstrip("/").rpartition("/")
        if not self._folder(path)[2]:
            raise OSError(30, "read-only")
        fd = self._open(os.fsencode(parent or "/"), os.O_RDONLY | os.O_DIRECTORY)
        try:
            if stat.S_ISDIR(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
                shutil.rmtree(name, dir_fd=fd)
            else:
                os.unlink(name, dir_fd=fd)
        finally:
            os.close(fd)
