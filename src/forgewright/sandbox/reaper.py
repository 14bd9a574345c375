"""Removes what an engine that was killed left behind: processes first, then groups, then files."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection
from pathlib import Path

from forgewright.sandbox import state
from forgewright.sandbox.cgroups import Cgroup, existing
from forgewright.sandbox.hierarchies import hierarchies
from forgewright.sandbox.layout import AGENT_PATH

_WAIT_SECONDS = 10.0


def processes_of(folders: Collection[Path]) -> list[int]:
    """Processes of these sandboxes: a runtime that was given the folder, or an agent or a monitor that has its name.

    They are found by that also where they had not joined the sandbox's cgroup yet.

    What is compared are whole arguments; a process that merely mentions a sandbox is none of its own.
    """
    bundles = {
        os.fsencode(path) for folder in folders for path in (folder, folder / "plan", folder / "kernel")
    }
    names = {folder.name.encode() for folder in folders}
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                arguments = file.read(1 << 16).split(b"\0")
        except OSError:
            continue
        agent = arguments[0] == AGENT_PATH.encode() and not names.isdisjoint(arguments)
        monitor = arguments[0].startswith((b"/firecracker", b"runsc")) and not names.isdisjoint(arguments)
        if agent or monitor or not bundles.isdisjoint(arguments):
            found.append(int(entry))
    return found


def end(folders: Collection[Path]) -> bool:
    """Kills the processes of these sandboxes and waits for their end; False where that took too long."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while alive := [pid for pid in processes_of(folders) if not _zombie(pid)]:
        for pid in alive:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def _zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] in ("Z", "X")
    except OSError:
        return True


def clean() -> list[str]:
    """Removes the sandboxes whose engine does not run any more; their names."""
    folders = state.abandoned()
    end(folders)
    groups = hierarchies()
    removed = []
    for folder in folders:
        if groups is None or Cgroup(folder.name, groups).remove():
            state.remove(folder)
            removed.append(folder.name)
    return removed + _groups_without_folder()


def _groups_without_folder() -> list[str]:
    groups = hierarchies()
    if groups is None:
        return []
    orphans = [name for name in existing() if not (state.state_root() / name).exists()]
    return [name for name in orphans if Cgroup(name, groups).remove()]
