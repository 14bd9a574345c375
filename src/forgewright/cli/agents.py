"""The sub-agents of a run as a tree: who gave whom which task, what each is at, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from forgewright.cli.output import clean, one_line
from forgewright.journal import events as ev

Style = Literal["title", "node", "talk", "look", "change", "good", "bad", "warn", "dim", "plain"]

ENDS: Mapping[str, tuple[str, Style]] = {
    "completed": ("✔", "good"),
    "failed": ("✗", "bad"),
    "timeout": ("⏱", "bad"),
    "budget": ("⏱", "bad"),
    "cancelled": ("⊘", "dim"),
}
"""Status → glyph and style."""
SHOWN_MAX = 12
"""Of one parent's sub-agents that ended the same way; the rest are counted."""


class AgentRow(msgspec.Struct):
    """One sub-agent."""

    effect: str
    name: str
    task: str
    parent: str
    """The sub-agent above it; empty for none."""
    depth: int
    status: str = "working"
    """Or `asking`, or as it ended."""
    doing: str = ""
    tokens: int = 0
    ms: int = 0


class AgentTree:
    """Folded from records. An effect belongs to the innermost sub-agent that its number begins with."""

    def __init__(self) -> None:
        self.rows: dict[str, AgentRow] = {}
        self._questions: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self.rows)

    def of(self, effect: str) -> AgentRow | None:
        """The sub-agent that has this effect; None for the run itself."""
        above = effect.rpartition(".")[0]
        while above and self.rows:
            if above in self.rows:
                return self.rows[above]
            above = above.rpartition(".")[0]
        return None

    def depth(self, effect: str) -> int:
        """How many sub-agents deep an effect is."""
        row = self.of(effect)
        return 0 if row is None else row.depth

    def observe(self, event: ev.Event) -> None:
        match event:
            case ev.AgentAsked(effect=effect, agent=agent, task=task):
                above = self.of(effect)
                parent, depth = ("", 1) if above is None else (above.effect, above.depth + 1)
                self.rows[effect] = AgentRow(effect, clean(agent), _task(task), parent, depth)
            case ev.AgentAnswered(effect=effect) if effect in self.rows:
                row = self.rows[effect]
                row.status, row.tokens, row.ms, row.doing = event.status, event.tokens, event.ms, ""
            case ev.EffectFailed(effect=effect) | ev.EffectRefused(effect=effect) if effect in self.rows:
                self.rows[effect].status = "failed"
            case ev.QuestionAsked(effect=effect):
                self._ask(effect)
            case ev.Answered(effect=effect) if effect in self._questions:
                self._answered(effect)
            case ev.Asked(effect=effect) if self.rows:
                row_of = self.of(effect)
                if row_of is not None:
                    row_of.doing = _doing(event)
            case _:
                pass

    def end(self, effect: str, status: str, text: str) -> tuple[str, str, Style] | None:
        """Glyph, words and style of an end; what the sub-agent said last was told when it said it."""
        row, (glyph, style) = self.rows.get(effect), ENDS.get(status, ("✗", "bad"))
        if row is None:
            return None
        said = "" if status == "completed" else f": {one_line(clean(text), 200)}"
        return glyph, f"{row.name} {status}{said}", style

    def lines(self, *, all_of_them: bool = True, rows_max: int = 200) -> list[tuple[str, Style, str]]:
        """Indented text, style and detail of each row; without `all_of_them` only those that have not ended."""
        below: dict[str, list[AgentRow]] = {}
        for row in self.rows.values():
            if all_of_them or row.status in ("working", "asking"):
                below.setdefault(row.parent, []).append(row)
        found: list[tuple[str, Style, str]] = []
        self._below("", below, found)
        if len(found) > rows_max:
            found[rows_max:] = [(f"… {len(found) - rows_max} more", "dim", "")]
        return found

    def _below(
        self, parent: str, below: dict[str, list[AgentRow]], found: list[tuple[str, Style, str]]
    ) -> None:
        shown: dict[str, int] = {}
        for row in below.get(parent, ()):
            shown[row.status] = shown.get(row.status, 0) + 1
            if shown[row.status] <= SHOWN_MAX or below.get(row.effect):
                found.append(_line(row))
                self._below(row.effect, below, found)
        pad = "  " * (self.rows[parent].depth if parent else 0)
        for status, count in shown.items():
            if count > SHOWN_MAX:
                found.append((f"{pad}… {count - SHOWN_MAX} more {status}", "dim", ""))

    def totals(self) -> str:
        """`100 sub-agents: 85 completed, 10 failed, 5 timeout`."""
        counts: dict[str, int] = {}
        for row in self.rows.values():
            counts[row.status] = counts.get(row.status, 0) + 1
        said = ", ".join(f"{count} {status}" for status, count in sorted(counts.items(), key=lambda c: -c[1]))
        return f"{len(self.rows)} sub-agent{'s' if len(self.rows) != 1 else ''}: {said}"

    def _ask(self, effect: str) -> None:
        row = self.of(effect)
        if row is not None:
            self._questions[effect] = row.effect
            row.status = "asking"

    def _answered(self, effect: str) -> None:
        row = self.rows[self._questions.pop(effect)]
        if row.status == "asking" and row.effect not in self._questions.values():
            row.status = "working"


def _line(row: AgentRow) -> tuple[str, Style, str]:
    glyph, style = ENDS.get(row.status, ("?", "warn") if row.status == "asking" else ("▸", "talk"))
    detail = [row.doing or ("waits for an answer" if row.status == "asking" else "")]
    if row.tokens:
        detail.append(f"{row.tokens:,} tokens")
    if row.ms >= 50:
        detail.append(f"{row.ms / 1000:.1f} s")
    text = f"{'  ' * (row.depth - 1)}{glyph} {row.name}: {one_line(row.task, 100)}"
    return text, style, " · ".join(filter(None, detail))


def _task(value: Any) -> str:
    if not isinstance(value, msgspec.Raw):
        return "(a long task)"
    try:
        found = msgspec.json.decode(value)
    except msgspec.DecodeError:
        return ""
    return clean(found if isinstance(found, str) else "")


def _doing(event: ev.Asked) -> str:
    match event:
        case ev.ModelAsked():
            return "thinks"
        case ev.ToolAsked(tool=tool):
            return clean(tool)
        case ev.ExecAsked(argv=argv):
            return clean(one_line(" ".join(argv), 40))
        case _:
            return ""
