"""WebAssembly for tools: a module runs with the folders, environment and arguments it was given, no more.

It has no system calls, no processes and no sockets. The module is the image; it runs in a worker process that
can be killed, in a mount namespace whose only writable place is bounded.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import os
import sys
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from forgewright.core.errors import MissingExtra, NotFound, SandboxError, Unavailable, UsageError
from forgewright.sandbox import cache, reaper, state
from forgewright.sandbox.cgroups import Cgroup, disks_of
from forgewright.sandbox.drivers.oci import OciMachine
from forgewright.sandbox.egress import Egress
from forgewright.sandbox.hierarchies import hierarchies
from forgewright.sandbox.layout import check, inodes
from forgewright.sandbox.native import program
from forgewright.sandbox.plan import Plan
from forgewright.sandbox.protocol import BuiltinName, Channel, Request
from forgewright.sandbox.session import AgentSandbox
from forgewright.sandbox.types import Command, Exit, OnOutput, Probe, SandboxSpec, Tier
from forgewright.sandbox.wasm_worker import Setup

INSTALL = "pip install 'forgewright[wasm]'"
_WORKER_BYTES = 512 << 20
"""Of the worker itself, above all compiled code."""
_WORKER_PROCESSES = 64


def modules() -> Path:
    """Where modules with a name are kept: `NAME.wasm`."""
    folder = cache.root() / "wasm"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def find_module(image: str) -> Path:
    """The module that `image` means: an absolute path, or the name of one that was added."""
    path = Path(image) if image.startswith("/") else modules() / f"{image}.wasm"
    if "/" in image and not image.startswith("/"):
        raise UsageError(f"image {image!r}: expected an absolute path or a name")
    if not path.is_file():
        hint = f"forgewright sandbox module add {image} FILE.wasm" if not image.startswith("/") else None
        raise NotFound(f"no WebAssembly module {image}", hint=hint)
    return path


class WasmMachine(OciMachine):
    def fallback_limits(self) -> tuple[int, int]:
        return 0, 0

    async def restart(self, argv: list[str]) -> None:
        """Another worker in place of one that was killed."""
        if self._process is not None:
            self._process.kill()
            await self._ended(5.0)
        self.channel = Channel()
        await self.start(argv)


class WasmSandbox(AgentSandbox):
    """Commands run one after another; argv[0] is what the module sees as its name."""

    def __init__(self, name: str, spec: SandboxSpec, machine: WasmMachine, argv: list[str]) -> None:
        super().__init__(name, spec, "wasm", machine)
        self._wasm = machine
        self._argv = argv
        self._turn = asyncio.Lock()

    async def run(self, command: Command, *, on_output: OnOutput | None = None) -> Exit:
        async with self._turn:
            if not self._closing and self._machine.channel.closed.done():
                await self._wasm.restart(self._argv)
                if self.egress is not None:
                    self._machine.channel.on_stream = self.egress.accept
            ended = await super().run(command, on_output=on_output)
            if ended.reason == "timeout" and not self._closing:
                try:  # it goes on, or is on its way out
                    async with asyncio.timeout(5):
                        await self.ping()
                except (SandboxError, TimeoutError):
                    pass
            return ended

    async def open_network(self, *, listening: bool = False) -> None:
        """A proxy for the hosts that may be reached; the worker opens streams to it (`wasm_network`)."""
        if self.spec.network.allow:
            self.egress = Egress(self.spec.network)
            self._machine.channel.on_stream = self.egress.accept

    def _request(
        self,
        argv: tuple[str, ...],
        environment: Mapping[str, str],
        workdir: str,
        *,
        builtin: BuiltinName | str = "",
    ) -> Request:
        """Without the variables that lead programs of other tiers to the proxy: a module reaches hosts by files."""
        egress, self.egress = self.egress, None
        try:
            return super()._request(argv, environment, workdir, builtin=builtin)
        finally:
            self.egress = egress


class WasmDriver:
    """Implements `Driver`."""

    name = "wasm"
    tier = Tier.WASM

    async def probe(self) -> Probe:
        if importlib.util.find_spec("wasmtime") is None:
            detail = "wasmtime is not installed"
            return Probe(driver=self.name, tier=self.tier, available=False, detail=detail, install=INSTALL)
        version = f"wasmtime {importlib.metadata.version('wasmtime')}"
        names = ", ".join(sorted(path.stem for path in modules().glob("*.wasm"))) or "none added"
        return Probe(
            driver=self.name, tier=self.tier, available=True, version=version, detail=f"modules: {names}"
        )

    async def create(self, spec: SandboxSpec) -> AgentSandbox:
        if importlib.util.find_spec("wasmtime") is None:
            raise MissingExtra("wasm", needed_for="sandboxes of tier wasm")
        check(spec)
        if spec.network.forward:
            raise UsageError(
                "tier wasm: forwarded ports were asked for, and a module has no loopback to find them on",
                hint="allow the host; the module opens the file /dev/tcp/HOST/PORT",
            )
        module = await asyncio.to_thread(find_module, spec.image)
        name = state.new_id()
        folder = state.make(name)
        groups = hierarchies() if os.geteuid() == 0 else None
        cgroup = Cgroup(name, groups) if groups else None
        machine = WasmMachine(name, folder, cgroup, spec)
        try:
            if cgroup:
                memory = spec.limits.memory_bytes + _WORKER_BYTES
                limits = msgspec.structs.replace(
                    spec.limits, memory_bytes=memory, processes=_WORKER_PROCESSES
                )
                cgroup.create(limits, devices=disks_of(m.source for m in spec.mounts))
            argv = await asyncio.to_thread(self._prepare, spec, machine, module)
            await machine.start(argv, seconds=180.0)
            sandbox = WasmSandbox(name, spec, machine, argv)
            await sandbox.open_network()
        except BaseException:
            await asyncio.shield(machine.destroy())
            raise
        return sandbox

    def _prepare(self, spec: SandboxSpec, machine: WasmMachine, module: Path) -> list[str]:
        folder = machine.folder
        scratch = folder / "scratch"
        scratch.mkdir(mode=0o700)
        plan = Plan()
        if os.geteuid() != 0:
            plan.user_namespace()
        plan.mount_namespace()
        plan.tmpfs_host(str(scratch), size_bytes=spec.limits.disk_bytes, inodes=inodes(spec))
        plan.root(str(scratch))
        for part in ("root", "root/tmp"):
            plan.folder_host(f"{scratch}/{part}")
        folders = [(f"{scratch}/root", "/", True)]
        for number, mount in enumerate(spec.mounts):
            source, target = os.path.realpath(mount.source), os.path.normpath(mount.target)
            if not os.path.isdir(source):
                raise UsageError(
                    f"mount source {mount.source}: WebAssembly is given folders", hint="its folder"
                )
            if mount.mode == "cow":
                base = f"{scratch}/cow{number}"
                for part in ("", "/upper", "/work", "/lower"):
                    plan.folder_host(base + part)
                plan.bind(source, f":{base}/lower")
                plan.overlay(
                    lower=f"{base}/lower", upper=f"{base}/upper", work=f"{base}/work",
                    path=f"/merged{number}",
                    owner=None, rootless=os.geteuid() != 0,
                )  # fmt: skip
                source = f"{scratch}/merged{number}"
            folders.append((source, target, mount.mode != "ro"))
        for entrance in machine.entrances():
            plan.join(entrance)
        plan.save(folder / "plan")
        version = importlib.metadata.version("wasmtime")
        fuel = b"fuel" if spec.limits.instructions else b""
        key = sha256(module.read_bytes() + version.encode() + b"epochs" + fuel).hexdigest()[:32]
        compiled = modules() / f"{key}.cwasm"
        if not cache.holds(compiled):
            cache.tidy()  # the worker adds one
        setup = Setup(
            module=str(module),
            compiled=str(compiled), memory_bytes=spec.limits.memory_bytes,
            instructions=spec.limits.instructions,
            disk_bytes=spec.limits.disk_bytes, folders=tuple(folders), clock=spec.clock or "zero",
            network=bool(spec.network.allow), began=time.time_ns(),
        )  # fmt: skip
        worker = [
            sys.executable,
            "-I",
            "-m",
            "forgewright.sandbox.wasm_worker",
            msgspec.json.encode(setup).decode(),
        ]
        return [str(program("launch")), str(folder / "plan"), *worker]

    async def restore(self, snapshot: str) -> AgentSandbox:
        raise Unavailable(
            "sandboxes of tier wasm have no snapshots", hint="download the files that are wanted"
        )

    async def clean(self) -> Sequence[str]:
        return await asyncio.to_thread(reaper.clean)
