"""What is known of the arguments of one call, as facts for the gate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from forgewright.agent.provenance.origins import RANK, Origins, Source
from forgewright.agent.provenance.words import is_address, is_name, normal, words
from forgewright.policy.types import Fact

SOURCES_MAX = 64
"""Pairs of argument and source that are told of one call."""


class Trace:
    """Collected over the values of a call's arguments."""

    def __init__(self, origins: Origins) -> None:
        self.origins = origins
        self.untrusted: set[str] = set()
        self.composed: set[str] = set()
        self.parties: set[str] = set()
        self.addresses: set[str] = set()
        self.sources: dict[str, None] = {}

    def look(self, arguments: Mapping[str, Any]) -> None:
        """Traces each value of the arguments back to where it stood."""
        for name, argument in arguments.items():
            for value in _values(argument):
                if isinstance(value, str):
                    self._text(name, normal(value))
                else:
                    self._found(name, [s for s in self._all() if float(value) in s.numbers])

    def facts(self) -> dict[str, Fact]:
        return {
            "untrusted": tuple(sorted(self.untrusted)),
            "composed": tuple(sorted(self.composed)),
            "parties": tuple(sorted(self.parties)),
            "addresses": tuple(sorted(self.addresses)),
            "sources": tuple(sorted(self.sources)[:SOURCES_MAX]),
        }

    def _all(self) -> list[Source]:
        return sorted(self.origins.sources.values(), key=lambda source: RANK[source.trust])

    def _text(self, name: str, text: str) -> None:
        if not text:
            return
        sources = self._all()
        whole = [source for source in sources if source.has(text)]
        if whole and whole[0].trust != "untrusted":
            self._found(name, whole)
            return
        found = list(words(text))
        for word in found:
            if is_address(word) and not any(s.trust == "trusted" and s.has_word(word) for s in sources):
                self.addresses.add(name)
        if whole:
            self._found(name, whole)
            return
        trust = "trusted"
        for word in found:
            having = next((source for source in sources if source.has_word(word)), None)
            self.sources[f"{name}:{'unknown' if having is None else having.name}"] = None
            if having is None or having.trust == "untrusted":
                self.untrusted.add(name)
                trust = "untrusted"
            elif having.trust == "party" and trust == "trusted":
                trust = "party"
        if trust == "party":
            self.parties.add(name)
        if trust != "untrusted":
            self.composed.add(name)

    def _found(self, name: str, sources: list[Source]) -> None:
        """The value stands in these, the most trusted first; nowhere: the model made it up."""
        for source in sources:
            self.sources[f"{name}:{source.name}"] = None
        if not sources:
            self.sources[f"{name}:unknown"] = None
        if not sources or sources[0].trust == "untrusted":
            self.untrusted.add(name)
        elif sources[0].trust == "party":
            self.parties.add(name)


def _values(value: Any) -> Iterator[str | int | float]:
    """Texts and numbers in an argument, and keys of its objects that name something; null says nothing."""
    match value:
        case None:
            return
        case dict():
            for key, inner in value.items():
                if any(map(is_name, words(normal(key)))):  # data; other keys are the schema's
                    yield key
                yield from _values(inner)
        case list() | tuple():
            for inner in value:
                yield from _values(inner)
        case bool():
            yield str(value)
        case str() | int() | float():
            yield value
