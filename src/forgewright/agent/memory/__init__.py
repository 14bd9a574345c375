"""Long-term memory: what agents and people keep beyond one run, with where it came from and how far it is believed."""

from __future__ import annotations

from forgewright.agent.memory.entry import Entry, Scope
from forgewright.agent.memory.longterm import LongTerm
from forgewright.agent.memory.middleware import Remembering

__all__ = ["Entry", "LongTerm", "Remembering", "Scope"]
