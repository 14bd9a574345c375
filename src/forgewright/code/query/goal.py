"""A goal said in words, as the map reads it: its words, and the names that it spells out."""

from __future__ import annotations

import re
from collections import Counter

from forgewright.code.query.words import words

GOAL_CHARS_MAX = 20_000

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)+")
_NAME = re.compile(r"[A-Za-z_]\w*")
_QUOTED = re.compile(r"`+([^`]+)`+")
_PLAIN = frozenset(
    """
    a an and any are as at be been but by can could did do does for from had has have if in into is it its may more no
    not of on or should so some such than that the their them then there these they this to too use used using was were
    when where which while who will with would you your also new now only other via fix fixed fixes bug add added allow
    allowed make made change changed issue potential possible possibility
    """.split()  # noqa: SIM905 - a list of words, to be read as one
)
"""Words that say nothing of what a goal is about."""


class Goal:
    """`terms`: word → how often it is said. `names`: identifiers. `dotted`: dotted names. `paths`: paths."""

    def __init__(self, text: str) -> None:
        text = text[:GOAL_CHARS_MAX]
        said = [name for name in _NAME.findall(text) if name.lower() not in _PLAIN]
        self.terms: Counter[str] = Counter(part for name in said for part in words(name))
        self.dotted = frozenset(_DOTTED.findall(text))
        self.paths = frozenset(_PATH.findall(text))
        quoted = {name for part in _QUOTED.findall(text) for name in _NAME.findall(part) if len(name) > 2}
        inner = {part for name in self.dotted for part in name.split(".")[1:]}
        self.names = frozenset({name for name in said if _identifier(name)} | quoted | inner)
        self.tests = "test" in self.terms

    def __bool__(self) -> bool:
        return bool(self.terms or self.names)


def _identifier(name: str) -> bool:
    """Whether nobody writes it that way who means a word: `snake_case`, `camelCase`."""
    rest = name[1:]
    return "_" in name.strip("_") or (rest != rest.lower() and rest != rest.upper())
