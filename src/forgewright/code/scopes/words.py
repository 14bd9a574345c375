"""Words: where a name stands in bytes before anything is parsed, and sets of node types."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache


def kinds(names: str) -> frozenset[str]:
    """The node types in a string of them, separated by blanks."""
    return frozenset(names.split())


@lru_cache(maxsize=256)
def _pattern(word: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"(?<![\w$\x80-\xff])" + re.escape(word) + rb"(?![\w$\x80-\xff])")


def places(data: bytes, word: str) -> Iterator[int]:
    """Offsets at which `word` stands alone (`$` and non-ASCII letters count as letters)."""
    encoded = word.encode()
    if not encoded:
        return
    for match in _pattern(encoded).finditer(data):
        yield match.start()
