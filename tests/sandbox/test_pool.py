"""A pool gives what was asked for, keeps to its bounds, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from forgewright.core.errors import SandboxError
from forgewright.sandbox import Command, Limits, SandboxSpec, Tier, reaper, state
from forgewright.sandbox.pool import Pool

pytestmark = pytest.mark.sandbox
SMALL = SandboxSpec(limits=Limits(memory_bytes=64 << 20), environment={"KIND": "small"})
OTHER = SandboxSpec(limits=Limits(memory_bytes=96 << 20), environment={"KIND": "other"})


def owner(folder: Path) -> str:
    try:
        return (folder / "owner").read_text().partition(" ")[0]
    except FileNotFoundError:  # another process's, which has just closed it
        return ""


def own() -> set[str]:
    """Sandboxes of this process."""
    return {folder.name for folder in state.state_root().glob("fw*") if owner(folder) == str(os.getpid())}


async def test_taking_is_warm_after_preparing_and_never_shared() -> None:
    before = own()
    async with Pool(size=2, driver="container") as pool:
        await pool.prepare(SMALL)
        assert pool.statistics().ready == 2
        first, second = await pool.take(SMALL), await pool.take(SMALL)
        assert first.id != second.id
        await first.write("/tmp/secret", b"of the first")
        assert list(await second.list("/tmp")) == []
        assert (pool.statistics().taken_warm, pool.statistics().taken_cold) == (2, 0)
        await pool.prepare(SMALL)
        assert pool.statistics().ready == 2
        other = await pool.take(OTHER)
        assert (await other.run(Command(argv=("sh", "-c", "echo $KIND")))).stdout == b"other\n"
        for sandbox in (first, second, other):
            await sandbox.close()
    assert own() == before
    with pytest.raises(SandboxError):
        await pool.take(SMALL)


async def test_one_that_died_is_not_given_out() -> None:
    async with Pool(size=1, driver="container") as pool:
        await pool.prepare(SMALL)
        (name,) = (f.name for f in state.state_root().glob("fw*") if f.name in own())
        reaper.end([state.state_root() / name])
        sandbox = await pool.take(SMALL)
        assert sandbox.id != name
        assert (await sandbox.run(Command(argv=("true",)))).ok
        await sandbox.close()


async def test_virtual_machines_wait_paused_and_differ_in_time_and_randomness() -> None:
    if shutil.which("qemu-system-x86_64") is None:
        message = "qemu-system-x86_64 is not installed; run: sh scripts/setup.sh"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    machine = SandboxSpec(tier=Tier.MICROVM, limits=Limits(memory_bytes=256 << 20, disk_bytes=64 << 20))
    seen = []
    async with Pool(size=2, driver="microvm") as pool:
        await pool.prepare(machine)
        for _ in range(2):
            sandbox = await pool.take(machine)
            try:
                ended = await sandbox.run(
                    Command(argv=("sh", "-c", "date +%s; head -c 16 /dev/urandom | od -An -tx1"))
                )
                clock, _, noise = ended.stdout.partition(b"\n")
                assert abs(int(clock) - time.time()) < 10
                seen.append(noise)
            finally:
                await sandbox.close()
        assert pool.statistics().taken_warm == 2
    assert len(set(seen)) == 2
    assert own() == set()


async def test_kinds_are_bounded() -> None:
    async with Pool(size=1, kinds_max=1, driver="container") as pool:
        await pool.prepare(SMALL)
        await pool.prepare(OTHER)
        assert pool.statistics().ready == 1
    assert own() == set()
