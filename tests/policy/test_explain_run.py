"""`policy explain --run last` of real runs: what people were asked and said, and the sets that a home's people decided on."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec
import pytest
from tests.cli.test_approvals import forgewright, parked, resumed
from tests.policy.registry.test_home import POLICY, Shell, put_in_force, shell

from forgewright.core.ids import EffectId, new_run_id
from forgewright.journal import events as ev
from forgewright.journal.journal import open_journal
from forgewright.policy import CedarGate

__all__ = ["shell"]  # a fixture


def explained(home: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    capsys.readouterr()
    forgewright(home, "policy", "explain", "--run", "last", "--json")
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(("answer", "outcome"), [("yes", "done"), ("no: not today", "refused")])
def test_what_a_person_said_stands_beside_the_decision(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], answer: str, outcome: str
) -> None:
    post, run = asyncio.run(parked(tmp_path, "ada=1"))
    [waiting] = [line for line in explained(tmp_path, capsys) if line["words"]]
    assert waiting["outcome"] == "open"
    assert waiting["words"][0]["answer"] == ""  # type: ignore[index]  # a list
    assert forgewright(tmp_path, "answer", run, answer) == 0
    asyncio.run(resumed(tmp_path, post, run))
    [told] = [line for line in explained(tmp_path, capsys) if line["words"]]
    assert str(told["outcome"]).startswith(outcome)
    assert told["words"][0]["by"]  # type: ignore[index]  # likewise
    assert told["decision"]["approval"] == "owner"  # type: ignore[index]
    capsys.readouterr()
    forgewright(tmp_path, "policy", "explain", "--run", run[:9])
    shown = capsys.readouterr().out
    assert "owner was asked (record " in shown
    assert answer.partition(":")[0] in shown
    assert "1 put to a person" in shown


def test_a_set_that_the_homes_people_decided_on_explains_its_runs(shell: Shell, tmp_path: Path) -> None:
    """Also when another has taken its place: it is found by its digest."""
    first, second = tmp_path / "first.cedar", tmp_path / "second.cedar"
    first.write_text(POLICY)
    second.write_text(POLICY.replace("only-models", "models-still"))
    put_in_force(shell, str(first))

    async def run() -> str:
        journal = await open_journal(shell.home)
        try:
            gate = CedarGate.load([first])
            started = ev.RunStarted(graph="g", goal="x", state=msgspec.Raw(b"{}"), policy=gate.digest)
            asked = ev.ModelAsked(EffectId("1.1"), ev.Decision(True, ("only-models",)), model="m")
            denied = ev.GitAsked(EffectId("1.2"), ev.Decision(False), operation="push")
            name = new_run_id()
            await journal.append(name, [started, asked, denied], expected=0, actor="coder")
            return str(name)
        finally:
            await journal.close()

    asyncio.run(run())
    put_in_force(shell, str(second))
    shell.capsys.readouterr()
    forgewright(shell.home, "policy", "explain", "--run", "last", "--json")
    lines = [json.loads(line) for line in shell.capsys.readouterr().out.splitlines()]
    assert [(line["permit"], line["policy_name"], line["same_set"]) for line in lines] == [
        (True, "version 1 of main", True),
        (False, "version 1 of main", True),
    ]
    assert lines[0]["explanation"]["determining"][0]["id"] == "only-models"
    assert "policy" in lines[1]["explanation"]["change"]
