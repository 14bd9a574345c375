"""The benchmark's own contenders do the work they are measured by, and what they store keeps its promise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "runtime"
PAYLOAD_BYTES = 500
STORED_PER_PAYLOAD_MAX = 3.0


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, str(BENCH / "model_server.py")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield int(process.stdout.readline())
    process.kill()
    process.wait()


def requests(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats", timeout=30) as answer:
        return int(json.load(answer)["requests"])


def run(port: int, program: str, mode: str, script: str, **options: object) -> dict:
    command = [sys.executable, str(BENCH / "contenders" / program), mode]
    command += ["--url", f"http://127.0.0.1:{port}/{script}"]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("program", ["raw.py", "forgewright_agent.py"])
@pytest.mark.parametrize(
    ("mode", "script", "options", "asked", "text"),
    [
        ("first", "k0-add", {}, 1, "FINAL "),
        ("turn", "k20-add", {"runs": 1}, 42, "FINAL 20"),
        ("fleet", "k5-d10-add", {"agents": 20}, 6 * 21, "FINAL 5"),
        ("crowd", "k5-d10-add", {"agents": 20}, 6 * 21, "FINAL 5"),
    ],
)
def test_a_contender_does_its_work(
    port: int, program: str, mode: str, script: str, options: dict, asked: int, text: str
) -> None:
    before = requests(port)
    said = run(port, program, mode, script, **options)
    assert said["text"] == text
    assert requests(port) - before == asked
    assert said.get("good", 20) == 20


def test_a_long_run_stores_little_more_than_its_payload(port: int, tmp_path: Path) -> None:
    """1,000 turns of 500 incompressible bytes, everything durable: answers, intents, receipts and proofs."""
    home = tmp_path / "home"
    before = requests(port)
    run(port, "forgewright_agent.py", "store", "k1000-fetch", db=home)
    assert requests(port) - before == 1001
    stored = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
    assert stored >= 1000 * PAYLOAD_BYTES, "all of it has to be there"
    assert stored / (1000 * PAYLOAD_BYTES) <= STORED_PER_PAYLOAD_MAX
