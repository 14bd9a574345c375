"""Work shared between processes: the same results in the same order, whatever becomes of the workers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgewright.code import sharing

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")
ROOT = Path(__file__).parents[2]
ALL = list(range(64))


def started(mode: str, count: int = 3) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.code.sharer", mode, str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def said(mode: str, count: int = 3) -> dict[str, Any]:
    process = started(mode, count)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    assert found["children"] == []
    assert found["files left open"] == 0
    return found


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_results_are_the_same_with_any_number_of_workers(count: int) -> None:
    found = said("plain", count)
    assert found["items"] == ALL
    assert found["sound"]
    assert found["processes"] <= count
    assert found["processes"] > 1 or count == 1


@pytest.mark.parametrize("mode", ["killed", "hungry", "stopped", "wordy", "reaped", "few files"])
def test_what_a_worker_does_not_bring_to_its_end_is_done_without_it(mode: str) -> None:
    found = said(mode)
    assert found["items"] == ALL
    assert found["sound"]
    assert found["own"] > 0


def test_the_first_item_that_fails_decides_which_error_it_is() -> None:
    assert said("failing")["refused"] == said("failing", 1)["refused"] == "item 7"


def test_the_time_of_a_program_is_that_of_all_its_processes() -> None:
    assert "not planned after" in said("endless")["refused"]


@pytest.mark.parametrize("mode", ["empty", "one", "small", "threads"])
def test_no_process_is_forked_where_that_is_of_no_use_or_not_safe(mode: str) -> None:
    found = said(mode)
    assert found["items"] == {"empty": [], "one": [0]}.get(mode, ALL)
    assert found["processes"] <= 1
    assert found["own"] == len(found["items"])


def test_a_worker_shares_no_further() -> None:
    assert said("nested")["items"] == ALL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_what_it_works_for(number: signal.Signals) -> None:
    process = started("long", 4)
    assert process.stdout is not None
    pids = {int(process.stdout.readline()) for _ in range(4)}
    assert len(pids) == 4
    process.send_signal(number)
    output, _ = process.communicate(timeout=300)
    assert number is not signal.SIGINT or json.loads(output.splitlines()[-1])["interrupted"]
    until = time.monotonic() + 120
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < until, "a worker is still there"


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@given(st.lists(st.integers(0, 5_000_000), max_size=3000))
def test_chunks_hold_each_item_once_and_their_numbers_fit_into_a_page(sizes: list[int]) -> None:
    chunks = sharing._chunks(sizes)
    assert sorted(number for chunk in chunks for number in chunk) == list(range(len(sizes)))
    assert len(chunks) * 4 <= 4096


def test_a_process_that_was_told_nothing_works_alone() -> None:
    found = sharing.shared([1, 2], lambda one: os.getpid(), int, [sharing.PAYING_BYTES] * 2)
    assert found == [os.getpid()] * 2


def test_programs_have_the_same_effect_with_any_number_of_workers(tmp_path: Path) -> None:
    library = Path(sysconfig.get_path("stdlib"))
    for package in ("email", "json"):
        shutil.copytree(library / package, tmp_path / package, ignore=shutil.ignore_patterns("*.pyc"))
    (tmp_path / "broken.py").write_text("def f(:\n    return len(x)\n    self.get(1, None)\n")
    (tmp_path / "a.ts").write_text("export const f = () => { return len(1); };\n")
    found = []
    for count in (1, 3):
        command = [sys.executable, "-m", "tests.code.edits_shared", str(tmp_path), str(count)]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=True)
        found.append(ran.stdout.splitlines())
    assert found[0] == found[1]
    assert sum("rewritten in" in line for line in found[0]) >= 4
    assert any("EditRefused" in line for line in found[0])
