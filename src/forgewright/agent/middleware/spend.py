"""What one agent may spend in one piece of work. The run's own budget stands above it, and is the runtime's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from forgewright.agent.middleware.base import CallTool, Middleware
from forgewright.core.errors import BudgetExhausted
from forgewright.models.types import Request, Response, ToolCall, ToolResult

if TYPE_CHECKING:
    from forgewright.runtime.context import Context


class SpendLimit(Middleware):
    """Raises `BudgetExhausted` before the request that would go past `requests`, `tokens` or `cost_microdollars`.

    `calls`: tool → how often it may be called; a further call is a result that says so, and the work goes on.
    """

    def __init__(
        self,
        *,
        requests: int | None = None,
        tokens: int | None = None,
        cost_microdollars: int | None = None,
        calls: Mapping[str, int] | None = None,
    ) -> None:
        self.limits = {"requests": requests, "tokens": tokens, "microdollars": cost_microdollars}
        self.calls = dict(calls or {})
        self._spent: Counter[str] = Counter()
        self._called: Counter[str] = Counter()
        self._refused: set[str] = set()

    def fresh(self) -> SpendLimit:
        limits = self.limits
        return SpendLimit(
            requests=limits["requests"],
            tokens=limits["tokens"],
            cost_microdollars=limits["microdollars"],
            calls=self.calls,
        )

    async def before_model(self, request: Request, context: Context) -> Request:
        for what, most in self.limits.items():
            if most is not None and self._spent[what] >= most:
                raise BudgetExhausted(
                    f"{context.actor} may spend {most:,} {what} on this, and {self._spent[what]:,} are spent",
                    hint="raise the agent's SpendLimit, or give it a smaller goal",
                )
        return request

    async def after_model(self, request: Request, response: Response, context: Context) -> Response:
        usage = response.usage
        self._spent["requests"] += 1
        self._spent["tokens"] += usage.input_tokens + usage.output_tokens
        self._spent["microdollars"] += usage.cost_microdollars
        self._refused.clear()
        for call in response.message.calls:  # counted here, in their order: they may be made in any
            self._called[call.name] += 1
            if self._called[call.name] > self.calls.get(call.name, self._called[call.name]):
                self._refused.add(call.id)
        return response

    async def tool(self, tool_call: ToolCall, call: CallTool, context: Context) -> ToolResult:
        if tool_call.id in self._refused:
            most = self.calls[tool_call.name]
            said = f"{tool_call.name} may be called {most} times in this work, and was; go on without it"
            return ToolResult(tool_call.id, tool_call.name, said, error=True)
        return await call(tool_call)
