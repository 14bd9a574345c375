"""Checks what goes into an agent and what comes out, and blocks it or puts something else in its place, with a reason."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from forgewright.agent.answer import Answer
from forgewright.agent.middleware.base import CallTool, Middleware
from forgewright.core.errors import Refused
from forgewright.models.types import Message, ToolCall, ToolResult, User

if TYPE_CHECKING:
    from forgewright.runtime.context import Context


class Block(msgspec.Struct, frozen=True):
    """It must not pass."""

    reason: str


class Replace(msgspec.Struct, frozen=True):
    """Something else passes in its place."""

    text: str
    reason: str


Finding = Block | Replace | None
Check = Callable[[str, "Context"], Finding | Awaitable[Finding]]
"""Given the text. May ask a model or a person, by the context; without it, it depends on the text alone."""


class Guardrail(Middleware):
    """`input`: what people say to the agent · `output`: its answer · `calls`: arguments of its tool calls, as
    `NAME {…}` · `results`: what tools return. Each check sees what the one before it let through.

    A blocked input or output raises `Refused` with the reason; a blocked call or result is a failed call, which the
    model is told. Every finding is journaled as a note.
    """

    def __init__(
        self,
        *,
        input: Sequence[Check] = (),
        output: Sequence[Check] = (),
        calls: Sequence[Check] = (),
        results: Sequence[Check] = (),
    ) -> None:
        self._input = tuple(input)
        self._output = tuple(output)
        self._calls = tuple(calls)
        self._results = tuple(results)

    async def before_agent(self, messages: tuple[Message, ...], context: Context) -> tuple[Message, ...]:
        passed: list[Message] = []
        for message in messages:
            if isinstance(message, User):
                text = await self._pass(self._input, message.text, "what was asked", context)
                message = message if text is message.text else User(text)
            passed.append(message)
        return tuple(passed)

    async def after_agent(self, answer: Answer, context: Context) -> Answer:
        text = await self._pass(self._output, answer.text, "the answer", context)
        return answer if text is answer.text else msgspec.structs.replace(answer, text=text)

    async def tool(self, tool_call: ToolCall, call: CallTool, context: Context) -> ToolResult:
        name = tool_call.name
        if self._calls:
            given = f"{name} {tool_call.arguments}"
            try:
                text = await self._pass(self._calls, given, f"the call of {name}", context)
            except Refused as refused:
                return ToolResult(tool_call.id, name, refused.message, error=True)
            if text is not given:
                tool_call = ToolCall(tool_call.id, name, text.removeprefix(f"{name} "))
        result = await call(tool_call)
        try:
            text = await self._pass(self._results, result.text, f"the result of {name}", context)
        except Refused as refused:
            return ToolResult(tool_call.id, name, refused.message, error=True)
        return result if text is result.text else msgspec.structs.replace(result, text=text)

    async def _pass(self, checks: Sequence[Check], text: str, what: str, context: Context) -> str:
        """The text that passes. Raises `Refused`."""
        for check in checks:
            found = check(text, context)
            finding = await found if isinstance(found, Awaitable) else found
            if finding is None:
                continue
            did = "blocked" if isinstance(finding, Block) else "replaced"
            await context.note("guardrail", {did: what, "reason": finding.reason})
            if isinstance(finding, Block):
                raise Refused(f"{what} was blocked: {finding.reason}")
            text = finding.text
        return text
