"""Keeps secrets from the model: what people and tools say is cleaned by the journal's own redactor on its way in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from forgewright.agent.middleware.base import Middleware
from forgewright.models.types import Message, ToolCall, ToolResult, User

if TYPE_CHECKING:
    from forgewright.journal.redact.redactor import Redactor
    from forgewright.runtime.context import Context


class Redaction(Middleware):
    """For an agent whose engine does not redact by policy (`@redact("secrets")`). `known`: secrets to take out
    wherever they stand, beside what is recognised by its form."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = tuple(known)
        self._made: Redactor | None = None

    def _clean(self, text: str) -> tuple[str, list[str]]:
        if self._made is None:
            from forgewright.journal.redact.redactor import Redactor

            self._made = Redactor(self._known)
        done = self._made.redact(text)
        return done.text, sorted({finding.rule for finding in done.findings})

    async def before_agent(self, messages: tuple[Message, ...], context: Context) -> tuple[Message, ...]:
        cleaned: list[Message] = []
        for message in messages:
            if isinstance(message, (User, ToolResult)):
                text, rules = self._clean(message.text)
                if rules:
                    await context.note("redacted", {"of": "prompt", "rules": rules})
                    message = msgspec.structs.replace(message, text=text)
            cleaned.append(message)
        return tuple(cleaned)

    async def after_tool(self, tool_call: ToolCall, result: ToolResult, context: Context) -> ToolResult:
        text, rules = self._clean(result.text)
        if not rules:
            return result
        await context.note("redacted", {"of": tool_call.name, "rules": rules})
        return msgspec.structs.replace(result, text=text)
