"""All values that a conversation has seen, each with where it stood and how far that is believed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from forgewright.agent.provenance.outputs import Outputs, Trust
from forgewright.agent.provenance.words import dates, normal, number, stands_in, typed, words

LEAVES_MAX = 50_000
"""Values of one output that are looked at one by one; of a larger one the rest is one text."""
SPAN_CHARS_MAX = 2_000
"""A longer value is not looked for inside other texts."""
RESERVED = ("user", "plan", "model", "unknown")
"""Names of sources that are no tools; a tool of such a name is `tool:NAME`."""
RANK: dict[Trust, int] = {"trusted": 0, "party": 1, "untrusted": 2}


class Source:
    """Texts and numbers of one origin: the user, the plan, or one field of one tool."""

    __slots__ = ("name", "numbers", "texts", "trust", "values", "words")

    def __init__(self, name: str, trust: Trust) -> None:
        self.name = name
        """`user`, `plan`, `TOOL` or `TOOL.FIELD`."""
        self.trust: Trust = trust
        self.values: set[str] = set()
        self.texts: list[str] = []
        self.words: set[str] = set()
        self.numbers: set[float] = set()

    def add(self, value: Any) -> None:
        """Takes in a text or a number."""
        if isinstance(value, str):
            text = normal(value)
            if not text or text in self.values:
                return
            self.values.add(text)
            if " " in text:
                self.texts.append(text)
            for word in words(text):
                self.words.add(word)
                found = number(word)
                if found is not None:
                    self.numbers.add(found)
            self.words.update(dates(text))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self.numbers.add(float(value))
            self.words.add(normal(str(value)))
            self.values.add(normal(str(value)))

    def has(self, value: str) -> bool:
        """Whether the normalised value stands here, whole."""
        if value in self.values or value in self.words:
            return True
        return len(value) <= SPAN_CHARS_MAX and any(stands_in(value, text) for text in self.texts)

    def has_word(self, word: str) -> bool:
        """Whether one word stands here; a date also where it is written otherwise, or without its year."""
        return word in self.words or any(
            date in self.words or "--" + date[-5:] in self.words for date in dates(word)
        )


class Origins:
    """The sources, by name."""

    def __init__(self) -> None:
        self.sources: dict[str, Source] = {}

    def say(self, name: str, text: str) -> None:
        """What the user said, or the plan: trusted."""
        self._source(name, "trusted").add(typed(text))

    def take(self, tool: str, text: str, value: msgspec.Raw | None, outputs: Outputs) -> None:
        """An output of a tool: its value field by field, or its text."""
        if tool in RESERVED:
            tool = f"tool:{tool}"
        if value is not None and value != b"null":
            found: Any = msgspec.json.decode(value)
        else:
            found = text
        for number_, (field, trust, leaf) in enumerate(_leaves(found, "", outputs)):
            if number_ >= LEAVES_MAX:
                self._source(tool, "untrusted").add(text)
                break
            self._source(f"{tool}.{field}" if field else tool, trust).add(leaf)

    def named(self, name: str) -> Iterator[Source]:
        """The sources that a plan means: `TOOL` is all fields of it."""
        for source in self.sources.values():
            if source.name == name or source.name.startswith(name + "."):
                yield source

    def _source(self, name: str, trust: Trust) -> Source:
        found = self.sources.get(name)
        if found is None:
            found = self.sources[name] = Source(name, trust)
        elif RANK[trust] > RANK[found.trust]:
            found.trust = trust
        return found


def _leaves(value: Any, field: str, outputs: Outputs) -> Iterator[tuple[str, Trust, Any]]:
    """Field, trust and value of everything in a result; the fields of a trusted field are trusted."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if outputs.keys is not None:
                yield field, outputs.keys, key
                yield from _leaves(inner, field, outputs)
            else:
                yield from _leaves(inner, str(key), outputs)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, field, outputs)
    elif value is not None:
        yield field, outputs.trust(field) if field else outputs.otherwise, value
