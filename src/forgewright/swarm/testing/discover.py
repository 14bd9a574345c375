"""Finds out how a project's tests are run. Reads a handful of marker files, each bounded; runs nothing."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from forgewright.core.errors import NotFound
from forgewright.swarm.testing.discover_other import NODE_VARIABLES, cargo, go, javascript, make, node_modules
from forgewright.swarm.testing.discover_python import python
from forgewright.swarm.testing.environment import Environment, variables
from forgewright.swarm.testing.plan import ROOT, TestPlan, TestSettings


def discover(root: Path, source: Path | None = None, settings: TestSettings | None = None) -> TestPlan:
    """How the tests of the project at `root` are run.

    `source` is the user's own folder, where virtual environments and `node_modules` lie that the run's
    copy does not have. Raises `NotFound` where nothing says how, `ConfigError` for settings that can't be.
    """
    settings = settings or TestSettings()
    source = source or root
    workdir = settings.workdir.strip("/")
    here = root / workdir if workdir else root
    plan = (
        _configured(settings, source)
        or python(here, source, settings)
        or javascript(here, source / workdir)
        or go(here)
        or cargo(here)
        or make(here)
    )
    if plan is None:
        raise NotFound(
            "nothing in the project says how its tests are run",
            hint='say so in forgewright.toml:  [tests]  command = ["python3", "-m", "unittest"]',
        )
    return msgspec.structs.replace(
        plan,
        workdir=f"{ROOT}/{workdir}" if workdir else ROOT,
        timeout_seconds=settings.timeout_seconds,
    )


_KNOWN = (
    ("pytest", r"\bpytest\b|\bpy\.test\b"),
    ("unittest", r"\bunittest\b"),
    ("jest", r"\bjest\b"),
    ("vitest", r"\bvitest\b"),
    ("mocha", r"\bmocha\b"),
    ("node", r"\bnode\b.*--test\b"),
    ("go", r"\bgo test\b"),
    ("cargo", r"\bcargo (test|t)\b"),
    ("tox", r"^tox\b"),
    ("nox", r"^nox\b"),
    ("npm", r"^(npm|yarn|pnpm)\b"),
    ("make", r"^make\b"),
)


def _configured(settings: TestSettings, source: Path) -> TestPlan | None:
    if not settings.command:
        return None
    argv = settings.command
    found = Environment.find(source, settings)
    said = " ".join(argv)
    framework = next((name for name, pattern in _KNOWN if re.search(pattern, said)), "custom")
    if found.folder is not None and argv[0] in ("python", "python3"):
        argv = (found.program, *argv[1:])
    elif found.folder is not None and argv[0] == "pytest":
        argv = (found.program, "-m", *argv)
    return TestPlan(
        argv=argv,
        framework=framework,
        why="forgewright.toml, [tests] command",
        environment=variables(source, found) | (NODE_VARIABLES if framework == "node" else {}),
        mounts=found.mounts + node_modules(source),
    )
