"""The part of a conversation that is sent to the model. What it leaves out stands in the journal, and comes back on demand.

Between compactions it only grows at its end, so that the bytes before stay the same and the provider's cache
serves them. It depends on nothing but what the journal holds, so that it is the same on replay.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from forgewright.agent.context.meter import Meter
from forgewright.agent.context.options import UNKNOWN_LIMIT, WindowOptions
from forgewright.agent.context.results import PREVIEW_CHARS, SetAside
from forgewright.core.errors import ContextOverflow, ModelError
from forgewright.journal import events as ev
from forgewright.models.types import Message, Response, ToolResult, User

if TYPE_CHECKING:
    from forgewright.agent.context.compaction import Compaction
    from forgewright.runtime.context import Context

SMALL_CHARS = 6_000
"""A result up to here is never set aside when it comes."""
SMALL_TOKENS = 3_000
"""A request up to here is sent without asking for the model's limit."""
_CHARS_PER_TOKEN = 3
_NAMED = re.compile(
    r"(?:maximum context length is|context limit:? of|limit of|limit is|size \(|>) ?(\d[\d,_]{2,11})"
)
"""How providers name the limit in their refusals (OpenAI, vLLM; llama.cpp; Anthropic)."""


class Window:
    """The conversation of one `Agent.act`. `head_bytes`: system prompt, tools and schema, as they are sent."""

    def __init__(
        self,
        messages: Sequence[Message],
        context: Context,
        *,
        options: WindowOptions,
        head_bytes: int,
        model: str | None,
        output_tokens: int | None = None,
    ) -> None:
        self.context = context
        self.options = options
        self.model = model
        self.messages: tuple[Message, ...] = tuple(messages)
        """What the next request holds."""
        self.transcript: list[Message] = list(messages)
        """The whole conversation; large results as their previews."""
        self.said = {id(m) for m in messages if isinstance(m, User)}
        """Identities of what people said: pinned, whatever is left out around it."""
        self.answers: list[tuple[str, str]] = []
        """Questions that the agent asked people, and what they answered: pinned likewise."""
        self.aside = SetAside(context.execution.journal.load)
        self.meter = Meter(head_bytes)
        for message in messages:
            self.meter.add(message)
        self._output_tokens = output_tokens
        self._limit: int | None = None
        self.compactions = 0
        self._compaction: Compaction | None = None

    # ── growing ──────────────────────────────────────────────────────────────────────────────────────

    def add(self, *messages: Message) -> None:
        """Something more, at the end."""
        self.messages = (*self.messages, *messages)
        self.transcript += messages
        for message in messages:
            self.meter.add(message)

    def answered(self, response: Response) -> None:
        """The model's answer to a request that held exactly `messages`."""
        self.meter.answered(response.message, response.usage)
        self.messages = (*self.messages, response.message)
        self.transcript.append(response.message)

    async def admit(self, result: ToolResult) -> ToolResult:
        """A result as the model sees it: itself, or where it is large, its preview."""
        size = len(result.text)
        if size <= SMALL_CHARS or (size <= self.options.result_chars and size <= await self._result_chars()):
            return result
        stored = await self._stored(result)
        chars = min(PREVIEW_CHARS, await self.limit() // 8)
        return self.aside.preview(result, self.aside.put(result, stored), chars)

    async def _result_chars(self) -> int:
        return await self.limit() * _CHARS_PER_TOKEN // 8

    def stored_by_call(self, result: ToolResult) -> ev.Stored | None:
        """The blob of the call's receipt that holds the text, if it is one."""
        talk = self.context.conversation
        if talk is None:
            return None
        talk.origins.pop(id(result), None)
        known = talk.kept.pop(id(result), None)
        return known[1] if known is not None else None

    async def _stored(self, result: ToolResult) -> ev.Stored | None:
        """Where the journal has the text; what middleware made of a result is put there now. In a run for a person
        the receipt holds it sealed, and beside that it is only in this process."""
        known = self.stored_by_call(result)
        if known is not None or self.context.execution.subject:
            return known
        encoded = msgspec.json.encode(self.context.execution.cleaner.text(result.text))
        blob = await self.context.execution.journal.store.blobs.put(encoded)
        stored = ev.Stored(blob, len(encoded))
        await self.context.note("set aside", {"tool": result.name, "content": stored})
        return stored

    # ── limits ───────────────────────────────────────────────────────────────────────────────────────

    async def limit(self) -> int:
        """Tokens that a request and its answer may have. Journaled when it is first asked for: a run that goes on
        with another model decides as it did before."""
        if self._limit is None:
            known = await self.context.read("context limit", self._look, int)
            self._limit = known
        return self._limit

    def _look(self) -> int:
        model = self.context.execution.engine.model_for(self.context.actor, self.model)
        known = model.context_tokens or self.options.tokens or UNKNOWN_LIMIT
        return min(known, self.options.tokens or known)

    def reserve(self, limit: int) -> int:
        """Tokens kept free for the answer."""
        return min(self._output_tokens or 4_096, limit // 4)

    # ── fitting ──────────────────────────────────────────────────────────────────────────────────────

    async def fit(self) -> None:
        """Before a request: compacts where the context would be too full."""
        if self.meter.tokens <= SMALL_TOKENS:
            return
        limit = await self.limit()
        most = int(limit * self.options.full) - self.reserve(limit)
        if self.meter.tokens > most:
            await self._compact(int(limit * self.options.after), most * 3 // 4)

    async def overflowed(self, error: ContextOverflow) -> None:
        """The provider refused the request as too large. Raises it again where nothing is left to leave out."""
        before = self.meter.bytes
        self._limit = limit = _limit_in(error, await self.limit())
        self.meter.too_low(limit)
        most = limit - self.reserve(limit)
        target = min(int(limit * self.options.after), self.meter.of(before) // 2)
        for hard in (most, 0):
            await self._compact(target, hard)
            if self.meter.bytes < before:
                return
        raise ContextOverflow(
            f"{error.message}; nothing is left to leave out: instructions and tools have about"
            f" {self.meter.of(self.meter.head_bytes):,} tokens, the conversation about"
            f" {self.meter.of(self.meter.bytes - self.meter.head_bytes):,}",
            hint="use a model with a larger context, or give the agent fewer tools and shorter instructions",
        ) from error

    async def _compact(self, target: int, hard: int) -> None:
        if self._compaction is None:
            from forgewright.agent.context.compaction import Compaction

            self._compaction = Compaction(self)
        before = self.meter.tokens
        how = await self._compaction.run(target, hard)
        if how:
            self.compactions += 1
            told = {"compacted": how, "tokens": [before, self.meter.tokens], "limit": self._limit}
            await self.context.note("context", told)


def _limit_in(error: ModelError, known: int) -> int:
    """The limit that the provider's message names, else a tenth less than was believed."""
    for found in _NAMED.finditer(error.message):
        number = int(re.sub(r"\D", "", found[1]))
        if 512 <= number <= known:
            return number
    return max(256, known * 9 // 10)
