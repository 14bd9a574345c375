"""Depth: what a resolver says of a file whose nesting goes past what it follows."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from forgewright.core.errors import EditRefused

P = ParamSpec("P")
R = TypeVar("R")


def bounded(question: Callable[P, R]) -> Callable[P, R]:
    """A resolver's question that is refused, not crashed, where nesting is too deep."""

    @wraps(question)
    def asked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return question(*args, **kwargs)
        except RecursionError:
            raise EditRefused(
                "the code is nested too deeply for names to be resolved in it",
                hint="leave generated files out, or use replace-text",
            ) from None

    return asked
