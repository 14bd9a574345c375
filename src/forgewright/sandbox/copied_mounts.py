"""Mounts of a sandbox that cannot look into the host's folders: copies in, and for `rw` copies back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from forgewright.core.errors import Conflict
from forgewright.sandbox.session import AgentSandbox
from forgewright.sandbox.transfer import UPLOAD_BYTES_MAX, upload
from forgewright.sandbox.types import Mount


class VirtualMachineSandbox(AgentSandbox):
    """Mounts are copies: made when it is created; those of mode `rw` go back when it is closed."""

    _sent: Mapping[str, frozenset[bytes]] = {}

    async def place_mounts(self, mounts: Sequence[Mount] | None = None) -> None:
        """`mounts`: those that are copied, where not all are."""
        sent: dict[str, frozenset[bytes]] = {}
        self._sent = sent
        for mount in sorted(self.spec.mounts if mounts is None else mounts, key=lambda mount: mount.target):
            target, source = os.path.normpath(mount.target), Path(os.path.realpath(mount.source))
            as_root = mounts is None or mount.mode == "ro"
            if not source.is_dir():
                mode = f"{source.stat().st_mode & 0o777:o}"
                data = await asyncio.to_thread(source.read_bytes)
                await self._builtin("write", (target, mode), stdin=data, as_root=as_root)
                continue
            paths = await asyncio.to_thread(_paths, source) if mount.mode == "rw" else frozenset()
            # the agent may give files to another user only where all mounts are its to make
            owner = str(self.spec.uid) if mounts is None and mount.mode != "ro" else "0"
            await upload(self, source, target, bytes_max=UPLOAD_BYTES_MAX, owner=owner, as_root=as_root)
            if mount.mode == "rw":
                sent[mount.target] = paths

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
                await self.download(mount.target, source, remove=sent)

    async def close(self) -> None:
        if not self._closing and self._sent and not self._machine.channel.closed.done():
            try:
                await self.synchronise()
            finally:
                await super().close()
        else:
            await super().close()


def _paths(root: Path) -> frozenset[bytes]:
    base = os.fsencode(root)
    return frozenset(
        os.path.relpath(os.path.join(folder, name), base)
        for folder, folders, files in os.walk(base)
        for name in [*folders, *files]
    )
