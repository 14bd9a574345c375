"""What a killed engine leaves behind, the next one removes; what another one uses, it leaves alone."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from forgewright.sandbox import SandboxSpec, cgroups, state
from forgewright.sandbox.drivers.container import ContainerDriver

pytestmark = pytest.mark.sandbox

ENGINE = """
import asyncio, sys
from forgewright.sandbox import Command, SandboxSpec
from forgewright.sandbox.drivers.container import ContainerDriver

async def main():
    driver = ContainerDriver()
    sandboxes = await asyncio.gather(*(driver.create(SandboxSpec()) for _ in range(int(sys.argv[1]))))
    command = Command(argv=("sh", "-c", "echo up; setsid sleep 654 & sleep 654"))
    up = asyncio.Semaphore(0)
    for sandbox in sandboxes:
        asyncio.ensure_future(sandbox.run(command, on_output=lambda stream, data: up.release()))
    for _ in sandboxes:
        await up.acquire()
    print(*(sandbox.id for sandbox in sandboxes), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def traces(name: str) -> list[str]:
    """Processes, mounts, groups and files that belong to the sandbox `name`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (
                    (entry / "cmdline").read_bytes()
                    + (entry / "cgroup").read_bytes()
                    + (entry / "mountinfo").read_bytes()
                )
            except OSError:
                continue
            if name.encode() in text:
                found.append(f"process or mount of {entry.name}")
    groups = cgroups.hierarchies()
    if groups:
        found += [folder for folder in groups.folders.values() if os.path.exists(f"{folder}/{name}")]
    if (state.state_root() / name).exists():
        found.append("files")
    return found


@pytest.mark.parametrize("count", [20])
async def test_a_killed_engine_leaves_nothing_after_the_next_start(count: int) -> None:
    engine = subprocess.Popen([sys.executable, "-c", ENGINE, str(count)], stdout=subprocess.PIPE, text=True)
    assert engine.stdout is not None
    names = (await asyncio.to_thread(engine.stdout.readline)).split()
    assert len(names) == count
    assert all(traces(name) for name in names)
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    engine.stdout.close()
    removed = await ContainerDriver().clean()
    assert set(names) <= set(removed)
    assert {name: traces(name) for name in names} == {name: [] for name in names}


async def test_cleaning_leaves_living_sandboxes_alone() -> None:
    sandbox = await ContainerDriver().create(SandboxSpec())
    try:
        assert sandbox.id not in await ContainerDriver().clean()
        await sandbox.ping()
    finally:
        await sandbox.close()
    assert traces(sandbox.id) == []
