"""Asks a model again where that may help, and calls tools again that may be called twice."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from forgewright.agent.middleware.base import CallTool, Middleware
from forgewright.models.types import Model, ToolCall, ToolResult

if TYPE_CHECKING:
    from forgewright.models.retry import OnRetry
    from forgewright.runtime.context import Context


class Retry(Middleware):
    """`models.retry.Retrying` around the agent's model; an engine made by `open_engine` has that already.

    `tools`: names of tools whose failed calls are made again, up to `tool_attempts` times in all. Each is an effect of
    its own in the journal, so name only tools that do no harm twice.
    """

    def __init__(
        self,
        attempts: int = 6,
        *,
        base_seconds: float = 1.0,
        total_seconds: float = 900.0,
        tools: Collection[str] = (),
        tool_attempts: int = 2,
        on_retry: OnRetry | None = None,
    ) -> None:
        self._attempts = attempts
        self._base_seconds = base_seconds
        self._total_seconds = total_seconds
        self._tools = frozenset(tools)
        self._tool_attempts = max(1, tool_attempts)
        self._on_retry = on_retry

    def wrap_model(self, model: Model, context: Context) -> Model:
        from forgewright.models.retry import Retrying

        return Retrying(
            model,
            attempts=self._attempts,
            base_seconds=self._base_seconds,
            total_seconds=self._total_seconds,
            on_retry=self._on_retry,
        )

    async def tool(self, tool_call: ToolCall, call: CallTool, context: Context) -> ToolResult:
        result = await call(tool_call)
        attempt = 1
        while result.error and tool_call.name in self._tools and attempt < self._tool_attempts:
            result = await call(tool_call)
            attempt += 1
        return result
