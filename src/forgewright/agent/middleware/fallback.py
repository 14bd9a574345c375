"""Asks other models where the agent's own can't answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from forgewright.agent.middleware.base import Middleware
from forgewright.core.errors import ModelError
from forgewright.models.types import Model

if TYPE_CHECKING:
    from forgewright.runtime.context import Context


class Fallback(Middleware):
    """`models.fallback.Fallback` over the agent's model and these, in order; names are made by the engine, once.

    The policy sees all names, joined by ` | `, since it decides before it is known who answers.
    """

    def __init__(
        self, *models: str | Model, on_fallback: Callable[[ModelError, Model], None] | None = None
    ) -> None:
        self._models = models
        self._on_fallback = on_fallback

    def wrap_model(self, model: Model, context: Context) -> Model:
        from forgewright.models import fallback

        engine = context.execution.engine
        others = [engine.model_for(context.actor, m) if isinstance(m, str) else m for m in self._models]
        return fallback.Fallback([model, *others], on_fallback=self._on_fallback)
