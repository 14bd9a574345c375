"""Language models behind one port: `make_model("anthropic:…")`, and wrappers that are models themselves.

Names are imported when they are first used, since most of them need an event loop and the port does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forgewright.models.drivers.replay import Recording, Replay
    from forgewright.models.fallback import Fallback
    from forgewright.models.history import repair
    from forgewright.models.prices import PRICES_AS_OF, cost_microdollars, price_of
    from forgewright.models.registry import make_model, providers
    from forgewright.models.retry import Retrying
    from forgewright.models.settings import ModelSettings

__all__ = [
    "PRICES_AS_OF",
    "Fallback",
    "ModelSettings",
    "Recording",
    "Replay",
    "Retrying",
    "cost_microdollars",
    "make_model",
    "price_of",
    "providers",
    "repair",
]

_HOMES = {
    "PRICES_AS_OF": "prices",
    "Fallback": "fallback",
    "ModelSettings": "settings",
    "Recording": "drivers.replay",
    "Replay": "drivers.replay",
    "Retrying": "retry",
    "cost_microdollars": "prices",
    "make_model": "registry",
    "price_of": "prices",
    "providers": "registry",
    "repair": "history",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
