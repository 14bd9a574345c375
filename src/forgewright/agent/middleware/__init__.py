"""What may stand around an agent, its model calls and its tool calls; the protocol, and what is shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forgewright.agent.middleware.base import CallAgent, CallModel, CallTool, Middleware

if TYPE_CHECKING:
    from forgewright.agent.middleware.cache import ResponseCache
    from forgewright.agent.middleware.fallback import Fallback
    from forgewright.agent.middleware.guardrail import Block, Guardrail, Replace
    from forgewright.agent.middleware.planning import Planning
    from forgewright.agent.middleware.ratelimit import RateLimit
    from forgewright.agent.middleware.redaction import Redaction
    from forgewright.agent.middleware.retry import Retry
    from forgewright.agent.middleware.spend import SpendLimit
    from forgewright.agent.middleware.stuck import StuckDetection
    from forgewright.agent.middleware.tracing import Span, Tracing

_HOMES = {
    "cache": ("ResponseCache",),
    "fallback": ("Fallback",),
    "guardrail": ("Block", "Guardrail", "Replace"),
    "planning": ("Planning",),
    "ratelimit": ("RateLimit",),
    "redaction": ("Redaction",),
    "retry": ("Retry",),
    "spend": ("SpendLimit",),
    "stuck": ("StuckDetection",),
    "tracing": ("Span", "Tracing"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Block",
    "CallAgent",
    "CallModel",
    "CallTool",
    "Fallback",
    "Guardrail",
    "Middleware",
    "Planning",
    "RateLimit",
    "Redaction",
    "Replace",
    "ResponseCache",
    "Retry",
    "Span",
    "SpendLimit",
    "StuckDetection",
    "Tracing",
]


def __getattr__(name: str) -> Any:
    module = _HOME_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value
