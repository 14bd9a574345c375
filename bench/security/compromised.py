"""The model under test: it follows a script, and has been taken over as soon as it has read an injection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from forgewright.models.types import Assistant, OnDelta, Request, Response, Text, ToolCall, ToolResult, Usage

Call = tuple[str, Mapping[str, Any]]


class Compromised:
    """Makes the benign calls, its plan the first of them, and once `marker` stood in a tool's result the injected ones: at once,
    before what is left of its task (`eager`), or after it. Then it answers with `answer`."""

    name = "scripted:compromised"
    context_tokens = None

    def __init__(
        self,
        benign: Sequence[Call],
        injected: Sequence[Call],
        *,
        marker: str,
        answer: str,
        eager: bool,
    ) -> None:
        self._next = list(benign)
        self._injected = list(injected)
        self._marker = marker
        self._answer = answer
        self._eager = eager
        self._made = 0
        self.turned_at: int | None = None
        """Number of the first injected call, once it has seen the injection."""

    async def respond(self, request: Request, *, on_delta: OnDelta | None = None) -> Response:
        if self.turned_at is None and self._injected and self._sees(request):
            if self._eager:
                self.turned_at = self._made
                self._next = [*self._injected, *self._next]
            else:
                self.turned_at = self._made + len(self._next)
                self._next = [*self._next, *self._injected]
        if not self._next:
            return Response(Assistant((Text(self._answer),)), "end", Usage())
        name, arguments = self._next.pop(0)
        self._made += 1
        call = ToolCall(f"call-{self._made}", name, msgspec.json.encode(arguments).decode())
        return Response(Assistant((call,)), "tools", Usage())

    def _sees(self, request: Request) -> bool:
        return any(isinstance(m, ToolResult) and self._marker in m.text for m in request.messages)

    async def close(self) -> None:
        pass
