"""Pausing, measuring, saving, restoring and forking: what every driver promises, or says that it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contracts.test_sandbox import MIB, driver, shell

from forgewright.core.errors import Conflict, NotFound, SandboxError, Unavailable
from forgewright.sandbox import Command, Driver, Limits, Mount, Sandbox, SandboxSpec, Tier, saved

pytestmark = pytest.mark.sandbox
SPEC = SandboxSpec(limits=Limits(memory_bytes=256 * MIB, processes=64, disk_bytes=32 * MIB))
BEAT = "(setsid sh -c 'while :; do echo x >> /tmp/beat; sleep 0.02; done' >/dev/null 2>&1 </dev/null &)"
__all__ = ["driver"]


@pytest.fixture(autouse=True)
def own_snapshots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGEWRIGHT_SNAPSHOTS", str(tmp_path / "snapshots"))


@pytest.fixture
async def sandbox(driver: Driver) -> AsyncIterator[Sandbox]:
    made = await driver.create(SPEC)
    yield made
    await made.close()


async def beats(sandbox: Sandbox) -> int:
    return int((await shell(sandbox, "cat /tmp/beat 2>/dev/null | wc -l")).stdout)


async def more_beats(sandbox: Sandbox, than: int) -> int:
    async with asyncio.timeout(30):
        while (now := await beats(sandbox)) <= than:
            await asyncio.sleep(0.02)
    return now


def can_save(driver: Driver) -> bool:
    return driver.name in ("container", "gvisor", "microvm", "firecracker")


async def test_what_is_paused_stands_still_and_goes_on(sandbox: Sandbox) -> None:
    loop = "while [ ! -e /tmp/gate ]; do echo x >> /tmp/beat; sleep 0.02; done"
    running = asyncio.create_task(shell(sandbox, loop))
    await more_beats(sandbox, 1)
    await sandbox.pause()
    await sandbox.pause()
    before = await sandbox.metrics()
    with pytest.raises(SandboxError, match="paused"):
        await sandbox.run(Command(argv=("true",)))
    with pytest.raises(SandboxError, match="paused"):
        await sandbox.read("/tmp/beat")
    await asyncio.sleep(0.3)  # what is measured is time without progress
    after = await sandbox.metrics()
    assert after.cpu_seconds - before.cpu_seconds < 0.1
    await sandbox.resume()
    await sandbox.resume()
    await more_beats(sandbox, await beats(sandbox))
    await sandbox.write("/tmp/gate", b"")
    assert (await running).ok


async def test_what_is_paused_can_be_closed(driver: Driver) -> None:
    sandbox = await driver.create(SPEC)
    running = asyncio.create_task(shell(sandbox, f"sleep 987 & {BEAT}; sleep 987"))
    await more_beats(sandbox, 0)
    await sandbox.pause()
    await asyncio.wait_for(sandbox.close(), 20)
    with pytest.raises(SandboxError, match="closed"):
        await sandbox.resume()
    with pytest.raises(SandboxError):
        await running


async def test_metrics_grow_with_what_is_used(sandbox: Sandbox) -> None:
    before = await sandbox.metrics()
    await sandbox.run(Command(argv=("python3", "-c", "x = b'x' * (100 << 20); sum(range(6_000_000))")))
    after = await sandbox.metrics()
    assert after.cpu_seconds > before.cpu_seconds
    assert (after.memory_peak_bytes or 0) > 100 * MIB
    assert 0 < after.memory_bytes <= (after.memory_peak_bytes or 0)
    assert after.processes >= 0


async def test_a_snapshot_is_restored_as_often_as_wanted(driver: Driver, sandbox: Sandbox) -> None:
    if not can_save(driver):
        with pytest.raises(Unavailable):
            await sandbox.snapshot()
        with pytest.raises(Unavailable):
            await driver.restore("snap0")
        assert saved.existing() == []
        return
    script = "echo kept > /tmp/f; mkdir -p ~/a/b; echo deep > ~/a/b/c; ln -s f /tmp/l; chmod 750 /tmp/f"
    await shell(sandbox, script)
    name = await sandbox.snapshot()
    await shell(sandbox, "echo later > /tmp/f; rm -r ~/a")
    copies = [await driver.restore(name) for _ in range(2)]
    try:
        for number, copy in enumerate(copies):
            assert copy.spec == sandbox.spec
            assert copy.id != sandbox.id
            ended = await shell(
                copy, f"cat /tmp/l ~/a/b/c; find /tmp/f -printf '%m\\n'; id -u; echo {number} > /tmp/f"
            )
            assert ended.stdout == b"kept\ndeep\n750\n1000\n"
        assert [await copy.read("/tmp/f") for copy in copies] == [b"0\n", b"1\n"]
        assert await sandbox.read("/tmp/f") == b"later\n"
        (about,) = saved.existing()
        assert (about.id, about.driver, about.spec) == (name, driver.name, sandbox.spec)
        assert about.bytes > 0
    finally:
        for copy in copies:
            await copy.close()
    saved.remove(name)
    with pytest.raises(NotFound):
        await driver.restore(name)


async def test_limits_hold_in_a_fork_and_processes_of_machines_go_on(
    driver: Driver, sandbox: Sandbox
) -> None:
    if not can_save(driver):
        with pytest.raises(Unavailable):
            await sandbox.fork()
        return
    await shell(sandbox, BEAT if driver.tier is not Tier.GVISOR else "echo x > /tmp/beat")
    before = await more_beats(sandbox, 0)
    other = await sandbox.fork()
    try:
        there = await beats(other)
        assert there >= before
        if driver.tier is Tier.MICROVM:
            await more_beats(other, there)
        ended = await other.run(Command(argv=("python3", "-c", "x = b'x' * (400 << 20)")))
        assert ended.reason == "oom"
        ended = await shell(other, "head -c 200000000 /dev/zero > /tmp/big")
        assert ended.reason == "disk"
        ended = await shell(other, "sleep 987", timeout_seconds=0.3)
        assert ended.reason == "timeout"
    finally:
        await other.close()
    assert saved.existing() == []
    assert (await shell(sandbox, "echo here")).stdout == b"here\n"


async def test_copy_on_write_goes_into_the_snapshot(driver: Driver, tmp_path: Path) -> None:
    if not can_save(driver):
        return
    for name in ("changed", "removed", "left"):
        (tmp_path / "work").mkdir(exist_ok=True)
        (tmp_path / "work" / name).write_text("host")
    sandbox = await driver.create(SandboxSpec(mounts=(Mount(str(tmp_path / "work"), "/work", "cow"),)))
    try:
        await shell(sandbox, "cd /work; echo inside > changed; rm removed; mkdir d; echo new > d/new")
        other = await sandbox.fork()
        try:
            ended = await shell(other, "cd /work; ls; cat changed left d/new; echo more > d/new")
            assert ended.stdout == b"changed\nd\nleft\ninside\nhostnew\n"
        finally:
            await other.close()
        assert await sandbox.read("/work/d/new") == b"new\n"
    finally:
        await sandbox.close()
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["changed", "left", "removed"]


async def test_nothing_is_saved_while_a_command_runs(driver: Driver, sandbox: Sandbox) -> None:
    started = asyncio.Event()
    command = Command(argv=("sh", "-c", "echo up; read line"), stdin=b"")
    gate = Command(argv=("sh", "-c", "echo up; while [ ! -e /tmp/gate ]; do sleep 0.01; done"))
    await sandbox.run(command)
    running = asyncio.create_task(sandbox.run(gate, on_output=lambda stream, data: started.set()))
    await asyncio.wait_for(started.wait(), 20)
    with pytest.raises(Conflict):
        await sandbox.snapshot()
    await sandbox.write("/tmp/gate", b"")
    assert (await running).ok
    assert saved.existing() == []


async def test_an_unknown_snapshot_is_named(driver: Driver) -> None:
    for name in ("snap-none", "../../etc"):
        with pytest.raises((NotFound, Unavailable)):
            await driver.restore(name)
