"""Containers by an OCI runtime (crun, runc) without a daemon, as root or as an ordinary user.

The launcher makes the mounts in a private namespace and becomes the runtime; the runtime's process is the
agent; the engine talks to it over one socket. See docs/adr on the resident agent and on the launcher.
"""

from __future__ import annotations

import asyncio
import os
import platform
import secrets
from collections.abc import Sequence
from pathlib import Path

from forgewright.core.errors import MissingProgram, SandboxError
from forgewright.sandbox import reaper, saved, state
from forgewright.sandbox.bundle import Identity, configuration
from forgewright.sandbox.cgroups import Cgroup, disks_of
from forgewright.sandbox.drivers.oci import WRITTEN, OciMachine, find, version_of
from forgewright.sandbox.hierarchies import hierarchies, mounted
from forgewright.sandbox.images.store import Image
from forgewright.sandbox.images.store import find as find_image
from forgewright.sandbox.layout import Place, check, compose
from forgewright.sandbox.native import program
from forgewright.sandbox.plan import Owner, Plan
from forgewright.sandbox.session import AgentSandbox
from forgewright.sandbox.types import Command, Probe, SandboxSpec, Tier

RUNTIMES = ("crun", "runc")
INSTALL = "apt-get install crun"
_IDS = 65_536
_FIRST_ID, _SLOTS = 0x2000_0000, 8192
"""Host ids of payloads: far from any real user's, a range of its own for each sandbox."""


def runtime() -> tuple[str, str] | None:
    """(name, path) of the first OCI runtime that is installed."""
    for name in RUNTIMES:
        path = find(name)
        if path:
            return name, path
    return None


class ContainerMachine(OciMachine):
    """A container's snapshot is what was written in it; its processes are not part of it."""

    async def save(self, folder: Path) -> None:
        await self.save_scratch(folder)


class ContainerDriver:
    """Implements `Driver`. `runtime_name` chooses crun or runc; by default the first that is installed."""

    name = "container"
    tier = Tier.CONTAINER

    def __init__(self, runtime_name: str | None = None) -> None:
        self._wanted = runtime_name
        self._reaped = False

    def _runtime(self) -> tuple[str, str]:
        found = runtime() if self._wanted is None else None
        if self._wanted is not None:
            path = find(self._wanted)
            found = (self._wanted, path) if path else None
        if found is None:
            raise MissingProgram(
                self._wanted or "crun", needed_for="sandboxes of tier container", install=INSTALL
            )
        return found

    async def probe(self) -> Probe:
        try:
            name, path = self._runtime()
        except MissingProgram as error:
            return Probe(
                driver=self.name, tier=self.tier, available=False, detail=error.message, install=INSTALL
            )
        version = version_of(path)
        groups = hierarchies()
        how = "rootful" if os.geteuid() == 0 else "rootless"
        limits = (
            f"cgroup v{groups.version}" if groups else "rlimits and a watch on memory (no cgroup can be made)"
        )
        try:
            sandbox = await self.create(SandboxSpec())
            try:
                exit_ = await sandbox.run(Command(argv=("/bin/true",), timeout_seconds=10))
            finally:
                await sandbox.close()
        except SandboxError as error:
            return Probe(
                driver=self.name, tier=self.tier, available=False, version=version, detail=error.message,
                install=error.hint or "",
            )  # fmt: skip
        return Probe(
            driver=self.name,
            tier=self.tier,
            available=exit_.ok,
            version=version,
            detail=f"{how} {name}, {limits}",
        )

    async def create(self, spec: SandboxSpec) -> AgentSandbox:
        return await self._create(spec)

    async def restore(self, snapshot: str) -> AgentSandbox:
        about, folder = saved.load(snapshot, self.name)
        return await self._create(about.spec, folder / WRITTEN)

    async def _create(self, spec: SandboxSpec, written: Path | None = None) -> AgentSandbox:
        check(spec)
        image = find_image(spec.image)
        name, path = self._runtime()
        if not self._reaped:
            self._reaped = True
            await self.clean()
        sandbox_name = state.new_id()
        folder = state.make(sandbox_name)
        groups = hierarchies() if os.geteuid() == 0 else None
        cgroup = Cgroup(sandbox_name, groups) if groups else None
        machine = ContainerMachine(sandbox_name, folder, cgroup, spec)
        try:
            if cgroup:
                cgroup.create(spec.limits, devices=disks_of(["/usr", *(m.source for m in spec.mounts)]))
            argv = self._prepare(spec, image, sandbox_name, folder, cgroup, (name, path), written)
            await machine.start(argv)
            sandbox = AgentSandbox(sandbox_name, spec, self.name, machine)
            sandbox.origin = self
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
        runtime: tuple[str, str],
        written: Path | None,
    ) -> list[str]:
        """Writes the bundle and the plan; returns the command that starts the container."""
        for part in ("root", "scratch", "runtime"):
            (folder / part).mkdir(mode=0o711)
        rootful = os.geteuid() == 0
        first = _FIRST_ID + secrets.randbelow(_SLOTS) * _IDS
        place = Place(
            folder=folder,
            agent=program("agent"),
            payload=Owner(first + spec.uid, first + spec.uid) if rootful else None,
            written=written,
        )
        plan = compose(spec, place, image)
        arguments = ["--id", name]
        entrances = cgroup.entrances() if cgroup else []
        for entrance in cgroup.whole_entrances() if cgroup else ():
            plan.join(entrance)
        for number, entrance in enumerate(entrances):
            plan.inherit(entrance, 3 + number)
        if entrances:
            arguments += ["--cgroups", str(len(entrances))]
        else:
            arguments += ["--memory", str(spec.limits.memory_bytes)]
        identity = (
            Identity(agent=0, payload=spec.uid, maps=((0, first, _IDS),))
            if rootful
            else Identity(agent=spec.uid, payload=spec.uid, maps=((spec.uid, 0, 1),))
        )
        self._hide_cgroups(plan, runtime[0])
        config = configuration(
            spec, identity, root=place.root, agent_arguments=tuple(arguments), arch=platform.machine()
        )
        (folder / "config.json").write_bytes(config)
        plan.save(folder / "plan")
        kind, path = runtime
        command = [str(program("launch")), str(folder / "plan"), path, "--root", str(folder / "runtime")]
        if kind == "crun":
            command += ["--cgroup-manager=disabled"]
        command += ["run", "--bundle", str(folder), "--pid-file", str(folder / "pid")]
        if entrances:
            command += ["--preserve-fds", str(len(entrances))]
        return [*command, name]

    @staticmethod
    def _hide_cgroups(plan: Plan, runtime: str) -> None:
        """The sandbox has its groups already; what a runtime sees of them, it sees in this namespace alone.

        crun 1.8 refuses a machine that has v1 and v2 mounted. runc would make a group and join it in every hierarchy that
        is there; `devices` alone it insists on (of v2 there is just the one).
        """
        seen = mounted()
        if all("" in options for _, options in seen):
            return
        if runtime == "runc" and os.geteuid() == 0:
            for point, options in seen:
                if "devices" not in options:
                    plan.unmount_host(point)
        else:
            for point, options in seen:
                if "" in options:
                    plan.tmpfs_host(point, size_bytes=4096, inodes=4)

    async def clean(self) -> Sequence[str]:
        return await asyncio.to_thread(reaper.clean)
