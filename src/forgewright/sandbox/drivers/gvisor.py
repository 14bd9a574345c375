"""gVisor: the same bundle run by runsc, whose user-space kernel answers the system calls.

The whole of runsc is in the sandbox's cgroup, as the hard bound; since that bound ends the kernel with the
command, the agent inside watches memory and processes, and ends the command first where it can.
"""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from forgewright.core.errors import MissingProgram, SandboxError, Unavailable
from forgewright.sandbox import reaper, saved, state
from forgewright.sandbox.bundle import Identity, configuration
from forgewright.sandbox.cgroups import Cgroup, disks_of
from forgewright.sandbox.drivers.oci import WRITTEN, OciMachine, find, version_of
from forgewright.sandbox.hierarchies import hierarchies
from forgewright.sandbox.images.store import Image
from forgewright.sandbox.images.store import find as find_image
from forgewright.sandbox.layout import Place, check, compose, given_to_write
from forgewright.sandbox.native import program
from forgewright.sandbox.plan import Owner
from forgewright.sandbox.protocol import Channel
from forgewright.sandbox.session import AgentSandbox
from forgewright.sandbox.types import Command, Probe, SandboxSpec, Tier

INSTALL = "apt-get install runsc"
_KERNEL_BYTES = 192 << 20
"""What runsc itself may need of memory, over what its programs may."""
_KERNEL_THREADS = 2048
"""The last bound, of the host's own threads; the one that is felt inside is the agent's, which needs time to be it."""
END_SECONDS = 10.0


def platform_of(path: str) -> str:
    """`systrap` where this runsc has it (2023 and later), else `ptrace`; both work without /dev/kvm."""
    answer = subprocess.run([path, "flags"], capture_output=True, text=True, check=False, timeout=10)
    return "systrap" if "systrap" in answer.stdout + answer.stderr else "ptrace"


class GvisorMachine(OciMachine):
    """A snapshot is a checkpoint of the kernel with its processes, and what was written, which lies outside it.

    runsc ends what it has saved, so the sandbox itself goes on from its own snapshot.
    """

    joins_late = True
    runtime: list[str]
    """How its runsc is called."""
    again: Callable[[Path], list[str]]
    """The command that starts it anew from a snapshot."""

    async def save(self, folder: Path) -> None:
        await self.resume()  # runsc cannot work on what is frozen; its kernel itself holds its programs still
        await self._runsc("pause")
        await self.save_scratch(folder)
        await self._runsc("checkpoint", f"--image-path={folder}")
        before = self.channel
        before.close()
        if not await self._ended(END_SECONDS):
            await asyncio.to_thread(reaper.end, [self.folder])
            await self._ended(END_SECONDS)
        await asyncio.to_thread(shutil.rmtree, self.folder / "runtime", ignore_errors=True)
        self.channel = Channel()
        self.channel.on_stream = before.on_stream
        await self.start(self.again(folder), pipes=True, greet=True)
        await self.pause()

    async def _runsc(self, *what: str) -> None:
        with open(self.folder / "log", "ab") as log:
            done = await asyncio.create_subprocess_exec(
                *self.runtime, *what, self.folder.name, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
            if await done.wait():
                raise SandboxError(f"runsc could not {what[0]} the sandbox: {self.log()}")


class GvisorDriver:
    """Implements `Driver`."""

    name = "gvisor"
    tier = Tier.GVISOR

    def __init__(self) -> None:
        self._reaped = False
        self._platform = ""

    def _runtime(self) -> str:
        path = find("runsc")
        if path is None:
            raise MissingProgram("runsc", needed_for="sandboxes of tier gvisor", install=INSTALL)
        if os.geteuid() != 0:
            raise Unavailable("gVisor is run as root here", hint="run as root, or ask for tier container")
        return path

    async def probe(self) -> Probe:
        try:
            path = self._runtime()
            version = version_of(path)
            sandbox = await self.create(SandboxSpec(tier=Tier.GVISOR))
            try:
                ended = await sandbox.run(Command(argv=("/bin/true",), timeout_seconds=20))
            finally:
                await sandbox.close()
        except MissingProgram as error:
            return Probe(
                driver=self.name, tier=self.tier, available=False, detail=error.message, install=INSTALL
            )
        except (SandboxError, Unavailable) as error:
            return Probe(driver=self.name, tier=self.tier, available=False, detail=error.message)
        detail = f"rootful, platform {self._platform}, no network"
        return Probe(driver=self.name, tier=self.tier, available=ended.ok, version=version, detail=detail)

    async def create(self, spec: SandboxSpec) -> AgentSandbox:
        return await self._create(spec)

    async def restore(self, snapshot: str) -> AgentSandbox:
        about, folder = saved.load(snapshot, self.name)
        return await self._create(about.spec, folder)

    async def _create(self, spec: SandboxSpec, snapshot: Path | None = None) -> AgentSandbox:
        check(spec)
        image = find_image(spec.image)
        path = self._runtime()
        self._platform = self._platform or platform_of(path)
        if not self._reaped:
            self._reaped = True
            await self.clean()
        name = state.new_id()
        folder = state.make(name)
        groups = hierarchies()
        cgroup = Cgroup(name, groups) if groups else None
        machine = GvisorMachine(name, folder, cgroup, spec)
        machine.again = lambda folder: self._prepare(spec, image, machine, folder)
        machine.runtime = [path, "--root", str(folder / "runtime"), f"--platform={self._platform}", "--network=none",
                           "--ignore-cgroups", "--overlay2=none"]  # fmt: skip
        try:
            if cgroup:
                limits = spec.limits
                outer = msgspec.structs.replace(
                    limits,
                    memory_bytes=limits.memory_bytes + limits.memory_bytes // 4 + _KERNEL_BYTES,
                    processes=4 * limits.processes + _KERNEL_THREADS,
                )
                cgroup.create(outer, devices=disks_of(["/usr", *(m.source for m in spec.mounts)]), hurry=True)
            await machine.start(
                self._prepare(spec, image, machine, snapshot), pipes=True, greet=snapshot is not None
            )
            sandbox = AgentSandbox(name, spec, self.name, machine)
            sandbox.origin = self
            sandbox.image = image
            await sandbox.open_network(listening=snapshot is not None)
        except BaseException:
            await asyncio.shield(machine.destroy())
            raise
        return sandbox

    def _prepare(
        self, spec: SandboxSpec, image: Image | None, machine: GvisorMachine, snapshot: Path | None
    ) -> list[str]:
        name, folder = machine.folder.name, machine.folder
        for part in ("root", "scratch", "runtime"):
            (folder / part).mkdir(mode=0o711, exist_ok=True)
        # Users inside are those of runsc's kernel; on the host, all is done as runsc's own user.
        place = Place(
            folder=folder,
            agent=program("agent"),
            payload=Owner(spec.uid, spec.uid),
            root_writes=True,
            written=snapshot / WRITTEN if snapshot else None,
        )
        plan = compose(spec, place, image)
        plan.seal(place.root)
        limits = spec.limits
        arguments = (
            "--id",
            name,
            "--memory",
            str(limits.memory_bytes),
            "--processes",
            str(limits.processes),
            "--direct",
            "1",
        )
        identity = Identity(agent=0, payload=spec.uid, maps=())
        config = configuration(
            spec,
            identity,
            root=place.root,
            agent_arguments=arguments,
            binds=[(f"{place.root}{path}", path) for path in ("/tmp", *given_to_write(spec))],
            sealed=True,  # each mount costs runsc some milliseconds; without one at /tmp it makes one of its own, unbounded
            arch=platform.machine(),
            filtered=False,  # runsc has a filter of its own, which lets the host see a few dozen calls only
        )
        (folder / "config.json").write_bytes(config)
        plan.save(folder / "plan")
        what = ["restore", f"--image-path={snapshot}"] if snapshot else ["run"]
        launch = [str(program("launch")), str(folder / "plan")]
        return [*launch, *machine.runtime, *what, "--bundle", str(folder), name]

    async def clean(self) -> Sequence[str]:
        return await asyncio.to_thread(reaper.clean)
