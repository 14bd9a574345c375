"""A model that answers by a function of the request: real answers, no network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from forgewright.models.types import Assistant, OnDelta, Request, Response, Text, ToolCall, ToolResult, Usage

Reply = str | Sequence[tuple[str, dict[str, object]]]
"""A text, or tool calls as (name, arguments)."""


class Scripted:
    """Passes what the request asks to `script` and turns the reply into a response."""

    name = "scripted:test"
    context_tokens = None

    def __init__(self, script: Callable[[Request], Reply]) -> None:
        self.script = script
        self.requests: list[Request] = []

    async def respond(self, request: Request, *, on_delta: OnDelta | None = None) -> Response:
        self.requests.append(request)
        reply = self.script(request)
        usage = Usage(input_tokens=100, output_tokens=10, cost_microdollars=1000)
        if isinstance(reply, str):
            return Response(Assistant((Text(reply),)), "end", usage)
        calls = tuple(
            ToolCall(f"call_{len(request.messages)}_{i}", name, msgspec.json.encode(arguments).decode())
            for i, (name, arguments) in enumerate(reply)
        )
        return Response(Assistant(calls), "tools", usage)

    async def close(self) -> None:
        pass


def results(request: Request) -> list[str]:
    """Texts of the tool results that the request holds."""
    return [m.text for m in request.messages if isinstance(m, ToolResult)]
