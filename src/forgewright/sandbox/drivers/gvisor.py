"""gVisor: the same bundle run by runsc, whose user-space kernel answers the system calls.

The whole of runsc is in the sandbox's cgroup, as the hard bound; since that bound ends the kernel with the
command, the agent inside watches memory and processes, and ends the command first where it can.
"""

from __future__ import annotations

import asyncio
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from forgewright.core.errors import MissingProgram, SandboxError, Unavailable
from forgewright.sandbox import reaper, state
from forgewright.sandbox.bundle import Identity, configuration
from forgewright.sandbox.cgroups import Cgroup, hierarchies
from forgewright.sandbox.drivers.oci import OciMachine, find, version_of
from forgewright.sandbox.images.store import Image
from forgewright.sandbox.images.store import find as find_image
from forgewright.sandbox.layout import Place, check, compose, writable
from forgewright.sandbox.native import program
from forgewright.sandbox.plan import Owner
from forgewright.sandbox.session import AgentSandbox
from forgewright.sandbox.types import Command, Probe, SandboxSpec, Tier

INSTALL = "apt-get install runsc"
_KERNEL_BYTES = 192 << 20
"""What runsc itself may need of memory, over what its programs may."""
_KERNEL_THREADS = 512


def platform_of(path: str) -> str:
    """`systrap` where this runsc has it (2023 and later), else `ptrace`; both work without /dev/kvm."""
    answer = subprocess.run([path, "flags"], capture_output=True, text=True, check=False, timeout=10)
    return "systrap" if "systrap" in answer.stdout + answer.stderr else "ptrace"


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
        machine = OciMachine(name, folder, cgroup, spec)
        try:
            if cgroup:
                limits = spec.limits
                outer = msgspec.structs.replace(
                    limits,
                    memory_bytes=limits.memory_bytes + limits.memory_bytes // 4 + _KERNEL_BYTES,
                    processes=4 * limits.processes + _KERNEL_THREADS,
                )
                cgroup.create(outer)
            await machine.start(self._prepare(spec, image, name, folder, cgroup, path), pipes=True)
            sandbox = AgentSandbox(name, spec, self.name, machine)
            sandbox.image = image
            await sandbox.open_network()
        except BaseException:
            await asyncio.shield(machine.destroy())
            raise
        return sandbox

    def _prepare(
        self,
        spec: SandboxSpec,
        image: Image | None,
        name: str,
        folder: Path,
        cgroup: Cgroup | None,
        path: str,
    ) -> list[str]:
        for part in ("root", "scratch", "runtime"):
            (folder / part).mkdir(mode=0o711)
        # Users inside are those of runsc's kernel; on the host, all is done as runsc's own user.
        place = Place(
            folder=folder, agent=program("agent"), payload=Owner(spec.uid, spec.uid), root_writes=True
        )
        plan = compose(spec, place, image)
        for entrance in cgroup.entrances() if cgroup else ():
            plan.join(entrance)
        limits = spec.limits
        arguments = ("--id", name, "--memory", str(limits.memory_bytes), "--processes", str(limits.processes))
        identity = Identity(agent=0, payload=spec.uid, maps=())
        config = configuration(
            spec,
            identity,
            root=place.root,
            agent_arguments=arguments,
            binds=[(f"{place.root}{path}", path) for path in writable(spec)],
            arch=platform.machine(),
        )
        (folder / "config.json").write_bytes(config)
        plan.save(folder / "plan")
        return [
            str(program("launch")), str(folder / "plan"), path, "--root", str(folder / "runtime"),
            f"--platform={self._platform}", "--network=none", "--ignore-cgroups", "--overlay2=none",
            "run", "--bundle", str(folder), name,
        ]  # fmt: skip

    async def clean(self) -> Sequence[str]:
        return await asyncio.to_thread(reaper.clean)
