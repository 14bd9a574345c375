"""The control group of what a sandbox runs, made without a daemon on cgroup v1, v2 and both at once."""

from __future__ import annotations

import os
import signal
import time
from functools import cache
from pathlib import Path

import msgspec

from forgewright.sandbox.state import state_root
from forgewright.sandbox.types import Limits

_CONTROLLERS = ("", "memory", "pids", "cpu", "cpuacct", "blkio", "freezer")
_PERIOD_MICROSECONDS = 100_000


class Hierarchies(msgspec.Struct, frozen=True):
    """Folders under which a group can be made: for each controller on v1, one for all on v2."""

    version: int
    folders: dict[str, str]
    whole: dict[str, str] = {}
    """v1 only: those that hold a sandbox with its agent, from its start; the others hold what it runs."""


class Counters(msgspec.Struct, frozen=True):
    """What the kernel counted: kills for lack of memory, forks refused, the most memory in use."""

    oom: int = 0
    pids: int = 0
    memory_peak_bytes: int | None = None


def hierarchies() -> Hierarchies | None:
    """Where groups for memory, pids and cpu can be made; None where they cannot (then: rlimits)."""
    return _hierarchies(parent())


def parent() -> str:
    """The group above all those of one state folder, named after that folder itself.

    Two engines can see the same groups and different folders (a chroot, a container): by this neither takes the
    other's for abandoned.
    """
    root = state_root()
    root.mkdir(mode=0o711, parents=True, exist_ok=True)
    found = root.stat()
    return f"forgewright-{found.st_dev:x}-{found.st_ino:x}"


@cache
def _hierarchies(name: str) -> Hierarchies | None:
    mounts = _mounts()
    unified = mounts.pop("", "")
    if "memory" in mounts and "pids" in mounts:
        kinds = {kind: f"{point}/{name}" for kind, point in mounts.items()}
        commands: dict[str, str] = {kind: kinds[kind] for kind in ("memory", "pids", "cpu") if kind in kinds}
        whole: dict[str, str] = {
            kind: kinds[kind] for kind in ("freezer", "blkio", "cpuacct") if kind in kinds
        }
        found = Hierarchies(1, commands, whole)
    elif unified:
        found = Hierarchies(2, {"": f"{unified}/{name}"})
    else:
        return None
    return found if _usable(found) else None


def _mounts() -> dict[str, str]:
    """Where each controller of v1 is mounted, and under "" the unified hierarchy of v2."""
    mounts: dict[str, str] = {}
    with open("/proc/self/mountinfo") as file:
        for line in file:
            left, _, right = line.partition(" - ")
            point, (kind, _, options) = left.split()[4], right.split()[:3]
            wanted = [""] if kind == "cgroup2" else options.split(",") if kind == "cgroup" else []
            for controller in wanted:
                if controller in _CONTROLLERS:
                    mounts.setdefault(controller, point)  # the first: later ones are somebody's copies
    return mounts


def _usable(found: Hierarchies) -> bool:
    for folder in found.folders.values():
        try:
            os.makedirs(folder, exist_ok=True)
            if found.version == 2:
                for where in (os.path.dirname(folder), folder):
                    _write(f"{where}/cgroup.subtree_control", "+memory +pids +cpu")
        except OSError:
            return False
    return all(os.access(folder, os.W_OK) for folder in found.folders.values())


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def _count(path: str, key: str) -> int:
    try:
        with open(path) as file:
            for line in file:
                name, _, value = line.partition(" ")
                if name == key:
                    return int(value)
    except OSError:
        pass
    return 0


def cgroup_of(pid: int) -> Cgroup | None:
    """The group that another program made for process `pid`, to read what it counts; None where that is not seen."""
    mounts = _mounts()
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
    found._folders = folders
    return found


class Cgroup:
    """One group, in each hierarchy there is. Its limits are set before anything is in it."""

    def __init__(self, name: str, found: Hierarchies) -> None:
        self.name = name
        self._version = found.version
        self._folders = {key: f"{folder}/{name}" for key, folder in found.folders.items()}

    def create(self, limits: Limits) -> None:
        for folder in self._folders.values():
            os.mkdir(folder)
        quota = max(1000, int(limits.cpus * _PERIOD_MICROSECONDS))
        if self._version == 2:
            folder = self._folders[""]
            _write(f"{folder}/memory.max", str(limits.memory_bytes))
            self._try(f"{folder}/memory.swap.max", "0")
            _write(f"{folder}/pids.max", str(limits.processes))
            _write(f"{folder}/cpu.max", f"{quota} {_PERIOD_MICROSECONDS}")
            return
        memory, pids, cpu = self._folders["memory"], self._folders["pids"], self._folders.get("cpu")
        _write(f"{memory}/memory.limit_in_bytes", str(limits.memory_bytes))
        self._try(f"{memory}/memory.memsw.limit_in_bytes", str(limits.memory_bytes))
        _write(f"{pids}/pids.max", str(limits.processes))
        if cpu:
            _write(f"{cpu}/cpu.cfs_period_us", str(_PERIOD_MICROSECONDS))
            _write(f"{cpu}/cpu.cfs_quota_us", str(quota))

    @staticmethod
    def _try(path: str, text: str) -> None:
        """Swap is accounted only where the kernel was started so; without it there is nothing to limit."""
        try:
            _write(path, text)
        except OSError:
            pass

    def entrances(self) -> list[str]:
        """Files to which a process writes "0" to join."""
        return [f"{folder}/cgroup.procs" for folder in self._folders.values()]

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
            with open(peak) as file:
                return Counters(oom, pids, int(file.read()))
        except OSError:
            return Counters(oom, pids)

    def reset_peak(self) -> None:
        """Starts the peak again (v1 only: the kernels of most v2 machines cannot)."""
        if self._version == 1:
            self._try(f"{self._folders['memory']}/memory.max_usage_in_bytes", "0")

    def kill(self) -> int:
        """Kills what is in it; returns how many there were."""
        killed = 0
        for entrance in self.entrances():
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
        for folder in self._folders.values():
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
    for folder in found.folders.values() if found else ():
        try:
            names.update(name for name in os.listdir(folder) if name.startswith("fw"))
        except OSError:
            pass
    return sorted(names)
