"""Not more requests, tokens or calls per minute than agreed. Waits below the door, so that a replay does not wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from forgewright.agent.middleware.base import Middleware
from forgewright.models.types import Model, OnDelta, Request, Response
from forgewright.tools.types import CallContext, Tool, ToolOutput

if TYPE_CHECKING:
    from forgewright.runtime.context import Context

MINUTE = 60.0


class Bucket:
    """So many a minute, and a minute's worth at once. Who finds it empty waits for his own share, in order."""

    def __init__(self, per_minute: float, clock: Callable[[], float]) -> None:
        self._rate = per_minute / MINUTE
        self._most = per_minute
        self._clock = clock
        self._left = per_minute
        self._at = clock()

    def take(self, amount: float) -> float:
        """Takes it, on credit if need be; the seconds until it is paid for."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._at) * self._rate) - amount
        self._at = now
        return max(0.0, -self._left / self._rate)


class RateLimit(Middleware):
    """One instance is one limit, shared by all agents that it is given to.

    `tools`: name → calls a minute. Tokens are counted when they are known, after the answer: the next one waits.
    """

    def __init__(
        self,
        *,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        tools: Mapping[str, int] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.requests = Bucket(requests_per_minute, clock) if requests_per_minute else None
        self.tokens = Bucket(tokens_per_minute, clock) if tokens_per_minute else None
        self.tools = {name: Bucket(number, clock) for name, number in (tools or {}).items()}
        self.sleep = sleep

    def wrap_model(self, model: Model, context: Context) -> Model:
        return _LimitedModel(model, self)

    def wrap_tool(self, tool: Tool, context: Context) -> Tool:
        bucket = self.tools.get(tool.name)
        return tool if bucket is None else _LimitedTool(tool, bucket, self.sleep)


class _LimitedModel:
    def __init__(self, model: Model, limit: RateLimit) -> None:
        self.name = model.name
        self.context_tokens = model.context_tokens
        self._model = model
        self._limit = limit

    async def respond(self, request: Request, *, on_delta: OnDelta | None = None) -> Response:
        limit = self._limit
        wait = max(
            limit.requests.take(1) if limit.requests else 0.0, limit.tokens.take(0) if limit.tokens else 0.0
        )
        if wait:
            await limit.sleep(wait)
        response = await self._model.respond(request, on_delta=on_delta)
        if limit.tokens:
            limit.tokens.take(response.usage.input_tokens + response.usage.output_tokens)
        return response

    async def close(self) -> None:
        await self._model.close()


class _LimitedTool:
    def __init__(self, tool: Tool, bucket: Bucket, sleep: Callable[[float], Awaitable[None]]) -> None:
        self.name, self.description, self.parameters = tool.name, tool.description, tool.parameters
        self.recovery, self.resource = tool.recovery, tool.resource
        self.timeout_seconds = tool.timeout_seconds
        self._tool = tool
        self._bucket = bucket
        self._sleep = sleep

    def bind(self, arguments: str | bytes) -> dict[str, Any]:
        return self._tool.bind(arguments)

    async def call(self, arguments: dict[str, Any], context: CallContext | None = None) -> ToolOutput:
        wait = self._bucket.take(1)
        if wait:
            await self._sleep(wait)
        return await self._tool.call(arguments, context)

    async def reconcile(
        self, arguments: dict[str, Any], context: CallContext | None = None
    ) -> ToolOutput | None:
        return await self._tool.reconcile(arguments, context)
