"""Virtual machines by QEMU's `microvm`: a kernel of their own, restored from a snapshot of "agent ready".

The first sandbox of its shape boots a machine and saves it; each later one is a clone of that state. QEMU
runs as a user of its own, in its own filter of system calls, with no network card and no view of the host's
files but one read-only image; the agent's channel and QEMU's control channel are sockets it inherits.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import msgspec

from forgewright.core.errors import MissingProgram, SandboxError, Unavailable
from forgewright.sandbox import cache, guest_image, reaper, saved, snapshots, state
from forgewright.sandbox.cgroups import Cgroup
from forgewright.sandbox.copied_mounts import VirtualMachineSandbox
from forgewright.sandbox.drivers.oci import find, version_of
from forgewright.sandbox.drivers.tuning import PROCESSOR, TUNED, clock
from forgewright.sandbox.drivers.virtual import (
    GUEST_BYTES,
    SETTLE_SECONDS,
    WARM,
    Basis,
    GuestMachine,
    Shape,
    kept_initramfs,
    kvm_seconds,
)
from forgewright.sandbox.hierarchies import hierarchies
from forgewright.sandbox.images.store import find as find_image
from forgewright.sandbox.layout import check
from forgewright.sandbox.native import program
from forgewright.sandbox.plan import Owner, Plan
from forgewright.sandbox.qmp import Qmp
from forgewright.sandbox.session import AgentSandbox
from forgewright.sandbox.snapshots import Snapshot
from forgewright.sandbox.types import Command, Probe, SandboxSpec, Tier

INSTALL = "apt-get install qemu-system-x86 linux-image-cloud-amd64 squashfs-tools"
BOOT_SECONDS = 240.0
RESTORE_SECONDS, SAVE_SECONDS = 30.0, 90.0
STATE = "state"
_QEMU_BYTES = 192 << 20
_TRANSLATED_MIB = 80
"""Of translated code. Left alone it grows with what runs, up to an eighth of the host's memory."""

_IGNORE_SHARED = [{"capability": "x-ignore-shared", "state": True}]
"""The memory is a file of its own and not part of the saved state."""

_FIRST_ID, _SLOTS = 0x4000_0000, 1 << 20


class Guest(msgspec.Struct, frozen=True):
    """The files that every machine of this host boots from."""

    qemu: str
    kernel: Path
    head: Path
    """Of the kernel, for machines in whose memory it already is."""
    initramfs: Path
    image: Path


class VirtualMachine(GuestMachine):
    """One running machine; implements `Machine`."""

    qmp: Qmp | None = None

    async def boot(self, argv: list[str]) -> None:
        """Starts QEMU, which inherits the agent's and the control channel."""
        qmp = await self._start(argv, {})
        try:
            async with asyncio.timeout(RESTORE_SECONDS):
                await asyncio.gather(qmp.answered(), self.joining())
            self.limit_cpu()
        except (SandboxError, TimeoutError, OSError):
            raise SandboxError(f"QEMU did not start: {self.log() or 'it said nothing'}") from None

    async def clone(self, argv: list[str], snapshot: Snapshot) -> None:
        """Becomes a copy of a machine that was saved as it ran.

        All that QEMU and the agent have to be told is said before QEMU is there, so that neither waits for us.
        """
        state = os.open(snapshot.state_file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            files = {"@MEMORY@": snapshot.memory, "@STATE@": state}
            qmp = await self._start(argv, files, capabilities=_IGNORE_SHARED, incoming=f"fd:{state}")
        finally:
            os.close(state)
        try:
            async with asyncio.timeout(RESTORE_SECONDS):
                await asyncio.gather(qmp.answered(), self.channel.resume(), self.joining())
            self.limit_cpu()
        except (SandboxError, TimeoutError, OSError):
            raise SandboxError(f"the machine did not resume: {self.log() or 'QEMU said nothing'}") from None

    async def _start(
        self, argv: list[str], files: dict[str, int], *, capabilities: Any = None, incoming: str = ""
    ) -> Qmp:
        agent, agent_end = socket.socketpair()
        control, control_end = socket.socketpair()
        self.qmp = qmp = Qmp(control)
        qmp.ask("qmp_capabilities")
        if incoming:
            qmp.ask("migrate-set-capabilities", capabilities=capabilities)
            qmp.ask("migrate-incoming", uri=incoming)
        with agent_end, control_end:
            ends = {"@AGENT@": agent_end.fileno(), "@CONTROL@": control_end.fileno()}
            self._launch(argv, ends | files)
        agent.setblocking(False)
        channel = self.channel
        await channel.loop.create_connection(lambda: channel, sock=agent)
        return qmp

    async def load(self, state: Path) -> None:
        """Takes a state that was saved paused, with its memory; it learns the time and fresh randomness."""
        assert self.qmp is not None
        await self.qmp.give_file(state, os.O_RDONLY, "saved")
        try:
            async with asyncio.timeout(RESTORE_SECONDS):
                await self.qmp.call("migrate-incoming", uri="fd:saved")
                await self.qmp.migrated()
                await self.resume()
                await self.channel.ping()
        except TimeoutError:
            raise SandboxError(f"the machine did not resume: {self.log()}") from None

    async def pause(self) -> None:
        assert self.qmp is not None
        await self.come_to_rest()
        await self.qmp.call("stop")

    async def resume(self) -> None:
        assert self.qmp is not None
        self.channel.tell_resumed()  # it is read before the next command is: nothing waits for the answer
        await self.qmp.call("cont")

    async def save(self, folder: Path) -> None:
        """State and memory in one file: this machine's memory is its own, apart from that of the first snapshot."""
        await self.write_state(folder / STATE)
        self.basis.keep(folder)

    async def write_state(self, file: Path, *, shared_memory: bool = False) -> None:
        assert self.qmp is not None
        capabilities = [{**_IGNORE_SHARED[0], "state": shared_memory}]
        await self.qmp.call("migrate-set-capabilities", capabilities=capabilities)
        await self.qmp.call("migrate-set-parameters", max_bandwidth=1 << 40)
        await self.qmp.give_file(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, "saved")
        await self.qmp.call("migrate", uri="fd:saved")
        async with asyncio.timeout(SAVE_SECONDS):
            await self.qmp.migrated()

    async def _destroy(self) -> None:
        if self.qmp is not None:
            self.qmp.close()
        await super()._destroy()

    def _launch(self, argv: list[str], descriptors: dict[str, int]) -> None:
        words = []
        for word in argv:
            for name, number in descriptors.items():
                word = word.replace(name, str(number))
            words.append(word)
        with open(self._folder / "log", "wb") as log:
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=tuple(descriptors.values()),
                env={"PATH": os.environ.get("PATH", "")},
            )  # fmt: skip


class MicrovmDriver:
    """Implements `Driver`. `accelerator`: `kvm` or `tcg`; by default what works, found out once."""

    name = "microvm"
    tier = Tier.MICROVM

    def __init__(self, accelerator: str | None = None) -> None:
        self._accelerator = accelerator or os.environ.get("FORGEWRIGHT_QEMU_ACCEL")
        self._guest: Guest | None = None
        self._reaped = False
        self._building: dict[str, asyncio.Lock] = {}
        self._snapshots: dict[str, Snapshot] = {}

    def _find(self) -> Guest:
        known = self._guest
        if known is not None and cache.holds(known.head) and cache.holds(known.initramfs):
            return known
        qemu = find("qemu-system-x86_64")
        if qemu is None:
            raise MissingProgram(
                "qemu-system-x86_64", needed_for="sandboxes of tier microvm", install=INSTALL
            )
        if os.geteuid() != 0:
            raise Unavailable("virtual machines are started as root here", hint="run as root")
        image, version = guest_image.kernel()
        initramfs = kept_initramfs(version, guest_image.SERIAL_MODULES)
        head = guest_image.head_of(image)
        self._guest = Guest(qemu, image, head, initramfs, guest_image.root_image())
        return self._guest

    async def probe(self) -> Probe:
        try:
            guest = await asyncio.to_thread(self._find)
            sandbox = await self.create(SandboxSpec(tier=Tier.MICROVM))
            try:
                ended = await sandbox.run(Command(argv=("/bin/true",), timeout_seconds=30))
            finally:
                await sandbox.close()
        except (SandboxError, Unavailable) as error:
            install = INSTALL if isinstance(error, MissingProgram) else ""
            return Probe(
                driver=self.name, tier=self.tier, available=False, detail=error.message, install=install
            )
        return Probe(
            driver=self.name, tier=self.tier, available=ended.ok, version=version_of(guest.qemu),
            detail=f"QEMU microvm, {self._accelerator}, kernel {guest.kernel.name}, restored from a snapshot",
        )  # fmt: skip

    async def create(self, spec: SandboxSpec) -> AgentSandbox:
        check(spec)
        image = find_image(spec.image)
        guest = await asyncio.to_thread(self._find)
        file = await asyncio.to_thread(guest_image.file_of, spec.image, image)
        guest = msgspec.structs.replace(guest, image=file)
        if not self._reaped:
            self._reaped = True
            await self.clean()
        shape = Shape.of(spec)
        snapshot = await self._snapshot(guest, shape)
        machine, name = self._machine(spec)
        try:
            await machine.clone(self._arguments(guest, shape, machine, memory="shared"), snapshot)
            machine.basis = Basis(str(guest.image), self._accelerator or "tcg")
            sandbox = VirtualMachineSandbox(name, spec, self.name, machine)
            sandbox.origin = self
            sandbox.image = image
            await sandbox.place_mounts()
            await sandbox.open_network()
        except BaseException:
            await asyncio.shield(machine.destroy())
            raise
        return sandbox

    async def restore(self, snapshot: str) -> AgentSandbox:
        about, folder = saved.load(snapshot, self.name)
        basis = Basis.of(folder)
        guest = msgspec.structs.replace(await asyncio.to_thread(self._find), image=Path(basis.image))
        if self._accelerator not in (None, basis.accelerator):
            raise Unavailable(
                f"the snapshot was taken with {basis.accelerator}, and here is {self._accelerator}"
            )
        self._accelerator = basis.accelerator
        machine, name = self._machine(about.spec)
        try:
            await machine.boot(self._arguments(guest, Shape.of(about.spec), machine, memory="own"))
            await machine.load(folder / STATE)
            machine.basis = basis
            sandbox = VirtualMachineSandbox(name, about.spec, self.name, machine)
            sandbox.image = find_image(about.spec.image)
            sandbox.origin = self
            await sandbox.open_network(listening=True)
        except BaseException:
            await asyncio.shield(machine.destroy())
            raise
        return sandbox

    def _machine(self, spec: SandboxSpec) -> tuple[VirtualMachine, str]:
        name = state.new_id()
        folder = state.make(name)
        groups = hierarchies()
        cgroup = Cgroup(name, groups) if groups else None
        machine = VirtualMachine(name, folder, cgroup, spec)
        if cgroup:
            memory = spec.limits.memory_bytes + GUEST_BYTES + _QEMU_BYTES
            cgroup.create(msgspec.structs.replace(spec.limits, memory_bytes=memory, processes=64), hurry=True)
        return machine, name

    async def _snapshot(self, guest: Guest, shape: Shape) -> Snapshot:
        """The saved state of a machine of this shape; booted and saved where there is none yet."""
        parts = (
            repr((WARM, SETTLE_SECONDS, TUNED, PROCESSOR)),
            guest.qemu,
            guest.kernel.name,
            guest.initramfs.name,
            guest.image.name,
            repr(shape),
        )
        key = sha256("\n".join(parts).encode()).hexdigest()[:16]
        async with self._building.setdefault(key, asyncio.Lock()):
            if key not in self._snapshots:
                folder = await self._saved(guest, shape, key)
                self._snapshots[key] = await asyncio.to_thread(snapshots.load, folder)
            return self._snapshots[key]

    async def _saved(self, guest: Guest, shape: Shape, key: str) -> Path:
        for accelerator in [self._accelerator] if self._accelerator else ["kvm", "tcg"]:
            folder = cache.root() / f"snapshot-{accelerator}-{key}"
            if await asyncio.to_thread((folder / "state").exists):
                self._accelerator = accelerator
                return folder
        if self._accelerator:
            return await self._boot_and_save(guest, shape, self._accelerator, key)
        if os.access("/dev/kvm", os.R_OK | os.W_OK):
            try:
                return await self._boot_and_save(guest, shape, "kvm", key)
            except SandboxError:
                pass  # a /dev/kvm that does not work: the slower way is as strong
        return await self._boot_and_save(guest, shape, "tcg", key)

    async def _boot_and_save(self, guest: Guest, shape: Shape, accelerator: str, key: str) -> Path:
        self._accelerator, before = accelerator, self._accelerator
        spec = SandboxSpec(
            limits=msgspec.structs.replace(
                SandboxSpec().limits, memory_bytes=shape.memory_bytes, cpus=shape.cpus
            )
        )
        machine, _ = self._machine(spec)
        folder = cache.root() / f"snapshot-{accelerator}-{key}"
        unfinished = cache.unfinished(folder)
        unfinished.mkdir(mode=0o700)
        try:
            await machine.boot(self._arguments(guest, shape, machine, memory="file"))
            try:
                async with asyncio.timeout(kvm_seconds() if accelerator == "kvm" else BOOT_SECONDS):
                    await machine.channel.ready
                    await machine.warm_up(shape.uid)
                await machine.write_state(unfinished / "state", shared_memory=True)
                await asyncio.to_thread(
                    snapshots.copy_sparse, machine.folder / "memory", unfinished / "memory"
                )
                await asyncio.to_thread(snapshots.publish, unfinished, folder)
            except TimeoutError:
                raise SandboxError(
                    f"the machine did not boot in time with {accelerator}: {machine.log()}"
                ) from None
        except SandboxError:
            self._accelerator = before
            raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
            await machine.destroy()
        return folder

    def _arguments(
        self, guest: Guest, shape: Shape, machine: VirtualMachine, *, memory: Literal["file", "shared", "own"]
    ) -> list[str]:
        """`memory`: a file to be saved, a private copy of a saved one, or none but the machine's own."""
        folder = machine.folder
        uid = _FIRST_ID + secrets.randbelow(_SLOTS)
        plan = Plan()
        plan.mount_namespace()
        saved_one = memory != "file"
        files = {"kernel": guest.head if saved_one else guest.kernel, "image": guest.image}
        if not saved_one:
            files["initramfs"] = guest.initramfs
        for name, source in files.items():
            (folder / name).touch()
            plan.bind(str(source), f":{folder}/{name}")
        accelerator = self._accelerator or "tcg"
        kvm = accelerator == "kvm"
        if memory == "file":
            (folder / "memory").touch(mode=0o600)
            os.chown(folder / "memory", uid, uid)
        plan.user(Owner(uid, os.stat("/dev/kvm").st_gid if kvm else uid))
        plan.save(folder / "plan")
        megabytes = shape.megabytes
        append = (
            f"quiet loglevel=3 panic=-1 reboot=t {shape.kernel_arguments()} {TUNED[accelerator]} {clock(kvm)}"
        )
        backend = {
            "file": f"memory-backend-file,id=ram,size={megabytes}M,mem-path={folder}/memory,share=on",
            "shared": f"memory-backend-file,id=ram,size={megabytes}M,mem-path=/proc/self/fd/@MEMORY@,share=off",
            "own": f"memory-backend-ram,id=ram,size={megabytes}M",
        }[memory]
        return [
            str(program("launch")), str(folder / "plan"), guest.qemu, "-object", backend,
            "-M", "microvm,acpi=on,rtc=on,memory-backend=ram", "-accel", "kvm" if kvm else f"tcg,tb-size={_TRANSLATED_MIB}",
            "-cpu", PROCESSOR[accelerator], "-smp", str(shape.cpus), "-m", f"{megabytes}M",
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
            "-kernel", f"{folder}/kernel", "-append", append,
            "-drive", f"id=root,file={folder}/image,format=raw,if=none,readonly=on",
            "-device", "virtio-blk-device,drive=root", "-device", "virtio-serial-device",
            "-chardev", "socket,id=agent,fd=@AGENT@", "-device", "virtserialport,chardev=agent,name=agent",
            "-chardev", "socket,id=control,fd=@CONTROL@", "-mon", "chardev=control,mode=control",
            *(["-incoming", "defer"] if saved_one else ["-initrd", f"{folder}/initramfs"]),
        ]  # fmt: skip

    async def clean(self) -> Sequence[str]:
        return await asyncio.to_thread(reaper.clean)
