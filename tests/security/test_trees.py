"""Trees that come out of a sandbox are hostile: whatever they say, nothing outside is touched."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forgewright.core.errors import ForgewrightError, SandboxError, UnsafePath
from forgewright.sandbox import trees

RECORD = struct.Struct("<BIIQ")


def record(kind: str, path: bytes, data: bytes = b"", mode: int = 0o644) -> bytes:
    return RECORD.pack(ord(kind), mode, len(path), len(data)) + path + data


END = RECORD.pack(ord("."), 0, 0, 0)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A folder to fill, beside one that nobody may touch."""
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "canary").write_text("alive")
    return tmp_path


def apply(root: Path, data: bytes, **options: frozenset[bytes]) -> None:
    """In pieces of every size: a stream comes as it likes."""
    size = max(1, len(data) % 13)
    trees.apply(root, (data[at : at + size] for at in range(0, len(data), size)), **options)


def untouched(house: Path) -> bool:
    names = sorted(str(p.relative_to(house)) for p in house.rglob("*") if not p.is_relative_to(house / "in"))
    return names == ["out", "out/canary"] and (house / "out" / "canary").read_text() == "alive"


@pytest.mark.parametrize(
    "path",
    [
        b"../out/canary",
        b"/etc/x",
        b"a/../../out/canary",
        b"..",
        b".",
        b"",
        b"a//b",
        b"a/./b",
        b"a\0b",
        b"x/",
        b"a/..",
    ],
)
@pytest.mark.parametrize("kind", ["f", "d", "l"])
def test_paths_that_are_no_plain_paths_are_refused(house: Path, path: bytes, kind: str) -> None:
    with pytest.raises(UnsafePath):
        apply(house / "in", record(kind, path, b"x") + END)
    assert untouched(house)


@pytest.mark.parametrize(
    "target", [b"/etc", b"..", b"../out", b"a/../../out", b"/", b"./../x", b"", b"a/../b"]
)
def test_links_that_lead_out_are_refused(house: Path, target: bytes) -> None:
    with pytest.raises(UnsafePath):
        apply(house / "in", record("l", b"link", target) + END)
    assert not os.path.lexists(house / "in" / "link")


def test_links_that_lead_out_only_together_are_refused(house: Path) -> None:
    folders = record("d", b"a", mode=0o755) + record("d", b"a/b", mode=0o755)
    chain = record("l", b"a/b/up", b"../..") + record("l", b"a/b/out", b"up/../../out/canary")
    with pytest.raises(UnsafePath):
        apply(house / "in", folders + chain + END)


def test_a_link_of_the_stream_is_not_followed(house: Path) -> None:
    data = record("d", b"d", mode=0o755) + record("l", b"link", b"d") + record("f", b"link/file", b"x") + END
    with pytest.raises(UnsafePath):
        apply(house / "in", data)
    assert not (house / "in" / "d" / "file").exists()


def test_a_link_that_was_there_before_is_replaced_not_followed(house: Path) -> None:
    (house / "in" / "file").symlink_to(house / "out" / "canary")
    apply(house / "in", record("f", b"file", b"new") + END)
    assert not (house / "in" / "file").is_symlink()
    assert (house / "in" / "file").read_bytes() == b"new"
    assert untouched(house)


def test_a_folder_link_that_was_there_before_is_no_way_out(house: Path) -> None:
    (house / "in" / "d").symlink_to(house / "out")
    with pytest.raises(UnsafePath):
        apply(house / "in", record("f", b"d/canary", b"dead") + END)
    apply(house / "in", record("d", b"d", mode=0o755) + record("f", b"d/canary", b"mine") + END)
    assert untouched(house)


def test_a_second_name_of_a_file_outside_is_not_written_through(house: Path) -> None:
    os.link(house / "out" / "canary", house / "in" / "file")
    apply(house / "in", record("f", b"file", b"new") + END)
    assert untouched(house)


def test_removing_does_not_leave_the_folder(house: Path) -> None:
    (house / "in" / "d").symlink_to(house / "out")
    (house / "in" / "gone").write_text("x")
    apply(house / "in", END, remove=frozenset([b"d/canary", b"gone", b"never/there"]))
    assert untouched(house)
    assert not (house / "in" / "gone").exists()


def test_special_modes_and_devices_do_not_come_out(house: Path) -> None:
    apply(house / "in", record("f", b"setuid", b"x", mode=0o6755) + END)
    assert (house / "in" / "setuid").stat().st_mode & 0o7777 == 0o755
    with pytest.raises(UnsafePath):
        apply(house / "in", record("b", b"device") + END)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 5,
        record("f", b"x", b"data")[:-2],
        record("f", b"x"),
        RECORD.pack(ord("f"), 0, 1 << 31, 1 << 60),
    ],
)
def test_streams_that_break_off_or_lie_about_sizes_are_refused(house: Path, data: bytes) -> None:
    with pytest.raises((SandboxError, UnsafePath)):
        apply(house / "in", data)
    assert untouched(house)


def test_too_many_entries_are_refused(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "ENTRIES_MAX", 10)
    with pytest.raises(SandboxError, match="or 10 files"):
        apply(house / "in", b"".join(record("f", b"%d" % n) for n in range(20)) + END)


def test_what_goes_in_is_bounded(house: Path) -> None:
    (house / "in" / "large").write_bytes(bytes(10_000))
    with pytest.raises(SandboxError):
        list(trees.pieces(house / "in", bytes_max=5_000))


paths = st.lists(st.sampled_from([b"a", b"b", b"..", b".", b"", b"c"]), min_size=1, max_size=4).map(b"/".join)
records = st.tuples(
    st.sampled_from("fdl"), paths, st.sampled_from([b"", b"a", b"../out", b"/", b"../../out/canary"])
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(records, max_size=12))
def test_no_sequence_of_records_leads_out(house: Path, entries: list[tuple[str, bytes, bytes]]) -> None:
    try:
        apply(house / "in", b"".join(record(*entry) for entry in entries) + END)
    except (ForgewrightError, OSError):
        pass
    assert untouched(house)
