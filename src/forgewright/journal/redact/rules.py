"""The rules of `rules.toml`, read when the first redactor is made."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

KINDS = ("secrets", "email", "phone", "card", "iban", "ip")
"""What a rule can be for. Secrets are always taken out, the others where a policy obliges it."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    keywords: tuple[str, ...]
    """In lower case; the pattern is tried only around one of them."""
    pattern: str
    """The last group that took part is the secret, where there is a group; else the whole match."""
    source: str
    """Where the form is published."""
    entropy: float = 0.0
    """Least Shannon entropy of the secret, bits per character."""
    harmless: tuple[str, ...] = ()
    """A secret with one of these in it is none: values of documentation."""
    near: int = 0
    """How far from a keyword the secret may begin, where the keyword is no part of the pattern."""
    luhn: bool = False
    """Its digits have to add up."""
    kind: str = "secrets"


@cache
def rules() -> tuple[Rule, ...]:
    """All of them, in the order of the file."""
    text = Path(__file__).with_name("rules.toml").read_text("utf-8")
    return msgspec.convert(list(_tables(text)), type=tuple[Rule, ...])


def _tables(text: str) -> Iterator[dict[str, Any]]:
    """The tables of the file. It is TOML with one value a line, which is read ten times as fast as all of TOML
    can be: every process that starts a run reads it."""
    for table in text.split("\n[[rule]]\n")[1:]:
        rule: dict[str, Any] = {}
        for line in table.splitlines():
            name, equals, value = line.partition(" = ")
            if not equals or line.startswith("#"):
                continue
            if value.startswith("'''"):
                rule[name] = value[3:-3]
            elif value.startswith("["):
                rule[name] = value.split("'")[1::2]
            elif value[0] in "'\"":
                rule[name] = value[1:-1]
            else:
                rule[name] = msgspec.json.decode(value)
        yield rule
