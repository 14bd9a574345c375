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
from forgewright.sandbox import keeping, state


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
    os.kill(keeping.find(name).pid, signal.SIGKILL)
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


@pytest.mark.sandbox
def test_folders_ports_logs_and_background_commands(tmp_path: Path) -> None:
    import socket
    import time

    name = forgewright("create", "--mem", "128m", "--publish", "8081").stdout.decode().strip()
    try:
        (tmp_path / "in" / "sub").mkdir(parents=True)
        (tmp_path / "in" / "sub" / "file").write_text("tree")
        (tmp_path / "out").mkdir()
        assert forgewright("cp", f"{tmp_path}/in", f"{name}:/tmp/tree").returncode == 0
        assert forgewright("cp", f"{name}:/tmp/tree", f"{tmp_path}/out").returncode == 0
        assert (tmp_path / "out" / "sub" / "file").read_text() == "tree"
        server = "import socket; s = socket.create_server(('127.0.0.1', 8080)); print('up', flush=True); "
        server += "s.accept()[0].send(b'hello')"
        number = forgewright("exec", "-d", name, "--", "python3", "-c", server).stdout.decode().strip()
        deadline = time.monotonic() + 30
        while b"up" not in forgewright("logs", name, "--number", number).stdout:
            assert time.monotonic() < deadline
        address = forgewright("port", name, "8080").stdout.decode().strip()
        host, _, port = address.partition(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            assert connection.recv(100) == b"hello"
        [listed] = [
            one
            for one in map(json.loads, forgewright("list", "--json").stdout.splitlines())
            if one["id"] == name
        ]
        assert (listed["tier"], listed["memory_bytes"], listed["commands"]) == ("container", 128 << 20, 1)
        assert set(listed["ports"]) == {"8080", "8081"}
        assert f"{listed['ports']['8080']}→8080" in forgewright("list").stdout.decode()
        forgewright("exec", name, "--", "printf", "\\033]0;owned\\007text\\n")
        shown = forgewright("logs", name).stdout
        assert b"text" in shown
        assert b"\x1b" not in shown, "a log is shown without what a terminal would obey"
        logged = [json.loads(line) for line in forgewright("logs", name, "--json").stdout.splitlines()]
        assert {line["kind"] for line in logged} >= {"command", "stdout", "ended"}
    finally:
        assert forgewright("stop", name).returncode == 0


@pytest.mark.sandbox
def test_snapshots_and_forks_go_on_from_where_a_sandbox_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORGEWRIGHT_SNAPSHOTS", str(tmp_path / "snapshots"))

    def made(*arguments: str) -> str:
        done = forgewright(*arguments)
        assert done.returncode == 0, done
        names.append(done.stdout.decode().strip())
        return names[-1]

    names: list[str] = []
    try:
        name = made("create", "--mem", "128m")
        forgewright("exec", name, "--", "sh", "-c", "echo one > /tmp/file")
        snapshot = forgewright("snapshot", name).stdout.decode().strip()
        assert snapshot.startswith("snap")
        assert snapshot in forgewright("snapshots").stdout.decode()
        forgewright("exec", name, "--", "sh", "-c", "echo two > /tmp/file")
        fork = made("fork", name)
        later = made("create", "--from", snapshot)
        forgewright("exec", fork, "--", "sh", "-c", "echo three >> /tmp/file")
        read = [forgewright("exec", one, "--", "cat", "/tmp/file").stdout for one in (name, fork, later)]
        assert read == [b"two\n", b"two\nthree\n", b"one\n"]
        assert forgewright("pause", name).returncode == 0
        assert forgewright("exec", name, "--", "true").returncode == 10, "what is paused runs nothing"
        assert forgewright("resume", name).returncode == 0
        assert forgewright("exec", name, "--", "true").returncode == 0
        listed = {
            one["id"]: one for one in map(json.loads, forgewright("list", "--json").stdout.splitlines())
        }
        assert listed[fork]["metrics"]["cpu_seconds"] > 0
        assert forgewright("snapshots", "--remove", snapshot).returncode == 0
        assert forgewright("snapshots", "--json").stdout == b"", "and the one of the fork is gone"
        assert forgewright("create", "--from", snapshot).returncode == 4
    finally:
        for one in names:
            forgewright("stop", one)


@pytest.mark.sandbox
def test_a_client_that_goes_away_takes_its_command_along() -> None:
    name = forgewright("create").stdout.decode().strip()
    try:
        argv = [
            sys.executable,
            "-m",
            "forgewright.cli.main",
            "sandbox",
            "exec",
            name,
            "--",
            "sh",
            "-c",
            "echo up; sleep 943",
        ]
        client = subprocess.Popen(argv, stdout=subprocess.PIPE)
        assert client.stdout is not None
        assert client.stdout.readline() == b"up\n"
        client.kill()
        client.wait()
        client.stdout.close()
        while b"sleep 943" in forgewright("exec", name, "--", "ps", "ax").stdout:
            pass
    finally:
        forgewright("stop", name)


CAUGHT = "trap 'echo caught; exit 7' INT; echo started; while :; do :; done"


class Terminal:
    """A pseudo-terminal with `forgewright sandbox …` on it, as a person has it."""

    def __init__(self, *arguments: str, rows: int = 33, columns: int = 99) -> None:
        import pty

        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            argv = [sys.executable, "-m", "forgewright.cli.main", "sandbox", *arguments]
            os.execv(sys.executable, argv)
        self.resize(rows, columns)
        self.text = b""

    def resize(self, rows: int, columns: int) -> None:
        import fcntl
        import struct
        import termios

        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def until(self, words: bytes, seconds: float = 60) -> bytes:
        import select
        import time

        deadline = time.monotonic() + seconds
        while words not in self.text:
            assert time.monotonic() < deadline, self.text
            if select.select([self.fd], [], [], 1)[0]:
                try:
                    data = os.read(self.fd, 65536)
                except OSError:
                    data = b""
                assert data, self.text
                self.text += data
        return self.text

    def ended(self) -> int:
        import contextlib

        with contextlib.suppress(OSError):
            while os.read(self.fd, 65536):
                pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.mark.sandbox
def test_a_shell_session_in_a_terminal() -> None:
    name = forgewright("create", "--mem", "128m").stdout.decode().strip()
    try:
        session = Terminal("shell", "--env", "PS1=READY$ ", name, "--", "sh", "-i")
        session.until(b"READY$ ")
        session.type("stty size; echo sum $((40 + 2))\n")
        assert b"33 99" in session.until(b"sum 42")
        session.resize(44, 111)
        session.type("sleep 0.3; stty size\n")
        session.until(b"44 111")
        session.type("printf '\\033]0;own''ed\\007\\033[31mred\\033[0m\\033[6n'; echo en''d\n")
        text = session.until(b"end")
        assert b"\x1b]0;" not in text
        assert b"\x1b[6n" not in text
        assert b"\x1b[31mred" in text
        session.type("touch /tmp/stays; exit 5\n")
        assert session.ended() == 5
        assert forgewright("exec", name, "--", "ls", "/tmp").stdout == b"stays\n", (
            "the sandbox is still there"
        )
        interrupted = Terminal("shell", name, "--", "sh", "-c", CAUGHT)
        interrupted.until(b"started")
        interrupted.type("\x03")
        interrupted.until(b"caught")
        assert interrupted.ended() == 7
        assert forgewright("shell", name).returncode == 2, "no terminal here"
    finally:
        forgewright("stop", name)


@pytest.mark.sandbox
def test_the_doctor_names_each_tier_and_what_adds_the_rest(tmp_path: Path) -> None:
    environment = os.environ | {"PATH": str(tmp_path)}  # nothing is installed there
    argv = [sys.executable, "-m", "forgewright.cli.main", "sandbox", "doctor", "--json"]
    done = subprocess.run(argv, capture_output=True, timeout=120, check=False, env=environment)
    assert done.returncode == 0, done
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    tiers = {line["tier"]: line for line in lines if "tier" in line}
    assert set(tiers) == {"wasm", "container", "gvisor", "microvm"}
    images = {line["images"]: line for line in lines if "images" in line}
    assert images["oci:"]["install"] == "apt-get install skopeo"
    assert images["debian:"]["install"] == "apt-get install mmdebstrap"
    for line in lines:
        available = line.get("available", True)
        assert available or line.get("install") or line.get("detail"), line


@pytest.mark.sandbox
def test_logs_are_followed_until_the_command_ends(tmp_path: Path) -> None:
    name = forgewright("create").stdout.decode().strip()
    try:
        script = "echo first; while [ ! -e /tmp/go ]; do sleep 0.02; done; echo second; printf third; exit 3"
        number = forgewright("exec", "-d", name, "--", "sh", "-c", script).stdout.decode().strip()
        other = (
            forgewright("exec", "-d", name, "--", "sh", "-c", "echo $$ > /tmp/pid; exec sleep 600")
            .stdout.decode()
            .strip()
        )
        argv = [sys.executable, "-u", "-m", "forgewright.cli.main", "sandbox", "logs", name, "-f"]
        one = subprocess.Popen([*argv, "--number", number], stdout=subprocess.PIPE)
        everything = subprocess.Popen([*argv, "--json"], stdout=subprocess.PIPE)
        assert one.stdout is not None
        assert everything.stdout is not None
        assert b"$ sh -c" in one.stdout.readline()
        assert one.stdout.readline() == b"first\n"
        assert one.poll() is None
        assert forgewright("exec", name, "--", "touch", "/tmp/go").returncode == 0
        assert one.stdout.read().splitlines()[:2] == [b"second", b"third"]
        assert one.wait(30) == 0
        assert everything.poll() is None  # something runs still
        assert forgewright("exec", name, "--", "sh", "-c", "kill $(cat /tmp/pid)").returncode == 0
        assert everything.wait(30) == 0
        told = [json.loads(line) for line in everything.stdout]
        assert {(line["number"], line["text"]) for line in told if line["kind"] == "ended"} >= {
            (int(number), "3 exit"),
            (int(other), "143 signal"),
        }
        one.stdout.close()
        everything.stdout.close()
        again = forgewright("logs", name, "--follow", "--number", number)  # it has ended: shown, and over
        assert b"second\nthird\n" in again.stdout
        assert b"3 exit" in again.stdout
        missing = forgewright("logs", name, "--number", "99")
        assert missing.returncode != 0
        assert b"no command 99" in missing.stderr
    finally:
        forgewright("stop", name)


@pytest.mark.sandbox
def test_following_ends_with_the_sandbox() -> None:
    name = forgewright("create").stdout.decode().strip()
    forgewright("exec", "-d", name, "--", "sh", "-c", "echo up; sleep 600")
    argv = [sys.executable, "-u", "-m", "forgewright.cli.main", "sandbox", "logs", name, "--follow"]
    following = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert following.stdout is not None
    while following.stdout.readline() != b"up\n":
        assert following.poll() is None
    forgewright("stop", name)
    _, told = following.communicate(timeout=30)
    assert following.returncode == 0
    assert b"ended" in told


@pytest.mark.sandbox
def test_logs_begin_where_they_are_asked_to() -> None:
    name = forgewright("create").stdout.decode().strip()
    try:
        forgewright("exec", name, "--", "sh", "-c", "seq 1 50")
        shown = forgewright("logs", name, "--tail", "4").stdout.decode().splitlines()
        assert shown[:3] == ["48", "49", "50"]
        assert "· 0 exit" in shown[3]
        assert len(forgewright("logs", name, "--since", "10m").stdout.splitlines()) == 52
        assert forgewright("logs", name, "--since", "2100-01-01").stdout == b""
        assert forgewright("logs", name, "--since", "yesterday").returncode == 2
        assert forgewright("logs", name, "--tail", "-1").returncode == 2
    finally:
        forgewright("stop", name)


def test_a_log_that_is_faster_than_its_reader_says_what_was_lost() -> None:
    from forgewright.sandbox.keeper import LOG_BYTES_MAX, Log

    log = Log()
    for number in range(40):
        log.add(keeping.Line(1, "stdout", b"%07d\n" % number + b"x" * (LOG_BYTES_MAX // 20), 0.0))
    lines, place, lost = log.after(5)
    assert lines[0].data.startswith(b"%07d" % (5 + lost))
    assert lines[-1].data.startswith(b"0000039")
    assert lost > 10
    assert log.after(place) == ((), place, 0)


@pytest.mark.sandbox
def test_large_files_and_folders_are_copied_and_go_on(tmp_path: Path) -> None:
    name = forgewright("create").stdout.decode().strip()
    try:
        large, tree, back = tmp_path / "large", tmp_path / "tree", tmp_path / "back"
        large.write_bytes(os.urandom(1 << 20) * 80)
        large.chmod(0o750)
        assert forgewright("cp", str(large), f"{name}:/tmp/large").returncode == 0
        assert forgewright("cp", f"{name}:/tmp/large", str(tmp_path / "again")).returncode == 0
        assert subprocess.run(["cmp", large, tmp_path / "again"], check=False).returncode == 0
        assert forgewright("exec", name, "--", "stat", "-c", "%a", "/tmp/large").stdout == b"750\n"
        refused = forgewright("cp", "--max", "1m", f"{name}:/tmp/large", str(tmp_path / "bounded"))
        assert refused.returncode != 0
        assert b"larger than 1048576 bytes" in refused.stderr
        assert sorted(os.listdir(tmp_path)) == ["again", "large"]  # nothing that is not complete
        tree.mkdir()
        back.mkdir()
        (tree / "one").write_text("1")
        (tree / "two").write_text("2")
        assert forgewright("cp", "--resume", str(tree), f"{name}:/tmp/tree").returncode == 0
        forgewright("exec", name, "--", "sh", "-c", "echo changed > /tmp/tree/two; touch -d @7 /tmp/tree/one")
        (tree / "three").write_text("3")
        assert forgewright("cp", "--resume", str(tree), f"{name}:/tmp/tree").returncode == 0
        seen = forgewright("exec", name, "--", "sh", "-c", "cd /tmp/tree; cat *; stat -c %Y one").stdout
        assert seen == b"1" + b"3" + b"2" + b"7\n"  # what was there was not written
        assert forgewright("cp", "--resume", f"{name}:/tmp/tree", str(back)).returncode == 0
        assert {path.name: path.read_text() for path in back.iterdir()} == {
            "one": "1",
            "two": "2",
            "three": "3",
        }
        for wrong in (
            ("--resume", str(large), f"{name}:/tmp/x"), (str(tmp_path / "none"), f"{name}:/tmp/x"),
            (f"{name}:/tmp/none", str(tmp_path / "x")), (f"{name}:/tmp/large", str(tmp_path / "no" / "folder")),
        ):  # fmt: skip
            done = forgewright("cp", *wrong)
            assert done.returncode != 0
            assert b"Traceback" not in done.stderr
        assert forgewright("exec", name, "--", "true").returncode == 0
    finally:
        forgewright("stop", name)
