"""Saved machines: the state of the devices, and the memory, which all clones share and none can change."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec

from forgewright.sandbox import cache

_CHUNK = 1 << 16


class Snapshot(msgspec.Struct, frozen=True):
    """Open descriptors of one snapshot: they stay its own, whatever becomes of the files."""

    state: int
    memory: int
    """A sealed memfd: whoever opens it again cannot write it either (fcntl(2), F_SEAL_WRITE)."""

    @property
    def state_file(self) -> Path:
        """Opened by this name it is read from its beginning, each time."""
        return Path(f"/proc/self/fd/{self.state}")


def load(folder: Path) -> Snapshot:
    """The snapshot in `folder`. Raises `FileNotFoundError` where there is none."""
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        state = os.open("state", os.O_RDONLY | os.O_CLOEXEC, dir_fd=at)
        source = os.open("memory", os.O_RDONLY | os.O_CLOEXEC, dir_fd=at)
        os.utime(at)
    finally:
        os.close(at)
    memory = os.memfd_create("snapshot", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        _copy_extents(source, memory)
    finally:
        os.close(source)
    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    fcntl.fcntl(memory, fcntl.F_ADD_SEALS, seals)
    return Snapshot(state, memory)


def publish(unfinished: Path, folder: Path) -> None:
    """State and memory appear together; where another process was first, its pair stays. Old ones are removed."""
    try:
        cache.publish(unfinished, folder)
    except OSError:
        if not (folder / "state").exists():
            raise
    cache.tidy()


def copy_sparse(source: Path, target: Path) -> None:
    """Copies a memory file into one of this user alone; what is zero takes no room."""
    with open(source, "rb") as reading, open(target, "wb", opener=_private) as writing:
        _copy_extents(reading.fileno(), writing.fileno())


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def _copy_extents(source: int, target: int) -> None:
    size = os.fstat(source).st_size
    os.ftruncate(target, size)
    zero = bytes(_CHUNK)
    for start, end in _extents(source, size):
        for at in range(start, end, _CHUNK):
            data = os.pread(source, min(_CHUNK, end - at), at)
            if data != zero[: len(data)]:
                os.pwrite(target, data, at)


def _extents(fd: int, size: int) -> list[tuple[int, int]]:
    """The (start, end) of what a sparse file really holds."""
    found, at = [], 0
    while at < size:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:  # nothing but a hole is left
            break
        at = os.lseek(fd, start, os.SEEK_HOLE)
        found.append((start, at))
    return found
