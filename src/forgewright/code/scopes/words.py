"""Words: where a name stands in bytes before anything is parsed, and sets of node types."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache


def kinds(names: str) -> frozenset[str]:
    """The node types in a string of them, separated by blanks."""
    return frozenset(names.split())


@lru_cache(maxsize=256)
def _pattern(word: bytes, dollar: bool) -> re.Pattern[bytes]:
    letters = rb"[\w$\x80-\xff]" if dollar else rb"[\w\x80-\xff]"
    return re.compile(rb"(?<!" + letters + rb")" + re.escape(word) + rb"(?!" + letters + rb")")


def places(data: bytes, word: str, *, dollar: bool = True) -> Iterator[int]:
    """Offsets at which `word` stands alone. Non-ASCII bytes count as letters, and `$` where `dollar` says so."""
    encoded = word.encode()
    if not encoded:
        return
    for match in _pattern(encoded, dollar).finditer(data):
        yield match.start()
