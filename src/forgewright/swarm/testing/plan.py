"""The command that runs a project's tests, and what of the user's machine it needs beside the sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from forgewright.sandbox.types import Command, Mount

ROOT = "{root}"
"""Stands in a plan for the project's folder inside the sandbox."""
TIMEOUT_SECONDS = 600.0


class TestPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A command that runs the project's tests. `{root}` in it is the project's folder in the sandbox."""

    __test__: ClassVar[bool] = False

    argv: tuple[str, ...]
    framework: str
    """As in `report.Framework`."""
    why: str
    """What it was concluded from."""
    workdir: str = ROOT
    environment: Mapping[str, str] = {}
    mounts: tuple[Mount, ...] = ()
    """Folders of the user's machine that hold the project's dependencies."""
    hint: str = ""
    """What is probably missing, where something is."""
    timeout_seconds: float = TIMEOUT_SECONDS

    def command(self, root: str, *, only: tuple[str, ...] = ()) -> Command:
        """The command, with the project at `root` inside; `only` adds tests by the framework's own ids."""
        return Command(
            argv=tuple(part.replace(ROOT, root) for part in (*self.argv, *only)),
            environment={name: value.replace(ROOT, root) for name, value in self.environment.items()},
            workdir=self.workdir.replace(ROOT, root),
            timeout_seconds=self.timeout_seconds,
        )

    def mounts_at(self, root: str) -> tuple[Mount, ...]:
        return tuple(Mount(m.source, m.target.replace(ROOT, root), m.mode) for m in self.mounts)


class TestSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What `[tests]` of `forgewright.toml` says."""

    __test__: ClassVar[bool] = False

    command: tuple[str, ...] = ()
    environment: str | None = None
    """Virtual environment of the project, absolute or relative to it."""
    workdir: str = ""
    timeout_seconds: float = TIMEOUT_SECONDS
