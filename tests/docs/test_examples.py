"""Every example runs, in a process of its own, and says what it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

SAYS = {
    "agent.py": ["No: it has 6 words, one too many."],
    "review_graph.py": [
        "decide --> _end",
        "parked - usage is unfinished. Accept? (yes | no)",
        "finished - sent back",
    ],
    "subagents.py": [
        "parked - May the book be published? (publish | wait)",
        "finished - Not ready: usage is unfinished, the archive did not answer, and the owner says wait.",
    ],
    "crash.py": ["ended with -9", "finished 3 letters", "outbox: ada, grace, barbara"],
    "memory.py": [
        "the log has 88,930 characters",
        "remembered, untrusted, after read_log, read_result: On the day of the log, order 1800 failed",
        "helper: Order 1800.",
    ],
    "workspace.py": [
        "[changed: notes/plan.md]\n[hidden from commands by the policy: .env]",
        "unable to remove target: Read-only file system",
        "not taken over, these are as they were:\n.circleci/config.yml: helper may not edit",
        "policy denied helper the action edit on '.github/workflows/ci.yml'",
        "ci.yml: on: push\n.circleci is there: False",
    ],
    "sandbox.py": [
        "from the host\nchanged\non the host: from the host",
        "too much memory: oom",
        "the metadata address: 403",
        "a server inside says: hello",
        "an image of that folder: sha256:",
    ],
    "demo.py": ["✔ 16 passed", "no-edits-of-ci", "verified:", "is not what the tree says", "Done."],
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", sorted(SAYS))
def test_an_example_runs(name: str, tmp_path: Path) -> None:
    arguments = [str(tmp_path / "demo")] if name == "demo.py" else []
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for said in SAYS[name]:
        assert said in done.stdout


def test_no_example_is_forgotten() -> None:
    assert {p.name for p in EXAMPLES.glob("*.py")} == set(SAYS)
