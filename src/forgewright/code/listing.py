"""The files below a root, walked once; afterwards only folders that changed are looked into again.

A folder's modification time tells whether entries came or went. It is trusted only if it was already
a while old when the folder was read: within one tick of the clock a change could go unseen.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple

from forgewright.code.ignore import SKIPPED_FOLDERS, Ignored

TICK_NANOSECONDS = 100_000_000


class _Folder(NamedTuple):
    stamp: tuple[int, int, int]
    rules: tuple[int, int] | None
    """Stamp of its `.gitignore`."""
    above: Ignored
    ignored: Ignored
    files: tuple[str, ...]
    folders: tuple[str, ...]


class Listing:
    """Paths of all regular files below `root`, except what is ignored. Links are not followed."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._folders: dict[str, _Folder] = {}
        self._none = Ignored()
        self._paths: list[str] = []

    def paths(self) -> list[str]:
        """As the disk is now, sorted; the same list as the last time if nothing has changed."""
        seen: dict[str, _Folder] = {}
        same = True
        stack = [("", self._none)]
        while stack:
            prefix, above = stack.pop()
            folder = self._folder(prefix, above)
            if folder is None:
                continue
            same = same and self._folders.get(prefix) is folder
            seen[prefix] = folder
            for inner in folder.folders:
                stack.append((inner, folder.ignored))
        if not same or len(seen) != len(self._folders):
            self._folders = seen
            self._paths = sorted(path for folder in seen.values() for path in folder.files)
        return self._paths

    def _folder(self, prefix: str, above: Ignored) -> _Folder | None:
        place = f"{self._root}/{prefix}" if prefix else self._root
        try:
            stat = os.lstat(place.rstrip("/"))
        except OSError:
            return None
        if stat.st_mode & 0o170000 != 0o040000:
            return None
        stamp = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
        known = self._folders.get(prefix)
        if known is not None and known.stamp == stamp and known.above is above:
            if known.rules is None or known.rules == _rules(place):
                return known
        settled = stamp if max(stamp[:2]) < time.time_ns() - TICK_NANOSECONDS else (0, 0, 0)
        return self._scan(place, prefix, above, settled)

    def _scan(self, place: str, prefix: str, above: Ignored, stamp: tuple[int, int, int]) -> _Folder | None:
        files: list[str] = []
        folders: list[str] = []
        try:
            with os.scandir(place) as scanned:
                entries = list(scanned)
        except OSError:
            return None
        rules = None
        ignored = above
        if any(entry.name == ".gitignore" for entry in entries):
            rules = _rules(place)
            ignored = above.with_file(os.path.join(place, ".gitignore"), prefix)
        for entry in entries:
            path = prefix + entry.name
            if entry.is_symlink():
                continue
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in SKIPPED_FOLDERS and not ignored.matches(path, True):
                    folders.append(path + "/")
            elif entry.is_file(follow_symlinks=False) and not ignored.matches(path, False):
                files.append(path)
        return _Folder(stamp, rules, above, ignored, tuple(files), tuple(folders))


def _rules(place: str) -> tuple[int, int]:
    try:
        stat = os.lstat(os.path.join(place, ".gitignore"))
    except OSError:
        return (0, 0)
    return stat.st_mtime_ns, stat.st_size
