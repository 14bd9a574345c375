"""The sandboxes of an engine: drivers from the registry, probed once, chosen by tier."""

from __future__ import annotations

from forgewright.sandbox import registry
from forgewright.sandbox.types import Driver, Sandbox, SandboxSpec, Tier


class RegisteredSandboxes:
    """`runtime.Sandboxes` over the drivers of this machine."""

    def __init__(self) -> None:
        self._chosen: dict[Tier, Driver] = {}

    async def driver_for(self, tier: Tier) -> str:
        """Name of the driver that serves `tier`. Raises `MissingProgram`; a weaker one is never offered."""
        if tier not in self._chosen:
            self._chosen[tier] = await registry.choose(tier)
        return self._chosen[tier].name

    async def open(self, spec: SandboxSpec) -> Sandbox:
        await self.driver_for(spec.tier)
        return await self._chosen[spec.tier].create(spec)
