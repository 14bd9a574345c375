"""Firecracker as far as this machine's KVM goes: real binary, real jailer, real API; a guest only where one boots.

Where KVM boots guests, `tests/contracts/test_sandbox.py` runs its whole suite on this driver too.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from forgewright.core.errors import MissingProgram, SandboxError, Unavailable, UsageError
from forgewright.sandbox import SandboxSpec, Tier, cgroups, guest_image, hierarchies, native, reaper, state
from forgewright.sandbox.drivers import firecracker
from forgewright.sandbox.drivers.firecracker import FirecrackerDriver, FirecrackerMachine
from forgewright.sandbox.drivers.oci import find
from forgewright.sandbox.drivers.tuning import clock
from forgewright.sandbox.drivers.virtual import Shape, kept_initramfs, kvm_seconds
from forgewright.sandbox.firecracker_api import FirecrackerApi
from forgewright.sandbox.protocol import Channel, Request
from forgewright.sandbox.vmlinux import uncompressed

UNSHARE = [
    "unshare",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    str(native.program("agent")),
    "--accept",
    "21",
]
pytestmark = pytest.mark.sandbox
SPEC = SandboxSpec(
    tier=Tier.MICROVM, limits=msgspec.structs.replace(SandboxSpec().limits, memory_bytes=64 << 20)
)


def programs() -> tuple[str, str]:
    path = f"{os.environ['PATH']}:{sys.prefix}/firecracker"
    found = shutil.which("firecracker", path=path), shutil.which("jailer", path=path)
    if found[0] is None or found[1] is None:
        message = "firecracker and jailer are not installed; run: sh scripts/setup.sh"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return found[0], found[1]


@pytest.fixture
def driver() -> FirecrackerDriver:
    if os.geteuid() != 0 or not os.access("/dev/kvm", os.R_OK | os.W_OK):
        pytest.skip("Firecracker needs root and a /dev/kvm; run on a machine that has one")
    return FirecrackerDriver(*programs(), boot_seconds=3)


Started = tuple[FirecrackerMachine, FirecrackerApi]


@pytest.fixture
async def started(driver: FirecrackerDriver) -> AsyncIterator[Started]:
    """A jailed Firecracker whose guest has been started, however far it comes."""
    guest = await asyncio.to_thread(driver._find)
    machine, _ = driver._machine(SPEC, saving=True)
    try:
        api = await machine.launch(driver._arguments(guest, Shape.of(SPEC), machine))
        await api.configure(firecracker.hardware(Shape.of(SPEC)))
        await api.start()
        yield machine, api
    finally:
        await machine.destroy()


def pid_of(machine: FirecrackerMachine) -> int:
    assert machine._process is not None
    return machine._process.pid


async def test_the_machine_is_configured_started_and_paused_through_the_api(started: Started) -> None:
    _, api = started
    assert (await api.describe())["state"] == "Running"
    await api.pause()
    assert (await api.describe())["state"] == "Paused"
    await api.resume()
    assert (await api.describe())["state"] == "Running"
    with pytest.raises(SandboxError, match="refused PUT /machine-config"):
        await api.configure(firecracker.hardware(Shape.of(SPEC)))  # too late, and told so


async def test_the_jail_holds_what_it_needs_and_has_no_rights(started: Started) -> None:
    machine, _ = started
    pid = pid_of(machine)
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
    )
    uid = int(status["Uid"].split()[0])
    assert uid >= firecracker._FIRST_ID
    assert {int(n) for n in status["Uid"].split() + status["Gid"].split()} == {uid}
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    assert status["Seccomp"].strip() == "2"
    inside = set(os.listdir(machine.jail))
    assert {"kernel", "initramfs", "image", "agent.sock", "firecracker", "dev"} <= inside
    assert not {"etc", "home", "root", "usr", "proc"} & inside
    mounts = Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
    assert {line.split()[4] for line in mounts} == {"/", "/kernel", "/initramfs", "/image"}
    assert all("ro," in line.split()[5] + "," for line in mounts if line.split()[4] != "/")
    with pytest.raises(OSError):
        os.close(os.open(f"{machine.jail}/image", os.O_RDWR))
    groups = hierarchies.hierarchies()
    assert groups is None or f"{machine.folder.name}" in Path(f"/proc/{pid}/cgroup").read_text()


async def test_a_saved_machine_is_loaded_in_other_jails(
    driver: FirecrackerDriver, started: Started, tmp_path: Path
) -> None:
    machine, api = started
    saved = tmp_path / "saved"
    saved.mkdir()
    await firecracker.save(api, machine, saved)
    assert (saved / "memory").stat().st_size == Shape.of(SPEC).megabytes << 20
    guest = await asyncio.to_thread(driver._find)
    clones = []
    try:
        for _ in range(2):
            clone, _ = driver._machine(SPEC)
            clones.append(clone)
            loaded = await clone.launch(driver._arguments(guest, Shape.of(SPEC), clone, state_of=saved))
            await loaded.load(resume=True, seconds=20)
            assert (await loaded.describe())["state"] == "Running"
    finally:
        for clone in clones:
            await clone.destroy()


async def test_a_broken_saved_state_is_refused_in_its_own_words(
    driver: FirecrackerDriver, tmp_path: Path
) -> None:
    (tmp_path / "state").write_bytes(b"nonsense" * 100)
    (tmp_path / "memory").write_bytes(b"")
    for file in tmp_path.iterdir():
        file.chmod(0o444)
    guest = await asyncio.to_thread(driver._find)
    machine, _ = driver._machine(SPEC)
    try:
        api = await machine.launch(driver._arguments(guest, Shape.of(SPEC), machine, state_of=tmp_path))
        with pytest.raises(SandboxError, match="snapshot"):
            await api.load(resume=True, seconds=20)
    finally:
        await machine.destroy()


async def test_nothing_is_left_after_destroying_and_after_an_engine_that_died(
    driver: FirecrackerDriver, started: Started
) -> None:
    machine, _ = started
    pid, folder = pid_of(machine), machine.folder
    assert pid in reaper.processes_of([folder])
    assert reaper.end([folder])  # as the next engine's start does
    await machine.destroy()
    await machine.destroy()
    assert not folder.exists()
    assert not os.path.exists(f"/proc/{pid}") or reaper._zombie(pid)
    assert folder.name not in cgroups.existing()
    assert folder.name not in Path("/proc/self/mountinfo").read_text()


async def test_a_host_whose_kvm_boots_nothing_is_told_and_remembered(driver: FirecrackerDriver) -> None:
    guest = await asyncio.to_thread(driver._find)
    firecracker._refusal(guest).unlink(missing_ok=True)
    before = set(state.state_root().glob("fw*"))
    try:
        sandbox = await driver.create(SPEC)
    except Unavailable as error:
        assert "kernel does not come up" in error.message
        assert "microvm" in str(error.hint)
        with pytest.raises(Unavailable, match="does not come up"):
            await driver.create(SPEC)
        probe = await driver.probe()
        assert not probe.available
        assert probe.version.startswith("Firecracker v")
    else:  # this machine's KVM works: then so does the sandbox
        await sandbox.close()
        assert (await driver.probe()).available
    mine = {folder for folder in set(state.state_root().glob("fw*")) - before
            if (folder / "owner").read_text().split()[0] == str(os.getpid())}  # fmt: skip
    assert mine == set()


async def test_the_agent_takes_a_new_channel_when_it_has_lost_one(tmp_path: Path) -> None:
    """As when a machine is saved, which resets its connections: what ran goes on, unless nobody comes."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "agent"))
    server.listen(4)
    start = f"import os; os.dup2({server.fileno()}, 21); os.execvp('unshare', {UNSHARE!r})"
    process = subprocess.Popen([sys.executable, "-c", start], pass_fds=(server.fileno(),))
    server.close()
    try:
        for number, left in enumerate(("nothing", "what ran", "what ran", "nothing")):
            if number == 3:
                await asyncio.sleep(11)
            channel = Channel()
            await channel.loop.create_unix_connection(
                lambda channel=channel: channel, str(tmp_path / "agent")
            )  # type: ignore[misc]
            await asyncio.wait_for(channel.ready, 10)
            async with asyncio.timeout(30):
                while True:  # who comes at once can come before the last command has become its program
                    seen = channel.start(
                        Request(("ps", "ax"), {"PATH": "/usr/bin"}, "/", 1000, 1000, 1 << 20)
                    )
                    seen.feed(b"")
                    await seen.done
                    if (b"sleep 321" in b"".join(seen.stdout)) == (left == "what ran"):
                        break
            channel.start(Request(("sleep", "321"), {"PATH": "/usr/bin"}, "/", 1000, 1000, 1 << 20)).feed(b"")
            await channel.ping()
            channel.close()
    finally:
        process.kill()
        process.wait()


async def test_the_guest_listens_where_its_channel_is_a_socket(tmp_path: Path) -> None:
    """QEMU stands in for the monitor: modules are loaded, and the agent waits on its port."""
    qemu = find("qemu-system-x86_64")
    if qemu is None:
        message = "qemu-system-x86_64 is not installed; run: sh scripts/setup.sh"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    image, version = guest_image.kernel()
    initramfs = kept_initramfs(version, guest_image.SOCKET_MODULES)
    words = f"console=ttyS0 loglevel=7 fw.debug panic=-1 {Shape.of(SPEC).kernel_arguments()} fw.vsock=1024 {clock(False)}"
    process = await asyncio.create_subprocess_exec(
        qemu, "-M", "microvm,acpi=on,rtc=on", "-accel", "tcg", "-cpu", "max", "-m", "256M", "-nodefaults",
        "-display", "none", "-no-reboot", "-serial", "stdio", "-kernel", str(image), "-initrd", str(initramfs),
        "-append", words, "-device", "virtio-blk-device,drive=root",
        "-drive", f"id=root,file={guest_image.root_image()},format=raw,if=none,readonly=on",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    seen: list[str] = []
    try:
        async with asyncio.timeout(120):
            while line := await process.stdout.readline():
                seen += [line.decode(errors="replace").partition("guest: ")[2].strip()]
                if seen[-1] == "becomes the agent":
                    break
    finally:
        process.kill()
        await process.wait()
    assert "listens" in seen
    assert seen[-1] == "becomes the agent"


async def test_missing_programs_and_kernels_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    probe = await FirecrackerDriver(firecracker="/bin/true").probe()
    if shutil.which("jailer", path="/usr/sbin:/usr/local/sbin:/sbin") is None:
        assert not probe.available
        assert "jailer is needed" in probe.detail
        with pytest.raises(MissingProgram):
            await FirecrackerDriver(firecracker="/bin/true").create(SPEC)
    with pytest.raises(UsageError):
        await FirecrackerDriver().create(msgspec.structs.replace(SPEC, image="no-such"))


def test_kernels_are_unpacked_and_others_refused(tmp_path: Path) -> None:
    ready = tmp_path / "vmlinux"
    ready.write_bytes(b"\x7fELF and more")
    assert uncompressed(ready, tmp_path) == ready
    (tmp_path / "text").write_bytes(b"no kernel" * 200)
    with pytest.raises(Unavailable, match="no Linux kernel"):
        uncompressed(tmp_path / "text", tmp_path)
    images = sorted(Path("/boot").glob("vmlinuz-*-cloud-*"))
    if images:
        unpacked = uncompressed(images[-1], tmp_path)
        assert unpacked.read_bytes()[:4] == b"\x7fELF"
        assert uncompressed(images[-1], tmp_path) == unpacked


@pytest.mark.parametrize("given", ["soon", "0", "-1", "1e9", "nan"])
def test_a_deadline_that_is_none_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGEWRIGHT_KVM_SECONDS", given)
    with pytest.raises(UsageError, match="FORGEWRIGHT_KVM_SECONDS"):
        kvm_seconds()
    monkeypatch.setenv("FORGEWRIGHT_KVM_SECONDS", "30")
    assert kvm_seconds() == 30
