"""What a token costs, so that a budget in money can be kept. A table with a date; nothing is asked at run time.

An unknown model costs 0 and `price_of` says so by None; a model on one's own machine costs 0 by right.
Discounts, surcharges for regions, batches and service tiers, and tools run by the provider are left out.
"""

from __future__ import annotations

import msgspec

from forgewright.models.types import Usage

PRICES_AS_OF = "2026-11-06"
"""When this table was last compared with what the providers publish."""


class Price(msgspec.Struct, frozen=True):
    """US dollars per million tokens, which is the same as millionths of a dollar per token."""

    input: float
    output: float
    cache_read: float
    cache_write: float
    context_tokens: int | None = None
    """The model's context, where it is published."""
    long_tokens: int | None = None
    """Above this many input tokens the whole request costs more, by these factors."""
    long_input: float = 1.0
    long_output: float = 1.0


FREE = Price(0, 0, 0, 0)
_MILLION = 1_000_000
_GPT_CONTEXT = 1_050_000


def _claude(input: float, output: float, context: int = _MILLION, *, cached: float | None = None) -> Price:
    """Five-minute cache writes cost a quarter more than input, reads a tenth of it unless said otherwise."""
    return Price(input, output, input / 10 if cached is None else cached, input * 1.25, context)


def _gpt(input: float, output: float, cached: float, context: int) -> Price:
    """Models that charge nothing for writing to the cache."""
    return Price(input, output, cached, input, context)


def _gpt6(input: float, output: float, cached: float) -> Price:
    """Models that charge for cache writes, and more for long requests."""
    return Price(input, output, cached, input * 1.25, _GPT_CONTEXT, 272_000, 2.0, 1.5)


_TABLE: dict[str, Price] = {
    # platform.claude.com/docs/en/about-claude/pricing
    "claude-fable-5-1": _claude(10, 50, cached=0.25),
    "claude-mythos-5-1": _claude(10, 50, cached=0.25),
    "claude-fable-5": _claude(10, 50),
    "claude-mythos-5": _claude(10, 50),
    "claude-opus-5-5": _claude(4, 20, cached=0.2),
    "claude-opus-5": _claude(5, 25),
    "claude-opus-4-8": _claude(5, 25),
    "claude-opus-4-7": _claude(5, 25),
    "claude-opus-4-6": _claude(5, 25),
    "claude-opus-4-5": _claude(5, 25, 200_000),
    "claude-opus-4-1": _claude(15, 75, 200_000),
    "claude-opus-4": _claude(15, 75, 200_000),
    "claude-sonnet-5-5": _claude(2, 10),
    "claude-sonnet-5": _claude(2, 10),
    "claude-sonnet-4-6": _claude(3, 15),
    "claude-sonnet-4-5": _claude(3, 15, 200_000),
    "claude-sonnet-4": _claude(3, 15, 200_000),
    "claude-haiku-5-5": Price(0.1, 0.5, 0.01, 0.125, _MILLION, 100_000, 5.0, 5.0),
    "claude-haiku-4-5": _claude(1, 5, 200_000),
    # developers.openai.com/api/docs/pricing, standard tier
    "gpt-6-astra": _gpt6(10, 50, 1),
    "gpt-6.1-sol": _gpt6(2, 10, 0.1),
    "gpt-6.1-terra": _gpt6(1, 5, 0.05),
    "gpt-6-sol": _gpt6(2, 10, 0.2),
    "gpt-6-luna": _gpt6(0.1, 0.5, 0.01),
    "gpt-5.6-terra": _gpt6(2, 12, 0.2),
    "gpt-5.6-luna": _gpt6(0.2, 1.2, 0.02),
    "gpt-5.4": _gpt(2.5, 15, 0.25, 1_050_000),
    "gpt-5.4-mini": _gpt(0.75, 4.5, 0.075, 400_000),
    "gpt-5.4-nano": _gpt(0.2, 1.25, 0.02, 400_000),
    "gpt-5.2": _gpt(1.75, 14, 0.175, 400_000),
    "gpt-5.1": _gpt(1.25, 10, 0.125, 400_000),
    "gpt-5": _gpt(1.25, 10, 0.125, 400_000),
    "gpt-5-mini": _gpt(0.25, 2, 0.025, 400_000),
    "gpt-5-nano": _gpt(0.05, 0.4, 0.005, 400_000),
    "gpt-4.1": _gpt(2, 8, 0.5, 1_047_576),
    "gpt-4.1-mini": _gpt(0.4, 1.6, 0.1, 1_047_576),
    "gpt-4.1-nano": _gpt(0.1, 0.4, 0.025, 1_047_576),
    "gpt-4o": _gpt(2.5, 10, 1.25, 128_000),
    "gpt-4o-mini": _gpt(0.15, 0.6, 0.075, 128_000),
    "o3": _gpt(2, 8, 0.5, 200_000),
    "o4-mini": _gpt(1.1, 4.4, 0.275, 200_000),
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
    read = plain * price.input
    read += usage.cache_read_tokens * price.cache_read + usage.cache_write_tokens * price.cache_write
    written = usage.output_tokens * price.output
    if price.long_tokens is not None and usage.input_tokens > price.long_tokens:
        read, written = read * price.long_input, written * price.long_output
    exact = round(read + written, 6)
    return int(exact) + (exact > int(exact))
