"""The registry of a home, kept in its journal, and the policies that it has put in force."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from forgewright.core.ids import Digest, RunId
from forgewright.journal.events import StatementSigned
from forgewright.policy.registry import Registry, Signed

if TYPE_CHECKING:
    from forgewright.journal.journal import Journal
    from forgewright.policy.content import PolicyContent

REGISTRY = RunId("@registry")
"""The statements stand in the journal like the records of a run of this name."""


async def read_registry(journal: Journal) -> tuple[Registry, int]:
    """The registry, and the sequence of its last record. Raises `IntegrityError`: each statement is verified
    again, at the time that the journal took it."""
    registry = Registry()
    records = await journal.read(REGISTRY)
    for record in records:
        if isinstance(record.event, StatementSigned):
            registry.apply(Signed(record.event.statement, record.event.signature), now=record.time)
    return registry, records[-1].sequence if records else 0


async def submit(journal: Journal, signed: Signed) -> Registry:
    """Takes a statement into the journal if the registry takes it. Raises what `Registry.apply` raises, and
    `LostRace` if somebody else's statement came first."""
    registry, sequence = await read_registry(journal)
    statement = registry.apply(signed, now=time.time_ns() // 1_000_000)
    event = StatementSigned(signed.statement, signed.signature)
    await journal.append(REGISTRY, [event], expected=sequence, actor=statement.by)
    return registry


async def policies_in_force(journal: Journal, name: str = "main") -> PolicyContent | None:
    """The policy set that the registry has put in force; None where none is. Raises `IntegrityError`."""
    from forgewright.policy.content import read_content

    registry, _ = await read_registry(journal)
    version = registry.version("policy", name)
    if version is None:
        return None
    return read_content(await journal.store.blobs.get(Digest(version.content)), version.content)


def approved_tools(registry: Registry, server: str) -> dict[str, Digest]:
    """Tool → fingerprint of an MCP server's tools that are in force, for `McpClient(approved=…)`; they are
    registered as `mcp:SERVER/TOOL`."""
    prefix = f"mcp:{server}/"
    return {
        name.removeprefix(prefix): version.content
        for (subject, name), version in registry.versions().items()
        if subject == "tool" and name.startswith(prefix) and version.state == "in force"
    }
