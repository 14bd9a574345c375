"""Killed between any two system calls of a transaction: after the next start all files are old, or all are new."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

import pytest

from forgewright.code.transaction import STATE, Entry, Transaction
from forgewright.core.errors import Conflict, StoreError, StoreFull, UnsafePath


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: what is killed is a process, not a disk."""
    if not os.path.isdir("/dev/shm"):
        yield tmp_path
        return
    with TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


CALLS = ("open", "close", "write", "rename", "unlink", "rmdir", "mkdir", "fsync", "fchmod")


def entries(count: int) -> list[Entry]:
    """Changed, created and deleted files in several folders."""
    made: list[Entry] = []
    for n in range(count):
        path = f"pkg{n % 7}/sub/file{n}.py"
        before = None if n % 5 == 1 else b"old %d\n" % n * (n % 9 + 1)
        after = None if n % 5 == 2 else b"new %d\r\n" % n * (n % 4 + 1)
        made.append(Entry(path, before, after))
    return made


def lay_out(root: Path, made: list[Entry]) -> None:
    for entry in made:
        if entry.before is not None:
            (root / entry.path).parent.mkdir(parents=True, exist_ok=True)
            (root / entry.path).write_bytes(entry.before)


def state_of(root: Path, made: list[Entry]) -> str:
    """`old` or `new` if all files are, else which is what."""
    found = {e.path: (root / e.path).read_bytes() if (root / e.path).exists() else None for e in made}
    if all(found[e.path] == e.before for e in made):
        return "old"
    if all(found[e.path] == e.after for e in made):
        return "new"
    return f"mixed: {sum(found[e.path] == e.after for e in made)} of {len(made)} new"


def in_child(work: Callable[[], None]) -> int:
    """Runs `work` in a child process; its exit status, negative for a signal."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def killed_before(number: int, work: Callable[[], None]) -> Callable[[], None]:
    """`work`, ended by SIGKILL before its `number`-th system call; a write is torn in the middle."""

    def run() -> None:
        left = [number]

        def hooked(name: str, real: Callable[..., object]) -> Callable[..., object]:
            def call(*args: object, **kwargs: object) -> object:
                left[0] -= 1
                if left[0] == 0:
                    if name == "write" and isinstance(args[1], (bytes, memoryview)):
                        real(args[0], args[1][: len(args[1]) // 2])
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*args, **kwargs)

            return call

        for name in CALLS:
            setattr(os, name, hooked(name, getattr(os, name)))
        work()

    return run


def count_calls(work: Callable[[], None]) -> int:
    """How many system calls `work` makes, told through a pipe by the child that does it."""
    receive, send = os.pipe()

    def run() -> None:
        made = [0]
        real_write = os.write

        def hooked(real: Callable[..., object]) -> Callable[..., object]:
            def call(*args: object, **kwargs: object) -> object:
                made[0] += 1
                return real(*args, **kwargs)

            return call

        for name in CALLS:
            setattr(os, name, hooked(getattr(os, name)))
        work()
        real_write(send, str(made[0]).encode())

    assert in_child(run) == 0
    os.close(send)
    with os.fdopen(receive, "rb") as pipe:
        return int(pipe.read())


def check(tmp_path: Path, made: list[Entry], numbers: list[int]) -> set[str]:
    seen: set[str] = set()
    for number in numbers:
        root = tmp_path / f"kill{number}"
        root.mkdir()
        lay_out(root, made)
        assert (
            in_child(killed_before(number, lambda root=root: Transaction(root).commit(made)))
            == -signal.SIGKILL
        )
        Transaction(root).recover()
        state = state_of(root, made)
        assert state in ("old", "new"), f"killed before call {number}: {state}"
        assert not Transaction(root).pending
        strays = [p for p in root.rglob("*") if p.is_file() and p.suffix != ".py" and STATE not in str(p)]
        assert strays == []
        seen.add(state)
        rmtree(root)
    return seen


def test_killed_before_any_system_call(tmp_path: Path) -> None:
    made = entries(12)
    probe = tmp_path / "probe"
    probe.mkdir()
    lay_out(probe, made)
    total = count_calls(lambda: Transaction(probe).commit(made))
    assert total > 100
    assert check(tmp_path, made, list(range(1, total + 1))) == {"old", "new"}


def test_killed_in_a_transaction_of_500_files(tmp_path: Path) -> None:
    made = entries(500)
    probe = tmp_path / "probe"
    probe.mkdir()
    lay_out(probe, made)
    total = count_calls(lambda: Transaction(probe).commit(made))
    assert total > 3000
    spread = [1 + round(n * (total - 1) / 6) for n in range(7)]
    assert check(tmp_path, made, spread) == {"old", "new"}


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_killed_before_every_system_call_of_500_files(tmp_path: Path) -> None:
    made = entries(500)
    probe = tmp_path / "probe"
    probe.mkdir()
    lay_out(probe, made)
    total = count_calls(lambda: Transaction(probe).commit(made))
    assert check(tmp_path, made, list(range(1, total + 1))) == {"old", "new"}


def test_killed_again_while_recovering(tmp_path: Path) -> None:
    made = entries(9)
    for first in (60, 90, 120):
        for second in (10, 40, 70):
            root = tmp_path / f"{first}-{second}"
            root.mkdir()
            lay_out(root, made)
            in_child(killed_before(first, lambda root=root: Transaction(root).commit(made)))
            in_child(killed_before(second, lambda root=root: Transaction(root).recover() and None))
            Transaction(root).recover()
            assert state_of(root, made) in ("old", "new")


def test_failing_write_leads_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = entries(10)
    lay_out(tmp_path, made)
    real = os.rename
    calls = [0]

    def full(source: str, target: str, **kwargs: int) -> None:
        if source == "file":
            calls[0] += 1
            if calls[0] == 4:
                raise OSError(28, "No space left on device")
        real(source, target, **kwargs)

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(StoreFull, match="nothing was changed"):
        Transaction(tmp_path).commit(made)
    assert state_of(tmp_path, made) == "old"
    assert not Transaction(tmp_path).pending


def test_killed_while_leading_back(tmp_path: Path) -> None:
    made = entries(10)
    seen = set()
    for number in range(75, 240, 10):
        root = tmp_path / str(number)
        root.mkdir()
        lay_out(root, made)

        def work(root: Path = root) -> None:
            real = os.rename
            calls = [0]

            def full(source: str, target: str, **kwargs: int) -> None:
                if source == "file":
                    calls[0] += 1
                    if calls[0] == 4:
                        raise OSError(28, "No space left on device")
                real(source, target, **kwargs)

            os.rename = full
            Transaction(root).commit(made)

        in_child(killed_before(number, work))
        Transaction(root).recover()
        seen.add(state_of(root, made))
    assert seen == {"old", "new"}  # new: killed before the write that fails


def test_changed_since_it_was_read(tmp_path: Path) -> None:
    made = entries(10)
    lay_out(tmp_path, made)
    (tmp_path / made[0].path).write_bytes(b"somebody else\n")
    with pytest.raises(Conflict, match="changed since it was read"):
        Transaction(tmp_path).commit(made)
    (tmp_path / made[0].path).write_bytes(made[0].before or b"")
    assert state_of(tmp_path, made) == "old"


def test_changed_by_others_before_recovery(tmp_path: Path) -> None:
    made = entries(10)
    lay_out(tmp_path, made)
    probe = tmp_path / "probe"
    probe.mkdir()
    lay_out(probe, made)
    total = count_calls(lambda: Transaction(probe).commit(made))
    in_child(killed_before(int(total * 0.7), lambda: Transaction(tmp_path).commit(made)))
    assert Transaction(tmp_path).pending
    (tmp_path / made[8].path).write_bytes(b"somebody else\n")
    with pytest.raises(Conflict, match=r"except for files changed by others: pkg1/sub/file8\.py"):
        Transaction(tmp_path).recover()
    assert (tmp_path / made[8].path).read_bytes() == b"somebody else\n"
    assert state_of(tmp_path, [e for e in made if e is not made[8]]) == "new"


def test_links_are_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.py").write_text("secret\n")
    root = tmp_path / "root"
    root.mkdir()
    (root / "folder").symlink_to(outside)
    (root / "file.py").symlink_to(outside / "a.py")
    for path in ("folder/a.py", "folder/new.py", "file.py"):
        for entry in (Entry(path, b"secret\n", b"x\n"), Entry(path, None, b"x\n")):
            with pytest.raises((UnsafePath, Conflict)):
                Transaction(root).commit([entry])
    for path in ("../outside/a.py", "/etc/passwd", "a/../../outside/a.py", ".forgewright/edit/pending"):
        with pytest.raises(UnsafePath):
            Transaction(root).commit([Entry(path, None, b"x\n")])
    assert (outside / "a.py").read_text() == "secret\n"
    assert sorted(p.name for p in outside.iterdir()) == ["a.py"]


def test_a_linked_state_folder_is_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "root"
    root.mkdir()
    (root / ".forgewright").symlink_to(outside)
    with pytest.raises(StoreError):
        Transaction(root).commit([Entry("a.py", None, b"x\n")])
    assert list(outside.iterdir()) == []


def test_permissions_stay(tmp_path: Path) -> None:
    script = tmp_path / "run.sh"
    script.write_bytes(b"old\n")
    script.chmod(0o751)
    Transaction(tmp_path).commit([Entry("run.sh", b"old\n", b"new\n")])
    assert script.stat().st_mode & 0o7777 == 0o751
    assert (tmp_path / STATE / ".gitignore").read_text() == "*\n"
