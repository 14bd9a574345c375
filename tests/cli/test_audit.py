"""The audit commands, on a real home."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from tests.journal.homes import RUNS, make_home

from forgewright.cli import audit
from forgewright.core.errors import NotFound
from forgewright.journal.log.notes import parse_verifier_key
from forgewright.journal.log.proofs import parse_proof


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import asyncio

    path = tmp_path_factory.mktemp("audit") / "home"
    asyncio.run(make_home(path, 100))
    return path


def call(home: Path, *argv: str, as_json: bool = False) -> int:
    parser = argparse.ArgumentParser()
    audit.register(parser.add_subparsers(dest="command"))
    args = parser.parse_args(["audit", *argv])
    args.home, args.json = home, as_json
    return audit.run(args)


def test_a_bundle_is_exported_and_verified(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tmp_path / "one.tar"
    assert call(home, "export", RUNS[0], "-o", str(bundle)) == 0
    assert "100 records of 1 runs" in capsys.readouterr().out
    assert call(home, "verify", str(bundle)) == 0
    assert "whose?" in capsys.readouterr().out
    assert call(home, "verify", str(bundle), "--key", str(home / "keys/log.pub"), as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["records"], found["pinned"], found["findings"]) == (100, True, [])
    data = bytearray(bundle.read_bytes())
    data[5000] ^= 1
    bundle.write_bytes(data)
    assert call(home, "verify", str(bundle)) == 1
    assert "WRONG" in capsys.readouterr().out


def test_the_verifier_in_the_bundle_needs_no_forgewright(home: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "all.tar"
    assert call(home, "export", "--all", "-o", str(bundle)) == 0
    with tarfile.open(bundle) as tar:  # any tar can unpack it
        verifier = tar.extractfile("verify.py")
        assert verifier is not None
        (tmp_path / "verify.py").write_bytes(verifier.read())
    key = (home / "keys/log.pub").read_text().strip()
    script = (
        "import sys, runpy; sys.modules['forgewright'] = None; sys.argv = sys.argv[1:];"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "verify.py"), str(bundle), "--key", key]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "300 records of 3 runs" in done.stdout
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 1
    bundle.write_bytes(data)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "WRONG" in done.stdout


def test_a_proof_is_written_and_verifies(home: Path, tmp_path: Path) -> None:
    assert call(home, "prove", RUNS[1], "7", "-o", str(tmp_path / "p")) == 0
    key = parse_verifier_key((home / "keys/log.pub").read_text())
    proof = parse_proof((tmp_path / "p.tlog-proof").read_text())
    proof.verify((tmp_path / "p.record").read_bytes(), key)
    with pytest.raises(NotFound):
        call(home, "prove", RUNS[1], "700")


def test_records_are_shown(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(home, "show", RUNS[2], "--after", "98") == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 2
    assert "tool.answered" in out
    assert call(home, "show", RUNS[2], as_json=True) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["seq"] == 1
    with pytest.raises(NotFound):
        call(home, "show", "nothing")


def test_fsck(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(home, "fsck") == 0
    assert "300 records of 3 runs" in capsys.readouterr().out
    with pytest.raises(NotFound):
        call(tmp_path, "fsck")


def test_keys_are_listed_rotated_and_revoked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import asyncio

    asyncio.run(make_home(tmp_path / "home", 4))
    assert call(tmp_path / "home", "keys", "list") == 0
    old = capsys.readouterr().out.split()[0]
    assert call(tmp_path / "home", "keys", "rotate") == 0
    assert call(tmp_path / "home", "keys", "revoke", old, "--reason", "stolen") == 0
    assert old in capsys.readouterr().out
    assert call(tmp_path / "home", "fsck") == 0


def test_a_run_is_shown_as_spans(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(home, "trace", RUNS[0]) == 0
    spans = json.loads(capsys.readouterr().out)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert {span["name"] for span in spans} == {"execute_tool t"}
    with pytest.raises(NotFound):
        call(home, "trace", "nothing")


def test_a_bundle_is_held_against_a_head_seen_before(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, head = tmp_path / "all.tar", tmp_path / "head"
    assert call(home, "export", "--all", "-o", str(bundle)) == 0
    with tarfile.open(bundle) as tar:
        member = tar.extractfile("checkpoint")
        assert member is not None
        head.write_bytes(member.read())
    assert call(home, "verify", str(bundle), "--head", str(head)) == 0
    assert call(home, "verify", str(bundle), "--witness", (home / "keys/log.pub").read_text().strip()) == 1
    with pytest.raises(NotFound):
        call(home, "verify", str(bundle), "--head", str(tmp_path / "none"))
