"""`forgewright sandbox …` as people type it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from forgewright.cli.sandbox import size
from forgewright.core.errors import UsageError
from forgewright.sandbox import keeper, state


def forgewright(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    argv = [sys.executable, "-m", "forgewright.cli.main", "sandbox", *arguments]
    return subprocess.run(argv, input=stdin, capture_output=True, timeout=60, check=False)


@pytest.mark.sandbox
def test_run_gives_the_commands_output_and_code(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("host")
    script = "cat /work/file; echo x > /work/file; cat; echo $A >&2; exit 7"
    done = forgewright(
        "run", "--mount", f"{tmp_path}:/work:cow", "--env", "A=b", "--mem", "128m", "--stdin", "--",
        "sh", "-c", script, stdin=b" in",
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (7, b"host in", b"b\n")
    assert (tmp_path / "file").read_text() == "host"


@pytest.mark.sandbox
def test_json_says_how_it_ended() -> None:
    done = forgewright("run", "--json", "--timeout", "0.3", "--", "sleep", "60")
    assert json.loads(done.stdout)["reason"] == "timeout"
    assert done.returncode == 137


@pytest.mark.sandbox
def test_a_sandbox_that_stays(tmp_path: Path) -> None:
    name = forgewright("create", "--mem", "128m").stdout.decode().strip()
    try:
        assert name in forgewright("list").stdout.decode()
        assert forgewright("exec", name, "--", "sh", "-c", "echo kept > /tmp/file; exit 4").returncode == 4
        assert forgewright("exec", name[:12], "--", "cat", "/tmp/file").stdout == b"kept\n"
        (tmp_path / "in").write_bytes(b"\0\1\2")
        assert forgewright("cp", str(tmp_path / "in"), f"{name}:/tmp/copy").returncode == 0
        assert forgewright("cp", f"{name}:/tmp/copy", str(tmp_path / "out")).returncode == 0
        assert (tmp_path / "out").read_bytes() == b"\0\1\2"
        missing = forgewright("cp", f"{name}:/tmp/none", str(tmp_path / "out"))
        assert missing.returncode != 0
        assert b"No such file" in missing.stderr
    finally:
        assert forgewright("stop", name).returncode == 0
    assert name not in forgewright("list").stdout.decode()
    assert forgewright("exec", name, "--", "true").returncode != 0


@pytest.mark.sandbox
def test_a_killed_keeper_is_cleaned_up() -> None:
    name = forgewright("create").stdout.decode().strip()
    os.kill(keeper.find(name).pid, signal.SIGKILL)
    while (state.state_root() / name).exists():
        assert forgewright("clean").returncode == 0
    assert name not in forgewright("list").stdout.decode()


@pytest.mark.parametrize(
    "arguments",
    [("run",), ("run", "--mem", "x", "--", "true"), ("run", "--mount", "a", "--", "true"), ("exec", "zz", "--", "true"),
     ("cp", "a", "b"), ("run", "--allow", "x", "--", "true"), ("create", "--driver", "container", "--tier", "microvm")],
)  # fmt: skip
def test_mistakes_are_named(arguments: tuple[str, ...]) -> None:
    done = forgewright(*arguments)
    assert done.returncode not in (0, 1)
    assert b"error" in done.stderr
    assert b"Traceback" not in done.stderr


def test_sizes() -> None:
    assert [size(t) for t in ("512", "512m", "2g", "64K", "1GiB")] == [
        512 << 20,
        512 << 20,
        2 << 30,
        64 << 10,
        1 << 30,
    ]
    with pytest.raises(UsageError):
        size("much")


@pytest.mark.sandbox
def test_images_are_fetched_listed_used_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGEWRIGHT_IMAGES", str(tmp_path / "cache"))
    (tmp_path / "root" / "opt").mkdir(parents=True)
    (tmp_path / "root" / "opt" / "file").write_text("x")
    name = f"dir:{tmp_path}/root"
    digest = forgewright("image", "pull", name).stdout.decode().strip()
    assert digest.startswith("sha256:")
    [listed] = [json.loads(line) for line in forgewright("image", "list", "--json").stdout.splitlines()]
    assert (listed["name"], listed["digest"]) == (name, digest)
    assert name.encode() in forgewright("image", "show", digest).stdout
    done = forgewright("run", "--image", digest, "--", "/opt/file")
    assert done.returncode == 126, done  # it is there, and nothing that could be run
    assert forgewright("image", "verify", name).returncode == 0
    (Path(listed["folder"]) / "tree" / "opt" / "file").write_text("y")
    assert forgewright("image", "verify", name).returncode == 7
    assert forgewright("image", "remove", name).returncode == 0
    missing = forgewright("image", "show", digest)
    assert missing.returncode == 4
    assert b"forgewright sandbox image pull" in missing.stderr


@pytest.mark.sandbox
def test_a_language_by_name() -> None:
    done = forgewright("run", "--lang", "python", "--", "python3", "-c", "print('hello')")
    assert (done.returncode, done.stdout) == (0, b"hello\n")
    wrong = forgewright("run", "--lang", "cobol", "--", "true")
    assert b"python, node, go, ruby" in wrong.stderr
    assert forgewright("run", "--lang", "python", "--image", "host", "--", "true").returncode == 2
