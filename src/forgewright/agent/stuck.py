"""Recognising an agent that gets nowhere, before it burns its budget."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from forgewright.core.errors import StuckError
from forgewright.models.types import Assistant, ToolResult

_LOOK = "look at the calls with `forgewright show RUN`, or fork the run before them"
_CYCLE_TURNS = (2, 3, 4)


class StuckBounds(msgspec.Struct, frozen=True):
    """How much of a pattern is too much; each counts turns in a row."""

    repeats: int = 4
    """The same calls with the same results."""
    cycles: int = 3
    """Times that two, three or four turns take turns."""
    errors: int = 8
    """Turns in which every call failed."""
    empty: int = 3
    """Answers with neither text nor calls."""
    monologue: int = 6
    """Answers that are text alone and none that ends the work (cut off, or not what was asked for) …"""
    same_words: int = 3
    """… or that say the same."""


class StuckDetector:
    """Fed each turn that was not the last; raises `StuckError` that names the pattern and what was repeated."""

    def __init__(self, bounds: StuckBounds = StuckBounds()) -> None:
        self.bounds = bounds
        self._turns: list[bytes] = []
        self._errors = 0
        self._empty = 0
        self._said: list[str] = []

    def turn(self, message: Assistant, results: Sequence[ToolResult]) -> None:
        """Takes in a turn: what the model said and what its calls gave."""
        if not message.calls:
            self._talk(message.text.strip())
            return
        self._empty = 0
        self._said.clear()
        self._check_errors(results)
        self._check_cycles(message, results)

    def _talk(self, text: str) -> None:
        self._empty = 0 if text else self._empty + 1
        if self._empty >= self.bounds.empty:
            raise StuckError(
                f"the model gave {self._empty} empty answers in a row",
                hint="try another model, or resume with a smaller goal",
            )
        if not text:
            return
        self._said.append(text)
        same = self._said[-self.bounds.same_words :]
        if len(same) == self.bounds.same_words and len(set(same)) == 1:
            raise StuckError(
                f"the model said the same {len(same)} times and did nothing: {text[:200]}",
                hint="try another model, or tell it in the instructions when its work is done",
            )
        if len(self._said) >= self.bounds.monologue:
            raise StuckError(
                f"the model talked for {len(self._said)} turns without calling a tool or coming to an end; it began:"
                f" {self._said[0][:200]}",
                hint="raise max_output_tokens if its answers are cut off, or give it a smaller goal",
            )

    def _check_errors(self, results: Sequence[ToolResult]) -> None:
        self._errors = self._errors + 1 if results and all(r.error for r in results) else 0
        if self._errors >= self.bounds.errors:
            raise StuckError(
                f"every tool call of the last {self._errors} turns failed; the last one said: {results[-1].text[:300]}",
                hint="look at the calls with `forgewright show RUN`; the model may be too weak for its tools",
            )

    def _check_cycles(self, message: Assistant, results: Sequence[ToolResult]) -> None:
        bounds = self.bounds
        self._turns.append(_fingerprint(message, results))
        del self._turns[: -max(bounds.repeats, _CYCLE_TURNS[-1] * bounds.cycles)]
        last, name = self._turns, message.calls[0].name
        if len(last) >= bounds.repeats and len(set(last[-bounds.repeats :])) == 1:
            raise StuckError(
                f"the model made the same call of {name} {bounds.repeats} times and got the same result",
                hint=_LOOK,
            )
        for length in _CYCLE_TURNS:
            span = last[-length * bounds.cycles :]
            if (
                len(span) == length * bounds.cycles
                and len(set(span)) > 1
                and span == span[:length] * bounds.cycles
            ):
                what = (
                    "back and forth between two calls"
                    if length == 2
                    else f"round in a circle of {length} calls"
                )
                raise StuckError(f"the model went {what} ({name} is one) {bounds.cycles} times", hint=_LOOK)


def _fingerprint(message: Assistant, results: Sequence[ToolResult]) -> bytes:
    hashed = sha256()
    for call in message.calls:
        hashed.update(f"{call.name}\0{call.arguments}\0".encode("utf-8", "replace"))
    for result in results:
        hashed.update(result.text.encode("utf-8", "replace") + b"\0")
    return hashed.digest()[:16]
