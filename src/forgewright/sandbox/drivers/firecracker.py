"""Virtual machines by Firecracker through its API, in the jail of its own jailer; needs a KVM that boots guests.

The first sandbox of its shape boots a machine and saves it; each later one loads that state. The agent's channel
is a socket between host and guest. Nested hosts can offer a /dev/kvm on which no ordinary kernel boots, so
whether it works is what a boot within a deadline says; such a host is remembered until it is started anew.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import msgspec

from forgewright.core.errors import MissingProgram, SandboxError, Unavailable
from forgewright.sandbox import cache, guest_image, reaper, saved, snapshots, state
from forgewright.sandbox.cgroups import Cgroup
from forgewright.sandbox.copied_mounts import VirtualMachineSandbox
from forgewright.sandbox.drivers import virtual
from forgewright.sandbox.drivers.oci import find, version_of
from forgewright.sandbox.drivers.virtual import WARM, Basis, GuestMachine, Shape, kept_initramfs, kvm_seconds
from forgewright.sandbox.firecracker_api import (
    AGENT,
    IMAGE,
    INITRAMFS,
    KERNEL,
    MEMORY,
    NEW_MEMORY,
    NEW_STATE,
    PORT,
    STATE,
    FirecrackerApi,
    Hardware,
    connect_agent,
)
from forgewright.sandbox.hierarchies import hierarchies
from forgewright.sandbox.images.store import find as find_image
from forgewright.sandbox.layout import check
from forgewright.sandbox.native import program
from forgewright.sandbox.plan import Plan
from forgewright.sandbox.protocol import Channel
from forgewright.sandbox.session import AgentSandbox
from forgewright.sandbox.types import Command, Probe, SandboxSpec, Tier
from forgewright.sandbox.vmlinux import uncompressed

INSTALL = "put firecracker and jailer of one release (https://github.com/firecracker-microvm/firecracker/releases) on PATH"

START_SECONDS, SAVE_SECONDS, RESTORE_SECONDS = 30.0, 60.0, 30.0
_MONITOR_BYTES = 64 << 20
_JAIL_BYTES = 32 << 20
_FIRST_ID, _SLOTS = 0x5000_0000, 1 << 20
_QUIET = "quiet loglevel=1 8250.nr_uarts=0 i8042.noaux i8042.nomux i8042.dumbkbd reboot=k panic=-1"


class Guest(msgspec.Struct, frozen=True):
    """The programs, and the files that every machine boots from."""

    firecracker: str
    jailer: str
    kernel: Path
    initramfs: Path
    image: Path


class FirecrackerMachine(GuestMachine):
    """One jailed Firecracker; implements `Machine`."""

    api: FirecrackerApi
    _saved = False

    @property
    def jail(self) -> str:
        """Its root as the engine reaches it: the jail exists in the mount namespace of the process only."""
        assert self._process is not None
        return f"/proc/{self._process.pid}/root"

    async def launch(self, argv: list[str]) -> FirecrackerApi:
        """Starts the jailer, which becomes Firecracker; returns when the API answers."""
        with open(self.folder / "log", "wb") as log:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={"PATH": os.environ.get("PATH", "")},
            )  # fmt: skip
        path = f"{self.jail}/{self._name}.sock"
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await self._answers(path):
                    if self._process.poll() is not None:
                        raise SandboxError("it ended")
                    await asyncio.sleep(0.002)
        except (SandboxError, TimeoutError):
            raise SandboxError(f"Firecracker did not start: {self.log() or 'it said nothing'}") from None
        return self.api

    async def _answers(self, path: str) -> bool:
        self.api = FirecrackerApi(path)
        with suppress(SandboxError, OSError):  # its socket is there before it listens
            await self.api.describe()
            return True
        return False

    async def pause(self) -> None:
        await self.come_to_rest()
        await self.api.pause()

    async def resume(self) -> None:
        """A machine that was saved meanwhile has lost its connections (docs/snapshotting/snapshot-support.md, "vsock")."""
        if self._saved:
            self.channel.close()
            await self.api.resume()
            await self.meet(RESTORE_SECONDS)
            self._saved = False
        else:
            await self.api.resume()
            await self.channel.resume()

    async def save(self, folder: Path) -> None:
        if self._cgroup is not None:  # what is written into the jail is memory, too
            self._cgroup.allow(
                2 * (self._spec.limits.memory_bytes + virtual.GUEST_BYTES) + _MONITOR_BYTES + _JAIL_BYTES
            )
        self._saved = True
        await save(self.api, self, folder)
        self.basis.keep(folder)

    async def meet(self, seconds: float) -> None:
        """Connects to the agent in the guest, waits for its hello and tells it the time. Raises `TimeoutError`.

        A restored guest resets its connections when it comes to that, which may be just after ours was made.
        """
        async with asyncio.timeout(seconds):
            while not await self._met():
                if self._process is not None and self._process.poll() is not None:
                    raise SandboxError(f"the machine ended: {self.log()}")
                await asyncio.sleep(0.005)

    async def _met(self) -> bool:
        try:
            connection = await connect_agent(self.jail + AGENT)
        except OSError:
            return False
        self.channel = channel = Channel()
        await channel.loop.create_connection(lambda: channel, sock=connection)
        try:
            await channel.ready
            await channel.resume()
        except SandboxError:
            return False
        return True


class FirecrackerDriver:
    """Implements `Driver`. What is not given is looked for: the programs on PATH, the kernel as for QEMU.

    `kernel_image`: an uncompressed kernel or a bzImage (also `FORGEWRIGHT_KERNEL_IMAGE`). Hosts that are virtual
    machines themselves may need one that was built for them (`CONFIG_PVM_GUEST`).
    """

    name = "firecracker"
    tier = Tier.MICROVM

    def __init__(
        self,
        firecracker: str | None = None,
        jailer: str | None = None,
        kernel_image: Path | None = None,
        *,
        boot_seconds: float | None = None,
    ) -> None:
        self._firecracker, self._jailer, self._kernel_image = firecracker, jailer, kernel_image
        self._boot_seconds = boot_seconds or kvm_seconds()
        self._guest: Guest | None = None
        self._reaped = False
        self._building: dict[str, asyncio.Lock] = {}

    def _find(self) -> Guest:
        known = self._guest
        if known is not None and cache.holds(known.kernel) and cache.holds(known.initramfs):
            return known
        found = {name: given or find(name) for name, given in
                 (("firecracker", self._firecracker), ("jailer", self._jailer))}  # fmt: skip
        for name, path in found.items():
            if path is None:
                raise MissingProgram(name, needed_for="sandboxes by Firecracker", install=INSTALL)
        if os.geteuid() != 0:
            raise Unavailable("Firecracker's jailer is started as root here", hint="run as root")
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            raise Unavailable(
                "Firecracker needs /dev/kvm, and there is none that can be opened",
                hint="enable virtualisation, or use the driver microvm, which emulates a processor where it has to",
            )
        image, version = self._kernel()
        kernel = uncompressed(image, cache.root())
        initramfs = kept_initramfs(version, guest_image.SOCKET_MODULES)
        self._guest = Guest(
            str(found["firecracker"]), str(found["jailer"]), kernel, initramfs, guest_image.root_image()
        )
        return self._guest

    def _kernel(self) -> tuple[Path, str]:
        """(image, version of its modules): without modules on this machine, all is taken to be built in."""
        if self._kernel_image is None:
            return guest_image.kernel()
        if not self._kernel_image.is_file():
            raise Unavailable(f"the kernel image {self._kernel_image} does not exist")
        version = self._kernel_image.name.partition("-")[2]
        return self._kernel_image, version if Path(f"/lib/modules/{version}/modules.dep").exists() else ""

    async def probe(self) -> Probe:
        try:
            guest = await asyncio.to_thread(self._find)
        except MissingProgram as error:
            return Probe(
                driver=self.name, tier=self.tier, available=False, detail=error.message, install=INSTALL
            )
        except Unavailable as error:
            return Probe(driver=self.name, tier=self.tier, available=False, detail=error.message)
        version = version_of(guest.firecracker)
        try:
            sandbox = await self.create(SandboxSpec(tier=Tier.MICROVM))
            try:
                ended = await sandbox.run(Command(argv=("/bin/true",), timeout_seconds=30))
            finally:
                await sandbox.close()
        except (SandboxError, Unavailable) as error:
            return Probe(
                driver=self.name, tier=self.tier, available=False, version=version, detail=error.message
            )
        return Probe(
            driver=self.name, tier=self.tier, available=ended.ok, version=version,
            detail=f"Firecracker, KVM, kernel {guest.kernel.name}, restored from a snapshot",
        )  # fmt: skip

    async def create(self, spec: SandboxSpec) -> AgentSandbox:
        check(spec)
        image = find_image(spec.image)
        guest = await asyncio.to_thread(self._find)
        guest = msgspec.structs.replace(
            guest, image=await asyncio.to_thread(guest_image.file_of, spec.image, image)
        )
        if not self._reaped:
            self._reaped = True
            await self.clean()
        return await self._load(spec, guest, await self._saved(guest, Shape.of(spec)))

    async def restore(self, snapshot: str) -> AgentSandbox:
        about, folder = saved.load(snapshot, self.name)
        guest = await asyncio.to_thread(self._find)
        guest = msgspec.structs.replace(guest, image=Path(Basis.of(folder).image))
        return await self._load(about.spec, guest, folder, own=True)

    async def _load(
        self, spec: SandboxSpec, guest: Guest, folder: Path, *, own: bool = False
    ) -> AgentSandbox:
        """A machine from the saved state in `folder`; `own`: of a sandbox, with its mounts in it."""
        shape = Shape.of(spec)
        machine, name = self._machine(spec)
        try:
            api = await machine.launch(self._arguments(guest, shape, machine, state_of=folder))
            await api.load(resume=True, seconds=RESTORE_SECONDS)
            try:
                await machine.meet(RESTORE_SECONDS)
            except TimeoutError:
                raise SandboxError(f"the machine did not resume: {machine.log()}") from None
            sandbox = VirtualMachineSandbox(name, spec, self.name, machine)
            sandbox.origin = self
            sandbox.image = find_image(spec.image)
            machine.basis = Basis(str(guest.image))
            if not own:
                await sandbox.place_mounts()
            await sandbox.open_network()  # the agent forgot its relay with the channel
        except BaseException:
            await asyncio.shield(machine.destroy())
            raise
        return sandbox

    def _machine(self, spec: SandboxSpec, *, saving: bool = False) -> tuple[FirecrackerMachine, str]:
        name = state.new_id()
        folder = state.make(name)
        groups = hierarchies()
        cgroup = Cgroup(name, groups) if groups else None
        machine = FirecrackerMachine(name, folder, cgroup, spec)
        if cgroup:
            memory = spec.limits.memory_bytes + virtual.GUEST_BYTES
            memory = memory * (2 if saving else 1) + _MONITOR_BYTES + _JAIL_BYTES
            cgroup.create(msgspec.structs.replace(spec.limits, memory_bytes=memory, processes=64))
        return machine, name

    async def _saved(self, guest: Guest, shape: Shape) -> Path:
        """The folder with `state` and `memory` of a machine of this shape; booted and saved where there is none."""
        parts = (repr(WARM), version_of(guest.firecracker), guest.kernel.name, guest.initramfs.name,
                 guest.image.name, repr(shape))  # fmt: skip
        key = sha256("\n".join(parts).encode()).hexdigest()[:16]
        folder = cache.root() / f"snapshot-firecracker-{key}"
        async with self._building.setdefault(key, asyncio.Lock()):
            if not (folder / "state").exists():
                refused = _refusal(guest)
                if refused.exists():
                    raise Unavailable(refused.read_text(), hint="use the driver microvm (QEMU)")
                await self._boot_and_save(guest, shape, folder)
            os.utime(folder)
        return folder

    async def _boot_and_save(self, guest: Guest, shape: Shape, folder: Path) -> None:
        limits = msgspec.structs.replace(
            SandboxSpec().limits, memory_bytes=shape.memory_bytes, cpus=shape.cpus
        )
        machine, _ = self._machine(SandboxSpec(limits=limits), saving=True)
        unfinished = cache.unfinished(folder)
        unfinished.mkdir(mode=0o700)
        try:
            api = await machine.launch(self._arguments(guest, shape, machine))
            await api.configure(hardware(shape))
            await api.start()
            try:
                await machine.meet(self._boot_seconds)
                await machine.warm_up(shape.uid)
            except TimeoutError:
                text = (
                    f"KVM of this machine starts a guest, and its kernel does not come up in {self._boot_seconds:.0f} s"
                    f" ({guest.kernel.name}): a nested host may need a kernel built for it (kernel_image)"
                )
                _refusal(guest).write_text(text)
                raise Unavailable(text, hint="use the driver microvm (QEMU)") from None
            machine.channel.close()
            await save(api, machine, unfinished)
            await asyncio.to_thread(snapshots.publish, unfinished, folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
            await machine.destroy()

    def _arguments(
        self, guest: Guest, shape: Shape, machine: FirecrackerMachine, *, state_of: Path | None = None
    ) -> list[str]:
        """The command that starts the jail: in a mount namespace of its own, with the files bound into it."""
        uid = _FIRST_ID + secrets.randbelow(_SLOTS)
        base = machine.folder / "jail"
        base.mkdir(mode=0o711)
        plan = Plan()
        plan.mount_namespace()
        room = _JAIL_BYTES + (shape.megabytes << 20)
        plan.jail_host(str(base), size_bytes=room)
        inner = base
        for part in (os.path.basename(guest.firecracker), machine.folder.name, "root"):
            inner = inner / part
            plan.folder_host(str(inner), mode=0o711)
        plan.root(str(inner))
        files = {KERNEL: guest.kernel, INITRAMFS: guest.initramfs, IMAGE: guest.image}
        if state_of:
            files |= {STATE: state_of / "state", MEMORY: state_of / "memory"}
        for path, source in files.items():
            plan.bind(str(source), path)
        for entrance in machine.entrances():
            plan.join(entrance)
        plan.save(machine.folder / "plan")
        name = machine.folder.name
        return [
            str(program("launch")), str(machine.folder / "plan"), guest.jailer, "--id", name,
            "--exec-file", guest.firecracker, "--uid", str(uid), "--gid", str(uid),
            "--chroot-base-dir", str(base), "--resource-limit", f"fsize={room}", "--resource-limit", "no-file=256",
            "--", "--api-sock", f"/{name}.sock", "--level", "Warning",
        ]  # fmt: skip

    async def clean(self) -> Sequence[str]:
        return await asyncio.to_thread(reaper.clean)


def hardware(shape: Shape) -> Hardware:
    return Hardware(shape.cpus, shape.megabytes, f"{_QUIET} {shape.kernel_arguments()} fw.vsock={PORT}")


async def save(api: FirecrackerApi, machine: FirecrackerMachine, folder: Path) -> None:
    """Pauses the machine and puts its saved state into `folder`, whose files other jails may read."""
    await api.pause()
    made = {"state": Path(machine.jail + NEW_STATE), "memory": Path(machine.jail + NEW_MEMORY)}
    try:
        await api.save(seconds=SAVE_SECONDS)
        for name, path in made.items():
            await asyncio.to_thread(snapshots.copy_sparse, path, folder / name)
            (folder / name).chmod(0o444)
    finally:
        for path in made.values():  # the jail has room for one
            path.unlink(missing_ok=True)


def _refusal(guest: Guest) -> Path:
    """Where it is written down that this kernel did not boot; forgotten with the next start of the host."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    return cache.root() / f"no-kvm-{boot}-{guest.kernel.name}"
