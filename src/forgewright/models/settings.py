"""What a person may set about a model beyond its name."""

from __future__ import annotations

from typing import Literal

import msgspec

from forgewright.models.http.limits import HttpLimits, HttpTimeouts


class ModelSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    max_output_tokens: int | None = None
    """Where a request sets none. Anthropic's API demands one: 16,384 there."""
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    """How much the model may think; left to the provider where not set."""
    prompt_cache: bool = True
    """Anthropic's own API: mark the conversation so far as cacheable (others cache by themselves)."""
    context_tokens: int | None = None
    """The model's limit, where it is known better here than in the table."""
    extra: msgspec.Raw | None = None
    """A JSON object whose fields go into every request body as they are, for what has no setting here."""
    timeouts: HttpTimeouts = HttpTimeouts()
    limits: HttpLimits = HttpLimits()
