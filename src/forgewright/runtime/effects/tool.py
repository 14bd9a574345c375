"""Calling a tool as a model asked for it: validated, bounded in time, and never the end of the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.core.errors import ForgewrightError, Refused, ToolArgumentError, ToolError
from forgewright.core.ids import EffectId, digest
from forgewright.journal import events as ev
from forgewright.models.types import ToolCall, ToolResult
from forgewright.policy.types import Fact
from forgewright.runtime import door
from forgewright.runtime.effect import NO_FACTS, Effect
from forgewright.runtime.effects.keep import keep, keep_clean, load
from forgewright.runtime.park import OWN_TROUBLE
from forgewright.tools.types import Media, Tool, ToolOutput

if TYPE_CHECKING:
    from forgewright.journal.redact.cleaner import Cleaner
    from forgewright.runtime.context import Context
    from forgewright.runtime.witness import Witness


async def call_tool(tool: Tool, call: ToolCall, context: Context) -> ToolResult:
    """The result as the model will see it."""
    witness = context.witness
    effect = ToolEffect(tool, call, witness)
    try:
        output = await door.perform(effect, context)
    except (Refused, ToolError) as error:
        return ToolResult(call.id, call.name, str(error), error=True)
    if witness is not None:
        witness.saw(tool, effect.call, output)
    result = ToolResult(call.id, call.name, output.text, error=output.error)
    talk = context.conversation
    if talk is not None and effect.identity is not None:
        talk.origins[id(result)] = (result, effect.identity)
        if isinstance(effect.kept, ev.Stored):
            talk.kept[id(result)] = (result, effect.kept)
    return result


class Given(msgspec.Struct, frozen=True, omit_defaults=True):
    """An output as it is journaled: a value that is the very text is not written twice."""

    text: str
    json: bool = False
    value: ev.Json = ev.NULL
    """NULL where there is none, or where it is the text (`json`)."""
    media: tuple[Media, ...] = ()


class ToolEffect(Effect[ToolOutput]):
    """One call of one tool."""

    action = "tool"

    def __init__(self, tool: Tool, call: ToolCall, witness: Witness | None = None) -> None:
        self.tool = tool
        self.call = call
        self.witness = witness
        self.traced: Mapping[str, Fact] = NO_FACTS
        """What the witness said of this call; stands in the intent."""
        self.resource = tool.resource
        self.recovery = tool.recovery
        self.lazy = tool.recovery == "pure"
        self.identity: EffectId | None = None
        self.kept: ev.Value = ev.NULL
        """What the receipt holds: the output, or the blob that it is in."""
        self.may = ("edit", "answer")
        self._edited = False

    def facts(self) -> Mapping[str, Fact]:
        said: Mapping[str, Fact] = {"tool": self.tool.name, "recovery": self.tool.recovery}
        if self.witness is not None:
            self.traced = self.witness.facts(self.tool, self.call, edited=self._edited)
            said = {**self.traced, **said}
        return said

    def withhold(self, cleaner: Cleaner) -> None:
        self.call = cleaner.value(self.call)

    async def asked(self, effect: EffectId, decision: ev.Decision, context: Context) -> ev.Asked:
        self.identity = effect
        answer = self._answer_that_called(context)
        arguments: ev.Value = ev.NULL
        if answer is None:
            arguments = await keep(self.call.arguments, context)
        facts = ev.NULL if not self.traced else msgspec.Raw(msgspec.json.encode(self.traced))
        return ev.ToolAsked(
            effect, decision, self.tool.name, self.tool.recovery, arguments, self.call.id, answer, facts
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

    # ── approval ─────────────────────────────────────────────────────────────────────────────────────

    def particulars(self) -> Mapping[str, Any]:
        try:
            found = msgspec.json.decode(self.call.arguments or "{}")
        except msgspec.DecodeError:
            return {"": self.call.arguments}
        return found if isinstance(found, dict) else {"": found}

    def identity_of(self) -> str:
        said = [self.tool.name, self.tool.description, self.tool.recovery, self.tool.parameters]
        return str(digest(msgspec.json.encode(said)))

    async def bound(self, context: Context) -> Mapping[str, str]:
        return {"call": str(digest(self.call.arguments.encode()))}

    def edited(self, arguments: Mapping[str, Any]) -> ToolEffect:
        call = msgspec.structs.replace(self.call, arguments=msgspec.json.encode(arguments).decode())
        self.tool.bind(call.arguments)
        other = ToolEffect(self.tool, call, self.witness)
        other._edited = True
        return other

    def as_edited(self, answer: ToolOutput, arguments: Mapping[str, Any]) -> ToolOutput:
        said = msgspec.json.encode(arguments).decode()
        return msgspec.structs.replace(
            answer, text=f"(a person changed the arguments to {said})\n{answer.text}"
        )

    def stand_in(self, result: str, *, error: bool) -> ToolOutput:
        return ToolOutput(result, error=error)

    # ── doing it ─────────────────────────────────────────────────────────────────────────────────────

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
        value = ev.NULL if same or answer.value is None else answer.value
        self.kept = await keep_clean(Given(answer.text, same, value, answer.media), context)
        return ev.ToolAnswered(effect, self.kept, answer.error, ms)

    async def recall(self, asked: ev.Asked, answered: ev.Answered, context: Context) -> ToolOutput:
        assert isinstance(answered, ev.ToolAnswered)
        self.identity = asked.effect
        self.kept = answered.result
        given = await load(answered.result, Given, context)
        value = msgspec.Raw(given.text.encode()) if given.json else given.value
        return ToolOutput(given.text, answered.error, None if value == ev.NULL else value, given.media)
