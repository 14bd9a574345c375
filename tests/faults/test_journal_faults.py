"""Crashes, torn writes, a full disk, a failing fsync: nothing acknowledged is lost, nothing stands twice."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from forgewright.core.ids import RunId
from forgewright.journal.bundle.fsck import verify_home
from forgewright.journal.events import CustomAnswered
from forgewright.journal.journal import open_journal

HERE = Path(__file__).parent
RUN = RunId("run")
COUNT = 4
BOUNDARIES_MAX = 400


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        if os.environ.get("CI"):
            pytest.fail("a C compiler is needed: apt-get install gcc libc6-dev")
        pytest.skip("a C compiler is needed: apt-get install gcc libc6-dev")
    library = tmp_path_factory.mktemp("shim") / "shim.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(HERE / "shim.c"), "-ldl"]
    subprocess.run(command, check=True)
    return library


def write(
    home: Path, shim: Path | None = None, *, mode: str = "", at: int = 0, times: int = 1, retry: bool = False
) -> tuple[int, list[str]]:
    """Runs the writer; gives its exit status (negative: the signal) and what it said."""
    fault = {}
    if shim is not None:
        fault = {
            "LD_PRELOAD": str(shim),
            "FAULT_DIR": str(home),
            "FAULT_MODE": mode,
            "FAULT_AT": str(at),
            "FAULT_FOR": str(times),
        }
    command = [sys.executable, str(HERE / "journal_writer.py"), str(home), RUN, str(COUNT)]
    done = subprocess.run(
        [*command, "retry"] if retry else command,
        env={**os.environ, **fault},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr or mode in ("full", "fsync"), done.stderr
    return done.returncode, done.stdout.splitlines()


def acknowledged(said: list[str]) -> int:
    return sum(line.startswith("ack ") for line in said)


async def numbers(home: Path) -> list[int]:
    """What stands in the home: the number of each event, its large value read back too."""
    journal = await open_journal(home)
    found = []
    for record in await journal.read(RUN):
        assert isinstance(record.event, CustomAnswered)
        value = msgspec.json.decode(await journal.load(record.event.result))
        found.append(value if isinstance(value, int) else int(value.split()[0]))
    await journal.close()
    return found


async def go_on(home: Path) -> None:
    """From where it stands to its end."""
    journal = await open_journal(home)
    for at in range(len(await journal.read(RUN)), COUNT):
        await journal.append(
            RUN, [CustomAnswered(effect=str(at), result=msgspec.Raw(b"%d" % at))], expected=at
        )
    await journal.close()


def check(home: Path, acks: int) -> None:
    """All that was acknowledged is there, once, in order; at most the one append under way came through."""
    found = asyncio.run(numbers(home))
    assert found == list(range(len(found)))
    assert acks <= len(found) <= acks + 1
    if (home / "journal.db").exists() and found:
        assert verify_home(home).findings == ()


@pytest.mark.parametrize("mode", ["kill", "torn"])
@pytest.mark.parametrize("part", range(4))
def test_killed_at_every_write(shim: Path, tmp_path: Path, mode: str, part: int) -> None:
    """From the first byte of a new home to the last of closing it, at every call that writes to it."""
    for at in range(part + 1, BOUNDARIES_MAX, 4):
        home = tmp_path / f"{at}"
        status, said = write(home, shim, mode=mode, at=at)
        if status == 0:
            assert said[-1] == "closed"
            assert at > 40, "the fault was never reached"
            return
        assert status == -9, said
        acks = acknowledged(said)
        if home.exists():
            check(home, acks)
        asyncio.run(go_on(home))
        check(home, COUNT)
        shutil.rmtree(home)
    pytest.fail("the writer never came to its end")


@pytest.mark.parametrize("at", [3, 8, 20, 30, 34, 38, 42, 46, 50])
def test_a_full_disk_is_said_and_survived(shim: Path, tmp_path: Path, at: int) -> None:
    """For some writes there is no space. The error says so; when there is space again, it goes on."""
    home = tmp_path / "home"
    status, said = write(home, shim, mode="full", at=at, times=3, retry=True)
    errors = [line for line in said if line.startswith("error")]
    assert all(" store_full " in line for line in errors), errors
    if status == 0:
        assert said[-1] == "closed"
        assert acknowledged(said) == COUNT
        check(home, COUNT)
    else:  # it could not even open
        assert not any(line.startswith("open") for line in said)
        assert write(home)[0] == 0
        check(home, COUNT)


@pytest.mark.parametrize("at", range(1, 24, 2))
def test_a_failing_fsync_is_never_acknowledged(shim: Path, tmp_path: Path, at: int) -> None:
    """After it, nothing is promised until the home has been opened anew."""
    home = tmp_path / "home"
    status, said = write(home, shim, mode="fsync", at=at, retry=False)
    acks = acknowledged(said)
    if any(line.startswith("error") for line in said):
        assert not any(
            line.startswith("ack") for line in said[said.index(next(x for x in said if "error" in x)) :]
        )
    if home.exists() and status == 0:
        check(home, acks)
    assert write(home)[0] == 0
    check(home, COUNT)


def test_a_log_cut_anywhere_opens_with_what_was_synced_before_the_cut(tmp_path: Path) -> None:
    """A torn last page and every lesser loss: the write-ahead log is cut at and within each of its frames.
    What was acknowledged when the log had that length is there."""
    home = tmp_path / "home"

    async def fill() -> list[int]:
        sizes = []
        journal = await open_journal(home)
        for i in range(8):
            event = CustomAnswered(effect=str(i), result=msgspec.Raw(b"%d" % i))
            await journal.append(RUN, [event], expected=i)
            sizes.append((home / "journal.db-wal").stat().st_size)
        shutil.copytree(home, tmp_path / "copy")  # as a crash would leave it: the log not yet checkpointed
        await journal.close()
        return sizes

    sizes = asyncio.run(fill())
    wal = (tmp_path / "copy/journal.db-wal").read_bytes()
    assert len(wal) == sizes[-1]
    frame = 4096 + 24
    cuts = {32 + n * frame + extra for n in range(len(wal) // frame) for extra in (0, 1, 24, 2000, frame - 1)}
    for cut in sorted(cut for cut in cuts if cut >= sizes[0]):
        trial = tmp_path / "trial"
        shutil.copytree(tmp_path / "copy", trial)
        (trial / "journal.db-shm").unlink()
        (trial / "journal.db-wal").write_bytes(wal[:cut])
        found = asyncio.run(numbers(trial))
        assert found == list(range(sum(size <= cut for size in sizes))), cut
        assert verify_home(trial).ok
        shutil.rmtree(trial)


def test_two_processes_on_one_home(tmp_path: Path) -> None:
    """They race for one run and each writes its own: no place is taken twice, and the tree holds."""
    home = tmp_path / "home"
    asyncio.run(numbers(home))  # makes it
    script = str(HERE / "journal_writer.py")
    jobs = [(RUN, 120), (RUN, 120), ("own-1", 60), ("own-2", 60)]
    processes = [
        subprocess.Popen([sys.executable, script, str(home), run, str(n)], stdout=subprocess.PIPE, text=True)
        for run, n in jobs
    ]
    said = [process.communicate(timeout=120)[0].splitlines() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    acks = [{int(line.split()[1]) for line in lines if line.startswith("ack")} for lines in said]
    assert acks[0] | acks[1] == set(range(120))
    assert not acks[0] & acks[1]
    assert asyncio.run(numbers(home)) == list(range(120))
    found = verify_home(home)
    assert (found.findings, found.records) == ((), 240)


async def test_a_clock_that_goes_backwards_changes_no_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    clock = iter(range(2_000_000_000_000_000_000, 0, -(10**15)))
    journal = await open_journal(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: next(clock))
        patch.setattr(time, "time", lambda: next(clock) / 1e9)
        lease = await journal.leases.acquire(RUN, "a", ttl_seconds=60)
        for i in range(5):
            event = CustomAnswered(effect=str(i), result=msgspec.Raw(b"%d" % i))
            await journal.append(RUN, [event], expected=i, epoch=lease.epoch)
        again = await journal.leases.acquire(RUN, "a", ttl_seconds=60)
        assert again.epoch == lease.epoch + 1
    records = await journal.read(RUN)
    assert [record.sequence for record in records] == [1, 2, 3, 4, 5]
    assert [record.time for record in records] == sorted((r.time for r in records), reverse=True)
    await journal.close()
    assert await numbers(tmp_path) == [0, 1, 2, 3, 4]
    assert verify_home(tmp_path).ok
