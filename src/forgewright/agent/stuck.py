"""Recognising an agent that gets nowhere, before it burns its budget."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from forgewright.core.errors import StuckError
from forgewright.models.types import Assistant, ToolResult

REPEATS = 4
"""The same calls with the same results, this many times in a row."""
PING_PONG = 6
"""Two turns taking turns, this many turns."""
ERRORS = 8
"""Turns in a row in which every call failed."""
EMPTY = 3
"""Answers in a row with neither text nor calls."""


class StuckDetector:
    """Fed each turn; raises `StuckError` that names the pattern and what was repeated."""

    def __init__(self) -> None:
        self._turns: list[bytes] = []
        self._errors = 0
        self._empty = 0

    def turn(self, message: Assistant, results: Sequence[ToolResult]) -> None:
        """Takes in a turn: what the model said and what its calls gave."""
        if not message.calls:
            self._empty = self._empty + 1 if not message.text.strip() else 0
            if self._empty >= EMPTY:
                raise StuckError(
                    f"the model gave {EMPTY} empty answers in a row",
                    hint="try another model, or resume with a smaller goal",
                )
            return
        self._empty = 0
        self._errors = self._errors + 1 if results and all(r.error for r in results) else 0
        if self._errors >= ERRORS:
            raise StuckError(
                f"every tool call of the last {ERRORS} turns failed; the last one said: {results[-1].text[:300]}",
                hint="look at the calls with `forgewright show RUN`; the model may be too weak for its tools",
            )
        self._turns.append(_fingerprint(message, results))
        del self._turns[:-PING_PONG]
        last = self._turns
        name = message.calls[0].name
        if len(last) >= REPEATS and len(set(last[-REPEATS:])) == 1:
            raise StuckError(
                f"the model made the same call of {name} {REPEATS} times and got the same result",
                hint="look at the calls with `forgewright show RUN`, or fork the run before them",
            )
        if len(last) == PING_PONG and len(set(last)) == 2 and last[::2] == [last[0]] * 3:
            raise StuckError(
                f"the model went back and forth between two calls ({name} is one) {PING_PONG} times",
                hint="look at the calls with `forgewright show RUN`, or fork the run before them",
            )


def _fingerprint(message: Assistant, results: Sequence[ToolResult]) -> bytes:
    hashed = sha256()
    for call in message.calls:
        hashed.update(f"{call.name}\0{call.arguments}\0".encode())
    for result in results:
        hashed.update(result.text.encode() + b"\0")
    return hashed.digest()[:16]
