"""Limits of input and output are felt: a disk under a mount is written and read no faster than is allowed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from forgewright.sandbox import Command, Limits, Mount, SandboxSpec, cgroups, hierarchies
from forgewright.sandbox.drivers.container import ContainerDriver

pytestmark = pytest.mark.sandbox
MIB = 1 << 20


@pytest.mark.parametrize("way", ["read", "write"])
async def test_rates_are_felt_and_counted(way: str) -> None:
    if os.geteuid() != 0 or hierarchies.hierarchies() is None:
        pytest.skip("limits of input and output need a cgroup; run as root")
    folder = Path("/var/tmp") / f"fw-io-{os.getpid()}"
    folder.mkdir()
    if not cgroups.disks_of([str(folder)]):
        folder.rmdir()
        pytest.skip("/var/tmp lies on no disk of this machine")
    limits = Limits(
        read_bytes_per_second=2 * MIB if way == "read" else 0,
        write_bytes_per_second=2 * MIB if way == "write" else 0,
    )
    (folder / "file").write_bytes(os.urandom(6 * MIB))
    spec = SandboxSpec(limits=limits, mounts=(Mount(str(folder), "/disk", "rw"),))
    argv = {
        "write": ("dd", "if=/dev/zero", "of=/disk/new", "bs=1M", "count=6", "oflag=direct"),
        "read": ("dd", "if=/disk/file", "of=/dev/null", "bs=1M", "count=6", "iflag=direct"),
    }[way]
    sandbox = await ContainerDriver().create(spec)
    try:
        started = time.monotonic()
        ended = await sandbox.run(Command(argv=argv))
        assert ended.ok, ended
        assert time.monotonic() - started > 1.5
        metrics = await sandbox.metrics()
        assert (metrics.read_bytes if way == "read" else metrics.written_bytes) in range(6 * MIB, 16 * MIB)
    finally:
        await sandbox.close()
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def test_no_disk_is_found_where_there_is_none() -> None:
    assert cgroups.disks_of(["/proc", "/dev/shm"]) == []
