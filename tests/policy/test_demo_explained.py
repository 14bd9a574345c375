"""For each decision of the demo, `policy explain` names what decided it and what would have to change."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def forgewright(*arguments: str, cwd: Path, home: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"HOME": str(home), "FORGEWRIGHT_HOME": str(home / "forgewright")}
    argv = [sys.executable, "-m", "forgewright.cli.main", *arguments]
    return subprocess.run(
        argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.sandbox
def test_each_decision_of_the_demo_is_explained(tmp_path: Path) -> None:
    project = tmp_path / "orders-api"
    shutil.copytree(ROOT / "examples" / "orders-api", project, ignore=shutil.ignore_patterns("__pycache__"))
    for argv in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=u", "-c", "user.email=u@localhost", "commit", "-qm", "1"],
    ):
        subprocess.run(["git", *argv], cwd=project, check=True)
    session = ROOT / "examples" / "orders-session.jsonl"
    done = forgewright(
        "run", "Add GET /orders/{id}", "--model", f"replay:{session}", cwd=project, home=tmp_path
    )
    assert done.returncode == 0, done.stderr
    run = json.loads(forgewright("runs", "--json", cwd=project, home=tmp_path).stdout.splitlines()[0])["run"]
    explained = forgewright("policy", "explain", "--run", "last", "--json", cwd=project, home=tmp_path)
    assert explained.returncode == 0, explained.stderr
    lines = [json.loads(line) for line in explained.stdout.splitlines()]
    asked = {line["attempt"]["action"] for line in lines}
    assert {"model", "edit", "exec", "git"} <= asked
    for line in lines:
        assert line["change"] is None, line["attempt"]
        explanation = line["explanation"]
        assert explanation["determining"] or explanation["nearest"], line["attempt"]
        assert line["same_set"], "explained by the very set that decided"
        assert line["policy_name"] == "default"
        assert sorted(line["decision"].get("by", ())) == [view["id"] for view in explanation["determining"]]
    assert all(line["inputs"]["request"] for line in lines if line["attempt"]["action"] == "model")
    assert any(not line["permit"] for line in lines)
    shown = forgewright("policy", "explain", "--run", run[:8], cwd=project, home=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert f"{len(lines)} decisions" in shown.stdout.splitlines()[-1]
    assert all(line["intent"] in shown.stdout for line in lines)
    other = forgewright("policy", "explain", "--run", "last", "--set", "strict", cwd=project, home=tmp_path)
    assert other.returncode == 1
    assert "would be decided otherwise by strict" in other.stdout
    assert forgewright("policy", "explain", "--run", "nonesuch", cwd=project, home=tmp_path).returncode == 4
    refused = forgewright(
        "policy",
        "explain",
        "edit",
        ".github/workflows/ci.yml",
        "--as",
        "coder",
        "--json",
        cwd=project,
        home=tmp_path,
    )
    assert "no-edits-of-ci" in refused.stdout
