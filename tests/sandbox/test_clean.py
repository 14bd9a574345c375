"""What a killed engine leaves behind, the next one removes; what another one uses, it leaves alone."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

import msgspec
import pytest

from forgewright.sandbox import SandboxSpec, hierarchies, registry, state
from forgewright.sandbox.drivers.container import ContainerDriver

pytestmark = pytest.mark.sandbox

PROGRAMS = {"container": "crun", "gvisor": "runsc", "microvm": "qemu-system-x86_64"}

ENGINE = """
import asyncio, sys
from forgewright.sandbox import Command, Limits, SandboxSpec, driver

async def main():
    made, limit = driver(sys.argv[1]), asyncio.Semaphore(4)
    spec = SandboxSpec(tier=made.tier, limits=Limits(memory_bytes=64 << 20, disk_bytes=16 << 20))

    async def one():
        async with limit:
            return await made.create(spec)

    sandboxes = await asyncio.gather(*(one() for _ in range(int(sys.argv[2]))))
    command = Command(argv=("sh", "-c", "echo up; setsid sleep 654 & sleep 654"))
    up = asyncio.Semaphore(0)
    for sandbox in sandboxes:
        asyncio.ensure_future(sandbox.run(command, on_output=lambda stream, data: up.release()))
    for _ in sandboxes:
        await up.acquire()
    await sandboxes[0].pause()
    print(*(sandbox.id for sandbox in sandboxes), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


class Traces(msgspec.Struct):
    """What there is of some sandboxes on this machine, by kind."""

    processes: set[int]
    mounts: set[str]
    groups: set[str]
    namespaces: set[str]
    """Of the network, those of their processes."""
    files: set[str]

    def counts(self) -> dict[str, int]:
        return {name: len(getattr(self, name)) for name in self.__struct_fields__}


def processes() -> dict[int, bytes]:
    """All of this machine, with what says whose they are: arguments and cgroups."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = (entry / "cmdline").read_bytes() + (entry / "cgroup").read_bytes()
            except OSError:
                continue
    return found


def text_of(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""


def network_of(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/net")
    except OSError:
        return ""


def traces(names: Iterable[str]) -> Traces:
    wanted = list(names)
    alive = processes()
    mine = {pid for pid, text in alive.items() if any(name.encode() in text for name in wanted)}
    mounts = {
        line.split()[4] for pid in alive for line in text_of(pid, "mountinfo").splitlines()
        if any(name in line for name in wanted)
    }  # fmt: skip
    found = hierarchies.hierarchies()
    folders = [*found.folders.values(), *found.whole.values()] if found else []
    groups = {
        f"{folder}/{name}" for folder in folders for name in wanted if os.path.exists(f"{folder}/{name}")
    }
    files = {
        str(path) for root in (state.state_root(), Path("/run"), Path("/tmp"), Path("/var/run")) if root.exists()
        for path in root.iterdir() if any(name in path.name for name in wanted)
    }  # fmt: skip
    return Traces(
        mine, mounts, groups, {network_of(pid) for pid in mine} - {"", network_of(os.getpid())}, files
    )


def networks_in_use() -> set[str]:
    return {network_of(pid) for pid in processes()} | {
        line.split()[3] for line in text_of(os.getpid(), "mountinfo").splitlines() if "nsfs" in line
    }


@pytest.mark.parametrize("name", PROGRAMS)
async def test_a_killed_engine_leaves_nothing_after_the_next_start(name: str) -> None:
    program = PROGRAMS[name]
    if not (shutil.which(program) or shutil.which(program, path="/usr/sbin")):
        message = f"{program} is not installed; run: sh scripts/setup.sh"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    count = 20
    engine = subprocess.Popen(
        [sys.executable, "-c", ENGINE, name, str(count)], stdout=subprocess.PIPE, text=True
    )
    assert engine.stdout is not None
    names = (await asyncio.to_thread(engine.stdout.readline)).split()
    assert len(names) == count
    during = traces(names)
    assert len(during.processes) >= count
    assert len(during.files) >= count
    assert len(during.mounts) >= count
    if hierarchies.hierarchies():
        assert len(during.groups) >= count
    if name != "microvm":  # a virtual machine has no network of the host at all, and so no namespace for one
        assert len(during.namespaces) >= count
    with ExitStack() as held:  # so that no other test's namespace gets the number of one of theirs
        for pid in during.processes:
            with suppress(OSError):
                held.enter_context(open(f"/proc/{pid}/ns/net", "rb"))
        await _killed(engine, name, names)
        assert not during.namespaces & networks_in_use()
    assert not {pid for pid in during.processes if b"654" in processes().get(pid, b"")}


async def _killed(engine: subprocess.Popen[bytes], name: str, names: Iterable[str]) -> None:
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    assert engine.stdout is not None
    engine.stdout.close()
    removed = await registry.driver(name).clean()  # as the next start does
    assert set(names) <= set(removed)
    assert traces(names).counts() == dict.fromkeys(Traces.__struct_fields__, 0)


async def test_cleaning_leaves_living_sandboxes_alone() -> None:
    sandbox = await ContainerDriver().create(SandboxSpec())
    try:
        assert sandbox.id not in await ContainerDriver().clean()
        await sandbox.ping()
    finally:
        await sandbox.close()
    assert set(traces([sandbox.id]).counts().values()) == {0}
