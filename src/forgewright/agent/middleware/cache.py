"""The same request, byte for byte, is answered once: later ones get the answer from the home's memory.

It stands below the door: the journal records a cached answer like any other, with no tokens spent, and a replay
never looks into the cache.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from forgewright.agent.middleware.base import Middleware
from forgewright.core.ids import digest
from forgewright.models.types import Model, OnDelta, Request, Response, Usage

if TYPE_CHECKING:
    from forgewright.runtime.context import Context

NAMESPACE = "cache/model"
SWEEP_PUTS = 256
"""After so many answers kept, those that are too old are removed."""


class Entry(msgspec.Struct, frozen=True):
    """A cached answer."""

    response: Response
    expires: float
    """Seconds since 1970."""


class ResponseCache(Middleware):
    """`ttl_seconds`: how long an answer may be given again. `Response.model` of a cached one begins with `cache:`."""

    def __init__(self, ttl_seconds: float = 86_400.0, *, clock: Callable[[], float] = time.time) -> None:
        self.ttl_seconds = ttl_seconds
        self.clock = clock
        self.puts = 0

    def wrap_model(self, model: Model, context: Context) -> Model:
        if context.execution.subject:
            return model  # what is personal is sealed in the record, and kept nowhere else
        return _Cached(model, context, self)


class _Cached:
    def __init__(self, model: Model, context: Context, cache: ResponseCache) -> None:
        self.name = model.name
        self.context_tokens = model.context_tokens
        self._model = model
        self._memory = context.execution.journal.memory
        self._cleaner = context.execution.cleaner
        self._cache = cache

    async def respond(self, request: Request, *, on_delta: OnDelta | None = None) -> Response:
        key = request_key(self.name, request)
        found = await self._memory.get(NAMESPACE, key)
        if found is not None:
            entry = msgspec.json.decode(found, type=Entry)
            if entry.expires > self._cache.clock():
                if on_delta is not None:
                    from forgewright.models.deltas import tell_whole

                    tell_whole(entry.response, on_delta)
                return entry.response
            await self._memory.delete(NAMESPACE, key)
        response = await self._model.respond(request, on_delta=on_delta)
        if response.stop in ("end", "tools"):
            kept = msgspec.structs.replace(
                response, usage=Usage(), model=f"cache:{response.model or self.name}"
            )
            entry = Entry(self._cleaner.value(kept), self._cache.clock() + self._cache.ttl_seconds)
            await self._memory.put(NAMESPACE, key, msgspec.json.encode(entry))
            self._cache.puts += 1
            if self._cache.puts % SWEEP_PUTS == 0:
                await self._sweep()
        return response

    async def _sweep(self) -> None:
        now = self._cache.clock()
        for key, value in await self._memory.items(NAMESPACE):
            if msgspec.json.decode(value, type=Entry).expires <= now:
                await self._memory.delete(NAMESPACE, key)

    async def close(self) -> None:
        await self._model.close()


def request_key(model: str, request: Request) -> str:
    """The digest of all that the provider sees: the model's name, messages, instructions, tools and settings."""
    seen = msgspec.structs.replace(request, role="", ordinal=None)
    return digest(msgspec.json.encode((model, seen)))
