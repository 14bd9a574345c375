"""Where control groups can be made: on cgroup v1, on v2, and on both at once."""

from __future__ import annotations

import os
from functools import cache

import msgspec

from forgewright.sandbox.state import state_root

_CONTROLLERS = ("", "memory", "pids", "cpu", "cpuacct", "blkio", "freezer")
_OF_COMMANDS = ("memory", "pids", "cpu")


class Hierarchies(msgspec.Struct, frozen=True):
    """Folders under which a group can be made: for each controller on v1, one for all on v2."""

    version: int
    folders: dict[str, str]
    whole: dict[str, str] = {}
    """v1 only: those that hold a sandbox with its agent, from its start; the others hold what it runs."""


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
    mounts = mount_points()
    unified = mounts.pop("", "")
    if "memory" in mounts and "pids" in mounts:
        kinds = {kind: f"{point}/{name}" for kind, point in mounts.items()}
        found = Hierarchies(
            1,
            {kind: folder for kind, folder in kinds.items() if kind in _OF_COMMANDS},
            {kind: folder for kind, folder in kinds.items() if kind not in _OF_COMMANDS},
        )
    elif unified:
        found = Hierarchies(2, {"": f"{unified}/{name}"})
    else:
        return None
    return found if _usable(found) else None


def mount_points() -> dict[str, str]:
    """Where each controller of v1 is mounted, and under "" the unified hierarchy of v2."""
    mounts: dict[str, str] = {}
    for point, options in mounted():
        for controller in options:
            if controller in _CONTROLLERS:
                mounts.setdefault(controller, point)  # the first: later ones are somebody's copies
    return mounts


def mounted() -> list[tuple[str, tuple[str, ...]]]:
    """Every hierarchy that is mounted: where, and its options (on v1 its controllers are among them; v2: one, "")."""
    found = []
    with open("/proc/self/mountinfo") as file:
        for line in file:
            left, _, right = line.partition(" - ")
            kind, _, options = right.split()[:3]
            if kind in ("cgroup", "cgroup2"):
                found.append((left.split()[4], ("",) if kind == "cgroup2" else tuple(options.split(","))))
    return found


def _usable(found: Hierarchies) -> bool:
    for folder in [*found.folders.values(), *found.whole.values()]:
        try:
            os.makedirs(folder, exist_ok=True)
            if found.version == 2:
                for where in (os.path.dirname(folder), folder):
                    write(f"{where}/cgroup.subtree_control", "+memory +pids +cpu")
                    write_if_known(f"{where}/cgroup.subtree_control", "+io")
        except OSError:
            return False
    return all(os.access(folder, os.W_OK) for folder in found.folders.values())


def write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def write_if_known(path: str, text: str) -> None:
    """As `write`, for what not every kernel accounts (swap, io): without it there is nothing to limit."""
    try:
        write(path, text)
    except OSError:
        pass
