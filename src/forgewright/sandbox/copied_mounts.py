"""Mounts of a sandbox that cannot look into the host's folders: copies in, and for `rw` copies back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from forgewright.core.errors import Conflict
from forgewright.sandbox.protocol import BuiltinName
from forgewright.sandbox.session import AgentSandbox
from forgewright.sandbox.trees import encode
from forgewright.sandbox.types import Mount

_TREE_BYTES_MAX = 1 << 30


class VirtualMachineSandbox(AgentSandbox):
    """Mounts are copies: made when it is created; those of mode `rw` go back when it is closed."""

    _sent: Mapping[str, frozenset[bytes]] = {}

    async def place_mounts(self, mounts: Sequence[Mount] | None = None) -> None:
        """`mounts`: those that are copied, where not all are."""
        sent: dict[str, frozenset[bytes]] = {}
        self._sent = sent
        for mount in sorted(self.spec.mounts if mounts is None else mounts, key=lambda mount: mount.target):
            parcel = await asyncio.to_thread(_parcel, mount, self.spec.uid, owned=mounts is None)
            as_root = mounts is None or mount.mode == "ro"
            await self._builtin(parcel.builtin, parcel.arguments, stdin=parcel.data, as_root=as_root)
            if mount.mode == "rw" and parcel.builtin == "unpack":
                sent[mount.target] = parcel.paths

    def check_snapshot(self) -> None:
        super().check_snapshot()
        if any(mount.mode == "rw" for mount in self.spec.mounts):
            raise Conflict(
                f"sandbox {self.id} has a mount of mode rw, which is written back when it is closed: two could not",
                hint="mount the folder with mode cow, and download what is wanted",
            )

    async def synchronise(self) -> None:
        """Writes what changed in mounts of mode `rw` back to the host; files removed inside are removed."""
        for mount in self.spec.mounts:
            if mount.mode == "rw" and mount.target in self._sent:
                source = Path(await asyncio.to_thread(os.path.realpath, mount.source))
                sent = self._sent[mount.target]
                await self.download(mount.target, source, bytes_max=_TREE_BYTES_MAX, remove=sent)

    async def close(self) -> None:
        if not self._closing and self._sent and not self._machine.channel.closed.done():
            try:
                await self.synchronise()
            finally:
                await super().close()
        else:
            await super().close()


class Parcel(msgspec.Struct, frozen=True):
    """A mount as it is sent into a machine."""

    builtin: BuiltinName
    arguments: tuple[str, ...]
    data: bytes
    paths: frozenset[bytes] = frozenset()


def _parcel(mount: Mount, uid: int, *, owned: bool) -> Parcel:
    """`owned`: whether the agent may give files to another user."""
    target = os.path.normpath(mount.target)
    source = Path(os.path.realpath(mount.source))
    if not source.is_dir():
        return Parcel("write", (target, f"{source.stat().st_mode & 0o777:o}"), source.read_bytes())
    owner = "0" if mount.mode == "ro" or not owned else str(uid)
    data = encode(source, bytes_max=_TREE_BYTES_MAX)
    return Parcel("unpack", (target, owner), data, _paths(source) if mount.mode == "rw" else frozenset())


def _paths(root: Path) -> frozenset[bytes]:
    base = os.fsencode(root)
    return frozenset(
        os.path.relpath(os.path.join(folder, name), base)
        for folder, folders, files in os.walk(base)
        for name in [*folders, *files]
    )
