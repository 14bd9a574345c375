"""An engine whose home decides: policies that its people put in force hold, whatever a configuration names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.core.errors import Refused
from forgewright.runtime.engine import Engine
from forgewright.wiring.registry import policies_in_force, read_registry

if TYPE_CHECKING:
    from forgewright.journal.journal import Journal
    from forgewright.journal.traces.live import LiveSpans
    from forgewright.policy.types import Gate


class GovernedEngine(Engine):
    """An `Engine` that looks into its home's registry when it opens.

    Raises, beside what an engine raises, `Refused` if other policies than those in force were named, and
    `IntegrityError` if a statement or the policies' content does not verify.
    """

    named = False
    """Whether the gate's policies were named by somebody, and are not just the ones that come along."""

    spans: LiveSpans | None = None
    """Sends the runs' spans while they go on, where a collector is named."""

    async def close(self) -> None:
        await super().close()
        if self.spans is not None:
            import asyncio

            spans, self.spans = self.spans, None
            await asyncio.to_thread(spans.close)

    async def open(self) -> None:
        if self._journal is not None:
            return
        await super().open()
        try:
            self.gate = await gate_in_force(self.journal, self.gate, named=self.named)
        except BaseException:
            await self.close()
            raise


async def gate_in_force(journal: Journal, given: Gate, *, named: bool) -> Gate:
    """The gate over the policies in force, told of what is registered; `given` where nothing is in force."""
    registry, _ = await read_registry(journal)
    if not registry.id:
        return given
    from forgewright.policy.registry.gate import RegisteredGate

    content = await policies_in_force(journal)
    if content is None:
        return RegisteredGate(given, registry)
    gate = content.gate()
    if named and gate.digest != given.digest:
        version = registry.version("policy", "main")
        number = version.number if version else "?"
        raise Refused(
            f"version {number} of this home's policies is in force, and other policies were named",
            hint="propose them to the home's people: forgewright policy propose FILE… --as NAME --key FILE",
        )
    return RegisteredGate(gate, registry)
