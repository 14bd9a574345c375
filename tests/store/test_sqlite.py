"""What only the SQLite store can go through: other files in its place, locks, damage, a full or read-only disk."""

from __future__ import annotations

import asyncio
import errno
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from forgewright.core.errors import IntegrityError, StoreError, StoreFull, UsageError
from forgewright.core.ids import RunId, digest
from forgewright.store import open_store
from forgewright.store.drivers.sqlite.errors import translate
from forgewright.store.drivers.sqlite.schema import FILE, SCHEMA
from forgewright.store.ports import Store

RUN = RunId("run")


async def test_durability_is_what_it_says(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await store.journal.append(RUN, [b"1"], expected=0)
    connection = store._connection  # type: ignore[attr-defined]  # asks SQLite itself
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert connection.execute("PRAGMA secure_delete").fetchone() == (1,)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / f"{FILE}-wal").stat().st_mode & 0o077 == 0
    await store.close()
    assert not (tmp_path / f"{FILE}-wal").exists()


async def test_a_home_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="file"):
        await open_store(tmp_path / "file")
    with pytest.raises(StoreError):
        await open_store(tmp_path / "file" / "home")


@pytest.mark.parametrize("content", [b"not a database at all, and longer than a header of one" * 50, b"x"])
async def test_what_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises((IntegrityError, StoreError)):
        await open_store(tmp_path)
    assert (tmp_path / FILE).read_bytes() == content


async def test_another_programs_database_and_a_newer_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    database = sqlite3.connect(tmp_path / "other" / FILE)
    database.execute("CREATE TABLE t(x)")
    database.commit()
    database.close()
    with pytest.raises(IntegrityError, match="something else"):
        await open_store(tmp_path / "other")
    store = await open_store(tmp_path / "home")
    await store.close()
    database = sqlite3.connect(tmp_path / "home" / FILE)
    database.execute(f"PRAGMA user_version={SCHEMA + 1}")
    database.commit()
    database.close()
    with pytest.raises(IntegrityError, match="schema version"):
        await open_store(tmp_path / "home")


async def test_a_damaged_page_is_an_integrity_error_and_not_a_crash(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await store.journal.append(RUN, [b"x" * 3_000 for _ in range(50)], expected=0)
    await store.close()
    data = bytearray((tmp_path / FILE).read_bytes())
    for page in range(2, len(data) // 4096):
        data[page * 4096 : page * 4096 + 12] = b"\xff" * 12
    (tmp_path / FILE).write_bytes(data)

    async def use() -> None:
        store = await open_store(tmp_path)
        try:
            await store.journal.read(RUN)
        finally:
            await store.close()

    with pytest.raises(IntegrityError) as caught:
        await use()
    assert "fsck" in str(caught.value)


async def test_a_changed_blob_is_found_when_it_is_read(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    name = await store.blobs.put(b"content")
    (path,) = (tmp_path / "blobs").glob("*/*")
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(b"another")
    with pytest.raises(IntegrityError) as caught:
        await store.blobs.get(name)
    assert caught.value.record == digest(b"content")
    with pytest.raises(UsageError):
        await store.blobs.get("sha256:../../etc/passwd")  # type: ignore[arg-type]
    await store.close()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), StoreFull),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), StoreFull),
        (OSError(errno.EROFS, "Read-only file system"), StoreFull),
        (OSError(errno.EACCES, "Permission denied"), StoreFull),
        (OSError(errno.EIO, "Input/output error"), StoreError),
    ],
)
def test_what_the_system_says_is_translated(error: OSError, kind: type[StoreError]) -> None:
    found = translate(error, Path("/home/x/journal.db"))
    assert type(found) is kind
    assert found.hint


async def test_a_read_only_home_is_said(tmp_path: Path) -> None:
    """A real read-only file system: a bind mount in a mount namespace of its own."""
    store = await open_store(tmp_path / "home")
    await store.journal.append(RUN, [b"1"], expected=0)
    await store.close()
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from forgewright.store import open_store\n"
        "from forgewright.core.errors import StoreFull\n"
        "async def main():\n"
        "    try:\n"
        "        store = await open_store(Path(sys.argv[1]))\n"
        "        await store.journal.append('run', [b'2'], expected=1)\n"
        "    except StoreFull as error:\n"
        "        print('said:', error)\n"
        "asyncio.run(main())\n"
    )
    home = tmp_path / "home"
    mount = f"mount --bind {home} {home} && mount -o remount,ro,bind {home} && exec "
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("unshare is needed: apt-get install util-linux")
    command = [unshare, "-rm", "sh", "-c", mount + f'"{sys.executable}" -c "$0" {home}', script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"this machine does not allow mounts: {done.stderr[:100]}")
    assert "said:" in done.stdout, done.stderr
    assert "writable" in done.stdout


async def test_a_lock_held_too_long_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from forgewright.store.drivers.sqlite import schema

    monkeypatch.setattr(schema, "BUSY_SECONDS", 0.2)
    store = await open_store(tmp_path)
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        await store.journal.append(RUN, [b"1"], expected=0)
    other.execute("ROLLBACK")
    other.close()
    await store.journal.append(RUN, [b"1"], expected=0)  # and it goes on
    await store.close()


async def test_many_event_loops_can_use_one_store_after_another(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await asyncio.to_thread(asyncio.run, _append(store, 0))
    await _append(store, 1)
    assert await store.journal.size() == 2
    await store.close()


async def _append(store: object, at: int) -> None:
    await store.journal.append(RUN, [b"x"], expected=at)  # type: ignore[attr-defined]


async def test_an_unexpected_failure_answers_whoever_waits_and_closes_the_door(tmp_path: Path) -> None:
    class Mistaken:
        calls = 0

        def restore(self, log: object) -> None:
            return None

        def committed(self, *, closing: bool = False) -> None: ...

        def seal(self, records: object) -> object:
            raise KeyError("a mistake")

    store = await open_store(tmp_path, sealer=Mistaken())  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(StoreError, match="a mistake"):
            await store.journal.append(RUN, [b"1"], expected=0)
    assert await store.journal.size() == 0
    await store.close()


async def test_closing_while_others_write_leaves_nobody_waiting(tmp_path: Path) -> None:
    for round_ in range(20):
        store = await open_store(tmp_path / str(round_))

        async def write(i: int, store: Store = store) -> int:
            done = 0
            try:
                while True:
                    await store.journal.append(RunId(f"r{i}"), [b"x"], expected=done)
                    done += 1
            except StoreError:
                return done

        async with asyncio.timeout(20):
            tasks = [asyncio.create_task(write(i)) for i in range(8)]
            await store.journal.append(RUN, [b"x"], expected=0)
            await store.close()
            written = await asyncio.gather(*tasks)
        again = await open_store(tmp_path / str(round_))
        for i, done in enumerate(written):
            assert len(await again.journal.read(RunId(f"r{i}"))) == done
        await again.close()


async def test_an_unknown_driver_is_refused() -> None:
    with pytest.raises(UsageError, match="memory, sqlite"):
        await open_store("postgres://x")


async def test_a_store_that_does_not_open_leaves_no_thread_behind(tmp_path: Path) -> None:
    import threading

    class Broken:
        def restore(self, log: object) -> None:
            raise IntegrityError("no")

        def committed(self, *, closing: bool = False) -> None: ...

        def seal(self, records: object) -> object:
            raise AssertionError

    def ours() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name.startswith("journal-")}

    before = ours()
    for _ in range(3):
        with pytest.raises(IntegrityError):
            await open_store(tmp_path, sealer=Broken())  # type: ignore[arg-type]
    assert ours() <= before
