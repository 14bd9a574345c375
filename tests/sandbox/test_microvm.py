"""What is particular to QEMU's machines: how they are cloned, what their commands start from, which clock they have."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from forgewright.sandbox import Command, Limits, SandboxSpec, Tier, cache
from forgewright.sandbox.drivers.microvm import INSTALL, MicrovmDriver
from forgewright.sandbox.guest_image import head_of
from forgewright.sandbox.session import AgentSandbox

pytestmark = pytest.mark.sandbox
LIMITS = Limits(memory_bytes=192 << 20, processes=48, disk_bytes=48 << 20)


@pytest.fixture
async def machine() -> AsyncIterator[AgentSandbox]:
    if shutil.which("qemu-system-x86_64") is None or os.geteuid() != 0:
        message = f"QEMU is not installed, or this is not root; run: {INSTALL}"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    sandbox = await MicrovmDriver().create(SandboxSpec(tier=Tier.MICROVM, limits=LIMITS))
    yield sandbox
    await sandbox.close()


async def run(sandbox: AgentSandbox, *argv: str, stdin: bytes = b"") -> tuple[int, str]:
    ended = await sandbox.run(Command(argv=argv, stdin=stdin, timeout_seconds=60))
    return ended.code, ended.stdout.decode()


async def test_its_clock_is_fine_and_agrees_with_the_hosts(machine: AgentSandbox) -> None:
    program = (
        "import time; t = time.perf_counter_ns; s = {t() for _ in range(50)}; print(len(s), time.time())"
    )
    before = time.time()
    code, out = await run(machine, "python3", "-c", program)
    distinct, told = out.split()
    assert code == 0
    assert int(distinct) > 40  # a clock of timer interrupts would say the same each time
    assert before - 0.5 < float(told) < time.time() + 0.5


async def test_commands_follow_one_that_killed_all_of_its_user(machine: AgentSandbox) -> None:
    for number in range(4):
        killer = await machine.run(
            Command(argv=("sh", "-c", "sh -c 'kill -9 -1'; exit 3"), timeout_seconds=30)
        )
        assert killer.code == 137
        assert await run(machine, "echo", str(number)) == (0, f"{number}\n")


async def test_it_is_stopped_at_rest_unless_something_was_left_behind(machine: AgentSandbox) -> None:
    for left in ("", "sleep 600 > /dev/null 2>&1 &"):
        assert await run(machine, "sh", "-c", f"{left} echo x") == (0, "x\n")
        await machine.pause()
        await machine.resume()
        assert await run(machine, "echo", "on") == (0, "on\n")


async def test_a_killed_command_takes_nothing_of_the_next_along(machine: AgentSandbox) -> None:
    late = await machine.run(Command(argv=("sh", "-c", "sleep 600 & sleep 600"), timeout_seconds=1))
    assert late.reason == "timeout"
    answers = await asyncio.gather(*(run(machine, "echo", str(number)) for number in range(8)))
    assert answers == [(0, f"{number}\n") for number in range(8)]
    code, out = await run(machine, "sh", "-c", "for p in /proc/[0-9]*; do cat $p/comm; done 2>/dev/null")
    assert code == 0
    assert "sleep" not in out.split()


async def test_a_request_that_no_pipe_takes_at_once_is_run_all_the_same(machine: AgentSandbox) -> None:
    words = ("x" * 100_000, "y")
    code, out = await run(machine, "sh", "-c", 'echo ${#1} "$2"', "sh", *words)
    assert (code, out) == (0, "100000 y\n")


async def test_files_and_input_go_to_a_command_that_was_ready(machine: AgentSandbox) -> None:
    assert await run(machine, "cat", stdin=b"typed") == (0, "typed")
    await machine.write("/tmp/file", b"kept")
    assert await run(machine, "cat", "/tmp/file") == (0, "kept")
    assert await run(machine, "sh", "-c", "pwd; umask; id -u; ulimit -c") == (
        0,
        "/\n0022\n1000\n0\n",
    )


def test_of_a_kernel_only_its_head_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    image = tmp_path / "vmlinuz"
    start = bytearray(1 << 20)
    start[0x202:0x206] = b"HdrS"
    image.write_bytes(start)
    head = head_of(image)
    assert 0 < head.stat().st_size <= 1 << 16
    assert head_of(image) == head
    image.write_bytes(b"\x7fELF" + bytes(4096))
    assert head_of(image) == image


async def test_what_the_cache_lost_meanwhile_is_found_or_made_again(machine: AgentSandbox) -> None:
    assert isinstance(machine.origin, MicrovmDriver)
    driver = machine.origin
    guest = driver._find()
    for gone in ("head", "initramfs"):
        driver._guest = msgspec.structs.replace(guest, **{gone: cache.root() / f"{gone}-gone"})
        assert driver._find() == guest
