"""What may stand around an agent, its model calls and its tool calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from forgewright.agent.answer import Answer
from forgewright.models.types import Message, Request, Response, ToolCall, ToolResult

if TYPE_CHECKING:
    from forgewright.models.types import Model
    from forgewright.runtime.context import Context
    from forgewright.tools.types import Tool

CallAgent = Callable[[tuple[Message, ...]], Awaitable[Answer]]
CallModel = Callable[[Request], Awaitable[Response]]
CallTool = Callable[[ToolCall], Awaitable[ToolResult]]


class Middleware:
    """Override what you need. The first in an agent's list is the outermost.

    `before_…` and `after_…` change what goes in and comes out; `agent`, `model` and `tool` stand around the whole
    call and may do without it. All of these happen again on replay, so they may depend only on what they are handed
    and on `context`. `wrap_model` and `wrap_tool` stand below the door instead: they see only calls that are really
    made, and what they change is what the journal records as the answer.
    """

    def fresh(self) -> Middleware:
        """The one to use for one `Agent.act`: itself, or where it keeps state, a copy without any."""
        return self

    def given(self, tools: Mapping[str, Tool]) -> None:
        """Told the agent's tools, before anything else happens."""

    async def before_agent(self, messages: tuple[Message, ...], context: Context) -> tuple[Message, ...]:
        """What the agent is asked."""
        return messages

    async def after_agent(self, answer: Answer, context: Context) -> Answer:
        """What it came to."""
        return answer

    async def agent(self, messages: tuple[Message, ...], call: CallAgent, context: Context) -> Answer:
        """Around the agent's whole work."""
        return await self.after_agent(await call(await self.before_agent(messages, context)), context)

    async def before_model(self, request: Request, context: Context) -> Request:
        """A request on its way to the model."""
        return request

    async def after_model(self, request: Request, response: Response, context: Context) -> Response:
        """The model's answer."""
        return response

    async def model(self, request: Request, call: CallModel, context: Context) -> Response:
        """Around a model call."""
        request = await self.before_model(request, context)
        return await self.after_model(request, await call(request), context)

    async def before_tool(self, tool_call: ToolCall, context: Context) -> ToolCall:
        """A call on its way to the tool."""
        return tool_call

    async def after_tool(self, tool_call: ToolCall, result: ToolResult, context: Context) -> ToolResult:
        """Its result, before the model sees it."""
        return result

    async def tool(self, tool_call: ToolCall, call: CallTool, context: Context) -> ToolResult:
        """Around a tool call."""
        tool_call = await self.before_tool(tool_call, context)
        return await self.after_tool(tool_call, await call(tool_call), context)

    def wrap_model(self, model: Model, context: Context) -> Model:
        """The model to ask instead. It keeps the name, unless the policy should decide about another."""
        return model

    def wrap_tool(self, tool: Tool, context: Context) -> Tool:
        """The tool to call instead."""
        return tool


def wraps_models(middleware: Sequence[Middleware]) -> bool:
    """Whether any of these stands around models below the door."""
    return any(type(one).wrap_model is not Middleware.wrap_model for one in middleware)


def hooks_tools(one: Middleware) -> bool:
    """Whether this one stands around tool calls."""
    names = ("before_tool", "after_tool", "tool")
    return any(getattr(type(one), name) is not getattr(Middleware, name) for name in names)


def around(method: str, middleware: Sequence[Middleware], inner: Any, context: Context) -> Any:
    """`inner` with the hook of that name of all middleware around it."""
    for one in reversed(middleware):
        inner = _one(getattr(one, method), inner, context)
    return inner


def _one(hook: Any, inner: Any, context: Context) -> Any:
    return lambda given: hook(given, inner, context)


def around_agent(middleware: Sequence[Middleware], inner: CallAgent, context: Context) -> CallAgent:
    call: CallAgent = around("agent", middleware, inner, context)
    return call


def around_model(middleware: Sequence[Middleware], inner: CallModel, context: Context) -> CallModel:
    call: CallModel = around("model", middleware, inner, context)
    return call


def around_tool(middleware: Sequence[Middleware], inner: CallTool, context: Context) -> CallTool:
    call: CallTool = around("tool", middleware, inner, context)
    return call
