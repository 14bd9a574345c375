"""Several models in order of preference; the next one is asked where one can't answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from forgewright.core.errors import (
    ContextOverflow,
    ModelAuthError,
    ModelError,
    ModelOverloaded,
    ModelProtocolError,
    ModelRateLimited,
    ModelUnknown,
    UsageError,
)
from forgewright.models.types import Delta, Model, OnDelta, Request, Response

_NEXT = (ModelAuthError, ModelOverloaded, ModelProtocolError, ModelRateLimited, ModelUnknown)


class Fallback:
    """A model that asks its models one after the other until one answers.

    A request too long for one model goes to a later one only if that one's context is larger or unknown.
    Once deltas of an answer were shown, its error stands. Wrap each model in `Retrying` to try it more than
    once. `Response.model` says who answered.
    """

    def __init__(
        self, models: Sequence[Model], *, on_fallback: Callable[[ModelError, Model], None] | None = None
    ) -> None:
        """`on_fallback` is told the error and the model that is asked next."""
        if not models:
            raise UsageError("Fallback needs at least one model, found none")
        self._models = tuple(models)
        self._on_fallback = on_fallback
        self.name = " | ".join(model.name for model in self._models)
        known = [model.context_tokens for model in self._models if model.context_tokens]
        self.context_tokens = min(known) if known else None

    def __repr__(self) -> str:
        return f"Fallback({list(self._models)!r})"

    async def respond(self, request: Request, *, on_delta: OnDelta | None = None) -> Response:
        shown = False

        def show(delta: Delta) -> None:
            nonlocal shown
            shown = True
            if on_delta is not None:
                on_delta(delta)

        failures: list[ModelError] = []
        overflown = 0
        for position, model in enumerate(self._models):
            if failures and isinstance(failures[-1], ContextOverflow) and not _larger(model, overflown):
                continue
            if failures and self._on_fallback is not None:
                self._on_fallback(failures[-1], model)
            try:
                return await model.respond(request, on_delta=show if on_delta is not None else None)
            except (*_NEXT, ContextOverflow) as error:
                failures.append(error)
                if isinstance(error, ContextOverflow):
                    overflown = max(overflown, model.context_tokens or 0)
                if shown or position == len(self._models) - 1:
                    break
        last = failures.pop()
        for earlier in failures:
            last.add_note(f"before it: {earlier.message}")
        raise last

    async def close(self) -> None:
        for model in self._models:
            await model.close()


def _larger(model: Model, tokens: int) -> bool:
    return model.context_tokens is None or model.context_tokens > tokens
