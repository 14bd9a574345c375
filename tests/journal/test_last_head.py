"""A database that was exchanged is found when the home is opened, without a witness."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from forgewright.core.errors import IntegrityError
from forgewright.core.ids import RunId
from forgewright.journal.bundle.fsck import verify_home
from forgewright.journal.events import CustomAnswered
from forgewright.journal.journal import open_journal
from forgewright.journal.log.lasthead import FILE

RUN = RunId("run")


async def grow(home: Path, to: int, word: str = "x") -> None:
    journal = await open_journal(home)
    at = len(await journal.read(RUN))
    while at < to:
        part = [CustomAnswered(effect=str(i), result=msgspec.Raw(b'"%s"' % word.encode())) for i in range(at, min(to, at + 100))]  # type: ignore[arg-type]  # fmt: skip
        await journal.append(RUN, part, expected=at)
        at += len(part)
    await journal.close()


@pytest.mark.parametrize(("old", "new"), [(1, 2), (255, 257), (256, 700), (300, 301), (0, 5)])
async def test_an_older_copy_of_the_database_is_found(tmp_path: Path, old: int, new: int) -> None:
    home = tmp_path / "home"
    await grow(home, old)
    shutil.copy(home / "journal.db", tmp_path / "old.db")
    await grow(home, new)
    assert verify_home(home).ok
    shutil.copy(tmp_path / "old.db", home / "journal.db")
    with pytest.raises(IntegrityError, match="older copy") as found:
        await grow(home, new)
    assert FILE in (found.value.hint or "")
    report = verify_home(home)
    assert not report.ok
    assert "older copy" in report.findings[0].message
    (home / FILE).unlink()  # whoever wants the older copy says so
    await grow(home, old + 1)
    assert verify_home(home).ok


async def test_a_lost_database_is_found(tmp_path: Path) -> None:
    await grow(tmp_path, 3)
    (tmp_path / "journal.db").unlink()
    with pytest.raises(IntegrityError, match="0 records"):
        await open_journal(tmp_path)


@pytest.mark.parametrize("at", [1, 255, 256, 300])
async def test_a_fork_with_the_same_key_is_found(tmp_path: Path, at: int) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    await grow(home, at)
    shutil.copytree(home, other)
    await grow(home, at + 20)
    await grow(other, at + 600, "other")
    shutil.copy(other / "journal.db", home / "journal.db")
    with pytest.raises(IntegrityError, match="exchanged for another"):
        await open_journal(home)
    assert "exchanged for another" in verify_home(home).findings[0].message


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x00" * 300])
async def test_a_file_that_says_nothing_is_passed_over(tmp_path: Path, content: bytes) -> None:
    await grow(tmp_path, 3)
    (tmp_path / FILE).write_bytes(content)
    await grow(tmp_path, 5)
    assert (tmp_path / FILE).read_bytes() != content
    assert verify_home(tmp_path).ok


async def test_a_head_of_another_log_is_passed_over(tmp_path: Path) -> None:
    await grow(tmp_path / "one", 9)
    await grow(tmp_path / "two", 2)
    shutil.copy(tmp_path / "one" / FILE, tmp_path / "two" / FILE)
    await grow(tmp_path / "two", 3)


async def test_a_rotated_key_vouches_for_heads_before_it(tmp_path: Path) -> None:
    await grow(tmp_path, 5)
    shutil.copy(tmp_path / "journal.db", tmp_path / "old")
    journal = await open_journal(tmp_path)
    await journal.rotate_key()
    await journal.close()
    await grow(tmp_path, 9)
    shutil.copy(tmp_path / "old", tmp_path / "journal.db")
    with pytest.raises(IntegrityError, match="older copy"):
        await open_journal(tmp_path)
