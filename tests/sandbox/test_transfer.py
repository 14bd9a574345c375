"""Trees of any size go in and out in bounded memory, and a transfer that broke goes on by content."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path

import pytest

from forgewright.core.errors import NotFound, SandboxError, UnsafePath
from forgewright.sandbox import Command, Limits, SandboxSpec, Tier, driver, keeping
from forgewright.sandbox.session import AgentSandbox
from forgewright.sandbox.transfer import OnProgress, Progress, Transfer
from forgewright.sandbox.tree_parts import BLOCK_BYTES, Item, Skipped, Wanted, missing_pieces
from forgewright.sandbox.trees import BLOCK, END_RECORD, FILE, FOLDER, LINK, pieces, record

MIB = 1 << 20
TIERS = {"container": "crun", "gvisor": "runsc", "microvm": "qemu-system-x86_64"}


async def make(tier: str = "container", disk: int = 256 * MIB) -> AgentSandbox:
    program = TIERS[tier]
    if not (shutil.which(program) or shutil.which(program, path="/usr/sbin")):
        message = f"{program} is not installed; run: sh scripts/setup.sh"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    limits = Limits(disk_bytes=disk, memory_bytes=512 * MIB)
    made = await driver(tier).create(SandboxSpec(tier=Tier(tier), limits=limits))
    assert isinstance(made, AgentSandbox)
    return made


@pytest.fixture
async def sandbox() -> AsyncIterator[AgentSandbox]:
    made = await make()
    yield made
    await made.close()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Small files, a link, an empty folder, and a file of several blocks of which no two are alike."""
    root = tmp_path / "tree"
    (root / "deep" / "er").mkdir(parents=True)
    (root / "empty").mkdir()
    for number in range(50):
        (root / "deep" / f"f{number}").write_bytes(b"%d" % number * number)
    (root / "deep" / "er" / "program").write_text("#!/bin/sh\n")
    (root / "deep" / "er" / "program").chmod(0o755)
    (root / "link").symlink_to("deep/f7")
    (root / "large").write_bytes(os.urandom(3 * BLOCK_BYTES + 12_345))
    return root


def contents(root: Path) -> dict[str, object]:
    return {
        str(path.relative_to(root)): (
            os.readlink(path) if path.is_symlink() else path.stat().st_mode & 0o777 if path.is_dir()
            else (path.read_bytes(), path.stat().st_mode & 0o777)
        )
        for path in root.rglob("*")
    }  # fmt: skip


@pytest.mark.sandbox
@pytest.mark.parametrize("tier", TIERS)
async def test_what_is_there_is_not_carried_again(tier: str, tree: Path, tmp_path: Path) -> None:
    sandbox = await make(tier)
    told: list[Progress] = []
    try:
        await sandbox.upload(tree, "/tmp/tree", resume=True)  # nothing is there yet
        (tree / "deep" / "f3").write_bytes(b"changed")
        (tree / "deep" / "er" / "program").chmod(0o700)
        with (tree / "large").open("r+b") as file:  # one byte in the second block
            file.seek(BLOCK_BYTES + 5)
            file.write(b"!")
        await sandbox.upload(tree, "/tmp/tree", resume=True, on_progress=told.append)
        assert told[-1].bytes < BLOCK_BYTES + MIB
        assert told[-1].skipped_bytes > 2 * BLOCK_BYTES
        with (tree / "large").open("r+b") as file:
            file.truncate(BLOCK_BYTES + 100)
        await sandbox.upload(tree, "/tmp/tree", resume=True)
        back = tmp_path / "back"
        back.mkdir()
        await sandbox.download("/tmp/tree", back, resume=True)
        assert contents(back) == contents(tree)
        (back / "deep" / "f9").unlink()
        (back / "deep" / "f10").write_bytes(b"x" * 1000)
        (back / "link").unlink()
        told.clear()
        names = await sandbox.download("/tmp/tree", back, resume=True, on_progress=told.append)
        assert contents(back) == contents(tree)
        assert told[-1].bytes < 10_000
        assert set(names) == set(contents(tree))
    finally:
        await sandbox.close()


async def broken(transfer: Callable[[OnProgress], Coroutine[None, None, object]], after: int) -> None:
    """Cancels a transfer in the middle of a file."""
    enough = asyncio.Event()
    running = asyncio.ensure_future(transfer(lambda p: enough.set() if p.bytes > after else None))
    waiting = asyncio.ensure_future(enough.wait())
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.sandbox
async def test_a_transfer_that_broke_goes_on_where_it_did(
    sandbox: AgentSandbox, tree: Path, tmp_path: Path
) -> None:
    (tree / "larger").write_bytes(os.urandom(8 * BLOCK_BYTES))
    whole = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    back = tmp_path / "back"
    back.mkdir()
    await broken(lambda tell: sandbox.upload(tree, "/tmp/tree", on_progress=tell), whole * 2 // 3)
    told: list[Progress] = []
    await sandbox.upload(tree, "/tmp/tree", resume=True, on_progress=told.append)
    assert told[-1].bytes < whole * 2 // 3
    assert told[-1].skipped_bytes > whole // 3
    await broken(lambda tell: sandbox.download("/tmp/tree", back, on_progress=tell), whole * 2 // 3)
    told.clear()
    await sandbox.download("/tmp/tree", back, resume=True, on_progress=told.append)
    assert told[-1].bytes < whole * 2 // 3
    assert told[-1].skipped_bytes > whole // 3
    assert contents(back) == contents(tree)


@pytest.mark.sandbox
async def test_bounds_and_mistakes_are_named(sandbox: AgentSandbox, tree: Path, tmp_path: Path) -> None:
    back = tmp_path / "back"
    back.mkdir()
    for resume in (False, True):
        with pytest.raises(SandboxError, match="larger than 1048576 bytes"):
            await sandbox.upload(tree, "/tmp/bounded", bytes_max=MIB, resume=resume)
        await sandbox.upload(tree, "/tmp/tree", resume=resume)
        with pytest.raises(SandboxError, match="larger than 1048576 bytes"):
            await sandbox.download("/tmp/tree", back, bytes_max=MIB, resume=resume)
    for resume in (False, True):
        with pytest.raises(NotFound):
            await sandbox.download("/tmp/nowhere", back, resume=resume)
    (tree / "filler").write_bytes(bytes(300 * MIB))
    with pytest.raises(SandboxError, match="No space"):
        await sandbox.upload(tree, "/tmp/tree", resume=True)
    assert (await sandbox.run(Command(argv=("true",)))).ok


MEASURED = """
import asyncio, re, sys
from pathlib import Path
from forgewright.sandbox import Limits, SandboxSpec
from forgewright.sandbox.drivers.container import ContainerDriver

def peak():  # of this program alone: what getrusage says begins with its parent's
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])

async def main():
    tree, back = map(Path, sys.argv[1:])
    sandbox = await ContainerDriver().create(SandboxSpec(limits=Limits(memory_bytes=1 << 30, disk_bytes=1 << 30)))
    try:
        print(peak())
        for resume in (False, True):
            await sandbox.upload(tree, "/tmp/tree", resume=resume)
        for resume in (False, True):
            await sandbox.download("/tmp/tree", back, resume=resume)
        print(peak())
    finally:
        await sandbox.close()

asyncio.run(main())
"""


@pytest.mark.sandbox
def test_memory_does_not_grow_with_the_tree(tmp_path: Path) -> None:
    """Of the engine's whole process: 512 MiB in one file go in and out, each twice, and it grows by less than 48."""
    tree, back = tmp_path / "tree", tmp_path / "back"
    tree.mkdir()
    back.mkdir()
    block = os.urandom(MIB)
    with (tree / "huge").open("wb") as file:
        for number in range(512):
            file.write(number.to_bytes(4) + block[4:])
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, tree, back], capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr
    before, after = map(int, done.stdout.split())
    print(f"{before} KiB before, {after} KiB at its peak")
    assert after - before < 48 << 10, done.stdout
    assert subprocess.run(["cmp", tree / "huge", back / "huge"], check=False).returncode == 0


# ── what an inventory or a stream of blocks may not do ───────────────────────────────────────────────


def item(data: bytes, mode: int = 0o644) -> Item:
    from hashlib import blake2b

    blocks = (data[at : at + BLOCK_BYTES] for at in range(0, len(data), BLOCK_BYTES))
    return Item(FILE, mode, len(data), b"".join(blake2b(block, digest_size=32).digest() for block in blocks))


def block(path: bytes, offset: int, data: bytes) -> bytes:
    return record(BLOCK, 0, path, 8 + len(data)) + offset.to_bytes(8, "little") + data


def feed_all(wanted: Wanted, data: bytes) -> None:
    wanted.feed(data)
    wanted.close()


@pytest.mark.parametrize(
    "stream",
    [
        block(b"other", 0, b"right"), block(b"file", BLOCK_BYTES, b"right"), block(b"file", 1, b"right"),
        block(b"file", 0, b"wrong"), block(b"file", 0, b"right") * 2, record(BLOCK, 0, b"file", 3) + b"abc",
        b"", block(b"file", 0, b"right"), record(FILE, 0, b"file", 5) + b"right", block(b"../out/canary", 0, b"right"),
    ],
)  # fmt: skip
def test_blocks_that_were_not_asked_for_are_refused(tmp_path: Path, stream: bytes) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "canary").write_text("alive")
    with Wanted(tmp_path / "in", {b"file": item(b"right"), b"two": item(b"x")}, bytes_max=MIB) as wanted:
        list(wanted.requests())
        with pytest.raises((SandboxError, UnsafePath)):
            feed_all(wanted, stream + END_RECORD)
    assert (tmp_path / "out" / "canary").read_text() == "alive"
    assert sorted(os.listdir(tmp_path)) == ["in", "out"]


def test_what_is_complete_is_left_alone_and_the_rest_is_completed(tmp_path: Path) -> None:
    """Also a file that its owner may not write, and one with a second name, which belongs to somebody else too."""
    (tmp_path / "same").write_bytes(b"same")
    (tmp_path / "same").chmod(0o444)
    (tmp_path / "longer").write_bytes(b"right and more")
    (tmp_path / "other").write_bytes(b"right")
    os.link(tmp_path / "other", tmp_path / "linked")
    times = (tmp_path / "same").stat().st_mtime_ns
    items = {
        b"same": item(b"same", 0o444), b"longer": item(b"right"), b"linked": item(b"right", 0o600), b"empty": item(b"")
    }  # fmt: skip
    with Wanted(tmp_path, items, bytes_max=MIB) as wanted:
        asked = b"".join(wanted.requests())
        assert b"same" not in asked
        assert b"longer" not in asked  # what it has to be is what it begins with
        wanted.feed(block(b"linked", 0, b"right") + END_RECORD)
        wanted.close()
    assert (tmp_path / "same").stat().st_mtime_ns == times
    assert (tmp_path / "longer").read_bytes() == b"right"
    assert (tmp_path / "empty").read_bytes() == b""
    assert (tmp_path / "other").stat().st_nlink == 1
    assert (tmp_path / "linked").stat().st_mode & 0o777 == 0o600


def test_links_of_an_inventory_lead_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "way").symlink_to("../out")
    for items in (
        {b"link": Item(LINK, 0o777, 0, b"../out")},
        {b"way/canary": item(b"x")},
        {b"way/folder": Item(FOLDER, 0o755)},
    ):
        with Wanted(tmp_path / "in", items, bytes_max=MIB) as wanted, pytest.raises(UnsafePath):
            list(wanted.requests())
    assert os.listdir(tmp_path / "out") == []


def test_what_is_sent_is_the_same_tree_however_it_was_there(tree: Path) -> None:
    skipped = Skipped()
    everything = b"".join(missing_pieces(tree, {}, skipped, bytes_max=1 << 30))
    assert everything == b"".join(pieces(tree, bytes_max=1 << 30))
    assert skipped.bytes == 0


@pytest.mark.sandbox
async def test_a_copy_ends_with_who_asked_for_it(tmp_path: Path) -> None:
    """Of a kept sandbox: its keeper does the copying, and stops when the client is gone."""
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(3 << 30)  # holes: it takes nothing here
    about = keeping.find(
        await asyncio.to_thread(keeping.start, SandboxSpec(limits=Limits(disk_bytes=6 << 30)), None)
    )
    try:
        begun = asyncio.Event()
        session = keeping.Session(about, keeping.Ask("upload-file", path="/tmp/large", host=str(large)))
        async with session:

            def told(answer: keeping.Answer) -> None:
                if answer.progress is not None and answer.progress.bytes > 16 * MIB:
                    begun.set()

            asking = asyncio.ensure_future(session.answer(on_more=told))
            await asyncio.wait_for(begun.wait(), 30)
            asking.cancel()

        async def size() -> int:
            measured = Command(argv=("stat", "-c", "%s", "/tmp/large"))
            ended = (await keeping.ask(about, keeping.Ask("exec", measured))).ended
            assert ended is not None
            assert ended.ok, ended
            return int(ended.stdout)

        sizes = [await size(), await size(), await size()]
        while sizes[-1] != sizes[-2] and len(sizes) < 100:
            sizes.append(await size())
        assert sizes[-1] == sizes[-2] < 3 << 30
    finally:
        await keeping.ask(about, keeping.Ask("stop"))


async def test_who_stops_taking_while_much_waits_still_has_a_sandbox(sandbox: AgentSandbox) -> None:
    """The sandbox is not read while much waits; the end of what was given up has to be heard of all the same."""
    await sandbox.run(Command(argv=("sh", "-c", "head -c 64000000 /dev/zero > /tmp/large")))
    held, hold = threading.Event(), sandbox.hold

    def holding(waiting: bool) -> None:
        hold(waiting)
        if waiting:
            held.set()

    def take(data: bytes) -> None:
        assert held.wait(30)
        raise ValueError("no more of it")

    sandbox.hold = holding  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="no more of it"):
        await Transfer(sandbox, "read", ("/tmp/large",), None).receive(take)
    assert (await sandbox.run(Command(argv=("true",)))).ok
