"""The rules of `rules.toml`, read when the first redactor is made."""

from __future__ import annotations

from functools import cache

import msgspec


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    keywords: tuple[str, ...]
    """In lower case; the pattern is tried only where one of them occurs."""
    pattern: str
    """Group 1 is the secret, where there is a group; else the whole match."""
    source: str
    """Where the form is published."""
    entropy: float = 0.0
    """Least Shannon entropy of the secret, bits per character."""


@cache
def rules() -> tuple[Rule, ...]:
    """All of them, in the order of the file."""
    import tomllib
    from importlib.resources import files

    data = tomllib.loads(files(__package__).joinpath("rules.toml").read_text("utf-8"))
    return msgspec.convert(data["rule"], type=tuple[Rule, ...])
