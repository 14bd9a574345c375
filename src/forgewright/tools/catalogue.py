"""Many tools, few of them shown: a catalogue that a model searches instead of being sent every schema.

Ranking is BM25 over names, descriptions and parameters; a name that is asked for exactly comes first. No
index is kept beyond word counts, so a catalogue of thousands is made in milliseconds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

import msgspec

from forgewright.core.errors import NotFound, UsageError
from forgewright.tools.function import FunctionTool
from forgewright.tools.types import Tool

FOUND_MAX = 10
_K1, _B = 1.2, 0.6
"""BM25's saturation and length normalisation (Robertson and Zaragoza, 2009)."""
_NAME_WEIGHT = 3
_ALIKE_WEIGHT = 0.6
_ALIKE = (
    "create add new make open start insert post write send put book set upload register give take",
    "get show read fetch see view find look value detail download what",
    "list all which who search query find show see what there",
    "update change edit modify rename move set patch scale adjust point",
    "delete remove cancel erase drop kill purge revoke close",
)
"""What tools are called that do much the same, and what people call it; a word in one of these stands, with less
weight, for the others."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class Catalogue:
    """Tools by name, and a search over what they say of themselves."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._tools: dict[str, Tool] = {}
        self._counts: dict[str, dict[str, int]] = {}
        self._lengths: dict[str, int] = {}
        self._having: dict[str, int] = {}
        for tool in tools:
            if tool.name in self._tools:
                raise UsageError(f"expected tools of different names; found two of the name {tool.name}")
            self._tools[tool.name] = tool
            counts = _counts(tool)
            self._counts[tool.name] = counts
            self._lengths[tool.name] = sum(counts.values())
            for word in counts:
                self._having[word] = self._having.get(word, 0) + 1

    def __len__(self) -> int:
        return len(self._tools)

    def get(self, name: str) -> Tool:
        """The tool of this name. Raises `NotFound` with the nearest ones."""
        found = self._tools.get(name)
        if found is None:
            from difflib import get_close_matches

            near = get_close_matches(name[:100], self._tools, n=3, cutoff=0.5)
            raise NotFound(
                f"there is no tool {name!r:.100}",
                hint=f"near it: {', '.join(near)}" if near else "search the catalogue for what it should do",
            )
        return found

    def search(self, query: str, *, limit: int = FOUND_MAX) -> Sequence[Tool]:
        """The tools that fit best, best first; none if no word fits."""
        if query in self._tools:
            return [self._tools[query]]
        words = dict.fromkeys(_words(query[:1_000]), 1.0)
        for group in _GROUPS:
            if not group.isdisjoint(words):
                for word in group:
                    words.setdefault(word, _ALIKE_WEIGHT)
        mean = sum(self._lengths.values()) / (len(self._lengths) or 1) or 1.0
        scores: dict[str, float] = {}
        for word, share in words.items():
            having = self._having.get(word)
            if not having:
                continue
            weight = share * math.log(1 + (len(self._tools) - having + 0.5) / (having + 0.5))
            for name, counts in self._counts.items():
                count = counts.get(word)
                if count:
                    spread = _K1 * (1 - _B + _B * self._lengths[name] / mean)
                    scores[name] = scores.get(name, 0.0) + weight * count * (_K1 + 1) / (count + spread)
        best = sorted(scores, key=lambda name: (-scores[name], name))[: max(1, min(limit, FOUND_MAX))]
        return [self._tools[name] for name in best]

    def search_tool(self) -> FunctionTool[..., str]:
        """A tool by which a model searches; it answers with names, descriptions and schemas."""

        def search_tools(query: str, limit: int = 5) -> str:
            """Find tools by what they do. Those found can be called from the next turn on.

            Args:
                query: Words for what the tool should do, or its exact name
                limit: How many to show, at most 10
            """
            found = self.search(query, limit=limit)
            if not found:
                return f"no tool of {len(self)} fits; try other words"
            return "\n".join(
                f"{tool.name}: {tool.description}\n{bytes(tool.parameters).decode()}" for tool in found
            )

        return FunctionTool(search_tools, recovery="pure")


_GROUPS = tuple(frozenset(group.split()) for group in _ALIKE)


def _counts(tool: Tool) -> dict[str, int]:
    counts: dict[str, int] = {}
    schema = msgspec.json.decode(tool.parameters)
    properties = schema.get("properties", {})
    said = [str(field.get("description", "")) for field in properties.values() if isinstance(field, dict)]
    for text, weight in (
        (tool.name, _NAME_WEIGHT),
        (tool.description, 1),
        (" ".join([*properties, *said]), 1),
    ):
        for word in _words(text[:10_000]):
            counts[word] = counts.get(word, 0) + weight
    return counts


def _words(text: str) -> list[str]:
    """Words in lower case, of snake_case and camelCase too; a plural counts as its singular."""
    found = [word.lower() for word in _WORD.findall(text)]
    return [
        word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
        for word in found
    ]
