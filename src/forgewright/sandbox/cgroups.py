"""The control group of what a sandbox runs, made without a daemon (`hierarchies` says where)."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from forgewright.sandbox.family import family
from forgewright.sandbox.hierarchies import (
    Hierarchies,
    hierarchies,
    mount_points,
    write,
    write_if_known,
)
from forgewright.sandbox.types import Limits, Metrics

_PERIOD_MICROSECONDS = 100_000


class Counters(msgspec.Struct, frozen=True):
    """What the kernel counted: kills for lack of memory, forks refused, the most memory in use."""

    oom: int = 0
    pids: int = 0
    memory_peak_bytes: int | None = None


def _number(path: str) -> int | None:
    try:
        with open(path) as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def _count(path: str, key: str) -> int:
    try:
        for line in _content(path).splitlines():
            name, _, value = line.partition(b" ")
            if name == key.encode():
                return int(value)
    except OSError:
        pass
    return 0


def _content(path: str) -> bytes:
    """Of a small file, without what a file object costs: it is read for each command."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, 4096)
    finally:
        os.close(fd)


def cgroup_of(pid: int) -> Cgroup | None:
    """The group that another program made for process `pid`, to read what it counts; None where that is not seen."""
    mounts = mount_points()
    folders: dict[str, str] = {}
    try:
        text = Path(f"/proc/{pid}/cgroup").read_text() if pid else ""
    except OSError:
        return None
    for line in text.splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(",") if names else [""]:
            if name in mounts:
                folders[name] = mounts[name] + path
    version = 1 if "memory" in folders else 2
    if not all(
        os.path.isdir(folders.get(name, "/nowhere"))
        for name in (("memory", "pids") if version == 1 else ("",))
    ):
        return None
    found = Cgroup("", Hierarchies(version, {}))
    found._folders = found._whole = folders
    return found


def _io(path: str, read: str, written: str) -> tuple[int | None, int | None]:
    """Sums over all disks: v1 has lines "8:0 Read 123", v2 "8:0 rbytes=123 wbytes=…"."""
    try:
        words = Path(path).read_text().split()
    except OSError:
        return None, None
    sums = []
    for key in (read, written):
        after = [words[i + 1] for i, word in enumerate(words[:-1]) if word == key]
        joined = [word[len(key) :] for word in words if key.endswith("=") and word.startswith(key)]
        sums.append(sum(map(int, after + joined)))
    return sums[0], sums[1]


def disks_of(paths: Iterable[str]) -> list[str]:
    """ "major:minor" of the whole disks on which these paths lie; memory and network file systems have none."""
    found: dict[str, None] = {}
    for path in paths:
        device = os.stat(path).st_dev
        block = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve()
        if (block / "partition").exists():
            block = block.parent
        if (block / "dev").exists():
            found[(block / "dev").read_text().strip()] = None
    return list(found)


class Cgroup:
    """One group, in each hierarchy there is. Its limits are set before anything is in it."""

    def __init__(self, name: str, found: Hierarchies) -> None:
        self.name = name
        self._version = found.version
        self._folders = {key: f"{folder}/{name}" for key, folder in found.folders.items()}
        self._whole = {key: f"{folder}/{name}" for key, folder in found.whole.items()}

    def create(self, limits: Limits, *, devices: Sequence[str] = (), hurry: bool = False) -> None:
        """`devices`: "major:minor" of the disks to which the limits of input and output apply.

        `hurry`: processors are limited later, by `limit_cpu`.
        """
        for folder in self._all():
            os.mkdir(folder)
        self._limit_io(limits, devices)
        if not hurry:
            self.limit_cpu(limits)
        if self._version == 2:
            folder = self._folders[""]
            write(f"{folder}/memory.max", str(limits.memory_bytes))
            write_if_known(f"{folder}/memory.swap.max", "0")
            write(f"{folder}/pids.max", str(limits.processes))
            return
        memory, pids = self._folders["memory"], self._folders["pids"]
        write(f"{memory}/memory.limit_in_bytes", str(limits.memory_bytes))
        write_if_known(f"{memory}/memory.memsw.limit_in_bytes", str(limits.memory_bytes))
        write(f"{pids}/pids.max", str(limits.processes))

    def limit_cpu(self, limits: Limits) -> None:
        """A runtime that starts on all processors would stand still for the rest of each period."""
        quota = max(1000, int(limits.cpus * _PERIOD_MICROSECONDS))
        if self._version == 2:
            write(f"{self._folders['']}/cpu.max", f"{quota} {_PERIOD_MICROSECONDS}")
        elif cpu := self._folders.get("cpu"):
            write(f"{cpu}/cpu.cfs_period_us", str(_PERIOD_MICROSECONDS))
            write(f"{cpu}/cpu.cfs_quota_us", str(quota))

    def _all(self) -> list[str]:
        return [*self._folders.values(), *self._whole.values()]

    def _limit_io(self, limits: Limits, devices: Sequence[str]) -> None:
        rates = {"read": limits.read_bytes_per_second, "write": limits.write_bytes_per_second}
        if not any(rates.values()):
            return
        for device in devices:
            if self._version == 2:
                words = [f"{kind[0]}bps={rate}" for kind, rate in rates.items() if rate]
                write(f"{self._folders['']}/io.max", f"{device} {' '.join(words)}")
            else:
                for kind, rate in rates.items():
                    if rate:
                        write(f"{self._whole['blkio']}/blkio.throttle.{kind}_bps_device", f"{device} {rate}")

    def entrances(self) -> list[str]:
        """Files to which what a sandbox runs writes "0" to join."""
        return [f"{folder}/cgroup.procs" for folder in self._folders.values()]

    def whole_entrances(self) -> list[str]:
        """The same for all of a sandbox, with its agent, from its start."""
        return [f"{folder}/cgroup.procs" for folder in self._whole.values()]

    def adopt(self, pid: int) -> None:
        """Takes a process in, and what came of it meanwhile; what they start from now on is born in it.

        The kernel lets the first of several that join wait until every processor has had a pause (some milliseconds), so
        this is done while the process starts. Raises `OSError`; of a process that has ended there is nothing to say.
        """
        entrances = self.entrances() + self.whole_entrances()
        while outside := family(pid) - self._members(entrances[-1]):
            for process in outside:
                for entrance in entrances:
                    try:
                        write(entrance, str(process))
                    except ProcessLookupError:
                        break

    def _members(self, entrance: str) -> set[int]:
        return {int(line) for line in Path(entrance).read_text().split()}

    def freeze(self, *, frozen: bool) -> None:
        """Stops all that is in it, or lets it go on. Raises `OSError` where there is no freezer."""
        if self._version == 2:
            folder = self._folders[""]
            write(f"{folder}/cgroup.freeze", "1" if frozen else "0")
            return
        folder = self._whole["freezer"]
        wanted = "FROZEN" if frozen else "THAWED"
        for _ in range(1000):
            write(f"{folder}/freezer.state", wanted)
            if Path(f"{folder}/freezer.state").read_text().strip() == wanted:
                return
            time.sleep(0.001)
        raise OSError(errno.EBUSY, "the sandbox does not come to a stop", folder)

    def allow(self, memory_bytes: int) -> None:
        """Raises the limit of memory, for work of the engine's own in the sandbox."""
        if self._version == 2:
            write(f"{self._folders['']}/memory.max", str(memory_bytes))
            return
        memory = self._folders["memory"]
        write_if_known(f"{memory}/memory.memsw.limit_in_bytes", str(memory_bytes))
        write(f"{memory}/memory.limit_in_bytes", str(memory_bytes))

    def thaw(self) -> None:
        """Lets go what may stand still: what is frozen does not die."""
        write_if_known(f"{self._folders['']}/cgroup.freeze", "0") if self._version == 2 else write_if_known(
            f"{self._whole.get('freezer')}/freezer.state", "THAWED"
        )

    @property
    def freezable(self) -> bool:
        return os.path.exists(
            f"{self._folders['']}/cgroup.freeze" if self._version == 2 else f"{self._whole.get('freezer')}"
        )

    def metrics(self) -> Metrics:
        """What it uses now, and used so far."""
        counters = self.counters()
        if self._version == 2:
            folder = self._folders[""]
            cpu = _count(f"{folder}/cpu.stat", "usage_usec") / 1e6
            memory, processes = f"{folder}/memory.current", f"{folder}/pids.current"
            read, written = _io(f"{folder}/io.stat", "rbytes=", "wbytes=")
        else:
            cpu = (_number(f"{self._whole.get('cpuacct')}/cpuacct.usage") or 0) / 1e9
            memory = f"{self._folders['memory']}/memory.usage_in_bytes"
            processes = f"{self._folders['pids']}/pids.current"
            read, written = _io(
                f"{self._whole.get('blkio')}/blkio.throttle.io_service_bytes_recursive", "Read", "Write"
            )
        return Metrics(
            cpu_seconds=cpu, memory_bytes=_number(memory) or 0, memory_peak_bytes=counters.memory_peak_bytes,
            processes=_number(processes) or 0, read_bytes=read, written_bytes=written,
        )  # fmt: skip

    def counters(self) -> Counters:
        if self._version == 2:
            folder = self._folders[""]
            oom, pids = _count(f"{folder}/memory.events", "oom_kill"), _count(f"{folder}/pids.events", "max")
            peak = f"{folder}/memory.peak"
        else:
            memory = self._folders["memory"]
            oom = _count(f"{memory}/memory.oom_control", "oom_kill")
            pids = _count(f"{self._folders['pids']}/pids.events", "max")
            peak = f"{memory}/memory.max_usage_in_bytes"
        try:
            return Counters(oom, pids, int(_content(peak)))
        except OSError:
            return Counters(oom, pids)

    def reset_peak(self) -> None:
        """Starts the peak again (v1 only: the kernels of most v2 machines cannot)."""
        if self._version == 1:
            write_if_known(f"{self._folders['memory']}/memory.max_usage_in_bytes", "0")

    def kill(self) -> int:
        """Kills what is in it; returns how many there were."""
        killed = 0
        self.thaw()
        for entrance in [*self.entrances(), *self.whole_entrances()]:
            try:
                pids = [int(line) for line in Path(entrance).read_text().split()]
            except OSError:
                continue
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    pass
        return killed

    def remove(self, *, seconds: float = 2.0) -> bool:
        """Removes it as soon as it is empty, killing what is left; False where that took too long."""
        deadline = time.monotonic() + seconds
        while not self._remove_once():
            self.kill()
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True

    def _remove_once(self) -> bool:
        gone = True
        for folder in self._all():
            try:
                os.rmdir(folder)
            except FileNotFoundError:
                pass
            except OSError:
                gone = False
        return gone


def existing() -> list[str]:
    """Names of groups of sandboxes that stand on this machine."""
    found = hierarchies()
    names: set[str] = set()
    for folder in [*found.folders.values(), *found.whole.values()] if found else ():
        try:
            names.update(name for name in os.listdir(folder) if name.startswith("fw"))
        except OSError:
            pass
    return sorted(names)
