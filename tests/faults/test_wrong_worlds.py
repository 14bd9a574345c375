"""What a run meets in bad places: each gives a clear message and exit code, and nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SESSION = f"replay:{ROOT / 'examples' / 'orders-session.jsonl'}"
GOAL = "Add an endpoint GET /orders/{id} with tests"

pytestmark = pytest.mark.sandbox


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "orders"
    shutil.copytree(ROOT / "examples" / "orders-api", folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def commit(folder: Path) -> None:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "first"]):
        subprocess.run(["git", *command], cwd=folder, check=True)


def forgewright(
    *arguments: str, home: Path, environment: dict[str, str] | None = None, before: str = ""
) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own; `before` is run by the shell that becomes it."""
    inherited = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}
    command = [sys.executable, "-m", "forgewright", *arguments, "--home", str(home)]
    if before:
        command = ["sh", "-c", f'{before}; exec "$@"', "sh", *command]
    return subprocess.run(
        command, env=inherited | (environment or {}), capture_output=True, text=True, timeout=200, check=False
    )


def last_run(home: Path) -> dict[str, object]:
    listed = forgewright("runs", "--json", home=home)
    found = json.loads(listed.stdout.splitlines()[0])
    assert isinstance(found, dict)
    return found


def test_no_key(tmp_path: Path, repository: Path) -> None:
    done = forgewright(
        "run", GOAL, "--repo", str(repository), "--model", "anthropic:claude-x", home=tmp_path / "h"
    )
    assert done.returncode == 9
    assert "ANTHROPIC_API_KEY" in done.stderr


def test_no_network_parks_and_resume_goes_on_with_another_model(tmp_path: Path, repository: Path) -> None:
    home = tmp_path / "h"
    done = forgewright(
        "run", GOAL, "--repo", str(repository), "--model", "openai:x", "--base-url", "http://127.0.0.1:9",
        home=home, environment={"FORGEWRIGHT_RETRY_SECONDS": "1"},
    )  # fmt: skip
    assert done.returncode == 9, done.stderr
    assert "127.0.0.1:9" in done.stdout + done.stderr
    shown = forgewright("show", "last", home=home)
    assert shown.returncode == 0
    assert "parked" in shown.stdout
    resumed = forgewright("resume", "last", "--model", SESSION, home=home)
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6,000 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6000k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        if os.environ.get("CI"):
            pytest.fail(f"a small disk could not be mounted: {mounted.stderr.decode()}")
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(small_disk: Path, tmp_path: Path, repository: Path) -> None:
    commit(repository)
    filler = small_disk / "filler"
    home = small_disk / "home"
    statuses = set()
    for free_kib in (20, 120, 220, 320, 420):
        shutil.rmtree(home, ignore_errors=True)
        filler.unlink(missing_ok=True)
        filler.write_bytes(b"x" * ((5990 - free_kib) << 10))
        done = forgewright("run", GOAL, "--repo", str(repository), "--model", SESSION, home=home)
        statuses.add(done.returncode)
        assert "Traceback" not in done.stderr
        if done.returncode == 0:
            continue
        assert done.returncode == 8, (free_kib, done.stdout[-600:], done.stderr)
        assert "full" in done.stderr or "space" in done.stderr, done.stderr
        filler.unlink()
        if (home / "journal.db").exists() and forgewright("runs", "--json", home=home).stdout.strip():
            resumed = forgewright("resume", "last", home=home)
            assert resumed.returncode == 0, (free_kib, resumed.stdout[-600:], resumed.stderr)
            assert forgewright("audit", "fsck", home=home).returncode == 0
    assert 8 in statuses


def test_a_home_that_cannot_be_written(tmp_path: Path, repository: Path) -> None:
    home = Path("/proc/forgewright-home")  # no one can make a folder there, not even root
    done = forgewright("run", GOAL, "--repo", str(repository), "--model", SESSION, home=home)
    assert done.returncode == 8, done.stderr
    assert str(home) in done.stderr
    assert "--home" in done.stderr or "FORGEWRIGHT_HOME" in done.stderr or "writ" in done.stderr


def test_a_repository_with_broken_syntax(tmp_path: Path, repository: Path) -> None:
    (repository / "orders_api" / "draft.py").write_text("def unfinished(:\n    retrun ]\n")
    commit(repository)
    done = forgewright(
        "run", GOAL, "--repo", str(repository), "--model", SESSION, "--improvements", "2", home=tmp_path / "h"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "16 passed" in done.stdout


def test_a_repository_without_tests(tmp_path: Path) -> None:
    folder = tmp_path / "bare"
    folder.mkdir()
    (folder / "notes.txt").write_text("nothing to run\n")
    session = tmp_path / "session.jsonl"
    lines = [
        say("planner", "Write hello.py."),
        call("coder", "code_edit", "(create-file path: 'hello.py' content: 'print(1)')"),
        say("coder", "Add hello.py."),
        say("refactorer", "Nothing to improve."),
    ]
    session.write_text("\n".join(lines))
    done = forgewright(
        "run", "Say hello", "--repo", str(folder), "--model", f"replay:{session}", home=tmp_path / "h"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "none that could be found" in done.stdout


def test_a_file_of_two_gigabytes(tmp_path: Path, repository: Path) -> None:
    commit(repository)
    with open(repository / "huge.bin", "wb") as file:
        file.truncate(2 << 30)
    done = forgewright(
        "run", GOAL, "--repo", str(repository), "--model", SESSION, "--improvements", "2", home=tmp_path / "h"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "huge.bin" in done.stdout
    assert (repository / "huge.bin").stat().st_size == 2 << 30


def test_a_model_that_answers_nonsense(tmp_path: Path, repository: Path) -> None:
    session = tmp_path / "session.jsonl"
    lines = [say("planner", "Do it.")]
    lines += [call("coder", "code_edit", f"(((( nonsense {n}") for n in range(20)]
    session.write_text("\n".join(lines))
    home = tmp_path / "h"
    done = forgewright("run", GOAL, "--repo", str(repository), "--model", f"replay:{session}", home=home)
    assert done.returncode == 14, done.stdout + done.stderr
    assert "every tool call of the last 8 turns failed" in done.stdout + done.stderr
    assert "stuck" in str(last_run(home))


def test_a_model_that_loops(tmp_path: Path, repository: Path) -> None:
    session = tmp_path / "session.jsonl"
    session.write_text("\n".join(call("planner", "code_query", "(outline)") for _ in range(20)))
    done = forgewright(
        "run", GOAL, "--repo", str(repository), "--model", f"replay:{session}", home=tmp_path / "h"
    )
    assert done.returncode == 14, done.stdout + done.stderr
    assert "the same call of code_query" in done.stdout + done.stderr


def say(role: str, text: str) -> str:
    return json.dumps({"role": role, "response": {"message": {"parts": [{"type": "text", "text": text}]}}})


def call(role: str, name: str, program: str) -> str:
    part = {
        "type": "tool_call",
        "id": f"c{abs(hash(program)) % 9999}",
        "name": name,
        "arguments": {"program": program},
    }
    return json.dumps({"role": role, "response": {"message": {"parts": [part]}, "stop": "tools"}})
