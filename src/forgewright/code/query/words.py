"""The words of names and of prose, as both are compared: lower case, names taken apart, endings cut."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d{2,}")
STEM_CHARS = 7
"""Of a long word: `serialize`, `serializer` and `serialization` are the same one."""


def words(text: str) -> list[str]:
    """In order, with repetitions; words of one letter are none."""
    return [stem(word.lower()) for word in _WORD.findall(text) if len(word) > 1]


def stem(word: str) -> str:
    """A word without its plural, cut where it is long."""
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    return word[:STEM_CHARS]
