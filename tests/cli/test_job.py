"""The main job from the command line: run, looked at, applied, forked, replayed, parked and resumed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from forgewright.cli.main import main

ROOT = Path(__file__).parents[2]
SESSION = f"replay:{ROOT / 'examples' / 'orders-session.jsonl'}"
GOAL = "Add an endpoint GET /orders/{id} with tests"

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module", autouse=True)
def _crun() -> None:
    if shutil.which("crun") is None and not os.environ.get("CI"):
        pytest.skip("crun is missing: apt-get install crun")


def make_repository(folder: Path) -> Path:
    shutil.copytree(ROOT / "examples" / "orders-api", folder, ignore=shutil.ignore_patterns("__pycache__"))
    for argv in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=u", "-c", "user.email=u@localhost", "commit", "-qm", "first"],
    ):
        subprocess.run(["git", *argv], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a repository, and a home in which the job is done."""
    folder = tmp_path_factory.mktemp("job")
    make_repository(folder / "repo")
    assert forgewright(folder, "run", GOAL, "--repo", str(folder / "repo"), "--model", SESSION) == 0
    return folder


def forgewright(place: Path, *argv: str) -> int:
    return main([*argv, "--home", str(place / "home")])


@contextlib.contextmanager
def executed_elsewhere(home: Path, run: str) -> Iterator[None]:
    """Another living process holds the run's lease."""
    program = (
        "import asyncio, sys\nfrom pathlib import Path\n"
        "from forgewright.journal.journal import open_journal\nfrom forgewright.runtime.leases import Leases\n"
        "async def main():\n"
        "    leases = Leases((await open_journal(Path(sys.argv[1]))).leases)\n"
        "    await leases.hold(sys.argv[2], lambda *_: None)\n"
        "    print('held', flush=True)\n"
        "    await asyncio.to_thread(sys.stdin.read)\n"
        "asyncio.run(main())\n"
    )
    argv = [sys.executable, "-c", program, str(home), run]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield
        finally:
            process.kill()


def test_runs_and_show(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert forgewright(place, "runs") == 0
    assert "finished" in capsys.readouterr().out
    assert forgewright(place, "show", "last", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["status"], shown["tests_ok"], shown["refused"]) == ("finished", True, 1)
    assert len(shown["commits"]) == 2
    assert all(step["status"] == "completed" for step in shown["plan"])
    assert forgewright(place, "show", shown["run"][:12]) == 0
    assert GOAL in capsys.readouterr().out


def test_the_log_and_the_records(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert forgewright(place, "show", "last", "--log") == 0
    log = capsys.readouterr().out
    assert "● test" in log
    assert log.count("policy denied coder") == 1
    assert "✗ 15 passed, 1 failed" in log
    assert forgewright(place, "show", "last", "--records") == 0
    assert "    1  engine      run.started" in capsys.readouterr().out
    assert forgewright(place, "show", "last", "--log", "--json") == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["seq"] for record in records] == list(range(1, len(records) + 1))


def test_follow_of_a_finished_run_shows_it_and_ends(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert forgewright(place, "follow", "last") == 0
    assert "■ finished" in capsys.readouterr().out


def test_diff_and_apply(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert forgewright(place, "diff", "last", "--stat") == 0
    assert "added     +32 −0  tests/test_order.py" in capsys.readouterr().out
    done = subprocess.run(
        [sys.executable, "-m", "forgewright", "diff", "last", "--home", str(place / "home")],
        capture_output=True,
        check=True,
    )
    other = make_repository(tmp_path / "other")
    subprocess.run(["git", "apply", "--check", "-"], cwd=other, input=done.stdout, check=True)
    assert forgewright(place, "apply", "last", "--to", str(other)) == 0
    assert "3 files written" in capsys.readouterr().out
    tests = subprocess.run(
        ["/usr/bin/python3", "-m", "unittest"], cwd=other, capture_output=True, text=True, check=False
    )
    assert "Ran 16 tests" in tests.stderr
    assert "OK" in tests.stderr
    (other / "orders_api" / "app.py").write_text("mine")
    assert forgewright(place, "apply", "last", "--to", str(other)) == 5
    assert "orders_api/app.py" in capsys.readouterr().err


def test_the_users_files_were_not_touched(place: Path) -> None:
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=place / "repo", capture_output=True, text=True, check=True
    )
    assert status.stdout == ""


def test_replay_makes_the_same_tree(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert forgewright(place, "show", "last", "--json") == 0
    run = json.loads(capsys.readouterr().out)["run"]
    assert forgewright(place, "replay", run) == 0
    assert forgewright(place, "runs", "--json") == 0
    again = json.loads(capsys.readouterr().out.splitlines()[-2])["run"]
    assert again != run
    trees = [
        subprocess.run(
            ["git", "rev-parse", f"forgewright/{name}^{{tree}}"],
            cwd=place / "repo",
            capture_output=True,
            check=True,
        ).stdout
        for name in (run, again)
    ]
    assert trees[0] == trees[1]
    assert forgewright(place, "remove", again) == 0


def test_a_budget_parks_and_resume_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repo = make_repository(tmp_path / "repo")
    argv = ("run", GOAL, "--repo", str(repo), "--model", SESSION)
    assert forgewright(tmp_path, *argv, "--steps", "9") == 11
    shown = capsys.readouterr().out
    assert "9/9 steps" in shown
    assert "forgewright resume" in shown
    assert forgewright(tmp_path, "resume", "last", "--steps", "500") == 0
    assert "■ finished" in capsys.readouterr().out


def test_a_fork_goes_its_own_way_from_a_record(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert forgewright(place, "runs", "--json") == 0
    run = json.loads(capsys.readouterr().out.splitlines()[-1])["run"]
    assert forgewright(place, "fork", f"{run}@60", "--no-run", "--json") == 0
    fork = json.loads(capsys.readouterr().out.splitlines()[-1])["run"]
    assert forgewright(place, "resume", fork) == 0
    assert "■ finished" in capsys.readouterr().out
    assert forgewright(place, "fork", f"{run}@zero") == 2
    assert forgewright(place, "fork", f"{run}@9999", "--no-run") == 2
    with executed_elsewhere(place / "home", fork):
        assert forgewright(place, "remove", fork) != 0
        assert "is executed now" in capsys.readouterr().err
    assert (place / "home" / "runs" / fork / "tree").is_dir()
    assert forgewright(place, "remove", fork) == 0


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupt_parks_the_run_which_then_goes_on(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = make_repository(tmp_path / "repo")
    (repo / "tests" / "test_slow.py").write_text(
        "import pathlib, time, unittest\n\n\nclass Slow(unittest.TestCase):\n    def test_slow(self):\n"
        "        time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "forgewright", "run", GOAL, "--repo", str(repo), "--model", SESSION,
         "--home", str(tmp_path / "home")],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if "$ python3 -m unittest" in line:
            break
    process.send_signal(getattr(signal, name))
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "‖ parked (interrupted)" in rest
    assert forgewright(tmp_path, "show", "last") == 0
    assert "→ forgewright resume" in capsys.readouterr().out


def test_another_process_follows_a_run_and_stops_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = make_repository(tmp_path / "repo")
    (repo / "tests" / "test_slow.py").write_text("import time\ntime.sleep(60)\n")
    common = ["--home", str(tmp_path / "home")]
    argv = [sys.executable, "-u", "-m", "forgewright"]
    running = subprocess.Popen(
        [*argv, "run", GOAL, "--repo", str(repo), "--model", SESSION, *common],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    for line in running.stdout:
        if "$ python3 -m unittest" in line:
            break
    following = subprocess.Popen([*argv, "follow", "last", *common], stdout=subprocess.PIPE, text=True)
    assert following.stdout is not None
    for line in following.stdout:
        if "$ python3 -m unittest" in line:
            break
    assert forgewright(tmp_path, "stop", "last") == 0
    assert "is stopped" in capsys.readouterr().out
    for process in (running, following):
        rest, _ = process.communicate(timeout=60)
        assert "‖ parked (stopped)" in rest
        assert process.returncode == 13
    assert forgewright(tmp_path, "stop", "last", "--json") == 0
    assert json.loads(capsys.readouterr().out)["stopped"] is False


def test_a_suite_that_hangs_is_stopped_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repo = make_repository(tmp_path / "repo")
    (repo / "tests" / "test_slow.py").write_text("import time\ntime.sleep(600)\n")
    (repo / "forgewright.toml").write_text("[tests]\ntimeout_seconds = 1\n")
    started = time.monotonic()
    code = forgewright(tmp_path, "run", GOAL, "--repo", str(repo), "--model", SESSION, "--attempts", "0")
    assert time.monotonic() - started < 60
    assert "did not end in time" in capsys.readouterr().out
    assert code == 1


def test_a_stranger_s_configuration_may_not_reach_beyond_its_repository(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = make_repository(tmp_path / "repo")
    (repo / "forgewright.toml").write_text('[run]\nbase_url = "http://127.0.0.1:9/"\n')
    argv = ("run", GOAL, "--repo", str(repo), "--model", SESSION)
    assert forgewright(tmp_path, *argv) == 6
    assert "run.base_url" in capsys.readouterr().err
    assert forgewright(tmp_path, *argv, "--config", str(repo / "forgewright.toml")) == 0


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (["run", GOAL], 2, "no model was given"),
        (["run", " ", "--model", SESSION], 2, "the goal is empty"),
        (["run", GOAL, "--model", "nonsense:x"], 9, "no provider 'nonsense'"),
        (["run", GOAL, "--model", SESSION, "--repo", "/nowhere"], 4, "not a folder"),
        (["run", GOAL, "--model", "replay:/nowhere"], 4, "no recorded session"),
        (["resume", "nothing"], 4, "no run"),
        (["run", GOAL, "--steps", "0"], 2, "more than 0"),
        (["run", GOAL, "--model-for", "boss=a:b"], 2, "planner, coder, refactorer"),
    ],
)
def test_mistakes_have_a_message_and_an_exit_code(
    tmp_path: Path, argv: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "home").mkdir()
    repository = ["--repo", str(tmp_path / "repo")] if argv[0] == "run" and "--repo" not in argv else []
    assert forgewright(tmp_path, *argv, *repository) == code
    assert says in capsys.readouterr().err


# ── models that don't do as they should, projects that are not as they should be ─────────────────────


def session(place: Path, *turns: tuple[str, str, str]) -> str:
    """A recorded session of (role, tool or empty, program or text)."""
    lines = []
    for i, (role, tool, words) in enumerate(turns):
        call = {"type": "tool_call", "id": f"c{i}", "name": tool, "arguments": json.dumps({"program": words})}
        part = call if tool else {"type": "text", "text": words}
        response = {"message": {"parts": [part]}, "stop": "tools" if tool else "end"}
        lines.append(json.dumps({"role": role, "response": response}))
    (place / "session.jsonl").write_text("\n".join(lines))
    return f"replay:{place / 'session.jsonl'}"


def test_a_project_without_tests_gets_some_and_they_are_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "readme.txt").write_text("nothing yet")
    test = "import unittest\n\nclass T(unittest.TestCase):\n    def test_it(self):\n        self.assertTrue(True)\n"
    model = session(
        tmp_path,
        ("planner", "", "Write a test."),
        ("coder", "code_edit", f"(create-file path: 'test_it.py' content: '''\n{test}''')"),
        ("coder", "", "Add a test."),
        ("refactorer", "", "Nothing to improve."),
    )
    argv = ("run", "Add a test", "--repo", str(tmp_path / "repo"), "--model", model)
    assert forgewright(tmp_path, *argv) == 0
    shown = capsys.readouterr().out
    assert "nothing in the project says how its tests are run" in shown
    assert "✔ 1 passed (unittest" in shown


def test_a_model_that_repeats_itself_is_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repo = make_repository(tmp_path / "repo")
    model = session(tmp_path, *[("planner", "code_query", "(outline)")] * 20)
    assert forgewright(tmp_path, "run", "x", "--repo", str(repo), "--model", model) == 14
    assert "made the same call" in capsys.readouterr().out
    assert forgewright(tmp_path, "show", "last") == 0


def test_a_model_that_answers_nonsense_changes_nothing_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = make_repository(tmp_path / "repo")
    model = session(
        tmp_path,
        ("planner", "code_query", "(((("),
        ("planner", "", "Do it."),
        ("coder", "no_such_tool", ""),
        ("coder", "code_edit", "(explode everything)"),
        ("coder", "", "I did everything!"),
    )
    assert forgewright(tmp_path, "run", "x", "--repo", str(repo), "--model", model) == 1
    shown = capsys.readouterr().out
    assert "Nothing was changed: I did everything!" in shown
    assert "every argument is named" in shown


def test_files_that_can_not_be_parsed_or_are_too_large_do_not_end_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = make_repository(tmp_path / "repo")
    (repo / "broken.py").write_text("def (:\n")
    with open(repo / "huge.bin", "wb") as file:
        file.truncate(2 << 30)
    argv = ("run", GOAL, "--repo", str(repo), "--model", SESSION)
    assert forgewright(tmp_path, *argv) == 0
    shown = capsys.readouterr().out
    assert "left out of the copy: huge.bin (2048 MB" in shown
    assert "what is not committed came along" in shown
    assert "✔ 16 passed" in shown


def test_a_home_that_can_not_be_written_is_told_before_anything_happens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = make_repository(tmp_path / "repo")
    assert main(["run", GOAL, "--repo", str(repo), "--model", SESSION, "--home", "/proc/home"]) == 8
    assert "→" in capsys.readouterr().err
    branches = subprocess.run(["git", "branch"], cwd=repo, capture_output=True, text=True, check=True).stdout
    assert "forgewright/" not in branches
