"""The cache is bounded: what was used last stays, and what a snapshot needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forgewright.cli.main import main
from forgewright.sandbox import cache, saved


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("FORGEWRIGHT_SNAPSHOTS", str(tmp_path / "snapshots"))
    monkeypatch.setenv("FORGEWRIGHT_SANDBOX_STATE", str(tmp_path / "state"))
    return cache.root()


def put(path: Path, age: float) -> Path:
    """A file, or (a saved machine) a folder with one, that was used `age` seconds ago."""
    path.parent.mkdir(exist_ok=True)
    if path.name.startswith("snapshot-"):
        path.mkdir()
        (path / "state").write_bytes(b"x")
    else:
        path.write_bytes(b"x")
    os.utime(path, (time.time() - age, time.time() - age))
    return path


@pytest.mark.parametrize("pattern", cache.KEPT)
def test_of_each_kind_those_stay_that_were_used_last(pattern: str, folder: Path) -> None:
    most = cache.KEPT[pattern]
    made = [put(folder / pattern.replace("*", f"{age:04}"), age) for age in range(most + 3)]
    assert sorted(cache.tidy()) == made[most:]
    assert [path for path in made if path.exists()] == made[:most]


def test_what_is_used_counts_as_new(folder: Path) -> None:
    made = [put(folder / f"vmlinux-{age}", age * 100) for age in range(6)]
    assert cache.holds(made[5])
    assert not cache.holds(folder / "vmlinux-none")
    assert cache.tidy() == made[3:5]


def test_what_lies_elsewhere_is_not_touched(folder: Path, tmp_path: Path) -> None:
    kernel = put(tmp_path / "vmlinuz", 100)
    before = kernel.stat().st_mtime_ns
    assert cache.holds(kernel)
    assert kernel.stat().st_mtime_ns == before
    assert not cache.holds(tmp_path / "none")


def test_the_image_of_a_snapshot_stays(folder: Path) -> None:
    made = [put(folder / f"host-{age}.squashfs", age) for age in range(10)]
    snapshot = saved.root() / "snap1"
    snapshot.mkdir()
    (snapshot / cache.BASIS).write_text(f'{{"image": "{made[9]}", "accelerator": "tcg"}}')
    (saved.root() / "snap2").mkdir()
    (saved.root() / "snap2" / cache.BASIS).write_text("half writ")
    assert cache.tidy() == [made[8]]
    assert made[9].exists()


def test_what_a_dead_process_did_not_finish_goes_after_an_hour(folder: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    old = put(folder / f"host-1.squashfs.{ended.pid}-77", 4000)
    machine = put(folder / f"snapshot-tcg-1.{ended.pid}-77", 4000)
    young = put(folder / f"host-2.squashfs.{ended.pid}-77", 100)
    own = put(cache.unfinished(folder / "initramfs-1"), 4000)
    assert sorted(cache.tidy()) == [old, machine]
    assert young.exists()
    assert own.exists()


def test_modules_that_a_user_added_stay(folder: Path) -> None:
    added = [put(folder / "wasm" / f"tool{number}.wasm", 1e7) for number in range(80)]
    assert cache.tidy() == []
    assert all(path.exists() for path in added)


def test_clean_says_what_it_removed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for age in range(10):
        put(folder / f"head-{age}", age)
    assert main(["sandbox", "clean", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"removed": [], "cache": ["head-8", "head-9"]}
    assert main(["sandbox", "clean"]) == 0
    assert "nothing was left behind" in capsys.readouterr().out
