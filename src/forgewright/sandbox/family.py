"""Which processes came of one: what a runtime or a monitor has started by now."""

from __future__ import annotations

import os
from pathlib import Path


def family(pid: int) -> set[int]:
    """A process and its descendants (proc_pid_task_children(5)), without those that have ended."""
    found, waiting = set[int](), [pid]
    while waiting:
        process = waiting.pop()
        try:
            threads = os.listdir(f"/proc/{process}/task")
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                continue
        except OSError:
            continue
        found.add(process)
        for thread in threads:
            try:
                waiting += map(int, Path(f"/proc/{process}/task/{thread}/children").read_text().split())
            except OSError:
                continue
    return found
