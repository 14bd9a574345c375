"""A model's requests as they were, put together again from the records that each hold only what was new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.journal import events as ev

if TYPE_CHECKING:
    from forgewright.journal.journal import Journal

CHAIN_MAX = 10_000
"""Requests that may continue one another."""


class Said(msgspec.Struct, frozen=True):
    role: str
    """`system`, `user`, `assistant` or `tool`."""
    text: str


class Conversations:
    """Of one run. Blobs are read when a request needs them."""

    def __init__(self, journal: Journal, records: Sequence[ev.Record]) -> None:
        self._journal = journal
        self._asked: dict[str, ev.Asked] = {}
        self._answered: dict[str, ev.Answered] = {}
        for record in records:
            if isinstance(record.event, ev.Asked):
                self._asked[record.event.effect] = record.event
            elif isinstance(record.event, ev.Answered):
                self._answered[record.event.effect] = record.event

    def model(self, effect: str) -> str:
        asked = self._asked.get(effect)
        return asked.model if isinstance(asked, ev.ModelAsked) else ""

    async def request(self, effect: str) -> list[Said]:
        """What the model was given: the system prompt, then every message."""
        chain: list[ev.ModelAsked] = []
        at: str | None = effect
        while at is not None and len(chain) < CHAIN_MAX:
            asked = self._asked.get(at)
            if not isinstance(asked, ev.ModelAsked):
                break
            chain.append(asked)
            at = asked.base
        said: list[Said] = []
        for asked in reversed(chain):
            if asked.base is None:
                head: dict[str, Any] = msgspec.json.decode(await self._journal.load(asked.head)) or {}
                if head.get("system"):
                    said.append(Said("system", str(head["system"])))
            for part in msgspec.json.decode(await self._journal.load(asked.messages)) or []:
                found = await self.answer(part) if isinstance(part, str) else _said(part)
                if found is not None:
                    said.append(found)
        return said

    async def answer(self, effect: str) -> Said | None:
        """What an effect gave back, as a message."""
        answered = self._answered.get(effect)
        if isinstance(answered, ev.ModelAnswered):
            value = msgspec.json.decode(await self._journal.load(answered.response))
            return (
                _said({"role": "assistant", **value})
                if isinstance(value, dict)
                else Said("assistant", str(value))
            )
        if isinstance(answered, ev.ToolAnswered):
            value = msgspec.json.decode(await self._journal.load(answered.result))
            return Said("tool", str(value.get("text", "")) if isinstance(value, dict) else str(value))
        return None


def _said(message: dict[str, Any]) -> Said:
    """A message of `models.types`, as text; what the model called stands in it as JSON."""
    role = str(message.get("role", "user"))
    if "text" in message:
        return Said(role, str(message["text"]))
    parts = []
    for part in message.get("parts", ()):
        if part.get("type") == "text":
            parts.append(str(part.get("text", "")))
        elif part.get("type") == "tool_call":
            call = {"tool": part.get("name"), "arguments": part.get("arguments")}
            parts.append(msgspec.json.encode(call).decode())
    return Said(role, "\n".join(parts))
