"""The pieces of an answer, for a model that gives it whole."""

from __future__ import annotations

from forgewright.models.types import (
    CallDelta,
    OnDelta,
    ReasoningDelta,
    Response,
    Text,
    TextDelta,
    ToolCall,
)


def tell_whole(response: Response, on_delta: OnDelta) -> None:
    """Deltas for an answer that came in one piece."""
    for part in response.message.parts:
        if isinstance(part, Text):
            on_delta(TextDelta(part.text))
        elif isinstance(part, ToolCall):
            on_delta(CallDelta(part.name, part.arguments))
        elif part.text:
            on_delta(ReasoningDelta(part.text))
