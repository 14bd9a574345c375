"""The plan that `native/launch` carries out: mounts, folders and files of a sandbox's root, in order."""

from __future__ import annotations

from pathlib import Path

import msgspec

from forgewright.core.errors import UsageError


class Owner(msgspec.Struct, frozen=True):
    """A user and a group as the host sees them; None leaves owners as they are."""

    uid: int
    gid: int

    def __str__(self) -> str:
        return f"{self.uid}:{self.gid}"


class IdMap(msgspec.Struct, frozen=True):
    """An id-mapped mount: files of `disk` appear as of `host`, and what `host` writes lands as `disk`.

    `root`: the host's root may write there too (gVisor's file server does, before it gives a file its owner).
    """

    disk: Owner
    host: Owner
    root: bool = False
    count: int = 1

    def uid_map(self) -> str:
        return self._map(self.disk.uid, self.host.uid)

    def gid_map(self) -> str:
        return self._map(self.disk.gid, self.host.gid)

    def _map(self, disk: int, host: int) -> str:
        other = f"\n{host if disk == 0 else 0} 0 1" if self.root else ""
        return f"{disk} {host} {self.count}{other}"


class Plan:
    """Collects operations; paths called `host` are the host's, all others lie in the sandbox's root."""

    def __init__(self) -> None:
        self._words: list[str] = []

    def _add(self, *words: str) -> None:
        for word in words:
            if "\0" in word:
                raise UsageError("a path of the sandbox holds a NUL byte")
        self._words += words

    def user_namespace(self) -> None:
        self._add("userns")

    def mount_namespace(self) -> None:
        self._add("mountns")

    def unmount_host(self, host: str) -> None:
        """Takes away what is mounted there, in this namespace alone; what cannot be taken away stays."""
        self._add("umount", host)

    def tmpfs_host(
        self, host: str, *, size_bytes: int, inodes: int, mode: int = 0o755, owner: Owner | None = None
    ) -> None:
        self._add("hosttmpfs", host, f"size={size_bytes},nr_inodes={inodes},mode={mode:o}", _text(owner))

    def jail_host(self, host: str, *, size_bytes: int) -> None:
        """A file system in memory on which programs can be started and devices opened."""
        self._add("jail", host, f"size={size_bytes},nr_inodes=64,mode=711")

    def folder_host(self, host: str, *, mode: int = 0o755, owner: Owner | None = None) -> None:
        self._add("hostdir", host, f"{mode:o}", _text(owner))

    def root(self, host: str) -> None:
        self._add("root", host)

    def seal(self, host: str) -> None:
        """Makes the root, whose host folder this is, read-only; what is mounted in it stays as it is."""
        self._add("seal", host)

    def folder(self, path: str, *, mode: int = 0o755, owner: Owner | None = None) -> None:
        self._add("dir", path, f"{mode:o}", _text(owner))

    def link(self, target: str, path: str) -> None:
        self._add("link", target, path)

    def file(self, path: str, content: str) -> None:
        self._add("file", path, content)

    def bind(
        self, host: str, path: str, *, write: bool = False, recursive: bool = False, ids: IdMap | None = None
    ) -> None:
        options = ("" if write else "rf") + ("R" if recursive else "")
        self._add("bind", host, path, options, ids.uid_map() if ids else "", ids.gid_map() if ids else "")

    def overlay(
        self, *, lower: str, upper: str, work: str, path: str, owner: Owner | None, rootless: bool
    ) -> None:
        self._add("overlay", lower, upper, work, path, _text(owner), "1" if rootless else "")

    def unpack(self, archive: str, host: str, *, owner: Owner | None = None) -> None:
        """Puts back what a snapshot holds; all of it becomes `owner`'s."""
        self._add("unpack", archive, host, _text(owner))

    def root_overlay(self, *, lower: str, upper: str, work: str, host: str, rootless: bool) -> None:
        """Mounts an overlay of host folders at the host folder `host`, which is to be the root."""
        self._add("rootoverlay", lower, upper, work, host, "1" if rootless else "")

    def inherit(self, host: str, number: int) -> None:
        """Opens `host` for writing as descriptor `number` of the program that is launched. Comes last."""
        self._add("open", host, str(number))

    def join(self, entrance: str) -> None:
        """Puts what is launched, and all that comes of it, into a cgroup."""
        self._add("join", entrance)

    def user(self, owner: Owner) -> None:
        """Becomes that user, without groups or new privileges. Comes last."""
        self._add("user", str(owner))

    def save(self, file: Path) -> None:
        file.write_bytes(b"".join(word.encode("utf-8", "surrogateescape") + b"\0" for word in self._words))


def _text(owner: Owner | None) -> str:
    return str(owner) if owner else ""
