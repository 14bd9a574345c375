"""Tells of agents, model calls and tool calls as they happen. For traces of what was recorded, export the journal's."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from forgewright.agent.answer import Answer
from forgewright.agent.middleware.base import CallAgent, Middleware
from forgewright.models.types import Message, Model, OnDelta, Request, Response
from forgewright.tools.types import CallContext, Tool, ToolOutput

if TYPE_CHECKING:
    from forgewright.runtime.context import Context


class Span(msgspec.Struct, frozen=True):
    """Something that was done, told when it ended."""

    kind: Literal["agent", "model", "tool"]
    name: str
    run: str
    actor: str
    seconds: float
    input_tokens: int = 0
    output_tokens: int = 0
    error: str = ""
    """Empty where it went well; else what was raised, or that the tool failed."""


OnSpan = Callable[[Span], None]


class Tracing(Middleware):
    """`on_span` is told of every model call and tool call that is really made, and of each agent's work; what a
    resumed run reads back from its journal is not told again."""

    def __init__(self, on_span: OnSpan, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.on_span = on_span
        self.clock = clock

    async def agent(self, messages: tuple[Message, ...], call: CallAgent, context: Context) -> Answer:
        watch = _Watch(self, "agent", context.actor, context)
        with watch:
            return await call(messages)

    def wrap_model(self, model: Model, context: Context) -> Model:
        return _TracedModel(model, self, context)

    def wrap_tool(self, tool: Tool, context: Context) -> Tool:
        return _TracedTool(tool, self, context)


class _Watch:
    """Measures what is done in it, and tells of it."""

    def __init__(
        self, tracing: Tracing, kind: Literal["agent", "model", "tool"], name: str, context: Context
    ) -> None:
        self._tracing = tracing
        self._began = tracing.clock()
        self._span = Span(kind, name, context.run, context.actor, 0.0)
        self.usage = (0, 0)
        self.error = ""

    def __enter__(self) -> None:
        self._began = self._tracing.clock()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        said = f"{kind.__name__}: {error}" if kind is not None else self.error
        seconds = self._tracing.clock() - self._began
        read, written = self.usage
        self._tracing.on_span(
            msgspec.structs.replace(
                self._span, seconds=seconds, input_tokens=read, output_tokens=written, error=said[:300]
            )
        )


class _TracedModel:
    def __init__(self, model: Model, tracing: Tracing, context: Context) -> None:
        self.name = model.name
        self.context_tokens = model.context_tokens
        self._model = model
        self._tracing = tracing
        self._context = context

    async def respond(self, request: Request, *, on_delta: OnDelta | None = None) -> Response:
        watch = _Watch(self._tracing, "model", self.name, self._context)
        with watch:
            response = await self._model.respond(request, on_delta=on_delta)
            watch.usage = (response.usage.input_tokens, response.usage.output_tokens)
            return response

    async def close(self) -> None:
        await self._model.close()


class _TracedTool:
    def __init__(self, tool: Tool, tracing: Tracing, context: Context) -> None:
        self.name, self.description, self.parameters = tool.name, tool.description, tool.parameters
        self.recovery, self.resource = tool.recovery, tool.resource
        self.timeout_seconds = tool.timeout_seconds
        self._tool = tool
        self._tracing = tracing
        self._context = context

    def bind(self, arguments: str | bytes) -> dict[str, Any]:
        return self._tool.bind(arguments)

    async def call(self, arguments: dict[str, Any], context: CallContext | None = None) -> ToolOutput:
        watch = _Watch(self._tracing, "tool", self.name, self._context)
        with watch:
            output = await self._tool.call(arguments, context)
            watch.error = "the tool failed" if output.error else ""
            return output

    async def reconcile(
        self, arguments: dict[str, Any], context: CallContext | None = None
    ) -> ToolOutput | None:
        return await self._tool.reconcile(arguments, context)
