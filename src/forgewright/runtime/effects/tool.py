"""Calling a tool as a model asked for it: validated, bounded in time, and never the end of the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.core.errors import ForgewrightError, Refused, ToolArgumentError, ToolError
from forgewright.core.ids import EffectId
from forgewright.journal import events as ev
from forgewright.models.types import ToolCall, ToolResult
from forgewright.policy.types import Fact
from forgewright.runtime import door
from forgewright.runtime.effect import Effect
from forgewright.runtime.effects.keep import keep, load
from forgewright.runtime.park import OWN_TROUBLE
from forgewright.tools.types import Tool, ToolOutput

if TYPE_CHECKING:
    from forgewright.runtime.context import Context


async def call_tool(tool: Tool, call: ToolCall, context: Context) -> ToolResult:
    """The result as the model will see it."""
    effect = ToolEffect(tool, call)
    try:
        output = await door.perform(effect, context)
    except (Refused, ToolError) as error:
        return ToolResult(call.id, call.name, str(error), error=True)
    result = ToolResult(call.id, call.name, output.text, error=output.error)
    talk = context.conversation
    if talk is not None and effect.identity is not None:
        talk.origins[id(result)] = (result, effect.identity)
    return result


class Given(msgspec.Struct, frozen=True, omit_defaults=True):
    """An output as it is journaled: a value that is the very text is not written twice."""

    text: str
    json: bool = False
    value: ev.Json = ev.NULL
    """NULL where there is none, or where it is the text (`json`)."""


class ToolEffect(Effect[ToolOutput]):
    """One call of one tool."""

    action = "tool"

    def __init__(self, tool: Tool, call: ToolCall) -> None:
        self.tool = tool
        self.call = call
        self.resource = tool.resource
        self.recovery = tool.recovery
        self.lazy = tool.recovery == "pure"
        self.identity: EffectId | None = None
        self._bound: dict[str, Any] | None = None

    def facts(self) -> Mapping[str, Fact]:
        return {"tool": self.tool.name, "recovery": self.tool.recovery}

    async def asked(self, effect: EffectId, decision: ev.Decision, context: Context) -> ev.Asked:
        self.identity = effect
        answer = self._answer_that_called(context)
        arguments: ev.Value = ev.NULL
        if answer is None:
            arguments = await keep(self.call.arguments, context)
        return ev.ToolAsked(
            effect, decision, self.tool.name, self.tool.recovery, arguments, self.call.id, answer
        )

    def _answer_that_called(self, context: Context) -> EffectId | None:
        """The model's answer that holds this call; its receipt stands before the call's intent."""
        talk = context.conversation
        if talk is None or talk.effect is None:
            return None
        for message, origin in talk.origins.values():
            if origin == talk.effect and any(c is self.call for c in getattr(message, "calls", ())):
                return origin
        return None

    def matches(self, asked: ev.Asked) -> bool:
        return isinstance(asked, ev.ToolAsked) and asked.tool == self.tool.name and asked.call == self.call.id

    async def perform(self, key: str, context: Context) -> ToolOutput:
        inner = context.scope(key.rpartition(".")[2])
        try:
            arguments = self.tool.bind(self.call.arguments)
        except ToolArgumentError as error:
            return ToolOutput(str(error), error=True)
        if self.tool.timeout_seconds is None:
            return await self._call(arguments, inner)
        import asyncio

        try:
            async with asyncio.timeout(self.tool.timeout_seconds):
                return await self._call(arguments, inner)
        except TimeoutError:
            self.nested = True  # what it was doing is over with it
            return ToolOutput(
                f"{self.tool.name} was given {self.tool.timeout_seconds:g} seconds and did not end",
                error=True,
            )

    async def _call(self, arguments: dict[str, Any], context: Context) -> ToolOutput:
        try:
            return await self.tool.call(arguments, context)
        except (TimeoutError, *OWN_TROUBLE):
            raise
        except ForgewrightError as error:
            return ToolOutput(str(error), error=True)
        except Exception as error:  # noqa: BLE001 - whatever a tool raises is a result that the model can act on
            return ToolOutput(f"{type(error).__name__}: {error}", error=True)

    async def reconcile(self, key: str, asked: ev.Asked, context: Context) -> ToolOutput | None:
        self.identity = asked.effect
        arguments = self.tool.bind(self.call.arguments)
        return await self.tool.reconcile(arguments, context.scope(key.rpartition(".")[2]))

    async def answered(self, effect: EffectId, answer: ToolOutput, ms: int, context: Context) -> ev.Answered:
        self.identity = effect
        same = answer.value is not None and bytes(answer.value) == answer.text.encode()
        given = Given(answer.text, same, ev.NULL if same or answer.value is None else answer.value)
        return ev.ToolAnswered(effect, await keep(given, context), answer.error, ms)

    async def recall(self, asked: ev.Asked, answered: ev.Answered, context: Context) -> ToolOutput:
        assert isinstance(answered, ev.ToolAnswered)
        self.identity = asked.effect
        given = await load(answered.result, Given, context)
        value = msgspec.Raw(given.text.encode()) if given.json else given.value
        return ToolOutput(given.text, answered.error, None if value == ev.NULL else value)
