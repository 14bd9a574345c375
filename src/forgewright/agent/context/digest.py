"""What turns did, told by their structure alone: what stands for them when no model can summarise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from forgewright.models.types import Assistant, Message, ToolResult, User

DETAILED = 200
"""Characters of a newer turn's line; older ones get less."""


class TurnDigest(msgspec.Struct, frozen=True):
    """One turn: what the model said, what it called, what came of it."""

    said: str
    calls: tuple[tuple[str, str, str], ...]
    """Tool, arguments, outcome; each shortened."""
    failed: int = 0

    def line(self, chars: int) -> str:
        parts = [self.said[: chars // 2]] if self.said else []
        room = max(24, chars // max(1, len(self.calls)))
        for tool, arguments, outcome in self.calls:
            parts.append(f"{tool}({arguments[: room // 2]}) → {outcome[: room // 2]}")
        return "; ".join(parts) or "(nothing)"


def digest_turn(turn: Sequence[Message]) -> TurnDigest:
    """One turn: an answer and the results of its calls, or something that was said to the model."""
    results = {m.call: m for m in turn if isinstance(m, ToolResult)}
    said: list[str] = []
    calls: list[tuple[str, str, str]] = []
    failed = 0
    for message in turn:
        if isinstance(message, User):
            said.append(f"told: {_short(message.text)}")
        elif isinstance(message, Assistant):
            if message.text.strip():
                said.append(_short(message.text))
            for call in message.calls:
                result = results.get(call.id)
                failed += result is not None and result.error
                outcome = (
                    "no result"
                    if result is None
                    else ("failed: " if result.error else "") + _short(result.text)
                )
                calls.append((call.name, _short(call.arguments), outcome))
    return TurnDigest(" ".join(said), tuple(calls), failed)


def render(turns: Sequence[TurnDigest], chars: int) -> str:
    """All turns in at most so many characters: the newer the more, and of the oldest only how many and what."""
    lines: list[str] = []
    room = chars
    for number in range(len(turns), 0, -1):
        age = len(turns) - number
        detail = DETAILED if age < 10 else 100 if age < 40 else 60
        line = f"{number}. {turns[number - 1].line(detail)}"
        if len(line) + 1 > room - 200:
            lines.append(_counted(turns[:number]))
            break
        lines.append(line)
        room -= len(line) + 1
    return "\n".join(reversed(lines))[-chars:]


def _counted(turns: Sequence[TurnDigest]) -> str:
    tools = Counter(tool for turn in turns for tool, _, _ in turn.calls)
    called = ", ".join(f"{tool} {count} times" for tool, count in tools.most_common(6)) or "no tool"
    failed = sum(turn.failed for turn in turns)
    return f"1–{len(turns)}. called {called}" + (f"; {failed} calls failed" if failed else "")


def _short(text: str) -> str:
    return " ".join(text[:600].split())[:240]
