"""What another set would change, over given attempts and over a real journal."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from forgewright.cli import policy as cli
from forgewright.core.errors import ConfigError, NotFound
from forgewright.core.ids import EffectId, new_run_id
from forgewright.journal import events as ev
from forgewright.journal.journal import open_journal
from forgewright.policy import Attempt, CedarGate, Verdict
from forgewright.policy.diff import compare, diff
from forgewright.policy.table import read_cases, run_cases

TABLE = Path(__file__).parent / "default.toml"


def command(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--config")
    cli.register(parser.add_subparsers())
    return parser.parse_args(argv)


def test_flips_are_counted_once_and_loosening_ones_come_first() -> None:
    attempts = [
        Attempt("coder", "edit", ".env"),
        Attempt("coder", "exec", "tests"),
        Attempt("coder", "exec", "tests"),
        Attempt("coder", "model", "m"),
    ]
    found = diff(CedarGate.load("default"), CedarGate.load("strict"), attempts)
    assert [(f.attempt.action, f.change, f.times) for f in found.flips] == [
        ("edit", "now denied", 1),
        ("exec", "stronger", 2),
        ("model", "stronger", 1),
    ]
    back = diff(CedarGate.load("strict"), CedarGate.load("default"), attempts)
    assert [f.change for f in back.flips] == ["now permitted", "weaker", "weaker"]
    assert "publishing" in back.unused
    assert "edits" not in back.unused


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        (Verdict(True, tier="container"), Verdict(True, ("x",), tier="container"), None),
        (Verdict(False), Verdict(False, ("x",)), None),
        (Verdict(True, tier="gvisor"), Verdict(True, tier="container"), "weaker"),
        (Verdict(True, approval="owner"), Verdict(True, approval="owner,security"), "stronger"),
        (Verdict(True, approval="owner"), Verdict(True, approval="security"), "different"),
        (Verdict(True, limits={"s": 5}), Verdict(True, limits={"s": 9}), "weaker"),
    ],
)
def test_compare(old: Verdict, new: Verdict, change: str | None) -> None:
    assert compare(old, new) == change


async def test_the_journal_of_a_home_is_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = await open_journal(tmp_path)
    run = new_run_id()
    granted = ev.Decision(True, ("checks", "shell"), "container")
    spec = ev.Json(b'{"network":{"allow":["packages.example:443"]},"mounts":[{"target":"/w","mode":"rw"}]}')
    try:
        await journal.append(
            run,
            [
                ev.ExecAsked(
                    EffectId("1.1"), granted, ("pytest",), "container", "crun", "host", purpose="tests"
                ),
                ev.ExecAsked(
                    EffectId("1.2"), granted, ("pip",), "container", "crun", "host", spec, purpose="build"
                ),
                ev.EditAsked(EffectId("1.3"), ev.Decision(True, ("edits",)), ev.NULL, {"a.py": None}),
                ev.GitAsked(EffectId("1.4"), ev.Decision(True, ("git",)), "commit"),
                ev.NoteWritten(EffectId("1.5"), "plan", ev.NULL),
            ],
            expected=0,
            actor="coder",
        )
    finally:
        await journal.close()

    import asyncio

    def replay(*more: str) -> tuple[int, dict[str, object]]:
        code = cli.run(command("--home", str(tmp_path), "--json", "policy", "replay", *more))
        return code, json.loads(capsys.readouterr().out)

    code, found = await asyncio.to_thread(replay)
    assert code == 1
    assert found["attempts"] == 4
    [flip] = found["flips"]  # type: ignore[misc]
    assert flip["change"] == "stronger"
    assert flip["attempt"]["facts"]["network"] == ["packages.example:443"]
    code, found = await asyncio.to_thread(replay, "--run", run, "strict")
    assert [f["change"] for f in found["flips"]] == ["stronger", "stronger"]  # type: ignore[attr-defined]
    with pytest.raises(NotFound):
        await asyncio.to_thread(replay, "--run", "nonesuch")

    def explained() -> list[dict[str, object]]:
        cli.run(command("--home", str(tmp_path), "--json", "policy", "explain", "--run", run))
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    lines = await asyncio.to_thread(explained)
    assert [line["attempt"]["action"] for line in lines] == ["exec", "exec", "edit", "git"]  # type: ignore[index]
    assert [line["change"] for line in lines] == [None, "stronger", None, None]
    assert all(line["explanation"]["determining"] for line in lines)  # type: ignore[index]


def test_tables_pass_and_fail_with_an_explanation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gate = CedarGate.load()
    assert [r.mistakes for r in run_cases(gate, "t", read_cases(TABLE))] == [()] * 6
    assert cli.run(command("policy", "test", str(TABLE))) == 0
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(
        '[[case]]\nname = "wrong"\ngiven = {principal="x", action="git", resource="push"}\n'
        'expect = {permit = true, tier = "gvisor", by = ["git"]}\n'
    )
    assert cli.run(command("policy", "test", str(wrong))) == 1
    said = capsys.readouterr().out
    assert "expected permitted; found denied" in said
    assert "would permit if" in said
    wrong.write_text('[[case]]\nname = "x"\ngiven = {principle="x"}\nexpect = {permit = true}\n')
    with pytest.raises(ConfigError, match=r"wrong\.toml"):
        read_cases(wrong)


def test_check_explain_and_diff_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(command("policy", "check")) == 0
    assert cli.run(command("policy", "check", "strict")) == 0
    bad = tmp_path / "bad.cedar"
    bad.write_text("permit (principal, action, resource);")
    assert cli.run(command("policy", "check", str(bad))) == 1
    assert "bad.cedar:1:1" in capsys.readouterr().out
    assert cli.run(command("policy", "explain", "edit", ".git/x", "--as", "coder")) == 1
    assert "no-edits-of-git" in capsys.readouterr().out
    assert cli.run(command("policy", "explain", "exec", "tests", "argv=pytest,-q")) == 0
    attempts = tmp_path / "a.jsonl"
    attempts.write_text('{"principal":"coder","action":"edit","resource":".env","facts":{"lines":3}}\n')
    assert cli.run(command("policy", "diff", "default", "strict", "--attempts", str(attempts))) == 1
    assert "now denied" in capsys.readouterr().out
    attempts.write_text("{}\n")
    with pytest.raises(ConfigError, match=r"a\.jsonl:1"):
        cli.run(command("policy", "diff", "default", "strict", "--attempts", str(attempts)))
