"""Places where untrusted code runs, in four strengths behind one protocol.

from forgewright.sandbox import Command, SandboxSpec, open_sandbox

sandbox = await open_sandbox(SandboxSpec())
ended = await sandbox.run(Command(argv=("python3", "-c", "print(6 * 7)")))
await sandbox.close()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forgewright.sandbox.types import (
    Command,
    Driver,
    Exit,
    Limits,
    Metrics,
    Mount,
    Network,
    Probe,
    Sandbox,
    SandboxSpec,
    Tier,
)

if TYPE_CHECKING:
    from forgewright.sandbox.registry import DRIVERS, choose, driver, open_sandbox
    from forgewright.sandbox.toolchains import node_mounts, python_mounts

__all__ = [
    "DRIVERS",
    "Command",
    "Driver",
    "Exit",
    "Limits",
    "Metrics",
    "Mount",
    "Network",
    "Probe",
    "Sandbox",
    "SandboxSpec",
    "Tier",
    "choose",
    "driver",
    "node_mounts",
    "open_sandbox",
    "python_mounts",
]


def __getattr__(name: str) -> Any:
    """What needs drivers is imported when it is used: the types alone are on everybody's way."""
    from importlib import import_module

    if name in ("DRIVERS", "choose", "driver", "open_sandbox"):
        return getattr(import_module("forgewright.sandbox.registry"), name)
    if name in ("node_mounts", "python_mounts"):
        return getattr(import_module("forgewright.sandbox.toolchains"), name)
    raise AttributeError(f"module 'forgewright.sandbox' has no attribute {name!r}")
