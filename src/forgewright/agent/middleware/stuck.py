"""Ends an agent that gets nowhere, before it burns its budget. Every agent has this; list it to set its bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.agent.answer import Answer
from forgewright.agent.middleware.base import Middleware
from forgewright.agent.stuck import StuckBounds, StuckDetector
from forgewright.models.types import Assistant, Request, Response, ToolCall, ToolResult

if TYPE_CHECKING:
    from forgewright.runtime.context import Context


class StuckDetection(Middleware):
    """Raises `StuckError` before the request that would only go on with a pattern."""

    def __init__(self, bounds: StuckBounds = StuckBounds()) -> None:
        self.bounds = bounds
        self._detector = StuckDetector(bounds)
        self._last: Assistant | None = None
        self._results: dict[str, ToolResult] = {}

    def fresh(self) -> StuckDetection:
        return StuckDetection(self.bounds)

    async def before_model(self, request: Request, context: Context) -> Request:
        if self._last is not None:
            results = [self._results[c.id] for c in self._last.calls if c.id in self._results]
            last, self._last = self._last, None
            self._results.clear()
            self._detector.turn(last, results)
        return request

    async def after_model(self, request: Request, response: Response, context: Context) -> Response:
        self._last = response.message
        return response

    async def after_tool(self, tool_call: ToolCall, result: ToolResult, context: Context) -> ToolResult:
        self._results[tool_call.id] = result
        return result

    async def after_agent(self, answer: Answer, context: Context) -> Answer:
        return answer
