"""Tries again where that may help: when told to wait, when the server failed, when the answer was cut."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable

from forgewright.core.errors import ModelError, ModelOverloaded, ModelProtocolError, ModelRateLimited
from forgewright.models.types import Delta, Model, OnDelta, Request, Response

OnRetry = Callable[[ModelError, int, float], None]
"""Told the error, the number of the attempt that failed (from 1), and the seconds until the next."""

_PROTOCOL_ATTEMPTS = 2
"""A malformed answer may be an accident once; twice it is how the server is."""


class Retrying:
    """A model that asks another one again.

    The wait is what the provider said (Retry-After), else exponential with full jitter, so that many agents
    that failed together do not come back together. It gives up after `attempts`, or when the next one could
    not begin within `total_seconds`. Once deltas were shown, nothing is tried again unless
    `retry_after_deltas`: a person would read the beginning of another answer.
    """

    def __init__(
        self,
        model: Model,
        *,
        attempts: int = 6,
        base_seconds: float = 1.0,
        wait_seconds_max: float = 60.0,
        total_seconds: float = 900.0,
        retry_after_deltas: bool = False,
        on_retry: OnRetry | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] | None = None,
    ) -> None:
        self.name = model.name
        self.context_tokens = model.context_tokens
        self._model = model
        self._attempts = max(1, attempts)
        self._base_seconds = base_seconds
        self._wait_seconds_max = wait_seconds_max
        self._total_seconds = total_seconds
        self._retry_after_deltas = retry_after_deltas
        self._on_retry = on_retry
        self._clock = clock
        self._sleep = sleep
        self._random = random or _random

    def __repr__(self) -> str:
        return f"Retrying({self._model!r}, attempts={self._attempts})"

    async def respond(self, request: Request, *, on_delta: OnDelta | None = None) -> Response:
        began = self._clock()
        shown = False

        def show(delta: Delta) -> None:
            nonlocal shown
            shown = True
            if on_delta is not None:
                on_delta(delta)

        for attempt in range(1, self._attempts + 1):
            try:
                return await self._model.respond(request, on_delta=show if on_delta is not None else None)
            except (ModelRateLimited, ModelOverloaded, ModelProtocolError) as error:
                wait = self._wait(error, attempt)
                last = attempt >= self._attempts
                if isinstance(error, ModelProtocolError):
                    last = attempt >= min(self._attempts, _PROTOCOL_ATTEMPTS)
                late = self._clock() - began + wait > self._total_seconds
                if last or late or (shown and not self._retry_after_deltas):
                    error.add_note(_why(attempt, last=last, late=late, wait=wait))
                    raise
                if self._on_retry is not None:
                    self._on_retry(error, attempt, wait)
            await self._sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    async def close(self) -> None:
        await self._model.close()

    def _wait(self, error: ModelError, attempt: int) -> float:
        told = getattr(error, "retry_after_seconds", None)
        if told is not None:
            return float(told) + self._random() * self._base_seconds
        return self._random() * min(self._wait_seconds_max, self._base_seconds * 2.0**attempt)


def _why(attempt: int, *, last: bool, late: bool, wait: float) -> str:
    if last:
        return f"gave up after {attempt} attempt{'s' if attempt > 1 else ''}"
    if late:
        return (
            f"gave up after {attempt} attempts: the next one would be {wait:.0f} s away, past the time given"
        )
    return "not tried again: a part of the answer was already shown"


def _random() -> float:
    """From 0 to 1. The random module would cost start-up time for this one number."""
    return int.from_bytes(os.urandom(4), "little") / 2**32
