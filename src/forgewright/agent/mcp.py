"""What an MCP server may ask for while a run calls it: a person through the run's questions, a model through its gate.

    gated = GatedServer("shop")
    async with McpClient("shop", "https://example.org/mcp", ask=gated.ask, sample=gated.sample) as shop:
        agent = Agent("buyer", tools=gated.tools(shop.tools))

The server's questions then stand in the journal, pass the policy (`ask`; `model`, for the principal `mcp:SERVER`) and count
against the run's budget, as if the agent had asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from forgewright.core.errors import PolicyDenied
from forgewright.models.types import Request, User
from forgewright.runtime.context import Context
from forgewright.runtime.park import ParkSignal
from forgewright.tools.types import CallContext, Tool, ToolOutput

DECLINE = "decline"
"""What a person answers who does not want to tell."""
FIELDS_MAX = 20
TRIES = 3
TOKENS_MAX = 4_000
"""Of one completion that a server asks for."""


class GatedServer:
    """Answers one server's questions for the call that is under way; calls with questions go one after the other."""

    def __init__(self, server: str, *, to: str = "owner", model: str | None = None) -> None:
        """`to`: who is asked; `model`: which one completes prompts, by default the engine's."""
        self._server = server
        self._to = to
        self._model = model
        self._turn = asyncio.Lock()
        self._context: Context | None = None
        self._parked: ParkSignal | None = None
        self._samples = 0

    def tools(self, tools: Sequence[Tool]) -> list[Tool]:
        """The server's tools, each with its call's run behind it."""
        return [_Gated(tool, self) for tool in tools]

    async def ask(self, message: str, schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """For `McpClient(ask=…)`: one question for each field that is required; None declines.

        Outside a call of a run everything is declined. Where nobody answers now, the server is told so, and the run is parked
        until somebody does; then the tool is called again.
        """
        context = self._context
        fields = schema.get("properties", {})
        required = [name for name in schema.get("required", ()) if name in fields]
        if context is None or self._parked is not None or len(required) > FIELDS_MAX:
            return None
        given: dict[str, Any] = {}
        try:
            if not required:
                answer = await context.ask(
                    f"{self._server} asks: {message}", to=self._to, choices=("accept", DECLINE)
                )
                return {} if answer == "accept" else None
            for name in required:
                value = await self._field(message, name, fields[name], context)
                if value is None:
                    return None
                given[name] = value
        except ParkSignal as signal:  # nothing of the connection may see it
            self._parked = signal
            return None
        except PolicyDenied:
            return None
        return given

    async def _field(self, message: str, name: str, field: Mapping[str, Any], context: Context) -> Any:
        """The value of one field; None where it is declined."""
        said = str(field.get("description") or field.get("title") or name)
        question = f"{self._server} asks: {message}\n{name}: {said} (or: {DECLINE})"
        kind = field.get("type")
        choices = tuple(str(one) for one in field.get("enum", ()))
        if kind == "boolean":
            choices = ("yes", "no")
        asked = question
        for _ in range(TRIES):
            answer = await context.ask(asked, to=self._to, choices=(*choices, DECLINE) if choices else ())
            if answer == DECLINE:
                return None
            if choices and answer not in choices:
                asked = f"{question}\n({answer[:100]!r} is none of {', '.join(choices)})"
                continue
            if kind == "boolean":
                return answer == "yes"
            if kind in ("integer", "number"):
                try:
                    return int(answer) if kind == "integer" else float(answer)
                except ValueError:
                    asked = f"{question}\n({answer[:100]!r} is no {kind})"
                    continue
            return answer
        return None

    async def sample(self, prompt: str, max_tokens: int) -> str:
        """For `McpClient(sample=…)`. Raises `PolicyDenied`, and whatever a model call raises; the server sees an error."""
        context = self._context
        if context is None or self._parked is not None:
            raise PolicyDenied(f"{self._server} asks for a completion outside of a run's call")
        self._samples += 1
        inner = context.scope(f"sampling-{self._samples}", actor=f"mcp:{self._server}")
        request = Request(messages=(User(prompt),), max_output_tokens=min(max_tokens, TOKENS_MAX))
        try:
            return (await inner.model(request, model=self._model)).message.text
        except ParkSignal as signal:
            self._parked = signal
            raise PolicyDenied("the run waits for somebody") from None

    async def call(self, tool: Tool, arguments: dict[str, Any], context: CallContext | None) -> ToolOutput:
        async with self._turn:
            self._context = context if isinstance(context, Context) else None
            self._parked = None
            self._samples = 0
            try:
                output = await tool.call(arguments, context)
            finally:
                self._context = None
                parked, self._parked = self._parked, None
                if parked is not None:
                    raise parked
            return output


class _Gated:
    """A server's tool for which its `GatedServer` answers."""

    def __init__(self, inner: Tool, server: GatedServer) -> None:
        self._inner, self._server = inner, server
        self.name, self.description, self.parameters = inner.name, inner.description, inner.parameters
        self.recovery, self.timeout_seconds, self.resource = (
            inner.recovery,
            inner.timeout_seconds,
            inner.resource,
        )

    def bind(self, arguments: str | bytes) -> dict[str, Any]:
        return self._inner.bind(arguments)

    async def call(self, arguments: dict[str, Any], context: CallContext | None = None) -> ToolOutput:
        return await self._server.call(self._inner, arguments, context)

    async def reconcile(
        self, arguments: dict[str, Any], context: CallContext | None = None
    ) -> ToolOutput | None:
        return await self._inner.reconcile(arguments, context)
