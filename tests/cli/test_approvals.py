"""Questions and approvals of a run, answered from a terminal and from a second process."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.test_approvals import Post

from forgewright.cli.approvals import until
from forgewright.cli.ask import _ask
from forgewright.cli.main import main
from forgewright.core.errors import UsageError
from forgewright.core.ids import EffectId, RunId
from forgewright.runtime.questions import Question

APPROVAL = Question(
    RunId("r"), EffectId("1.approve-1.2.1"), "owner", "May clerk do this: tool send?", ("yes", "no"),
    about={"may": ["edit", "answer"], "arguments": {"to": "ada\x1b[2J"}, "facts": {"untrusted": ["to"], "plan": "partly"}},
)  # fmt: skip


async def parked(home: Path, *lines: str) -> tuple[Post, str]:
    post = Post()
    async with post.engine(home) as engine:
        return post, (await post.start(engine, *lines)).run


async def resumed(home: Path, post: Post, run: str) -> str:
    async with post.engine(home) as engine:
        outcome = await post.go_on(engine, RunId(run))
    return outcome.reason or outcome.state.answer


def forgewright(home: Path, *argv: str) -> int:
    return main([*argv, "--home", str(home)])


@pytest.mark.parametrize(
    ("argv", "sent"),
    [
        (["yes"], [("ada", "1")]),
        (["no: not today"], []),
        (["--edit", '{"to": "bob", "text": "2"}'], [("bob", "2")]),
        (["--result", "it is done"], []),
    ],
)
def test_the_four_rulings_from_a_second_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], argv: list[str], sent: list[tuple[str, str]]
) -> None:
    import asyncio

    post, run = asyncio.run(parked(tmp_path, "ada=1"))
    assert forgewright(tmp_path, "approvals", run) == 0
    shown = capsys.readouterr().out
    assert "May clerk do this: tool send?" in shown
    assert "to: ada" in shown
    assert forgewright(tmp_path, "answer", run, *argv) == 0
    asyncio.run(resumed(tmp_path, post, run))
    assert post.sent == sent


def test_an_approval_that_stands_is_listed_and_revoked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import asyncio

    post, run = asyncio.run(parked(tmp_path, "ada=1", "ada=2", "bob=3"))
    asked = ["yes", "--for-run", "--where", "to=a*", "--until", "2h", "--times", "5"]
    assert forgewright(tmp_path, "answer", run, *asked) == 0
    assert asyncio.run(resumed(tmp_path, post, run)) == "approval"
    assert post.sent == [("ada", "1"), ("ada", "2")]
    capsys.readouterr()
    assert forgewright(tmp_path, "approvals", run, "--json") == 0
    question, standing = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (question["kind"], question["about"]["arguments"]["to"]) == ("question", "bob")
    assert (standing["used"], standing["holds"], standing["remember"]["where"]) == (1, True, {"to": "a*"})
    assert forgewright(tmp_path, "approvals", run) == 0
    assert "4 more times" in capsys.readouterr().out
    assert forgewright(tmp_path, "approvals", run, "--revoke", standing["id"]) == 0
    assert forgewright(tmp_path, "approvals", run, "--revoke", standing["id"]) != 0
    assert "no standing approval" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["yes", "--result", "x"],
        ["yes", "--until", "18:00"],
        ["no", "--for-run"],
        ["yes", "--for-run", "--until", "soon"],
        ["yes", "--for-run", "--where", "to"],
        ["--edit", "{"],
    ],
)
def test_options_that_do_not_fit_together_answer_nothing(tmp_path: Path, argv: list[str]) -> None:
    import asyncio

    _, run = asyncio.run(parked(tmp_path, "ada=1"))
    assert forgewright(tmp_path, "answer", run, *argv) == 2
    assert forgewright(tmp_path, "answer", run, "yes") == 0


def test_times() -> None:
    now = 1_700_000_000.0
    assert until("30m", now) == int((now + 1800) * 1000)
    assert until("1d", now) == int((now + 86400) * 1000)
    assert 0 < until("18:00", now) / 1000 - now <= 86400
    with pytest.raises(UsageError, match="expected a time"):
        until("whenever", now)


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("yes\n", "yes"),
        ("no: later\n", "no: later"),
        ("yes for this run\n", {"do": "approve", "remember": {}}),
        ('edit\n{"to": "bob"}\n', {"do": "edit", "arguments": {"to": "bob"}}),
        ("answer\nI did it\n", {"do": "answer", "result": "I did it"}),
        ("\n", None),
        ("perhaps\nsurely\nwell\n", None),
        ("edit\n{\nyes\n", "yes"),
    ],
)
def test_rulings_at_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, answer: Any
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert _ask(APPROVAL) == answer
    shown = capsys.readouterr().out
    assert "to: ada\n" in shown, "what a terminal would obey is taken out"
    assert "! untrusted: to; partly the plan" in shown


@pytest.mark.parametrize(
    ("form", "typed", "answer"),
    [
        ({"type": "boolean"}, "maybe\nyes\n", True),
        ({"type": "integer"}, "many\n3\n", 3),
        ({"type": "string"}, "3\n", "3"),
        ({"type": "object", "properties": {"a": {"type": "integer"}}}, '{"a": 1}\n', {"a": 1}),
    ],
)
def test_typed_questions_at_the_terminal(
    monkeypatch: pytest.MonkeyPatch, form: dict[str, Any], typed: str, answer: Any
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert _ask(Question(RunId("r"), EffectId("1.1"), "owner", "well?", form=form)) == answer
