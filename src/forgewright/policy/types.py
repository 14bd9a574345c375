"""What the gate is asked and what it says. Synchronous, without input or output of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec

from forgewright.core.ids import Digest

Action = Literal[
    "model", "tool", "edit", "exec", "install", "network", "git", "ask", "read", "publish", "spend",
    "delegate",
]  # fmt: skip

Fact = bool | int | str | tuple[str, ...]


class Attempt(msgspec.Struct, frozen=True):
    """An effect somebody is about to have."""

    principal: str
    """The agent: `coder`, `tester` …; becomes `Agent::"coder"`."""
    action: Action
    resource: str
    """What is touched; becomes an entity of the action's type: `Model::"openai:gpt-…"`, `Tool::"search"`,
    `Path::"src/app.py"`, `Command::"tests"` …"""
    facts: Mapping[str, Fact] = {}
    """The context: `argv`, `program`, `paths`, `operations`, `lines`, `network`, `purpose` …"""


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    permit: bool
    policies: tuple[str, ...] = ()
    """Ids of the determining policies."""
    tier: str | None = None
    """The strongest `@tier` that they carry."""
    approval: str | None = None
    """`@approval`: who has to say yes first."""
    redact: tuple[str, ...] = ()
    limits: Mapping[str, int] = {}
    consent: tuple[str, ...] = ()
    """`@consent`: purposes that the person whom the run is for has to consent to, at the moment it happens."""
    reason: str = ""
    """For people: why not, or what it obliges."""


class Gate(Protocol):
    digest: Digest
    """Of the policy set, the schema and the entities."""

    def decide(self, attempt: Attempt) -> Verdict:
        """Never raises for an attempt; what can't be evaluated is denied, and the reason says so."""
