"""What a person sees of a run: the same records on a terminal, in a pipe and for programs."""

from __future__ import annotations

import io
import json

import msgspec
import pytest

from forgewright.cli.agents import AgentTree
from forgewright.cli.live import JsonView, PlainView, TerminalView, make_view
from forgewright.cli.output import clean, one_line
from forgewright.cli.progress import Line, Progress, clock
from forgewright.core.ids import Digest, EffectId, RunId
from forgewright.journal import codec
from forgewright.journal import events as ev
from forgewright.journal.events import Event, Record
from forgewright.models.types import CallDelta, TextDelta

RUN = RunId("01jtestrun000001")
START = 1_700_000_000_000


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def effect(name: str) -> EffectId:
    return EffectId(name)


def records(*events: tuple[str, Event]) -> list[Record]:
    out = []
    for i, (actor, event) in enumerate(events):
        when = START + i * 1000
        data = codec.encode(RUN, i + 1, when, actor, event)
        out.append(Record(i, RUN, i + 1, when, actor, event, data))
    return out


HOSTILE = "\x1b[2J\x1b]0;owned\x07done\u202e"
PLAN = [
    {"title": "Write it", "status": "completed"},
    {"title": f"Test it {HOSTILE}", "status": "in_progress"},
]
OPTIONS = {"models": {"default": "m:x"}, "repository": "/r", "notes": ["left out: x"]}
EDIT = json.dumps({"program": f"(create-file path: 'a.py') {HOSTILE}"})
CALL = {"type": "tool_call", "id": "c1", "name": "code_edit", "arguments": EDIT}
SAID = {"parts": [{"type": "text", "text": f"I will edit {HOSTILE}"}, CALL]}
DIFF = {"text": "--- a/a.py\n+++ b/a.py\n+x = 1\n-y = 2\n+z = 3"}
FAILURE = {"id": "t.py::test_a", "message": "1 != 2"}
TESTS = {"passed": 3, "failed": 1, "framework": "pytest", "failures": [FAILURE]}
AFTER = {"a.py": Digest("sha256:1")}
EVENTS: list[tuple[str, Event]] = [
    ("engine", ev.RunStarted("swarm", f"Reach it {HOSTILE}", raw({}), raw(OPTIONS), raw({"tokens": 1000}))),
    ("engine", ev.NodeEntered("code", 1)),
    ("coder", ev.ModelAsked(effect("1.1"), ev.GRANTED, "m:x", Digest("sha256:0"))),
    ("coder", ev.ModelAnswered(effect("1.1"), raw(SAID), 100, 20, 0, 0, 1234)),
    (
        "coder",
        ev.ToolAsked(effect("1.2"), ev.GRANTED, "code_edit", "idempotent", call="c1", answer=effect("1.1")),
    ),
    ("coder", ev.EditAsked(effect("1.2.1"), ev.GRANTED, raw("(…)"), {"a.py": None}, AFTER, raw(DIFF))),
    ("coder", ev.EditAnswered(effect("1.2.1"), ev.NULL, 120)),
    ("coder", ev.EffectRefused(effect("1.3"), f"policy denied {HOSTILE}")),
    ("coder", ev.ToolAnswered(effect("1.4"), raw({"text": f"policy denied {HOSTILE}"}), error=True)),
    ("coder", ev.NoteWritten(effect("1.5"), "plan", raw(PLAN))),
    ("tester", ev.NoteWritten(effect("1.6"), "tests", raw(TESTS))),
    ("tester", ev.GitAsked(effect("1.7"), ev.GRANTED, "commit", raw({"message": "Add it", "when_ms": 1}))),
    ("tester", ev.GitAnswered(effect("1.7"), raw({"sha": "abcdef0123456789", "effect": "1.7"}))),
    ("coder", ev.QuestionAsked(effect("1.8"), ev.GRANTED, "owner", "May I?", ("yes", "no"))),
    ("engine", ev.RunParked("question", "May I?")),
]


def test_progress_knows_where_the_run_stands() -> None:
    progress = Progress()
    for record in records(*EVENTS):
        progress.observe(record)
    assert (progress.status, progress.reason) == ("parked", "question")
    assert progress.tokens == 120
    assert progress.cost_microdollars == 1234
    assert progress.tests == "3 passed, 1 failed (pytest)"
    assert progress.tests_ok is False
    assert progress.commits == [("abcdef0123456789", "Add it")]
    assert progress.refusals == 1
    assert [question.question for question in progress.questions.values()] == ["May I?"]
    assert progress.seconds == 14
    assert progress.meter() == "0:14 · 120/1,000 tokens · $0.0012 · 5 steps"


def test_plain_lines_carry_the_time_and_nothing_that_a_terminal_obeys() -> None:
    stream = io.StringIO()
    with make_view(as_json=False, stream=stream) as view:
        assert isinstance(view, PlainView)
        for record in records(*EVENTS):
            view.on_record(record)
            view.on_delta(RUN, "coder", TextDelta("half a sen"))
    shown = stream.getvalue()
    assert "     1.0s ● code" in shown
    assert "✔ +2 −1  a.py" in shown
    assert "✗ 3 passed, 1 failed (pytest)\n" in shown
    assert "t.py::test_a: 1 != 2" in shown
    assert shown.count("policy denied") == 1
    assert "half a sen" not in shown
    for character in "\x1b\x07\u202e":
        assert character not in shown


def test_for_programs_each_record_is_as_it_is_stored() -> None:
    stream = io.StringIO()
    with make_view(as_json=True, stream=stream) as view:
        assert isinstance(view, JsonView)
        for record in records(*EVENTS):
            view.on_record(record)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"]["kind"] for line in lines][:2] == ["run.started", "node.entered"]
    assert len(lines) == len(EVENTS)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_plan_node_and_meter_below_what_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    view = make_view(as_json=False, stream=stream)
    assert isinstance(view, TerminalView)
    with view:
        for record in records(*EVENTS[:11]):
            view.on_record(record)
        view.on_delta(RUN, "coder", TextDelta(f"now I look {HOSTILE}"))
        view.on_delta(RUN, "coder", CallDelta("code_query", "(outline"))
        view._live.refresh()
    shown = stream.getvalue()
    for expected in (
        "▸ Test it",
        "now I look",
        "(outline",
        "120/1,000 tokens",
        "3 passed, 1 failed",
        "⊘",
        "policy denied",
    ):
        assert expected in shown
    assert "owned" not in shown
    assert "\u202e" not in shown


def test_a_dumb_terminal_and_no_color_get_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert isinstance(make_view(as_json=False, stream=Terminal()), PlainView)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(make_view(as_json=False, stream=Terminal()), PlainView)


def test_events_of_every_kind_are_shown_or_left_out_without_a_mistake() -> None:
    """Also those with values that were too large to stand in the record."""
    stored = ev.Stored(Digest("sha256:" + "0" * 64), 1 << 20)
    large: list[tuple[str, Event]] = [
        ("coder", ev.ModelAnswered(effect("1.1"), stored)),
        ("coder", ev.ToolAsked(effect("1.2"), ev.GRANTED, "code_edit", "pure", arguments=stored)),
        ("coder", ev.ToolAnswered(effect("1.2"), stored, error=True)),
        ("coder", ev.EditAsked(effect("1.3"), ev.GRANTED, stored, {"a": None}, {}, stored)),
        ("coder", ev.EditAnswered(effect("1.3"), stored)),
        ("coder", ev.ExecAnswered(effect("1.4"), stored)),
        ("engine", ev.RunFailed("error", "it broke")),
    ]
    progress = Progress()
    for record in records(*large):
        for line in progress.observe(record):
            assert isinstance(line, Line)
    assert progress.status == "failed"


AGENTS: list[tuple[str, Event]] = [
    ("engine", ev.RunStarted("lead", "Lead", raw({}))),
    ("lead", ev.ToolAsked(effect("1.1"), ev.GRANTED, "task", "idempotent")),
    ("lead", ev.AgentAsked(effect("1.1.1"), ev.GRANTED, "worker", raw(f"first {HOSTILE}"))),
    ("lead", ev.AgentAsked(effect("1.2.1"), ev.GRANTED, "worker", raw("second"))),
    ("worker", ev.AgentAsked(effect("1.2.1.1.1"), ev.GRANTED, "helper", raw("below"))),
    ("helper", ev.ToolAsked(effect("1.2.1.1.1.2"), ev.GRANTED, "look", "pure")),
    ("worker", ev.QuestionAsked(effect("1.1.1.1"), ev.GRANTED, "owner", "Which?", ("a", "b"))),
    ("helper", ev.EffectFailed(effect("1.2.1.1.1.2"), "stopped", "ended")),
    ("worker", ev.AgentAnswered(effect("1.2.1.1.1"), raw({"text": "too slow"}), "timeout", 500, 0, 3, 1500)),
]


def test_sub_agents_are_a_tree(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    view = PlainView(stream)
    for record in records(*AGENTS):
        view.on_record(record)
    tree = view.progress.agents
    assert [text for text, _, _ in tree.lines()] == [
        f"? worker: first {one_line(clean(HOSTILE))}".rstrip(),
        "▸ worker: second",
        "  ⏱ helper: below",
    ]
    assert tree.lines()[2][2] == "500 tokens · 1.5 s"
    assert tree.totals() == "3 sub-agents: 1 asking, 1 working, 1 timeout"
    assert len(tree.lines(all_of_them=False)) == 2
    told = stream.getvalue()
    assert "    ⇉ worker: second" not in told
    assert "⇉ helper: below" in told
    assert "⏱ helper timeout: too slow" in told
    assert "task" not in told
    assert "ended" not in told
    assert "\x1b" not in told


def test_of_many_alike_some_are_shown_and_the_rest_counted() -> None:
    tree = AgentTree()
    for number in range(100):
        tree.observe(ev.AgentAsked(effect(f"1.{number}.1"), ev.GRANTED, "worker", raw(f"n{number}")))
        tree.observe(ev.AgentAnswered(effect(f"1.{number}.1"), raw({"text": ""})))
    lines = [text for text, _, _ in tree.lines()]
    assert len(lines) == 13
    assert lines[-1] == "… 88 more completed"


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (62, "1:02"), (3723, "1:02:03")])
def test_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown
