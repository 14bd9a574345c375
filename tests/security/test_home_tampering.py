"""Whoever can write the home's files changes what is stored: `fsck` finds it and names the record."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path

import pytest
from tests.journal.homes import RUNS, make_home

from forgewright.core.errors import IntegrityError
from forgewright.journal.bundle.fsck import verify_home
from forgewright.journal.journal import open_journal


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import asyncio

    home = tmp_path_factory.mktemp("pristine") / "home"
    asyncio.run(make_home(home))
    assert verify_home(home).ok
    return home


@pytest.fixture
def home(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "home"))


def edit(home: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(home / "journal.db")
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def row(home: Path, index: int) -> tuple[bytes, str, int]:
    connection = sqlite3.connect(home / "journal.db")
    found = connection.execute(
        "SELECT data, run, seq FROM records JOIN runs USING(rid) WHERE idx=?", (index,)
    )
    data, run, sequence = found.fetchone()
    connection.close()
    return data, run, sequence


@pytest.mark.parametrize("index", [0, 100, 511, 512, 899])
def test_every_flipped_byte_of_a_record_is_found_and_named(home: Path, index: int) -> None:
    data, run, sequence = row(home, index)
    rng = random.Random(index)
    for at in [*range(len(data) - 8, len(data)), *rng.sample(range(len(data) - 8), 12)]:
        changed = bytearray(data)
        changed[at] ^= 1 << rng.randrange(8)
        edit(home, "UPDATE records SET data=? WHERE idx=?", bytes(changed), index)
        findings = verify_home(home).findings
        assert any(f.record == f"record {index} (run {run}, sequence {sequence})" for f in findings), at
    edit(home, "UPDATE records SET data=? WHERE idx=?", data, index)
    assert verify_home(home).ok


def test_flipped_bytes_of_the_database_file_are_found(home: Path, pristine: Path) -> None:
    file = home / "journal.db"
    whole = file.read_bytes()
    connection = sqlite3.connect(file)
    stored = [data for (data,) in connection.execute("SELECT data FROM records")]
    connection.close()
    rng = random.Random(7)
    for data in rng.sample(stored, 40):
        start = whole.index(data)
        at = start + rng.randrange(len(data))
        changed = bytearray(whole)
        changed[at] ^= 1 << rng.randrange(8)
        file.write_bytes(changed)
        index = stored.index(data)
        assert any(f.record.startswith(f"record {index} (run ") for f in verify_home(home).findings)
    file.write_bytes(whole)


async def test_a_well_formed_forgery_is_found_when_the_home_is_opened_and_by_fsck(home: Path) -> None:
    from forgewright.store.drivers.sqlite.packing import pack, unpack

    for index in (3, 890):
        data, *_ = row(home, index)
        forged = unpack(data, index).replace(b'"time":1', b'"time":2')
        edit(home, "UPDATE records SET data=? WHERE idx=?", pack(forged), index)
        assert not verify_home(home).ok
    with pytest.raises(IntegrityError):  # 890 lies on the edge, which opening rebuilds
        await open_journal(home)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM records WHERE idx=899",
        "DELETE FROM records WHERE idx=5",
        "DELETE FROM records WHERE idx>=512",
        "UPDATE records SET seq=seq+1000 WHERE idx=7",
        "UPDATE records SET rid=rid%3+1, seq=seq+1000 WHERE idx=7",
        "UPDATE runs SET run='other' WHERE rid=1",
        "DELETE FROM runs WHERE rid=1",
        "DELETE FROM pages WHERE name='checkpoint'",
        "UPDATE pages SET data=substr(data,1,20) WHERE name='checkpoint'",
        "UPDATE pages SET data=zeroblob(8192) WHERE name='tile/0/000'",
        "UPDATE pages SET data=zeroblob(100) WHERE name='tile/0/001'",
        "DELETE FROM pages WHERE name='tile/0/001'",
        "UPDATE pages SET data=zeroblob(96) WHERE name='edge/1'",
        "INSERT INTO records SELECT 900, rid, seq+1000, data FROM records WHERE idx=899",
    ],
)
def test_every_change_of_the_tables_is_found(home: Path, statement: str) -> None:
    edit(home, statement)
    assert verify_home(home).findings


def test_a_changed_blob_is_found_and_a_missing_one_named(home: Path) -> None:
    blobs = sorted((home / "blobs").glob("*/*"))
    blobs[0].write_bytes(b"other")
    blobs[1].unlink()
    found = verify_home(home).findings
    assert len(found) == 2
    assert all(any(run in f.record for run in RUNS) for f in found)


def test_another_key_is_refused(home: Path, tmp_path: Path) -> None:
    import asyncio

    asyncio.run(make_home(tmp_path / "other", 4))
    key = (tmp_path / "other/keys/log.pub").read_text()
    assert any("not signed by" in f.message for f in verify_home(home, key).findings)
    assert verify_home(home, (home / "keys/log.pub").read_text()).pinned
