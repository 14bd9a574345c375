"""What virtual machines have in common, whatever monitor runs them: their shape, and a guest that counts for itself."""

from __future__ import annotations

import asyncio
import math
import os
from hashlib import sha256
from pathlib import Path

import msgspec

from forgewright.core.errors import SandboxError, UsageError
from forgewright.sandbox import cache, guest_image
from forgewright.sandbox.cgroups import Counters
from forgewright.sandbox.drivers.oci import OciMachine
from forgewright.sandbox.layout import BASE_ENVIRONMENT, inodes, shm_bytes
from forgewright.sandbox.protocol import Request
from forgewright.sandbox.types import SandboxSpec

GUEST_BYTES = 192 << 20
"""Of the guest's own kernel and agent, over what the payload may use."""

_TOOLS = (
    "awk basename bash cat chmod cp cut date diff dirname echo env expr false find grep head id ln ls make mkdir mktemp"
    " mv printf ps pwd readlink rm rmdir sed seq sleep sort tail tar tee test touch tr true uname wc xargs"
)
WARM = (
    ("sh", "-c", f"cd /usr/bin; for f in {_TOOLS}; do test -x $f && cat $f; done > /dev/null; ls /"),
    ("python3", "-c", "import json, re, subprocess"),
    ("echo", "ready"),
    ("true",),
)
"""What is run before a machine is saved, so that its clones find in memory what commands begin with."""

SETTLE_SECONDS = 2.0
"""Then it is left alone: what the kernel puts off until later should not be each clone's first work."""

REST_SECONDS = 0.25

KVM_SECONDS = 10.0
"""A nested host can offer a /dev/kvm on which no ordinary kernel boots: whether it works, a boot says. It takes well under a
second where it does; else the guest stands still in silence."""


def kvm_seconds() -> float:
    """How long a first boot on KVM may take; `FORGEWRIGHT_KVM_SECONDS` where a host is slow, but works."""
    given = os.environ.get("FORGEWRIGHT_KVM_SECONDS", "")
    try:
        seconds = float(given or KVM_SECONDS)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 3600:
        raise UsageError(
            f"FORGEWRIGHT_KVM_SECONDS: expected seconds from 1 to 3600, found {given!r}", hint="unset it"
        )
    return seconds


class Shape(msgspec.Struct, frozen=True):
    """What a saved machine depends on."""

    memory_bytes: int
    processes: int
    disk_bytes: int
    inodes: int
    shm_bytes: int
    cpus: int
    uid: int

    @classmethod
    def of(cls, spec: SandboxSpec) -> Shape:
        limits = spec.limits
        return cls(
            memory_bytes=limits.memory_bytes, processes=limits.processes, inodes=inodes(spec),
            disk_bytes=limits.disk_bytes - shm_bytes(spec), shm_bytes=shm_bytes(spec),
            cpus=max(1, math.ceil(limits.cpus)), uid=spec.uid,
        )  # fmt: skip

    @property
    def megabytes(self) -> int:
        return (self.memory_bytes + GUEST_BYTES) >> 20

    def kernel_arguments(self) -> str:
        return (
            f"fw.memory={self.memory_bytes} fw.pids={self.processes} fw.disk={self.disk_bytes}"
            f" fw.inodes={self.inodes} fw.shm={self.shm_bytes} fw.uid={self.uid}"
        )


class Basis(msgspec.Struct, frozen=True):
    """What a snapshot of a machine goes on with, besides its own files: the very disk that it had, above all."""

    image: str
    accelerator: str = "kvm"

    def keep(self, folder: Path) -> None:
        (folder / cache.BASIS).write_bytes(msgspec.json.encode(self))

    @classmethod
    def of(cls, folder: Path) -> Basis:
        """Raises `SandboxError` where the disk is not there any more."""
        found = msgspec.json.decode((folder / cache.BASIS).read_bytes(), type=cls)
        if not os.path.exists(found.image):
            raise SandboxError(
                f"the snapshot needs the image {found.image}, which is gone", hint="create a sandbox anew"
            )
        return found


class GuestMachine(OciMachine):
    """A machine that counts what its programs use by itself, and says it with each command's end."""

    basis: Basis

    def counters(self) -> Counters:
        return Counters()

    def disk_full(self) -> bool:
        return False

    def fallback_limits(self) -> tuple[int, int]:
        return 0, 0

    async def warm_up(self, uid: int) -> None:
        """Runs what most commands begin with, so that a clone finds it in its memory, not on its disk."""
        for argv in WARM:
            request = Request(argv, dict(BASE_ENVIRONMENT), "/", uid, uid, output_bytes=4096)
            job = self.channel.start(request)
            job.feed(b"")
            await job.done
        await self.channel.resume()
        await asyncio.sleep(SETTLE_SECONDS)

    async def come_to_rest(self) -> None:
        """Before it is stopped: what is left over of the last command would be the first work after it goes on."""
        try:
            async with asyncio.timeout(REST_SECONDS):
                await self.channel.rest()
        except TimeoutError:
            pass  # programs that a command left behind go on, and it goes on without rest

    async def _destroy(self) -> None:
        if self._process is not None:
            self._process.kill()
        await super()._destroy()


def kept_initramfs(version: str, modules: tuple[str, ...]) -> Path:
    """The initramfs for that kernel, in the cache under the digest of its content."""
    data = guest_image.initramfs(version, modules)
    file = cache.root() / f"initramfs-{sha256(data).hexdigest()[:16]}"
    if not cache.holds(file):
        unfinished = cache.unfinished(file)
        unfinished.write_bytes(data)
        cache.publish(unfinished, file)
    return file
