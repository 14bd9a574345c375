"""What a token costs, so that a budget in money can be kept. A table with a date, no call home.

An unknown model costs 0 and `price_of` says so by None; a model on one's own machine costs 0 by right.
"""

from __future__ import annotations

import msgspec

from forgewright.models.types import Usage

PRICES_AS_OF = "2026-04-30"
"""When the providers' public price lists were last compared with this table."""


class Price(msgspec.Struct, frozen=True):
    """US dollars per million tokens, which is the same as millionths of a dollar per token."""

    input: float
    output: float
    cache_read: float
    cache_write: float
    context_tokens: int | None = None
    """The model's context, where the list names it."""


FREE = Price(0, 0, 0, 0)


def _anthropic(input: float, output: float, context: int = 200_000) -> Price:
    """Cache reads cost a tenth of the input price, five-minute cache writes a quarter more than it."""
    return Price(input, output, input / 10, input * 1.25, context)


def _openai(input: float, output: float, cached: float, context: int) -> Price:
    return Price(input, output, cached, input, context)


_TABLE: dict[str, Price] = {
    # platform.claude.com/docs/en/about-claude/pricing
    "claude-opus-4-7": _anthropic(5, 25),
    "claude-opus-4-6": _anthropic(5, 25),
    "claude-opus-4-5": _anthropic(5, 25),
    "claude-opus-4-1": _anthropic(15, 75),
    "claude-opus-4": _anthropic(15, 75),
    "claude-sonnet-4-6": _anthropic(3, 15),
    "claude-sonnet-4-5": _anthropic(3, 15),
    "claude-sonnet-4": _anthropic(3, 15),
    "claude-haiku-4-5": _anthropic(1, 5),
    "claude-3-5-haiku": _anthropic(0.8, 4),
    "claude-3-haiku": _anthropic(0.25, 1.25),
    # platform.openai.com/docs/pricing, standard tier
    "gpt-5": _openai(1.25, 10, 0.125, 400_000),
    "gpt-5-mini": _openai(0.25, 2, 0.025, 400_000),
    "gpt-5-nano": _openai(0.05, 0.4, 0.005, 400_000),
    "gpt-4.1": _openai(2, 8, 0.5, 1_047_576),
    "gpt-4.1-mini": _openai(0.4, 1.6, 0.1, 1_047_576),
    "gpt-4.1-nano": _openai(0.1, 0.4, 0.025, 1_047_576),
    "gpt-4o": _openai(2.5, 10, 1.25, 128_000),
    "gpt-4o-mini": _openai(0.15, 0.6, 0.075, 128_000),
    "o3": _openai(2, 8, 0.5, 200_000),
    "o4-mini": _openai(1.1, 4.4, 0.275, 200_000),
}


def price_of(model: str) -> Price | None:
    """The price of a model by its provider's name for it, dated versions (`gpt-4o-2024-11-20`) included."""
    known = _TABLE.get(model)
    if known is not None:
        return known
    base = model.removesuffix("-latest")
    for tail in (9, 11):  # -20241120, -2024-11-20
        if len(base) > tail and base[-tail] == "-" and base[-tail + 1 :].replace("-", "").isdecimal():
            base = base[:-tail]
            break
    return _TABLE.get(base)


def cost_microdollars(price: Price | None, usage: Usage) -> int:
    """Millionths of a dollar, rounded up; 0 without a price."""
    if price is None or price is FREE:
        return 0
    plain = max(0, usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens)
    exact = (
        plain * price.input
        + usage.cache_read_tokens * price.cache_read
        + usage.cache_write_tokens * price.cache_write
        + usage.output_tokens * price.output
    )
    return int(exact) + (exact > int(exact))
