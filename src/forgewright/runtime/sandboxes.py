"""What the runtime needs of sandboxes: a driver for a tier, and a sandbox opened by it."""

from __future__ import annotations

from typing import Protocol

from forgewright.core.errors import Unavailable
from forgewright.sandbox.types import Sandbox, SandboxSpec, Tier


class Sandboxes(Protocol):
    """Raises `MissingProgram` or `Unavailable` where the tier is not to be had; never offers a weaker one."""

    def driver_for(self, tier: Tier) -> None:
        """Raises where there is none."""

    def driver_name(self, tier: Tier) -> str: ...

    async def open(self, spec: SandboxSpec) -> Sandbox: ...


class NoSandboxes:
    """An engine that was given none."""

    def driver_for(self, tier: Tier) -> None:
        raise Unavailable(
            f"this engine was given no sandboxes, and a command needs tier {tier}",
            hint="open the engine with forgewright.wiring.open_engine, or pass sandboxes=…",
        )

    def driver_name(self, tier: Tier) -> str:
        self.driver_for(tier)
        return ""

    async def open(self, spec: SandboxSpec) -> Sandbox:
        self.driver_for(spec.tier)
        raise AssertionError("unreachable")
