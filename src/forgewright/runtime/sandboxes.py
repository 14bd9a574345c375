"""What the runtime needs of sandboxes: a driver for a tier, and a sandbox opened by it."""

from __future__ import annotations

from typing import Protocol

from forgewright.core.errors import Unavailable
from forgewright.sandbox.types import Sandbox, SandboxSpec, Tier


class Sandboxes(Protocol):
    """Raises `MissingProgram` or `Unavailable` where the tier is not to be had; never offers a weaker one."""

    async def driver_for(self, tier: Tier) -> str:
        """Name of the driver that serves the tier."""

    async def open(self, spec: SandboxSpec) -> Sandbox: ...


class NoSandboxes:
    """An engine that was given none."""

    async def driver_for(self, tier: Tier) -> str:
        raise Unavailable(
            f"this engine was given no sandboxes, and a command needs one of tier {tier}",
            hint="open the engine with forgewright.wiring.open_engine, or pass sandboxes=…",
        )

    async def open(self, spec: SandboxSpec) -> Sandbox:
        raise AssertionError(await self.driver_for(spec.tier))
