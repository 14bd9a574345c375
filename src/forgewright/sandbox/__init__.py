"""Places where untrusted code runs, in four strengths behind one protocol.

from forgewright.sandbox import Command, SandboxSpec, open_sandbox

sandbox = await open_sandbox(SandboxSpec())
ended = await sandbox.run(Command(argv=("python3", "-c", "print(6 * 7)")))
await sandbox.close()
"""

from forgewright.sandbox.registry import DRIVERS, choose, driver, open_sandbox
from forgewright.sandbox.toolchains import node_mounts, python_mounts
from forgewright.sandbox.types import (
    Command,
    Driver,
    Exit,
    Limits,
    Mount,
    Network,
    Probe,
    Sandbox,
    SandboxSpec,
    Tier,
)

__all__ = [
    "DRIVERS",
    "Command",
    "Driver",
    "Exit",
    "Limits",
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
