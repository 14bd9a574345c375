"""What may stand around an agent's model calls and tool calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from forgewright.models.types import Request, Response, ToolCall, ToolResult

if TYPE_CHECKING:
    from forgewright.runtime.context import Context

CallModel = Callable[[Request], Awaitable[Response]]
CallTool = Callable[[ToolCall], Awaitable[ToolResult]]


class Middleware:
    """Override what you need. The first in an agent's list is the outermost.

    What happens here happens again on replay, so it may depend only on what it is handed and on `context`.
    """

    async def model(self, request: Request, call: CallModel, context: Context) -> Response:
        """Around a model call: change the request, the answer, or do without the call."""
        return await call(request)

    async def tool(self, tool_call: ToolCall, call: CallTool, context: Context) -> ToolResult:
        """Around a tool call."""
        return await call(tool_call)


def around_model(middleware: tuple[Middleware, ...], inner: CallModel, context: Context) -> CallModel:
    """`inner` with all middleware around it."""
    for one in reversed(middleware):
        inner = _model(one, inner, context)
    return inner


def around_tool(middleware: tuple[Middleware, ...], inner: CallTool, context: Context) -> CallTool:
    for one in reversed(middleware):
        inner = _tool(one, inner, context)
    return inner


def _model(one: Middleware, inner: CallModel, context: Context) -> CallModel:
    return lambda request: one.model(request, inner, context)


def _tool(one: Middleware, inner: CallTool, context: Context) -> CallTool:
    return lambda call: one.tool(call, inner, context)
