"""The privacy commands, on a real home."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from forgewright.cli import privacy as command
from forgewright.core.errors import NotFound, Refused, UsageError
from forgewright.core.ids import RunId
from forgewright.journal.events import CustomAnswered
from forgewright.journal.journal import open_journal
from forgewright.journal.log.keys import PUBLIC
from forgewright.journal.log.notes import parse_verifier_key
from forgewright.journal.log.proofs import parse_proof
from forgewright.journal.privacy import ledger
from forgewright.journal.privacy.privacy import open_privacy


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import asyncio

    monkeypatch.setenv(ledger.ENVIRONMENT, str(tmp_path / "erasures"))

    async def make() -> None:
        journal = await open_journal(tmp_path / "home")
        privacy = await open_privacy(journal)
        alice = await privacy.subject("alice@example.com")
        value = await journal.keep(await privacy.protect(b'{"mail":"alice@example.com"}', alice, ["mail"]))
        await journal.note(RunId("run"), [CustomAnswered(effect="1", result=value)])
        await privacy.close()
        await journal.close()

    asyncio.run(make())
    return tmp_path / "home"


def call(home: Path, *argv: str, as_json: bool = False) -> int:
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers(dest="command"))
    args = parser.parse_args(["privacy", *argv])
    args.home, args.json = home, as_json
    return command.run(args)


def test_a_person_is_shown_exported_held_and_erased(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(home, "subjects", as_json=True) == 0
    (subject,) = json.loads(capsys.readouterr().out)
    assert (subject["name"], subject["values"]) == ("alice@example.com", 1)
    assert call(home, "export", "alice@example.com", "-o", str(tmp_path / "alice.json")) == 0
    exported = json.loads((tmp_path / "alice.json").read_text())
    assert exported["values"][0]["value"] == "alice@example.com"
    assert (tmp_path / "alice.json").stat().st_mode & 0o777 == 0o600

    assert call(home, "hold", "alice@example.com", "--reason", "case 1") == 0
    with pytest.raises(Refused):
        call(home, "erase", "alice@example.com", "--reason", "asked", "--yes")
    assert call(home, "hold", subject["subject"], "--reason", "closed", "--release") == 0
    certificate = tmp_path / "certificate"
    erase = ("erase", "alice@example.com", "--reason", "asked", "--yes", "--certificate", str(certificate))
    assert call(home, *erase) == 0
    proof = parse_proof(certificate.with_suffix(".tlog-proof").read_text())
    data = certificate.with_suffix(".record").read_bytes()
    proof.verify(data, parse_verifier_key((home / PUBLIC).read_text()))
    assert json.loads(data)["event"]["kind"] == "subject.erased"
    with pytest.raises(NotFound):
        call(home, "export", "alice@example.com")


def test_erasing_asks_first(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "no")
    assert call(home, "erase", "alice@example.com", "--reason", "asked") == 1
    assert "nothing was erased" in capsys.readouterr().out
    assert call(home, "export", "alice@example.com") == 0


def test_consent_is_given_and_withdrawn(home: Path) -> None:
    assert call(home, "consent", "bob", "--purpose", "training", "--expires", "2099-01-01") == 0
    assert call(home, "consent", "bob", "--purpose", "training", "--withdraw") == 0
    with pytest.raises(UsageError):
        call(home, "consent", "bob", "--purpose", "training", "--expires", "soon")
