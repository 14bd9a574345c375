"""What may stand around an agent, its model calls and its tool calls; the protocol, and what is shipped."""

from forgewright.agent.middleware.base import CallAgent, CallModel, CallTool, Middleware

__all__ = ["CallAgent", "CallModel", "CallTool", "Middleware"]
