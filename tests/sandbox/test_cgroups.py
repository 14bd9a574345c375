"""A sandbox's processes are in its cgroup, all of them, and bounded, when it is handed out."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from forgewright.sandbox import Command, Limits, SandboxSpec, Tier, driver
from forgewright.sandbox.cgroups import Cgroup
from forgewright.sandbox.family import family
from forgewright.sandbox.hierarchies import hierarchies
from forgewright.sandbox.reaper import processes_of
from forgewright.sandbox.session import AgentSandbox
from forgewright.sandbox.state import state_root

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.skipif(hierarchies() is None, reason="no cgroup can be made here: run as root"),
]
LIMITS = Limits(memory_bytes=192 << 20, processes=48, disk_bytes=48 << 20, cpus=0.5)


@pytest.mark.parametrize(("tier", "program"), [("gvisor", "runsc"), ("microvm", "qemu-system-x86_64")])
async def test_of_a_sandbox_that_joins_while_it_starts_nothing_is_outside(tier: str, program: str) -> None:
    if shutil.which(program) is None:
        message = f"{program} is not installed; run: sh scripts/setup.sh"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    groups = hierarchies()
    assert groups is not None
    sandbox = await driver(tier).create(SandboxSpec(tier=Tier(tier), limits=LIMITS))
    assert isinstance(sandbox, AgentSandbox)
    try:
        cgroup = Cgroup(sandbox.id, groups)
        started = {process for pid in processes_of([state_root() / sandbox.id]) for process in family(pid)}
        assert started, "an engine that starts after a killed one would not find them"
        for entrance in cgroup.entrances() + cgroup.whole_entrances():
            members = {int(line) for line in Path(entrance).read_text().split()}
            assert started <= members, entrance
        assert _quota(cgroup) == pytest.approx(0.5)
    finally:
        await sandbox.close()


async def test_at_rest_the_process_of_the_next_command_waits_in_its_group() -> None:
    groups = hierarchies()
    assert groups is not None
    sandbox = await driver("container").create(SandboxSpec(limits=LIMITS))
    assert isinstance(sandbox, AgentSandbox)
    try:
        entrances = Cgroup(sandbox.id, groups).entrances()
        for _ in range(5):
            assert (await sandbox.run(Command(argv=("true",)))).ok
            await sandbox._machine.channel.rest()
            waiting = [set(Path(entrance).read_text().split()) for entrance in entrances]
            assert all(len(members) == 1 for members in waiting), (
                "the command before it is gone, the next is there"
            )
    finally:
        await sandbox.close()


def _quota(cgroup: Cgroup) -> float:
    for entrance in cgroup.entrances():
        folder = Path(entrance).parent
        if (folder / "cpu.cfs_quota_us").exists():
            return int((folder / "cpu.cfs_quota_us").read_text()) / int(
                (folder / "cpu.cfs_period_us").read_text()
            )
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
            return int(quota) / int(period)
    raise AssertionError("processors are not limited")


async def test_descendants_are_adopted_and_theirs_are_born_there() -> None:
    groups = hierarchies()
    assert groups is not None
    cgroup = Cgroup("fwtest" + os.urandom(4).hex(), groups)
    cgroup.create(Limits(memory_bytes=64 << 20))
    script = "sleep 60 & (sleep 60 & sleep 60; true) & read x; sleep 60 & echo; wait"
    shell = await asyncio.create_subprocess_exec(
        "sh", "-c", script, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert shell.stdin is not None
    assert shell.stdout is not None
    try:
        async with asyncio.timeout(20):
            while len(family(shell.pid)) < 5:
                await asyncio.sleep(0.005)
        cgroup.adopt(shell.pid)
        shell.stdin.write(b"\n")
        await shell.stdout.readline()
        members = {int(line) for line in Path(cgroup.entrances()[-1]).read_text().split()}
        assert len(members) == 6
        assert family(shell.pid) == members
    finally:
        assert cgroup.remove()
        await shell.wait()
