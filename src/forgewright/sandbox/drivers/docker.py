"""Containers by a Docker Engine that runs here already, through its API; hardened as those of `container` are.

The container's first process is the resident agent, spoken to over the engine's attach stream, which ends it when
this process ends. What an engine cannot mount (copy-on-write, folders that the payload may not read) is copied.
"""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from forgewright.core.errors import SandboxError, Unavailable, UsageError
from forgewright.sandbox import reaper, seccomp, state
from forgewright.sandbox.bundle import MASKED, READONLY
from forgewright.sandbox.cgroups import Cgroup, Counters, cgroup_of
from forgewright.sandbox.copied_mounts import VirtualMachineSandbox
from forgewright.sandbox.docker_api import LABEL, DockerApi, Multiplexed, engine_socket
from forgewright.sandbox.images.engine import ensure_in_engine
from forgewright.sandbox.images.store import Image
from forgewright.sandbox.images.store import find as find_image
from forgewright.sandbox.images.store import identity as image_identity
from forgewright.sandbox.layout import AGENT_PATH, HOME, READY_ETC, check, identity_files, inodes, shm_bytes
from forgewright.sandbox.native import program
from forgewright.sandbox.protocol import Channel
from forgewright.sandbox.session import AgentSandbox
from forgewright.sandbox.types import Command, Metrics, Mount, Probe, SandboxSpec, Tier

INSTALL = "apt-get install docker.io"
START = "systemctl start docker   (or name another engine: DOCKER_HOST=unix:///PATH)"
READY_SECONDS = 60.0
_AGENT_CAPABILITIES = ("KILL", "SETGID", "SETPCAP", "SETUID")
_AGENT_PROCESSES = 8
"""Of the agent itself and its monitors, over those of the payload."""

_AGENT_BYTES = 16 << 20
_PLACES = {"/tmp": (2, 0o1777), "/var/tmp": (8, 0o1777), "/run": (8, 0o755), HOME: (4, 0o755)}
"""Writable places: which part of the disk limit each may hold, and its mode. An engine has no quota over several."""


class DockerMachine:
    """One running container; implements `Machine`."""

    def __init__(self, name: str, folder: Path, api: DockerApi, spec: SandboxSpec) -> None:
        self.channel = Channel()
        self.name = name
        self.folder = folder
        self.api = api
        self._spec = spec
        self._cgroup: Cgroup | None = None
        self._stream: Multiplexed | None = None
        self._gone: asyncio.Task[None] | None = None

    async def start(self, config: dict[str, object]) -> None:
        await self.api.create(self.name, config)
        self._stream = await self.api.attach(self.name, self.channel)
        await self.api.start(self.name)
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self.channel.ready
        except (SandboxError, TimeoutError):
            raise SandboxError(f"the container did not start: {self.log() or 'it said nothing'}") from None
        self._cgroup = cgroup_of(await self.api.process(self.name))

    def counters(self) -> Counters:
        return self._cgroup.counters() if self._cgroup else Counters()

    def reset_peak(self) -> None:
        if self._cgroup:
            self._cgroup.reset_peak()

    def disk_full(self) -> bool:
        return False  # the agent looks, with each command's end

    def fallback_limits(self) -> tuple[int, int]:
        return 0, 0

    def log(self) -> str:
        return bytes(self._stream.errors).decode(errors="replace").strip() if self._stream else ""

    async def pause(self) -> None:
        await self.api.pause(self.name, paused=True)

    async def resume(self) -> None:
        await self.api.pause(self.name, paused=False)

    def metrics(self) -> Metrics:
        if self._cgroup is None:
            raise Unavailable("the cgroup of the engine's container is not seen from here")
        return self._cgroup.metrics()

    async def save(self, folder: Path) -> None:
        raise Unavailable(
            "a Docker Engine keeps no file systems in memory, so it has no snapshots",
            hint="use the driver container",
        )

    async def destroy(self) -> None:
        if self._gone is None:
            self._gone = asyncio.ensure_future(self._destroy())
        await asyncio.shield(self._gone)

    async def _destroy(self) -> None:
        self.channel.close()
        await self.api.remove(self.name)
        state.remove(self.folder)


class DockerDriver:
    """Implements `Driver`. `socket`: of an engine on this machine; by default `DOCKER_HOST`, or the usual place."""

    name = "docker"
    tier = Tier.CONTAINER

    def __init__(self, socket: str | None = None) -> None:
        self._socket = socket
        self._cleaned = False

    def _api(self) -> DockerApi:
        return DockerApi(self._socket or engine_socket())

    async def probe(self) -> Probe:
        version = ""
        try:
            engine = await self._api().describe()
            version = f"Docker Engine {engine.version}"
            sandbox = await self.create(SandboxSpec())
            try:
                ended = await sandbox.run(Command(argv=("/bin/true",), timeout_seconds=20))
            finally:
                await sandbox.close()
        except (SandboxError, UsageError) as error:
            return Probe(
                driver=self.name, tier=self.tier, available=False, version=version, detail=error.message,
                install="" if version else START if shutil.which("dockerd") else INSTALL,
            )  # fmt: skip
        how = "rootless" if engine.rootless else "rootful"
        return Probe(
            driver=self.name, tier=self.tier, available=ended.ok, version=version,
            detail=f"{how}, cgroup v{engine.cgroup_version}, {self._api().path}",
        )  # fmt: skip

    async def create(self, spec: SandboxSpec) -> AgentSandbox:
        check(spec)
        kept = find_image(spec.image)
        api = self._api()
        if not self._cleaned:
            self._cleaned = True
            await self.clean()
        if kept is None:
            image = await api.ensure_image(*_host_image(spec))
        else:
            image = await asyncio.to_thread(ensure_in_engine, kept, api.path)
        name = state.new_id()
        machine = DockerMachine(name, state.make(name), api, spec)
        copied = [mount for mount in spec.mounts if not _can_bind(mount, spec.uid)]
        try:
            await machine.start(_configuration(spec, machine, image, copied, kept))
            sandbox = VirtualMachineSandbox(name, spec, self.name, machine)
            sandbox.origin = self
            sandbox.image = kept
            await sandbox.place_mounts(copied)
            await sandbox.open_network()
        except BaseException:
            await asyncio.shield(machine.destroy())
            raise
        return sandbox

    async def restore(self, snapshot: str) -> AgentSandbox:
        raise Unavailable("the driver docker has no snapshots", hint="use the driver container")

    async def clean(self) -> Sequence[str]:
        """Removes containers of engines that do not run any more: first those, then what the others left."""
        try:
            api = self._api()
            listed = await api.list()
        except (SandboxError, UsageError):
            return await asyncio.to_thread(reaper.clean)
        abandoned = {folder.name for folder in state.abandoned()}
        for container, label in listed:
            name, _, root = label.partition(" ")
            if root == _root() and (name in abandoned or not (state.state_root() / name).exists()):
                await api.remove(container)
        return await asyncio.to_thread(reaper.clean)


def _root() -> str:
    """Which state folder a container belongs to: one engine can serve several users of Forgewright."""
    found = state.state_root().stat() if state.state_root().exists() else None
    return f"{found.st_dev:x}-{found.st_ino:x}" if found else ""


def _host_image(spec: SandboxSpec) -> tuple[list[tuple[str, str | None]], dict[str, str]]:
    """The folders, links and files of a root that is filled by mounts."""
    folders = ["proc", "dev", "sys", "tmp", "run", "var", "var/tmp", "home", HOME[1:], "etc", "root", "opt", "mnt",
               "srv", "usr", ".forgewright"]  # fmt: skip
    layout: list[tuple[str, str | None]] = [(name, None) for name in folders]
    for name in ("bin", "sbin", "lib", "lib64", "lib32", "libx32"):
        if os.path.islink(f"/{name}"):
            layout.append((name, os.readlink(f"/{name}").lstrip("/")))
    layout.append(("var/run", "../run"))
    return layout, {path[1:]: text for path, text in identity_files(spec).items()}


def _can_bind(mount: Mount, uid: int) -> bool:
    """Whether the payload, who is that user on the host as well, could use the folder as it is there."""
    found = os.stat(os.path.realpath(mount.source))
    if mount.mode == "ro":
        need = 0o5 if os.path.isdir(mount.source) else 0o4
        return found.st_uid == uid or found.st_mode & need == need
    return mount.mode == "rw" and found.st_uid == uid


def _configuration(
    spec: SandboxSpec, machine: DockerMachine, image: str, copied: Sequence[Mount], kept: Image | None
) -> dict[str, object]:
    """`image`: the engine's name for the root; `kept`: of the cache, None where that is the image `host`."""
    limits = spec.limits
    binds = [(str(program("agent")), AGENT_PATH, "ro"), *_identity_binds(spec, machine.folder, kept)]
    if kept is None:
        binds += [("/usr", "/usr", "ro")]
        binds += [(str((Path("/etc") / name).resolve()), f"/etc/{name}", "ro") for name in READY_ETC
                  if (Path("/etc") / name).exists()]  # fmt: skip
    binds += [(os.path.realpath(m.source), os.path.normpath(m.target), m.mode)
              for m in spec.mounts if m not in copied]  # fmt: skip
    disk, files = limits.disk_bytes - shm_bytes(spec), inodes(spec)
    places = {path: (disk // part, mode, spec.uid) for path, (part, mode) in _PLACES.items()}
    for mount in copied:
        owner = 0 if mount.mode == "ro" else spec.uid
        where = mount.target if os.path.isdir(mount.source) else os.path.dirname(mount.target)
        places[os.path.normpath(where)] = (disk // 2, 0o755, owner)
    host = {
        "NetworkMode": "none", "IpcMode": "private", "CgroupnsMode": "private", "ReadonlyRootfs": True,
        "CapDrop": ["ALL"], "CapAdd": list(_AGENT_CAPABILITIES), "Privileged": False,
        "SecurityOpt": ["no-new-privileges:true", f"seccomp={msgspec.json.encode(seccomp.profile(platform.machine())).decode()}"],
        "MaskedPaths": ["/sys", *MASKED], "ReadonlyPaths": list(READONLY),
        "Memory": limits.memory_bytes + _AGENT_BYTES, "MemorySwap": limits.memory_bytes + _AGENT_BYTES,
        "NanoCpus": int(limits.cpus * 1e9), "PidsLimit": limits.processes + _AGENT_PROCESSES,
        "ShmSize": shm_bytes(spec), "AutoRemove": True, "LogConfig": {"Type": "none"},
        "Mounts": [
            {"Type": "bind", "Source": source, "Target": target, "ReadOnly": mode == "ro",
             "BindOptions": {"Propagation": "rprivate"}}
            for source, target, mode in binds
        ],
        "Tmpfs": {
            path: f"rw,nosuid,nodev,exec,size={size},nr_inodes={files},mode={mode:o},uid={uid},gid={uid}"
            for path, (size, mode, uid) in places.items()
        },
    }  # fmt: skip
    return {
        "Image": image, "Entrypoint": [AGENT_PATH], "Cmd": ["--id", machine.name, "--victims", "1"],
        "User": "0:0", "Env": [], "WorkingDir": "/", "Hostname": "sandbox", "Tty": False,
        "OpenStdin": True, "StdinOnce": True, "AttachStdin": True, "AttachStdout": True, "AttachStderr": True,
        "NetworkDisabled": True, "Labels": {LABEL: f"{machine.name} {_root()}"}, "HostConfig": host,
    }  # fmt: skip


def _identity_binds(spec: SandboxSpec, folder: Path, kept: Image | None) -> list[tuple[str, str, str]]:
    """Files of /etc that are the sandbox's: the engine would put its own there, and an image knows one user only."""
    if kept is None:
        texts = {path.removeprefix("/etc/"): text for path, text in identity_files(spec).items()}
        names: tuple[str, ...] = ("hosts", "hostname", "resolv.conf")
    else:
        texts = image_identity(kept.tree, spec.uid)
        names = tuple(texts)
    for name in names:
        (folder / name).write_text(texts[name])
    return [(str(folder / name), f"/etc/{name}", "ro") for name in names]
