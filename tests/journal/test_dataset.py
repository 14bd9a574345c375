"""The dataset: complete, de-duplicated, filtered, without what may not be in it."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from forgewright.cli import dataset as command
from forgewright.core.errors import NotFound
from forgewright.core.ids import Digest, RunId
from forgewright.journal import events as ev
from forgewright.journal.journal import Journal, open_journal
from forgewright.journal.privacy import ledger
from forgewright.journal.privacy.privacy import open_privacy

SECRET = "ghp_" + "aB3dE5fG7h" * 3 + "aB3dE5"


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


async def one(
    journal: Journal,
    run: str,
    program: str,
    *,
    code: int | None = 0,
    licence: str = "MIT",
    extra: bytes = b'""',
) -> None:
    """A run: a request, an answer with a tool call, a second request that continues the first, an edit, tests."""
    head = {"system": "You change code.", "tools": []}
    call = {"parts": [{"type": "tool_call", "id": "c1", "name": "read", "arguments": "{}"}]}
    events: list[ev.Event] = [
        ev.RunStarted("swarm", "add a thing", raw({}), options=raw({"licence": licence})),
        ev.ModelAsked(
            "1.1",
            model="openai:x",
            request=Digest("sha256:0"),
            head=raw(head),
            messages=raw([{"role": "user", "text": f"please, with {SECRET}"}]),
        ),  # type: ignore[arg-type]
        ev.ModelAnswered("1.1", raw(call)),  # type: ignore[arg-type]
        ev.ToolAsked("1.2", tool="read", answer="1.1"),  # type: ignore[arg-type]
        ev.ToolAnswered("1.2", raw({"text": "the file"})),  # type: ignore[arg-type]
        ev.ModelAsked(
            "1.3", model="openai:x", request=Digest("sha256:1"), base="1.1", messages=raw(["1.1", "1.2"])
        ),  # type: ignore[arg-type]
        ev.ModelAnswered("1.3", raw({"parts": [{"type": "text", "text": "(rename …)"}]})),  # type: ignore[arg-type]
        ev.ToolAsked("1.4", tool="edit", answer="1.3"),  # type: ignore[arg-type]
        ev.EditAsked("1.5", program=raw(program), after={"a": Digest("sha256:2")}),  # type: ignore[arg-type]
        ev.EditAnswered("1.5", ev.NULL),  # type: ignore[arg-type]
        ev.ValueRead("1.6", "extra", msgspec.Raw(extra)),  # type: ignore[arg-type]
    ]
    if code is not None:
        events += [
            ev.ExecAsked("1.7", argv=("pytest",), purpose="tests"),  # type: ignore[arg-type]
            ev.ExecAnswered("1.7", raw({"code": code})),  # type: ignore[arg-type]
        ]
    events.append(ev.RunFinished(raw(1)))
    await journal.append(RunId(run), events, expected=0)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(ledger.ENVIRONMENT, str(tmp_path / "erasures"))

    async def make() -> None:
        journal = await open_journal(tmp_path / "home")
        privacy = await open_privacy(journal)
        await one(journal, "run-a", "(rename a)")
        await one(journal, "run-b", "(rename a)")  # teaches the same
        await one(journal, "run-c", "(rename c)", code=1)
        await one(journal, "run-d", "(rename d)", code=None)
        await one(journal, "run-e", "(rename e)", licence="GPL-3.0-only")
        for name, consents in (("ann", True), ("ben", False)):
            subject = await privacy.subject(name)
            if consents:
                await privacy.consent(name, "training")
            sealed = await privacy.protect(msgspec.json.encode(name), subject, [""])
            await one(journal, f"run-{name}", f"(rename {name}'s)", extra=sealed)
        await privacy.close()
        await journal.close()

    asyncio.run(make())
    return tmp_path / "home"


def call(home: Path, folder: Path, *argv: str) -> int:
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers(dest="command"))
    args = parser.parse_args(["dataset", "export", "-o", str(folder), *argv])
    args.home, args.json = home, False
    return command.run(args)


def read(folder: Path) -> list[dict[str, object]]:
    paths = [folder / f"{split}.jsonl" for split in ("train", "validation", "test")]
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def test_the_chat_form(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(home, tmp_path / "set") == 0
    lines = read(tmp_path / "set")
    programs = sorted(line["messages"][-1]["content"] for line in lines)  # type: ignore[index]
    assert programs == ["(rename a)", "(rename ann's)", "(rename e)"]
    first = next(line for line in lines if line["metadata"]["run"] == "run-a")  # type: ignore[index]
    assert first["messages"] == [
        {"role": "system", "content": "You change code."},
        {"role": "user", "content": "please, with [redacted:github-token]"},
        {"role": "assistant", "content": '{"tool":"read","arguments":"{}"}'},
        {"role": "tool", "content": "the file"},
        {"role": "assistant", "content": "(rename a)"},
    ]
    assert first["metadata"] == {
        "run": "run-a",
        "sequence": 9,
        "goal": "add a thing",
        "outcome": "passed",
        "run_outcome": "finished",
        "model": "openai:x",
        "licence": "MIT",
    }
    text = (tmp_path / "set/README.md").read_text()
    for row in (
        "| repeats another | 1 |",
        "| outcome failed | 1 |",
        "| no consent of a person in the run | 1 |",
    ):
        assert row in text
    assert "3 train" in capsys.readouterr().out or len(lines) == 3
    assert all(SECRET not in path.read_text() for path in (tmp_path / "set").iterdir())


def test_the_completion_form_and_the_filters(home: Path, tmp_path: Path) -> None:
    assert (
        call(home, tmp_path / "set", "--form", "completion", "--outcome", "failed", "--outcome", "untested")
        == 0
    )
    lines = read(tmp_path / "set")
    assert sorted(str(line["completion"]) for line in lines) == ["(rename c)", "(rename d)"]
    assert str(lines[0]["prompt"]).startswith("### system\nYou change code.\n\n### user\n")
    assert call(home, tmp_path / "gpl", "--licence", "GPL-3.0-only") == 0
    assert [line["metadata"]["run"] for line in read(tmp_path / "gpl")] == ["run-e"]  # type: ignore[index]
    assert "license: gpl-3.0-only" in (tmp_path / "gpl/README.md").read_text()
    assert call(home, tmp_path / "named", "run-a") == 0
    assert len(read(tmp_path / "named")) == 1
    with pytest.raises(NotFound):
        call(home, tmp_path / "none", "nothing")


def test_an_export_is_the_same_every_time(home: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        call(home, tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
