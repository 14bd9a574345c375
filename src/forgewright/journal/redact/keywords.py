"""Finds which of many words stand in a text, and where, in one pass: what decides which rules are tried at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any


class Keywords:
    """Built once from words in lower case; searches text in lower case."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(sorted(set(words)))
        self._pattern = re.compile(_trie(self.words) if self.words else "(?!)")
        self._inside: dict[str, list[tuple[int, str]]] = {}
        self.first: Callable[[str], re.Match[str] | None] = self._pattern.search
        """Where the first of the words stands."""

    def places(self, lower: str) -> dict[str, list[int]]:
        """Word → where it begins, for those that stand there."""
        found: dict[str, list[int]] = {}
        for match in self._pattern.finditer(lower):
            at, word = match.start(), match[0]
            inside = self._inside.get(word)
            if inside is None:
                inside = self._inside[word] = self._hidden(word)
            for offset, other in inside:
                if lower.startswith(other, at + offset):
                    found.setdefault(other, []).append(at + offset)
        return found

    def _hidden(self, word: str) -> list[tuple[int, str]]:
        """The word itself, and those which a search that goes on behind it, or stops at it, passes over."""
        hidden = []
        for other in self.words:
            for offset in range(len(word)):
                rest = word[offset:]
                if rest.startswith(other) or other.startswith(rest):
                    hidden.append((offset, other))
        return hidden


def _trie(words: Iterable[str]) -> str:
    """An alternation that looks at each character once; where one word begins another, the shorter is matched."""
    root: dict[str, Any] = {}
    for word in words:
        node = root
        for character in word:
            node = node.setdefault(character, {})
        node[""] = {}

    def emit(node: dict[str, Any]) -> str:
        if "" in node:
            return ""
        branches = [re.escape(character) + emit(child) for character, child in sorted(node.items())]
        return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"

    return emit(root)
