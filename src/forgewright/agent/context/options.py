"""How an agent's conversation is kept within its model's context."""

from __future__ import annotations

import msgspec

UNKNOWN_LIMIT = 128_000
"""Tokens, where nobody says what the model takes. A provider that takes less says so, and that is believed."""


class WindowOptions(msgspec.Struct, frozen=True):
    """Defaults fit any model; all numbers are bounds, and smaller contexts get smaller ones by themselves."""

    tokens: int | None = None
    """The most a request may have; the model's own limit where that is smaller or this is None."""
    result_chars: int = 24_000
    """A larger tool result is set aside when it comes."""
    full: float = 0.9
    """Share of the context, the answer's part included, at which the conversation is compacted …"""
    after: float = 0.45
    """… and what it is compacted to: far below, so that the provider's cache is disturbed rarely."""
    keep_turns: int = 6
    """Turns at the end that stay as they are, while there is room."""
    summary_tokens: int = 1_500
    """The most a summary may have; a 32nd of the context where that is less, but 200."""
    summary: bool = True
    """Ask a model for summaries; without it, turns are told by their structure."""
    summary_model: str | None = None
    """Who is asked; else the engine's model for `NAME.summary`, else the agent's own."""
