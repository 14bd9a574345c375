"""Snapshots that users take: what a sandbox was, and what is needed to open another one like it.

They are data, not cache: nothing removes them but their user (`remove`).
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from forgewright.core.errors import NotFound, SandboxError
from forgewright.sandbox.types import SandboxSpec

_ABOUT = "about.json"


class Saved(msgspec.Struct, frozen=True):
    """What `list` shows of one."""

    id: str
    driver: str
    spec: SandboxSpec
    created: float
    """Seconds since 1970."""
    bytes: int = 0
    """On disk."""


def root() -> Path:
    """`FORGEWRIGHT_SNAPSHOTS`, or a folder of this user's data. Only its owner can look into it."""
    base = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    folder = Path(os.environ.get("FORGEWRIGHT_SNAPSHOTS") or os.path.join(base, "forgewright", "snapshots"))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SandboxError(
            f"snapshots cannot be kept in {folder}: {error.strerror}", hint="set FORGEWRIGHT_SNAPSHOTS"
        ) from error
    return folder


def begin() -> Path:
    """A folder for a snapshot under way; `publish` gives it its name, or the caller removes it."""
    folder = root() / f".{secrets.token_hex(8)}"
    folder.mkdir(mode=0o700)
    return folder


def publish(folder: Path, driver: str, spec: SandboxSpec) -> str:
    """Makes the snapshot in `folder` one that can be restored; its name."""
    name = f"snap{folder.name[1:]}"
    size = sum(path.stat().st_blocks * 512 for path in folder.iterdir())
    about = Saved(name, driver, spec, time.time(), size)
    (folder / _ABOUT).write_bytes(msgspec.json.encode(about))
    folder.rename(root() / name)
    return name


def find(name: str) -> Saved:
    """The snapshot whose name starts with `name`. Raises `NotFound`."""
    matches = [about for about in existing() if about.id.startswith(name)]
    if len(matches) != 1:
        raise NotFound(
            f"{'no snapshot' if not matches else 'several snapshots'} {name}",
            hint="forgewright sandbox snapshots",
        )
    return matches[0]


def load(name: str, driver: str) -> tuple[Saved, Path]:
    """The snapshot and its folder. Raises `NotFound`, also for one that another driver made."""
    folder = root() / name
    try:
        about = msgspec.json.decode((folder / _ABOUT).read_bytes(), type=Saved) if "/" not in name else None
    except (OSError, msgspec.DecodeError):
        about = None
    if about is None or about.driver != driver:
        whose = f"; {name} was made by driver {about.driver}" if about else ""
        raise NotFound(f"no snapshot {name} of driver {driver}{whose}")
    return about, folder


def existing() -> Sequence[Saved]:
    """All there are, oldest first."""
    found = []
    for path in root().glob(f"snap*/{_ABOUT}"):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Saved))
        except (OSError, msgspec.DecodeError):
            continue
    return sorted(found, key=lambda saved: saved.created)


def remove(name: str) -> None:
    """Raises `NotFound`."""
    folder = root() / name
    if "/" in name or not (folder / _ABOUT).exists():
        raise NotFound(f"no snapshot {name}")
    shutil.rmtree(folder)
