"""Shows a run while it goes on: a live panel on a terminal, plain lines in a pipe, JSON lines for programs.

All three are driven by the same two calls, `on_record` and `on_delta`, so that `run`, `follow`, `show` and
`replay` look the same.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from forgewright.cli.agents import Style
from forgewright.cli.output import clean, colored, one_line
from forgewright.cli.progress import STEP, Line, Progress

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

    from forgewright.core.errors import ModelError
    from forgewright.journal.events import Record

AGENTS_MAX = 16
"""Sub-agents at work that the panel shows."""
TAIL_CHARS_MAX = 400
"""Of what a model is just saying."""

STYLES: dict[Style, str] = {
    "title": "bold",
    "node": "bold cyan",
    "talk": "",
    "look": "blue",
    "change": "magenta",
    "good": "green",
    "bad": "red",
    "warn": "yellow",
    "dim": "dim",
    "plain": "",
}


class View(Protocol):
    """Used as a context manager around a run; what it was told last stays on the screen."""

    progress: Progress

    def __enter__(self) -> View: ...
    def __exit__(self, *_: object) -> None: ...
    def on_record(self, record: Record) -> None: ...
    def on_delta(self, run: str, actor: str, delta: Any) -> None: ...
    def on_retry(self, error: ModelError, attempt: int, wait_seconds: float) -> None: ...


def make_view(*, as_json: bool, stream: TextIO | None = None, live: bool = True) -> View:
    """The view that fits where the output goes. `live=False`: records of the past, so no panel."""
    stream = stream or sys.stdout
    if as_json:
        return JsonView(stream)
    if colored(stream):
        return TerminalView(stream, live=live)
    return PlainView(stream)


class JsonView:
    """Each record as it is stored, one per line."""

    def __init__(self, stream: TextIO) -> None:
        self.progress = Progress()
        self._stream = stream

    def __enter__(self) -> JsonView:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.flush()

    def on_record(self, record: Record) -> None:
        self.progress.observe(record)
        self._stream.write(record.data.decode() + "\n")
        self._stream.flush()

    def on_delta(self, run: str, actor: str, delta: Any) -> None:
        """Deltas are not recorded, and not shown here either."""

    def on_retry(self, error: ModelError, attempt: int, wait_seconds: float) -> None:
        """Nor are attempts that failed."""


class PlainView:
    """Lines without colours, each with the time since the run started."""

    def __init__(self, stream: TextIO) -> None:
        self.progress = Progress()
        self._stream = stream

    def __enter__(self) -> PlainView:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.flush()

    def on_record(self, record: Record) -> None:
        lines = self.progress.observe(record)
        since = max(0, record.time - self.progress.started_ms) / 1000
        for line in lines:
            self._stream.write(plain(line, f"{since:8.1f}s "))
        if lines:
            self._stream.flush()

    def on_delta(self, run: str, actor: str, delta: Any) -> None:
        """Half sentences are of no use in a file."""

    def on_retry(self, error: ModelError, attempt: int, wait_seconds: float) -> None:
        self._stream.write(plain(_retry(error, attempt, wait_seconds), " " * 10))
        self._stream.flush()


def _retry(error: ModelError, attempt: int, wait_seconds: float) -> Line:
    said = one_line(error.message, 200)
    return Line("↻", f"{said}; asked again in {wait_seconds:.0f} s", "warn", f"attempt {attempt} failed")


def plain(line: Line, stamp: str = "") -> str:
    """A line as text, its further lines indented below it."""
    pad = "  " * line.level
    first, *rest = line.text.split("\n")
    detail = f"  ({line.detail})" if line.detail else ""
    head = f"{stamp}{pad}{line.glyph} {first}{detail}" if line.glyph else f"{stamp}{pad}{first}{detail}"
    indent = " " * len(stamp) + pad + "  "
    return "\n".join([head, *(f"{indent}{part}" for part in rest)]) + "\n"


class TerminalView:
    """What happened scrolls by; below it, plan, node, what the model just says, and what is spent."""

    def __init__(self, stream: TextIO, *, live: bool = True) -> None:
        from rich.console import Console

        self.progress = Progress()
        self._console: Console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._live: Any = None
        self._wanted = live
        self._tail = ""
        self._teller = ""
        self._began = time.monotonic()
        self._before = 0.0

    def __enter__(self) -> TerminalView:
        if self._wanted:
            from rich.live import Live

            self._live = Live(
                get_renderable=self._panel,
                console=self._console,
                refresh_per_second=8,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def on_record(self, record: Record) -> None:
        before = self.progress.status
        lines = self.progress.observe(record)
        if lines or record.event.__class__.__name__ == "ModelAnswered":
            self._tail = ""
        if self.progress.status == "running" and before != "running":
            self._began, self._before = time.monotonic(), self.progress.seconds
        for line in lines:
            if self._live is not None and line.level == 1 and line.glyph in _PLAN_GLYPHS:
                continue  # the plan stands in the panel
            self._console.print(styled(line))

    def on_delta(self, run: str, actor: str, delta: Any) -> None:
        text = getattr(delta, "text", None)
        if text is None:
            text = getattr(delta, "arguments", "")
            name = getattr(delta, "name", "")
            if name and not self._tail.endswith(f"{name} "):
                text = f" {name} {text}"
        if actor != self._teller:
            self._tail = ""
        self._teller = actor
        self._tail = (self._tail + clean(str(text)).replace("\n", " "))[-TAIL_CHARS_MAX:]

    def on_retry(self, error: ModelError, attempt: int, wait_seconds: float) -> None:
        self._console.print(styled(_retry(error, attempt, wait_seconds)))

    def _panel(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        progress = self.progress
        width = self._console.width
        rows: list[Text] = [Text("─" * width, style="dim")]
        for step in progress.plan:
            glyph, style = STEP.get(step.status, ("○", "plain"))
            shown = STYLES[style] + (" bold" if step.status == "in_progress" else "")
            rows.append(
                Text(f" {glyph} {clean(step.title)}", style=shown.strip(), no_wrap=True, overflow="ellipsis")
            )
        for line, agent_style, detail in progress.agents.lines(all_of_them=False, rows_max=AGENTS_MAX):
            row = Text(f" {line}", style=STYLES[agent_style], no_wrap=True, overflow="ellipsis")
            row.append(f"  {detail}" if detail else "", style="dim")
            rows.append(row)
        if self._tail:
            room = max(20, width - len(self._teller) - 6)
            rows.append(
                Text(f" {self._teller}: …{self._tail[-room:]}"[:width], style="dim italic", no_wrap=True)
            )
        rows.append(self._footer(width))
        return Group(*rows)

    def _footer(self, width: int) -> Text:
        from rich.text import Text

        running = self.progress.status == "running"
        seconds = self._before + time.monotonic() - self._began if running else None
        left = Text()
        frame = _SPINNER[int(time.monotonic() * 8) % len(_SPINNER)] if running else "■"
        left.append(f" {frame} ", style="cyan")
        left.append(self.progress.node or "starting", style="bold cyan")
        if self.progress.tests:
            good = self.progress.tests_ok
            left.append(f"  {'✔' if good else '✗'} {self.progress.tests}", style="green" if good else "red")
        right = self.progress.meter(seconds)
        left.truncate(max(10, width - len(right) - 3), overflow="ellipsis")
        left.append(" " * max(1, width - left.cell_len - len(right) - 1))
        left.append(right, style="dim")
        return left


_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_PLAN_GLYPHS = frozenset({"○", "▸"})


def styled(line: Line) -> RenderableType:
    """A line with its colours; where it is too long, it goes on under its own beginning."""
    from rich.table import Table
    from rich.text import Text

    style = STYLES[line.style]
    text = Text(style=style)
    first, *rest = line.text.split("\n")
    text.append(first)
    if line.detail:
        text.append(f"  {line.detail}", style="not bold dim")
    for part in rest:
        text.append(f"\n{part}", style="dim" if part.startswith("…") else "")
    grid = Table.grid(padding=0)
    grid.add_column(width=2 * line.level + (2 if line.glyph else 0), no_wrap=True)
    grid.add_column(overflow="fold")
    glyph = Text("  " * line.level + line.glyph, style=style)
    if line.level == 0 and line.style in ("node", "title"):
        grid.add_row("", "")
    grid.add_row(glyph, text)
    return grid
