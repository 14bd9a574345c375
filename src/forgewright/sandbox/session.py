"""A sandbox with the resident agent inside: what is common to every tier that has a process to talk to."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from forgewright.core.errors import Conflict, SandboxError, Unavailable
from forgewright.sandbox import saved
from forgewright.sandbox.cgroups import Counters
from forgewright.sandbox.credentials import CA_PATH, CA_VARIABLES
from forgewright.sandbox.egress import PORT, Egress
from forgewright.sandbox.images.store import Image, pinned
from forgewright.sandbox.layout import BASE_ENVIRONMENT
from forgewright.sandbox.machine import Machine
from forgewright.sandbox.ports import Published
from forgewright.sandbox.process import UNBOUNDED, Process
from forgewright.sandbox.protocol import BuiltinName, Job, Request
from forgewright.sandbox.status import Ended, exit_code, file_error
from forgewright.sandbox.transfer import TreeTransfers
from forgewright.sandbox.types import (
    Command,
    Driver,
    Exit,
    Metrics,
    OnConnection,
    OnOutput,
    Reason,
    Sandbox,
    SandboxSpec,
    Size,
)

COUNTED_AFTER_SECONDS, COUNTED_AFTER_TRIES = 1.0, 20
KILL_SECONDS = 3.0
"""How long a killed process tree may take to end before the whole sandbox is destroyed."""

_BUILTIN_SECONDS = 60.0
_PROXY = f"http://127.0.0.1:{PORT}"


class AgentSandbox(TreeTransfers):
    """Implements `Sandbox`."""

    def __init__(self, name: str, spec: SandboxSpec, driver: str, machine: Machine) -> None:
        self.id = name
        self.spec = spec
        self.driver = driver
        self._machine = machine
        self.egress: Egress | None = None
        self.origin: Driver | None = None
        """The driver that restores what this sandbox saves."""
        self.image: Image | None = None
        self.published: list[Published] = []
        self._closing = False
        self._paused = False
        self._running = 0

    async def open_network(self, *, listening: bool = False) -> None:
        """Where the spec allows hosts: a proxy for them, and a relay inside that leads to it (`listening`: has been)."""
        network = self.spec.network
        if not (network.allow or network.forward):
            return
        self.egress = Egress(network)
        await self._relay(self.egress, listening=listening)
        if self.egress.interception is not None:
            pem = await asyncio.to_thread(self.egress.interception.authority_pem)
            await self.write(CA_PATH, pem)

    async def _relay(self, egress: Egress, *, listening: bool = False) -> None:
        self._machine.channel.on_stream = egress.accept
        ports = () if listening else ((PORT,) if self.spec.network.allow else ()) + tuple(egress.forwards)
        for port in ports:
            await self._machine.channel.listen(port)

    def watch_connections(self, listener: OnConnection) -> None:
        if self.egress is not None:
            self.egress.on_connection = listener

    async def publish(self, inside: int, port: int = 0) -> Published:
        """Makes a server's port inside reachable on this machine's loopback, until the sandbox is closed.

        `port`: the one outside; by default any that is free. Raises `SandboxError` where it is taken.
        """
        published = Published(self._machine, inside)
        try:
            await published.open(port)
        except OSError as error:
            raise SandboxError(f"port {port} of this machine cannot be had: {error.strerror}") from None
        self.published.append(published)
        return published

    async def run(self, command: Command, *, on_output: OnOutput | None = None) -> Exit:
        with self._machine.channel.together():
            process = self.start(command, on_output=on_output)
            process.feed(command.stdin)
            process.close_stdin()
        return await process.wait(command.timeout_seconds)

    def start(
        self,
        command: Command,
        *,
        on_output: OnOutput | None = None,
        terminal: Size | None = None,
        keep: bool = True,
    ) -> Process:
        """Starts a command and returns at once; its `stdin` is left to `Process.feed`.

        `terminal`: it has one of that size, and standard error comes as standard output. `keep=False`: output goes to
        `on_output` only, all of it, however much that is.
        """
        if not command.argv:
            raise SandboxError("a command needs at least a program", hint="argv is empty")
        request = self._request(command.argv, command.environment, command.workdir or self.spec.workdir)
        if terminal is not None or not keep:
            bound = request.output_bytes if keep else UNBOUNDED
            request = msgspec.structs.replace(request, terminal=terminal, output_bytes=bound)
        machine = self._machine
        if not self._running:
            machine.reset_peak()
        before = machine.counters()
        job = self._start(request, on_output)
        job.keep = keep
        self._running += 1
        job.done.add_done_callback(self._less)
        return Process(self, job, before)

    def _less(self, _: object) -> None:
        self._running -= 1

    async def attend(self, job: Job, before: Counters, started: float, timeout_seconds: float) -> Exit:
        """Waits for the end of `job`, which `Process.wait` has started; kills its tree at the time-out or when cancelled."""
        try:
            timed_out = not await self._finished(job, timeout_seconds)
            if timed_out:
                await self._kill(job)
            ended = await self._ended(job, before)
        except asyncio.CancelledError:
            await self._kill_shielded(job)
            raise
        seconds = time.monotonic() - started
        after = self._machine.counters()
        reason: Reason = "timeout" if timed_out else self._reason(ended, before, after)
        if reason in ("oom", "pids"):
            await self._end_rest(job)  # what it left behind would fail the next command too
        return Exit(
            code=exit_code(ended.status),
            reason=reason,
            stdout=b"".join(job.stdout),
            stderr=b"".join(job.stderr),
            stdout_bytes=ended.stdout_bytes,
            stderr_bytes=ended.stderr_bytes,
            seconds=seconds,
            memory_peak_bytes=after.memory_peak_bytes or ended.rss_bytes or None,
        )

    async def read(self, path: str, *, bytes_max: int = 64 << 20) -> bytes:
        ended, data = await self._builtin("read", (self._path(path),), output_bytes=bytes_max)
        if ended.stdout_bytes > bytes_max:
            raise SandboxError(f"{path} has {ended.stdout_bytes} bytes, at most {bytes_max} were asked for")
        return data

    async def write(self, path: str, data: bytes, *, mode: int = 0o644) -> None:
        await self._builtin("write", (self._path(path), f"{mode:o}"), stdin=data)

    async def list(self, path: str) -> Sequence[str]:
        _, data = await self._builtin("list", (self._path(path),))
        return sorted(name.decode("utf-8", "surrogateescape") for name in data.split(b"\0") if name)

    async def remove(self, path: str) -> None:
        await self._builtin("remove", (self._path(path),))

    def begin(
        self, name: BuiltinName, argv: tuple[str, ...], on_output: Callable[[str, bytes], object], *, as_root: bool
    ) -> Job:  # fmt: skip
        """Starts a file operation of the agent, whose output, however much, goes to `on_output` only."""
        return self._start(self._builtin_request(name, argv, UNBOUNDED, as_root=as_root), on_output)

    async def abandon(self, job: Job) -> None:
        """Kills what `begin` has started."""
        await self._kill_shielded(job)

    @property
    def running(self) -> int:
        return self._running

    def hold(self, waiting: bool) -> None:
        """Whoever takes the output cannot take more: the sandbox is read again when this is called with False."""
        self._machine.channel.hold(waiting)

    async def close(self) -> None:
        self._closing = True
        for published in self.published:
            published.close()
        if self.egress is not None:
            await self.egress.drain()
        await asyncio.shield(self._machine.destroy())

    async def pause(self) -> None:
        self._open()
        if not self._paused:
            await self._machine.pause()
            self._paused = True

    async def resume(self) -> None:
        self._open()
        if self._paused:
            before = self._machine.channel
            await self._machine.resume()
            self._paused = False
            if self.egress is not None and self._machine.channel is not before:  # it lost that by being saved
                await self._relay(self.egress)

    async def metrics(self) -> Metrics:
        self._open()
        return self._machine.metrics()

    async def snapshot(self) -> str:
        self._open()
        self.check_snapshot()
        paused = self._paused
        folder = await asyncio.to_thread(saved.begin)
        try:
            if not paused:
                await self.ping()  # what the agent had to say before has been said
                await self.pause()
            await self._machine.save(folder)
            return await asyncio.to_thread(saved.publish, folder, self.driver, pinned(self.spec, self.image))
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            if not paused and self._paused and not self._closing:
                await self.resume()

    def check_snapshot(self) -> None:
        """Raises `Conflict` where there is something that no other sandbox could go on with."""
        if self._running or self._machine.channel.busy():
            raise Conflict(
                f"a command or a connection of sandbox {self.id} is under way", hint="wait for its end"
            )

    async def fork(self) -> Sandbox:
        if self.origin is None:
            raise Unavailable(f"driver {self.driver} restores no snapshots")
        name = await self.snapshot()
        try:
            return await self.origin.restore(name)
        finally:
            await asyncio.to_thread(saved.remove, name)

    async def ping(self) -> None:
        """One frame there and back: the agent lives."""
        await self._machine.channel.ping()

    def _path(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.spec.workdir, path))

    def _request(
        self,
        argv: tuple[str, ...],
        environment: Mapping[str, str],
        workdir: str,
        *,
        builtin: BuiltinName | str = "",
    ) -> Request:
        processes, address = self._machine.fallback_limits()
        own = dict(BASE_ENVIRONMENT)
        if self.egress is not None and self.egress.interception is not None:
            own |= dict.fromkeys(CA_VARIABLES, CA_PATH)
        if self.egress is not None:
            own |= dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), _PROXY)
            own |= dict.fromkeys(("no_proxy", "NO_PROXY"), "localhost,127.0.0.1,::1")
        given = {**self._of_image(), **self.spec.environment, **environment}
        if "LANG" in given:
            own.pop("LC_CTYPE", None)
        return Request(
            argv=argv,
            environment={} if builtin else {**own, **given},
            workdir=workdir,
            uid=self.spec.uid,
            gid=self.spec.uid,
            output_bytes=self.spec.limits.output_bytes,
            files=self.spec.limits.files,
            processes=processes,
            address_bytes=address,
            builtin=builtin,  # type: ignore[arg-type]  # narrowed by the callers
        )

    def _of_image(self) -> Mapping[str, str]:
        return self.image.environment if self.image is not None else {}

    def _start(self, request: Request, on_output: OnOutput | Callable[[str, bytes], object] | None) -> Job:
        self._open()
        if self._paused:
            raise SandboxError(f"sandbox {self.id} is paused", hint="resume it")
        return self._machine.channel.start(request, on_output)  # type: ignore[arg-type]  # names of streams

    def _open(self) -> None:
        if self._closing:
            raise SandboxError(f"sandbox {self.id} is closed", hint="create another")

    async def _finished(self, job: Job, seconds: float) -> bool:
        """Waits for the end of `job`; False when it took longer than `seconds`."""
        await asyncio.wait((job.done,), timeout=seconds)
        return job.done.done()

    async def _kill(self, job: Job) -> None:
        job.kill()
        if not await self._finished(job, KILL_SECONDS):
            await self._machine.destroy()

    async def _end_rest(self, job: Job) -> None:
        if not self._machine.channel.closed.done():
            await job.end_rest(KILL_SECONDS)

    async def _kill_shielded(self, job: Job) -> None:
        if not job.done.done():
            task = asyncio.ensure_future(self._kill(job))
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                await asyncio.wait((task,), timeout=KILL_SECONDS)

    async def _ended(self, job: Job, before: Counters) -> Ended:
        """How `job` ended; also where lack of memory or processes took the whole sandbox along."""
        if not job.done.done():
            raise SandboxError(
                f"sandbox {self.id}: a killed command did not end in {KILL_SECONDS} s; all was destroyed"
            )
        try:
            return job.done.result()
        except SandboxError:
            memory, processes = await self._what_ran_out(before)
            if self._closing or not (memory or processes):
                raise
            out, err = (sum(map(len, kept)) for kept in (job.stdout, job.stderr))
            return Ended(signal.SIGKILL, True, False, memory, processes, False, out, err, 0, 0)

    async def _what_ran_out(self, before: Counters) -> tuple[bool, bool]:
        """Whether memory or processes ran out. The kernel may count a moment after the sandbox is gone."""
        for _ in range(COUNTED_AFTER_TRIES):
            after = self._machine.counters()
            if after.oom > before.oom or after.pids > before.pids:
                break
            await asyncio.sleep(COUNTED_AFTER_SECONDS / COUNTED_AFTER_TRIES)
        return after.oom > before.oom, after.pids > before.pids

    async def _builtin(
        self,
        name: BuiltinName,
        argv: tuple[str, ...],
        *,
        stdin: bytes = b"",
        output_bytes: int = 1 << 22,
        as_root: bool = False,
    ) -> tuple[Ended, bytes]:
        request = self._builtin_request(name, argv, output_bytes, as_root=as_root)
        job = self._start(request, None)
        try:
            job.feed(stdin)
            if not await self._finished(job, _BUILTIN_SECONDS):
                await self._kill(job)
                raise SandboxError(f"{name} {argv[0]} took longer than {_BUILTIN_SECONDS:.0f} s")
        except asyncio.CancelledError:
            await self._kill_shielded(job)
            raise
        ended = job.done.result()
        if ended.status:
            raise file_error(name, argv[0], exit_code(ended.status), b"".join(job.stderr))
        return ended, b"".join(job.stdout)

    def _builtin_request(
        self, name: BuiltinName, argv: tuple[str, ...], output_bytes: int, *, as_root: bool
    ) -> Request:
        base = self._request(argv, {}, "/", builtin=name)
        uid, gid = (0, 0) if as_root else (base.uid, base.gid)
        return Request(
            argv=base.argv, environment={}, workdir="/", uid=uid, gid=gid,
            output_bytes=output_bytes, files=base.files, builtin=name,
        )  # fmt: skip

    def _reason(self, ended: Ended, before: Counters, after: Counters) -> Reason:
        code = exit_code(ended.status)
        if ended.memory or (code and after.oom > before.oom):
            return "oom"
        if self._closing:
            return "cancelled"
        if ended.instructions:
            return "timeout"
        if code and (ended.processes or after.pids > before.pids):
            return "pids"
        if code and (ended.disk_full or self._machine.disk_full()):
            return "disk"
        return "signal" if os.WIFSIGNALED(ended.status) else "exit"
