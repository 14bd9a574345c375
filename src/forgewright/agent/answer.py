"""What an agent came to."""

from __future__ import annotations

from typing import Any

import msgspec

from forgewright.models.types import Message


class Answer(msgspec.Struct, frozen=True):
    """The end of one `Agent.act`."""

    text: str
    messages: tuple[Message, ...]
    """The whole conversation, also what was left out of later requests; large tool results as their previews."""
    turns: int
    value: Any = None
    """The structured output, where the agent has an `output` type."""
