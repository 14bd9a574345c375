"""A run for a person, from the command line: what is personal in it lies sealed, and after an erasure nowhere."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from tests.cli.test_job import SESSION, forgewright, make_repository

from forgewright.journal.privacy import ledger
from forgewright.store.drivers.sqlite.packing import unpack

pytestmark = pytest.mark.sandbox

CANARY = "canary-5b1e77"
ALICE = "alice-7731@example.com"
GOAL = f"Add an endpoint GET /orders/{{id}} with tests, as {CANARY} of Invalidenstrasse asked"


def everything(home: Path) -> bytes:
    """Every file with its name, and every row as it is unpacked."""
    parts = [path.read_bytes() + str(path).encode() for path in sorted(home.rglob("*")) if path.is_file()]
    connection = sqlite3.connect(home / "journal.db")
    parts += [unpack(data, 0) for (data,) in connection.execute("SELECT data FROM records")]
    connection.close()
    return b"\n".join(parts)


def export(place: Path, run: str, name: str) -> Path:
    bundle = place / name
    assert forgewright(place, "audit", "export", run, "-o", str(bundle)) == 0
    return bundle


def verified(place: Path, bundle: Path) -> bool:
    """By the single file that an auditor has, out of the bundle, in a process without Forgewright."""
    with tarfile.open(bundle) as tar:
        verifier = tar.extractfile("verify.py")
        assert verifier is not None
        (place / "verify.py").write_bytes(verifier.read())
    key = str(place / "home" / "keys" / "log.pub")
    argv = [sys.executable, str(place / "verify.py"), str(bundle), "--key", key]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def test_a_run_for_a_person_and_its_erasure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ledger.ENVIRONMENT, str(tmp_path / "erasures"))
    home = tmp_path / "home"
    repository = make_repository(tmp_path / "repo")
    common = ("--repo", str(repository), "--model", SESSION)
    assert forgewright(tmp_path, "run", "bob: add the endpoint", *common, "--subject", "bob") == 0
    assert forgewright(tmp_path, "run", GOAL, *common, "--subject", ALICE) == 0
    capsys.readouterr()
    assert forgewright(tmp_path, "runs", "--json") == 0
    alices, bobs = (json.loads(line)["run"] for line in capsys.readouterr().out.splitlines())

    # Sealed: not to be read in the home, and read by who holds the home's vault.
    for secret in (CANARY, ALICE):
        assert secret.encode() not in everything(home)
    assert forgewright(tmp_path, "show", alices) == 0
    assert CANARY in capsys.readouterr().out
    assert forgewright(tmp_path, "privacy", "export", ALICE) == 0
    exported = json.loads(capsys.readouterr().out)
    assert {"goal", "state", "messages", "response"} <= {item["path"] for item in exported["values"]}
    before, bob_before = export(tmp_path, alices, "alice.tar"), export(tmp_path, bobs, "bob.tar")
    assert CANARY.encode() not in before.read_bytes()
    assert forgewright(tmp_path, "audit", "prove", alices, "1", "-o", str(tmp_path / "first")) == 0
    shutil.copytree(home, tmp_path / "backup", symlinks=True)
    assert (home / "runs" / alices).is_dir()
    capsys.readouterr()

    assert forgewright(tmp_path, "privacy", "erase", ALICE, "--reason", "Art. 17", "--yes",
                       "--certificate", str(tmp_path / "erased")) == 0  # fmt: skip

    assert not (home / "runs" / alices).exists()
    branches = subprocess.run(
        ["git", "branch", "--all"], cwd=repository, capture_output=True, text=True, check=True
    )
    assert alices not in branches.stdout
    assert bobs in branches.stdout
    after = export(tmp_path, "--all", "all.tar")
    for secret in (CANARY, ALICE):
        assert secret.encode() not in everything(home) + after.read_bytes()
    assert (tmp_path / "erased.tlog-proof").exists()
    assert b'"kind":"subject.erased"' in (tmp_path / "erased.record").read_bytes()
    assert verified(tmp_path, before)
    assert verified(tmp_path, after)
    assert forgewright(tmp_path, "audit", "fsck") == 0
    capsys.readouterr()

    # What is left says so; nothing goes on with it; others are as before.
    assert forgewright(tmp_path, "show", alices) == 0
    assert "[erased: subject-" in capsys.readouterr().out
    assert forgewright(tmp_path, "show", alices, "--records") == 0
    assert forgewright(tmp_path, "resume", alices, "--model", SESSION) != 0
    assert forgewright(tmp_path, "replay", alices) != 0
    assert forgewright(tmp_path, "dataset", "export", "-o", str(tmp_path / "dataset")) == 0
    assert CANARY.encode() not in b"".join(
        p.read_bytes() for p in (tmp_path / "dataset").rglob("*") if p.is_file()
    )
    assert forgewright(tmp_path, "show", bobs) == 0
    assert "bob: add the endpoint" in capsys.readouterr().out
    assert verified(tmp_path, bob_before)

    # An old backup, restored: the erasure is repeated before the first command reads anything.
    shutil.rmtree(home)
    shutil.copytree(tmp_path / "backup", home, symlinks=True)
    assert forgewright(tmp_path, "show", alices) == 0
    shown = capsys.readouterr().out
    assert CANARY not in shown
    assert "[erased: subject-" in shown
    assert CANARY.encode() not in everything(home)
    assert not (home / "runs" / alices).exists()


def test_who_answers_stands_under_a_pseudonym(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An approval in a run for nobody in particular: the approver is a person all the same."""
    monkeypatch.setenv(ledger.ENVIRONMENT, str(tmp_path / "erasures"))
    monkeypatch.setenv("LOGNAME", "margarethe-8812")
    repository = make_repository(tmp_path / "repo")
    policy = tmp_path / "asks.cedar"
    default = Path(sys.modules["forgewright"].__file__ or "").parent / "policy" / "default.cedar"
    policy.write_text(
        default.read_text()
        + '\n@id("ask-tests") @tier("container") @approval("owner")\npermit (principal, action == Action::"exec", resource);\n'
    )
    config = tmp_path / "forgewright.toml"
    config.write_text(f'[policy]\nfiles = ["{policy}"]\n')
    common = ("--config", str(config))
    assert (
        forgewright(tmp_path, "run", "add it", "--repo", str(repository), "--model", SESSION, *common) == 12
    )
    assert forgewright(tmp_path, "answer", "last", "yes", *common) == 0
    capsys.readouterr()
    assert b"margarethe" not in everything(tmp_path / "home")
    assert forgewright(tmp_path, "show", "last", "--records") == 0
    assert "margarethe-8812" in capsys.readouterr().out
    assert forgewright(tmp_path, "privacy", "erase", "margarethe-8812", "--reason", "left", "--yes") == 0
    capsys.readouterr()
    assert forgewright(tmp_path, "show", "last", "--records") == 0
    assert "margarethe" not in capsys.readouterr().out
    assert forgewright(tmp_path, "audit", "fsck") == 0
