"""Folds a run's records into what a person wants to know of it; every view of a run shares this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from forgewright.cli.agents import AgentTree, Style
from forgewright.cli.line import Line as Line
from forgewright.cli.line import PlanStep as PlanStep
from forgewright.cli.output import clean, one_line
from forgewright.journal import events as ev

NODES = {
    "baseline": "the project's tests, before anything is changed",
    "plan": "the planner looks at the code and writes the plan",
    "code": "the coder changes the code",
    "test": "the project's tests, in a sandbox",
    "refactor": "the refactorer improves what was written",
    "finish": "what came of it",
}
TEXT_CHARS_MAX = 400
_TESTS_LINES_MAX = 14
TOLD_APART = ("write_plan", "task", "start_task")
"""Tools whose calls are not shown, because what they do is told by itself."""


class Progress:
    """What is known of a run so far. `observe` is called with each record, in order."""

    def __init__(self) -> None:
        self.run = ""
        self.goal = ""
        self.models: Mapping[str, str] = {}
        self.repository = ""
        self.budget: Mapping[str, float] = {}
        self.plan: tuple[PlanStep, ...] = ()
        self.node = ""
        self.actor = ""
        self.status = "running"
        self.reason = ""
        self.detail = ""
        self.summary = ""
        self.tests = ""
        self.tests_ok: bool | None = None
        self.commits: list[tuple[str, str]] = []
        self.undone = 0
        self.questions: dict[str, ev.QuestionAsked] = {}
        self.refusals = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.cost_microdollars = 0
        self.steps = 0
        self.started_ms = 0
        self.last_ms = 0
        self.sequence = 0
        self.parent = ""
        self.agents = AgentTree()
        self._worked_ms = 0
        self._resumed_ms = 0
        self._asked: dict[str, ev.Asked] = {}
        self._told = ""
        self._calls: dict[tuple[str, str], str] = {}

    # ── folding ──────────────────────────────────────────────────────────────────────────────────────

    def observe(self, record: ev.Record) -> list[Line]:
        """Counts the record in; returns what is worth a line."""
        event = record.event
        self.run = self.run or record.run
        self.sequence = record.sequence
        self.last_ms = record.time
        self.actor = record.actor
        if isinstance(event, ev.Asked):
            self.steps += 1
            self._asked[event.effect] = event
        self.agents.observe(event)
        lines = self._lines(event, record)
        if isinstance(event, ev.Answered):
            self._asked.pop(event.effect, None)
            self.questions.pop(event.effect, None)
        if self.agents and isinstance(event, (ev.Asked, ev.Answered, ev.Noted)):
            deeper = self.agents.depth(event.effect)
            lines = [msgspec.structs.replace(line, level=line.level + deeper) for line in lines]
        return lines

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def seconds(self) -> float:
        """Time in which the run was executed, as far as the records tell; parked time does not count."""
        running = self.last_ms - self._resumed_ms if self.status == "running" and self._resumed_ms else 0
        return (self._worked_ms + running) / 1000

    def meter(self, seconds: float | None = None) -> str:
        """`0:42 · 12,340 tokens · $0.0312 · 14 steps`, with the limits that were set."""
        limits = self.budget
        spent = self.seconds if seconds is None else seconds
        parts = [clock(spent) + (f"/{clock(limits['wall_seconds'])}" if limits.get("wall_seconds") else "")]
        if self.tokens or limits.get("tokens"):
            parts.append(f"{self.tokens:,}" + _of(limits.get("tokens"), "{:,.0f}") + " tokens")
        cost_max = limits.get("cost_microdollars")
        if self.cost_microdollars or cost_max:
            parts.append(f"${self.cost_microdollars / 1e6:.4f}" + _of(cost_max and cost_max / 1e6, "${:.2f}"))
        parts.append(f"{self.steps}" + _of(limits.get("steps"), "{:.0f}") + " steps")
        return " · ".join(parts)

    # ── one record ───────────────────────────────────────────────────────────────────────────────────

    def _lines(self, event: ev.Event, record: ev.Record) -> list[Line]:
        match event:
            case ev.RunStarted():
                return self._started(event, record)
            case ev.RunResumed():
                self.status, self._resumed_ms = "running", record.time
                self.budget = _table(event.budget) or self.budget
                return [Line("▶", "resumed", "title", level=0)]
            case ev.RunParked(reason=reason, detail=detail):
                self._ended("parked", record)
                self.reason, self.detail = reason, clean(detail)
                return [Line("‖", f"parked ({reason})", "warn", one_line(detail, 300), 0)]
            case ev.RunFinished(summary=summary):
                self._ended("finished", record)
                self.summary = clean(summary) or self.summary
                return [Line("■", "finished", "title", self.meter(), 0)]
            case ev.RunFailed(error=error, message=message):
                self._ended("failed", record)
                self.reason, self.detail = error, clean(message)
                return [Line("✗", f"failed: {clean(message)}", "bad", error, 0)]
            case ev.NodeEntered(node=node):
                self.node = node
                return [Line("●", node, "node", NODES.get(node, ""), 0)]
            case ev.NodeFailed(message=message):
                return [Line("✗", clean(message), "bad")]
            case ev.NoteWritten(topic=topic, value=value):
                return self._note(topic, value)
            case ev.Asked():
                return self._ask(event, record.actor)
            case ev.Answered():
                return self._answer(event, record.actor)
            case _:
                return []

    def _started(self, event: ev.RunStarted, record: ev.Record) -> list[Line]:
        options = _table(event.options)
        self.goal = clean(event.goal)
        self.models = options.get("models") or {}
        self.repository = str(options.get("repository") or "")
        self.budget = _table(event.budget)
        self.parent = f"{event.parent}@{event.parent_sequence}" if event.parent else ""
        self.started_ms = self._resumed_ms = record.time
        self.status = "running"
        about = " · ".join(
            filter(None, [f"run {record.run}", self.repository, ", ".join(self.models.values())])
        )
        lines = [Line("▶", self.goal or f"graph {event.graph}", "title", about, 0)]
        lines += [Line("!", clean(str(note)), "warn") for note in options.get("notes") or ()]
        return lines

    def _ended(self, status: str, record: ev.Record) -> None:
        if self.status == "running" and self._resumed_ms:
            self._worked_ms += record.time - self._resumed_ms
        self.status = status

    def _note(self, topic: str, value: msgspec.Raw) -> list[Line]:
        if topic == "plan":
            try:
                plan = msgspec.json.decode(value, type=tuple[PlanStep, ...])
            except msgspec.MsgspecError:
                return []
            new = [step.title for step in plan] != [step.title for step in self.plan]
            before, self.plan = {step.title: step.status for step in self.plan}, plan
            if new:
                return [_step(step) for step in plan]
            return [_step(step) for step in plan if before.get(step.title) != step.status]
        if topic == "tests":
            report = _table(value)
            if not report:
                return []
            self.tests, self.tests_ok = _tests(report)
            style: Style = "good" if self.tests_ok else "bad"
            failures = [
                f"{f.get('id', '')}: {one_line(str(f.get('message', '')), 160)}"
                for f in report.get("failures", ())[:_TESTS_LINES_MAX]
            ]
            return [Line("✔" if self.tests_ok else "✗", clean("\n".join([self.tests, *failures])), style)]
        if topic == "summary":
            self.summary = clean(str(msgspec.json.decode(value)))
            return [Line("", self.summary, "plain")]
        if topic == "context":
            return [_compacted(_table(value))]
        return [Line("·", f"{topic}: {one_line(bytes(value).decode(errors='replace'), 200)}", "dim")]

    def _ask(self, event: ev.Asked, actor: str) -> list[Line]:
        match event:
            case ev.ToolAsked(tool=tool):
                return self._tool(event, tool)
            case ev.ExecAsked(argv=argv, tier=tier, driver=driver):
                where = tier if driver in ("", tier) else f"{tier} ({driver})"
                return [Line("$", one_line(" ".join(argv), 160), "look", where)]
            case ev.AgentAsked(effect=effect):
                row = self.agents.rows[effect]
                return [Line("⇉", f"{row.name}: {one_line(row.task, 200)}", "talk")]
            case ev.QuestionAsked(to=to, question=question, choices=choices):
                self.questions[event.effect] = event
                said = f"{clean(question)}" + (f" [{'/'.join(choices)}]" if choices else "")
                return [Line("?", said, "warn", f"asks {to}")]
            case _:
                return []

    def _tool(self, event: ev.ToolAsked, tool: str) -> list[Line]:
        raw = event.arguments
        text = bytes(raw).decode(errors="replace") if isinstance(raw, msgspec.Raw) else "…"
        if event.answer is not None:
            text = self._calls.get((event.answer, event.call or ""), "…")
        if tool in TOLD_APART:
            return []
        try:
            arguments = msgspec.json.decode(text) if text not in ("", "…", "null") else {}
        except msgspec.DecodeError:
            arguments = {}
        program = arguments.get("program") if isinstance(arguments, dict) else None
        if tool == "code_edit" and isinstance(program, str):
            return [Line("✎", _program(program), "change")]
        if isinstance(program, str):
            return [Line("⌕", one_line(program, 160), "look")]
        return [Line("⚙", f"{tool} {one_line(text, 140)}".rstrip(), "look")]

    def _answer(self, event: ev.Answered, actor: str) -> list[Line]:
        asked = self._asked.get(event.effect)
        match event:
            case ev.EffectRefused(message=message):
                self.refusals += 1
                return self._trouble("⊘", message)
            case ev.EffectFailed(error="stopped"):
                return []  # ended with the sub-agent that it was part of
            case ev.AgentAnswered(status=status, result=result, ms=ms):
                told = self.agents.end(event.effect, status, _text(result))
                return [Line(*told, took(ms))] if told is not None else []
            case ev.EffectFailed(message=message, hint=hint):
                return self._trouble("✗", message, hint or "")
            case ev.ModelAnswered():
                return self._model(event, actor)
            case ev.ToolAnswered() if isinstance(asked, ev.ToolAsked) and asked.tool in TOLD_APART:
                return []
            case ev.ToolAnswered(error=True, result=result):
                return self._trouble("✗", _text(result))
            case ev.EditAnswered(ms=ms) if isinstance(asked, ev.EditAsked):
                return [Line("✔", _edited(asked), "good", took(ms), 2)]
            case ev.ExecAnswered() if actor == "tester":
                return []  # its report follows
            case ev.ExecAnswered(result=result, ms=ms):
                ended = _table(result)
                code, reason = ended.get("code", 0), ended.get("reason", "exit")
                said = f"exit {code}" if reason == "exit" else f"{reason} (exit {code})"
                return [Line("→", said, "dim", took(ms), 2)]
            case ev.GitAnswered(result=result) if isinstance(asked, ev.GitAsked):
                return self._git(asked, _table(result))
            case ev.QuestionAnswered(answer=answer, by=by):
                return [Line("!", f"{by} answered: {one_line(bytes(answer).decode())}", "warn")]
            case _:
                return []

    def _trouble(self, glyph: str, message: str, hint: str = "") -> list[Line]:
        """What went wrong, told once: the same words come from an effect and from the tool around it."""
        text = clean(message).strip()
        told = self._told.startswith(text.split("\n")[0][:200]) and bool(self._told)
        self._told = text
        lines = text.split("\n")
        shown = "\n".join([*lines[:12], f"… {len(lines) - 12} more lines"] if len(lines) > 12 else lines)
        return [] if told else [Line(glyph, shown, "bad", clean(hint), 2)]

    def _model(self, event: ev.ModelAnswered, actor: str) -> list[Line]:
        self.input_tokens += event.input_tokens
        self.output_tokens += event.output_tokens
        self.cost_microdollars += event.cost_microdollars
        said = _table(event.response)
        words = []
        for part in said.get("parts", ()):
            if part.get("type") == "text" and part.get("text", "").strip():
                words.append(part["text"])
            elif part.get("type") == "tool_call":
                self._calls[event.effect, part.get("id", "")] = part.get("arguments", "")
        known = event.input_tokens + event.output_tokens
        used = f"{event.input_tokens:,} → {event.output_tokens:,} tokens" if known else ""
        cost = f"${event.cost_microdollars / 1e6:.4f}" if event.cost_microdollars else ""
        detail = " · ".join(filter(None, [used, cost, took(event.ms)]))
        if not words:
            return []
        return [Line("◆", f"{actor}: {one_line(' '.join(words), TEXT_CHARS_MAX)}", "talk", detail)]

    def _git(self, asked: ev.GitAsked, done: Mapping[str, Any]) -> list[Line]:
        detail, sha = _table(asked.detail), str(done.get("sha", ""))
        if asked.operation == "commit":
            title = one_line(str(detail.get("message", "")).split("\n")[0])
            self.commits.append((sha, title))
            return [Line("✔", f"commit {sha[:10]} {title}", "good")]
        self.undone += 1
        return [Line("↶", f"undone, back to {sha[:10]}", "warn")]


# ── small things ─────────────────────────────────────────────────────────────────────────────────────


def clock(seconds: float) -> str:
    """`0:42`, `1:02:03`."""
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def took(ms: int) -> str:
    """A duration; empty where it is too short to matter."""
    return "" if ms < 50 else f"{ms / 1000:.1f} s"


def _of(limit: float | None, pattern: str) -> str:
    return f"/{pattern.format(limit)}" if limit else ""


def _table(value: Any) -> Mapping[str, Any]:
    """A JSON object that stands in an event; empty where it is elsewhere, or none."""
    if not isinstance(value, msgspec.Raw) or not bytes(value):
        return {}
    try:
        found = msgspec.json.decode(value)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    return str(_table(value).get("text", "")) if isinstance(value, msgspec.Raw) else "(a large result)"


def _step(step: PlanStep) -> Line:
    glyph, style = STEP.get(step.status, ("○", "plain"))
    return Line(glyph, one_line(step.title, 160), style)


STEP: Mapping[str, tuple[str, Style]] = {
    "completed": ("✔", "good"),
    "in_progress": ("▸", "talk"),
    "pending": ("○", "dim"),
}


def _program(program: str) -> str:
    lines = [line.rstrip() for line in clean(program).strip().split("\n")]
    shown = [line if len(line) <= 160 else line[:159] + "…" for line in lines[:6]]
    return "\n".join([*shown, f"… {len(lines) - 6} more lines"] if len(lines) > 6 else shown)


def _edited(asked: ev.EditAsked) -> str:
    diff = _text(asked.result).split("\n")
    added = sum(line.startswith("+") and not line.startswith("+++") for line in diff)
    removed = sum(line.startswith("-") and not line.startswith("---") for line in diff)
    paths = sorted(set(asked.before) | set(asked.after))
    shown = ", ".join(paths[:4]) + (f" and {len(paths) - 4} more" if len(paths) > 4 else "")
    count = f"+{added} −{removed}  " if added or removed else ""
    return f"{count}{clean(shown)}"


def _tests(report: Mapping[str, Any]) -> tuple[str, bool]:
    """The headline of a journaled test report, and whether it is good."""
    from forgewright.swarm.testing import TestReport, headline

    read = msgspec.convert(report, TestReport)
    return headline(read), read.ok


def _compacted(said: Mapping[str, Any]) -> Line:
    before, after = said.get("tokens") or (0, 0)
    text = f"the conversation was shortened, {before:,} → {after:,} tokens"
    return Line("·", text, "dim", ", ".join(map(str, said.get("compacted") or ())))
