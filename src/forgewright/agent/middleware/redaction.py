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
    """What one agent shall not see, beside the secrets that the engine takes out for all: `kinds` (`email`, `phone`,
    `card`, `iban`, `ip`), and `known` texts wherever they stand."""

    def __init__(self, known: Iterable[str] = (), *, kinds: Iterable[str] = ()) -> None:
        self._known = tuple(known)
        self._kinds = tuple(dict.fromkeys(("secrets", *kinds)))
        self._made: Redactor | None = None

    def _clean(self, text: str) -> tuple[str, list[str]]:
        if self._made is None:
            from forgewright.journal.redact.redactor import Redactor

            self._made = Redactor(self._known, kinds=self._kinds)
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
