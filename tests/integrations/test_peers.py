"""Other frameworks' own suites pass against what we lend them, offline, in an environment of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.agent.workspace.places import need_crun

ROOT = Path(__file__).parents[2]
PYTHON = Path(sys.prefix) / "peers" / "bin" / "python"
EXAMPLES = ROOT / "examples" / "integrations"

OLDER_CONTRACT = {
    "test_write_existing_file_fails",
    "test_glob",
    "test_glob_basic_pattern",
    "test_glob_with_directories",
    "test_glob_hidden_files_explicitly",
    "test_glob_with_character_class",
    "test_glob_with_question_mark",
}
"""Of langchain-tests 1.1.9, what expects the contract before Deep Agents 0.7."""

SAYS = {
    "deepagents_backend.py": ["execute: 42 sandbox sandbox [Command succeeded", "It printed 42."],
    "langgraph_saver.py": ["packed; Where to?", "second process: ordered, packed, sent to Ada"],
    "pydantic_ai_workspace.py": ["exit 0: sandbox", "exit 0: kept"],
}

pytestmark = pytest.mark.sandbox


@pytest.fixture(autouse=True)
def programs() -> None:
    need_crun()
    if not PYTHON.exists():
        message = f"the peers' environment is missing ({PYTHON}); run: make setup"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)


def run(suite: str, tmp_path: Path, *options: str) -> dict[str, set[str]]:
    """Outcome → names of the suite's tests (`Class.test`)."""
    report = tmp_path / "report.xml"
    where = ROOT / "tests" / "peers"
    argv = [PYTHON, "-m", "pytest", "-c", where / "pytest.ini", "--rootdir", where, where / suite]
    done = subprocess.run(
        [*argv, f"--junitxml={report}", *options], capture_output=True, text=True, timeout=250, check=False
    )
    assert report.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    found: dict[str, set[str]] = {"passed": set(), "failed": set(), "skipped": set(), "error": set()}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        outcome = next((c.tag for c in case if c.tag in ("failure", "skipped", "error")), "passed")
        name = f"{case.attrib['classname'].rpartition('.')[2]}.{case.attrib['name']}"
        found["failed" if outcome == "failure" else outcome].add(name)
    if done.returncode not in (0, 1):
        pytest.fail(done.stdout[-3000:] + done.stderr[-3000:])
    return found


def test_deep_agents_suite_passes_whole_by_the_contract_it_was_written_for(tmp_path: Path) -> None:
    found = run("suite_deepagents.py", tmp_path, "-k", "TestContract06")
    assert not found["failed"] | found["skipped"] | found["error"]
    assert len(found["passed"]) == 86


def test_deep_agents_suite_by_todays_contract_but_for_what_it_changed(tmp_path: Path) -> None:
    found = run("suite_deepagents.py", tmp_path, "-k", "TestContract07")
    assert found["failed"] == {f"TestContract07.{name}" for name in OLDER_CONTRACT}
    assert len(found["passed"]) == 79
    assert not found["skipped"] | found["error"]


def test_langgraph_suite(tmp_path: Path) -> None:
    found = run("suite_langgraph.py", tmp_path)
    assert not found["failed"] | found["skipped"] | found["error"]
    report = ElementTree.parse(tmp_path / "report.xml").getroot()
    passed = {
        case.attrib["name"].partition("[")[2].rstrip("]"): int(said.attrib["value"])
        for case in report.iter("testcase")
        for said in case.iter("property")
        if said.attrib["name"] == "passed"
    }
    optional = {"copy_thread", "delete_for_runs", "prune"}
    assert sum(count for name, count in passed.items() if name not in optional) == 58
    assert sum(count for name, count in passed.items() if name in optional) == 23


def test_pydantic_ai_suite(tmp_path: Path) -> None:
    found = run("suite_pydantic_ai.py", tmp_path, "-p", "no:asyncio")
    assert not found["failed"] | found["skipped"] | found["error"]
    assert len(found["passed"]) == 40


def test_the_saver_keeps_what_it_promises_beyond_its_suite(tmp_path: Path) -> None:
    found = run("suite_saver.py", tmp_path)
    assert not found["failed"] | found["skipped"] | found["error"]
    assert len(found["passed"]) == 7


def test_a_folder_lent_to_them_is_held_to_the_policy(tmp_path: Path) -> None:
    found = run("suite_policy.py", tmp_path)
    assert not found["failed"] | found["skipped"] | found["error"]
    assert len(found["passed"]) == 6


@pytest.mark.parametrize("name", sorted(SAYS))
def test_an_example_runs(name: str) -> None:
    done = subprocess.run([PYTHON, EXAMPLES / name], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for said in SAYS[name]:
        assert said in done.stdout


def test_no_example_is_forgotten() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(SAYS)
