"""The cache of what takes long to make: what virtual machines boot, machines saved when ready, compiled modules.

All of it can be made again and is named after what it was made from, so that nothing in it is ever wrong, only unused. It
is bounded: of each kind those stay that were used last. What a user's snapshot goes on with (`saved`) stays, too.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from pathlib import Path

import msgspec

from forgewright.sandbox import saved

KEPT = {
    "host-*.squashfs": 8,
    "initramfs-*": 8,
    "head-*": 8,
    "vmlinux-*": 4,
    "no-kvm-*": 8,
    "snapshot-*": 8,
    "wasm/*.cwasm": 64,
}
"""Of each kind, how many stay. A saved machine is some 100 MB, an image 100 to 300, a compiled module up to 30."""

BASIS = "basis.json"
_UNFINISHED = re.compile(r"\.(\d+)(-\d+)?$")
_ABANDONED_SECONDS = 3600.0


class _Basis(msgspec.Struct):
    image: str


def root() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = Path(base) / "forgewright" / "sandbox"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def holds(path: Path) -> bool:
    """Whether it is there; if so, it counts as used now. What lies elsewhere (a kernel in /boot) is left as it is."""
    if not path.is_relative_to(root()):
        return path.exists()
    try:
        os.utime(path)
    except OSError:
        return False
    return True


def unfinished(path: Path) -> Path:
    """Its name while it is made: two processes, or threads, may make the same at once, and each may be killed."""
    return path.with_name(f"{path.name}.{os.getpid()}-{threading.get_native_id()}")


def publish(made: Path, path: Path) -> None:
    """Gives what was made its name, once it is on the disk: after a loss of power it is whole, or not there."""
    for file in made.iterdir() if made.is_dir() else (made,):
        fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    made.rename(path)


def tidy() -> list[Path]:
    """Removes what is too much, and what whoever made it did not finish; what it has removed."""
    folder = root()
    removed = [path for where in (folder, folder / "wasm") for path in _abandoned(where)]
    needed = _needed()
    for pattern, most in KEPT.items():
        found = [
            path for path in folder.glob(pattern) if not _UNFINISHED.search(path.name) and path not in needed
        ]
        removed += sorted(found, key=_last_used, reverse=True)[most:]
    for path in removed:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return removed


def _abandoned(folder: Path) -> list[Path]:
    found = []
    for path in folder.glob("*"):
        made_by = _UNFINISHED.search(path.name)
        if made_by and not _runs(int(made_by[1])) and time.time() - _last_used(path) > _ABANDONED_SECONDS:
            found.append(path)
    return found


def _runs(pid: int) -> bool:
    return os.path.exists(f"/proc/{pid}")


def _needed() -> set[Path]:
    """The images without which a user's snapshot could not be opened."""
    found = set()
    for file in saved.root().glob(f"*/{BASIS}"):
        try:
            found.add(Path(msgspec.json.decode(file.read_bytes(), type=_Basis).image))
        except (OSError, msgspec.DecodeError):
            pass  # one that is being made or removed, or that cannot be opened in any case
    return found


def _last_used(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0
