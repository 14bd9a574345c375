"""A sandbox whose processes are started by an OCI runtime: what containers and gVisor have in common."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import Awaitable
from pathlib import Path

from forgewright.core.errors import SandboxError, Unavailable
from forgewright.sandbox import reaper, state
from forgewright.sandbox.cgroups import Cgroup, Counters
from forgewright.sandbox.protocol import Channel
from forgewright.sandbox.types import Metrics, SandboxSpec
from forgewright.sandbox.user_namespaces import advice

READY_SECONDS = 30.0
WRITTEN = "written.tar"
"""In a snapshot: all that can be written inside, as the host sees it."""

_TAR = ("--xattrs", "--xattrs-include=*", "--sparse", "--numeric-owner", "--one-file-system",
        "--exclude=./cow*/work", "--exclude=./image")  # fmt: skip


def find(program: str) -> str | None:
    """Where `program` is, also when PATH leaves out the folders for administrators."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin:/sbin")


def version_of(path: str) -> str:
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=10)
    return answer.stdout.partition("\n")[0]


class OciMachine:
    """One running sandbox; implements `Machine`."""

    joins_late = False
    """Whether its processes are put into its cgroup while they start, instead of before."""

    def __init__(self, name: str, folder: Path, cgroup: Cgroup | None, spec: SandboxSpec) -> None:
        self.channel = Channel()
        self._name = name
        self._folder = self.folder = folder
        self._cgroup = cgroup
        self._spec = spec
        self._process: subprocess.Popen[bytes] | None = None
        self._gone: asyncio.Task[None] | None = None

    async def start(
        self, argv: list[str], *, pipes: bool = False, seconds: float = READY_SECONDS, greet: bool = False
    ) -> None:
        """Starts the runtime and waits for the agent's hello. `pipes`: instead of one socket.

        `greet`: the agent said its hello long ago and was saved since; it is told the time, and answers.
        """
        channel = self.channel
        joining: Awaitable[None] | None = None
        if pipes:
            reading, writing = self._spawn_with_pipes(argv)
            joining = self.joining() if self.joins_late else None
            await channel.connect_pipes(reading, writing)
        else:
            ours = self._spawn_with_socket(argv)
            ours.setblocking(False)
            await channel.loop.create_connection(lambda: channel, sock=ours)
        try:
            async with asyncio.timeout(seconds):
                await (channel.resume() if greet else channel.ready)
                if joining is not None:
                    await joining
                    await self.joining()  # what was started while the first of them joined
                    self.limit_cpu()
        except (SandboxError, TimeoutError, OSError):
            said = self.log()
            raise SandboxError(
                f"the sandbox did not start: {said or 'it said nothing'}", hint=advice(said)
            ) from None

    def joining(self) -> Awaitable[None]:
        """Puts all that was started into the sandbox's cgroup; until that is done, nothing untrusted may run in it."""
        assert self._process is not None
        if self._cgroup is None:
            return asyncio.sleep(0)
        return asyncio.ensure_future(asyncio.to_thread(self._cgroup.adopt, self._process.pid))

    def limit_cpu(self) -> None:
        if self._cgroup is not None:
            self._cgroup.limit_cpu(self._spec.limits)

    def _spawn_with_socket(self, argv: list[str]) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            self._popen(argv, theirs.fileno(), theirs.fileno())
        return ours

    def _spawn_with_pipes(self, argv: list[str]) -> tuple[int, int]:
        their_in, writing = os.pipe()
        reading, their_out = os.pipe()
        try:
            self._popen(argv, their_in, their_out)
        finally:
            os.close(their_in)
            os.close(their_out)
        return reading, writing

    def _popen(self, argv: list[str], stdin: int, stdout: int) -> None:
        environment = {"PATH": os.environ.get("PATH", "")}
        with open(self._folder / "log", "wb") as log:
            self._process = subprocess.Popen(argv, stdin=stdin, stdout=stdout, stderr=log, env=environment)

    def entrances(self) -> list[str]:
        """Files by which a process joins the sandbox's cgroup, in every hierarchy."""
        return self._cgroup.entrances() + self._cgroup.whole_entrances() if self._cgroup else []

    async def pause(self) -> None:
        if self._cgroup is None or not self._cgroup.freezable:
            raise Unavailable("pausing needs a cgroup with a freezer", hint="run as root")
        await asyncio.to_thread(self._cgroup.freeze, frozen=True)

    async def resume(self) -> None:
        if self._cgroup is not None:
            await asyncio.to_thread(self._cgroup.freeze, frozen=False)

    def metrics(self) -> Metrics:
        if self._cgroup is None:
            raise Unavailable("what a sandbox uses is counted by a cgroup", hint="run as root")
        return self._cgroup.metrics()

    async def save(self, folder: Path) -> None:
        raise Unavailable(
            "sandboxes of this tier have no snapshots", hint="download the files that are wanted"
        )

    async def save_scratch(self, folder: Path) -> None:
        """All that was written inside, as the archive `written` (from outside: it trusts nothing inside)."""
        assert self._process is not None
        scratch = f"/proc/{self._process.pid}/root{self.folder}/scratch"
        argv = ["tar", "--create", f"--file={folder}/{WRITTEN}", f"--directory={scratch}", *_TAR, "."]
        with open(self.folder / "log", "ab") as log:
            tar = await asyncio.create_subprocess_exec(
                *argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
            if await tar.wait():
                raise SandboxError(f"what was written could not be saved: {self.log()}")

    def counters(self) -> Counters:
        return self._cgroup.counters() if self._cgroup else Counters()

    def reset_peak(self) -> None:
        if self._cgroup:
            self._cgroup.reset_peak()

    def disk_full(self) -> bool:
        if self._process is None:
            return False
        try:  # through the runtime's process: the file system is in its mount namespace only
            scratch = os.statvfs(f"/proc/{self._process.pid}/root{self._folder}/scratch")
        except OSError:
            return False
        return bool(scratch.f_blocks) and (scratch.f_bavail == 0 or scratch.f_ffree == 0)

    def fallback_limits(self) -> tuple[int, int]:
        return (0, 0) if self._cgroup else (self._spec.limits.processes, 0)

    def log(self) -> str:
        try:
            return (self._folder / "log").read_text(errors="replace")[-2000:].strip()
        except OSError:
            return ""

    async def destroy(self) -> None:
        if self._gone is None:
            self._gone = asyncio.ensure_future(self._destroy())
        await asyncio.shield(self._gone)

    async def _destroy(self) -> None:
        self.channel.close()
        if self._cgroup is not None and self._cgroup.freezable:
            self._cgroup.thaw()
        if self._process is not None and not await self._ended(2.0):
            await asyncio.to_thread(reaper.end, [self._folder])
            if not await self._ended(5.0):
                self._process.kill()
                await self._ended(5.0)
        # The kernel makes whoever removes a place that was mounted on wait until every processor has had a pause.
        await asyncio.to_thread(self._clear)

    def _clear(self) -> None:
        if self._cgroup is not None and not self._cgroup.remove():
            raise SandboxError(
                f"the cgroup of sandbox {self._name} cannot be removed", hint="forgewright sandbox clean"
            )
        state.remove(self._folder)

    async def _ended(self, seconds: float) -> bool:
        """Waits for the runtime's process without a thread: a pidfd is readable when it has ended."""
        assert self._process is not None
        if self._process.poll() is not None:
            return True
        loop = asyncio.get_running_loop()
        fd = os.pidfd_open(self._process.pid)
        over: asyncio.Future[None] = loop.create_future()
        loop.add_reader(fd, over.cancel)
        try:
            await asyncio.wait((over,), timeout=seconds)
        finally:
            loop.remove_reader(fd)
            os.close(fd)
        return self._process.poll() is not None
