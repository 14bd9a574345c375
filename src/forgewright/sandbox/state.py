"""Where sandboxes keep what the next start must be able to find: one folder each, with its owner's name."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from pathlib import Path

from forgewright.core.errors import SandboxError


def state_root() -> Path:
    """The folder of all sandboxes of this user; on a file system in memory where the machine has one."""
    chosen = os.environ.get("FORGEWRIGHT_SANDBOX_STATE")
    if chosen:
        return Path(chosen)
    if os.geteuid() == 0:
        return Path("/run/forgewright")
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime) / "forgewright" if runtime else Path(f"/tmp/forgewright-{os.geteuid()}")


def new_id() -> str:
    """Not to be guessed: the folder can be passed through by other users, but not listed."""
    return "fw" + secrets.token_hex(10)


def start_time(pid: int) -> str:
    """When process `pid` started (clock ticks since boot), or "" where there is none: tells a reused id."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""


def make(name: str) -> Path:
    """The state folder of a new sandbox, owned by this process."""
    root = state_root()
    try:
        root.mkdir(mode=0o711, parents=True, exist_ok=True)
        if root.stat().st_uid != os.geteuid():
            raise SandboxError(
                f"{root} belongs to user {root.stat().st_uid}, expected {os.geteuid()}",
                hint="set FORGEWRIGHT_SANDBOX_STATE to a folder of your own",
            )
        folder, unborn = root / name, root / f".{name}"
        unborn.mkdir(mode=0o711)
        (unborn / "owner").write_text(f"{os.getpid()} {start_time(os.getpid())}")
        unborn.rename(
            folder
        )  # never seen without its owner's name: another engine would take it for abandoned
    except OSError as error:
        raise SandboxError(
            f"cannot make the state folder of a sandbox in {root}: {error.strerror}",
            hint="set FORGEWRIGHT_SANDBOX_STATE to a folder that can be written",
        ) from error
    return folder


def abandoned() -> list[Path]:
    """State folders whose owner does not run any more."""
    try:
        folders = sorted(path for path in state_root().iterdir() if path.name.startswith("fw"))
    except OSError:
        return []
    return [folder for folder in folders if not _owned(folder)]


def _owned(folder: Path) -> bool:
    try:
        pid, _, started = (folder / "owner").read_text().partition(" ")
    except OSError:
        return False
    return bool(started) and start_time(int(pid)) == started


def remove(folder: Path) -> None:
    """Removes the folder, also where a runtime that is just ending still takes files out of it."""
    for _ in range(100):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.005)
    raise SandboxError(f"{folder} cannot be removed", hint="forgewright sandbox clean")
