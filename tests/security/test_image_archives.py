"""Archives of images are hostile: whatever they say, nothing outside the tree is touched, and they are refused."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forgewright.core.errors import ForgewrightError, SandboxError, UnsafePath
from forgewright.sandbox.images import layers
from forgewright.sandbox.images.layers import Bounds, unpack

KINDS = {
    "f": tarfile.REGTYPE, "d": tarfile.DIRTYPE, "l": tarfile.SYMTYPE, "h": tarfile.LNKTYPE, "b": tarfile.BLKTYPE,
    "c": tarfile.CHRTYPE, "p": tarfile.FIFOTYPE,
}  # fmt: skip


def tar(*entries: tuple[str, str, str]) -> bytes:
    """(kind, name, content or target) each."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for kind, name, content in entries:
            info = tarfile.TarInfo(name)
            info.type, info.mode = KINDS[kind], 0o6777
            data = content.encode() if kind == "f" else b""
            info.size = len(data)
            info.linkname = content if kind in "lh" else ""
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "tree").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "canary").write_text("alive")
    return tmp_path


def apply(house: Path, *archives: bytes, bounds: Bounds | None = None) -> None:
    fd = os.open(house / "tree", os.O_RDONLY | os.O_DIRECTORY)
    try:
        for data in archives:
            unpack(io.BytesIO(data), fd, bounds or Bounds())
    finally:
        os.close(fd)


def untouched(house: Path) -> bool:
    names = sorted(
        str(p.relative_to(house)) for p in house.rglob("*") if not p.is_relative_to(house / "tree")
    )
    canary = house / "out" / "canary"
    return names == ["out", "out/canary"] and canary.read_text() == "alive" and canary.stat().st_nlink == 1


HOSTILE = {
    "absolute": tar(("f", "/out/canary", "dead")),
    "climbing": tar(("f", "../out/canary", "dead")),
    "climbing-inside": tar(("f", "a/../../out/canary", "dead")),
    "through-absolute-link": tar(("l", "x", "/tmp"), ("f", "x/owned", "dead")),
    "through-relative-link": tar(("l", "x", "../out"), ("f", "x/canary", "dead")),
    "through-link-to-folder": tar(("d", "d", ""), ("l", "x", "d"), ("f", "x/file", "dead")),
    "link-then-folder-below": tar(("l", "x", "../out"), ("d", "x/y", "")),
    "hard-link-outside": tar(("h", "x", "../out/canary")),
    "hard-link-absolute": tar(("h", "x", "/etc/passwd")),
    "hard-link-through-link": tar(("l", "d", "../out"), ("h", "x", "d/canary"), ("f", "x", "dead")),
    "hard-link-to-link": tar(("l", "l", "../out/canary"), ("h", "x", "l"), ("f", "x", "dead")),
    "hard-link-to-itself": tar(("h", "x", "x")),
    "hard-link-to-nothing": tar(("h", "x", "y")),
    "block-device": tar(("b", "vda", "")),
    "character-device": tar(("c", "mem", "")),
    "pipe": tar(("p", "pipe", "")),
    "whiteout-climbing": tar(("f", "../.wh.out", "")),
    "whiteout-of-parent": tar(("f", "d/.wh...", "")),
    "whiteout-of-itself": tar(("f", "d/.wh..", "")),
    "whiteout-of-nothing": tar(("f", "d/.wh.", "")),
    "name-too-long": tar(("f", "a/" * 3000 + "x", "dead")),
    "part-too-long": tar(("f", "a" * 300, "dead")),
    "link-to-nothing": tar(("l", "x", "")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives_are_refused(house: Path, name: str) -> None:
    apply(house, tar(("d", "d", "")))
    with pytest.raises((UnsafePath, SandboxError)):
        apply(house, HOSTILE[name])
    assert untouched(house)
    assert not os.path.exists("/tmp/owned")


def test_a_whiteout_through_a_link_hides_nothing_outside(house: Path) -> None:
    apply(house, tar(("l", "x", "../out")), tar(("f", "x/.wh.canary", ""), ("f", "x/.wh..wh..opq", "")))
    assert untouched(house)


def test_a_link_of_a_lower_layer_is_replaced_not_followed(house: Path) -> None:
    apply(
        house,
        tar(("l", "x", "../out/canary"), ("l", "y", "../out")),
        tar(("f", "x", "new"), ("d", "y", ""), ("f", "y/canary", "new")),
    )
    assert untouched(house)
    assert (house / "tree" / "y" / "canary").read_text() == "new"


def test_special_bits_are_taken_off_and_devices_of_dev_left_out(house: Path) -> None:
    apply(
        house,
        tar(
            ("f", "su", "x"), ("d", "d", ""), ("d", "dev", ""), ("c", "dev/null", ""), ("b", "dev/x/vda", "")
        ),
    )
    assert (house / "tree" / "su").stat().st_mode & 0o7000 == 0
    assert (house / "tree" / "d").stat().st_mode & 0o7000 == 0
    assert os.listdir(house / "tree" / "dev") == []


def test_owners_are_users_of_an_image(house: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for number, owner in enumerate((0, 33, 65_534, 70_000, 1 << 31)):
            info = tarfile.TarInfo(f"f{number}")
            info.uid = info.gid = owner
            archive.addfile(info, io.BytesIO())
    apply(house, out.getvalue())
    if os.geteuid() == 0:
        owners = [(house / "tree" / f"f{number}").stat().st_uid for number in range(5)]
        assert owners == [0, 33, 65_534, 65_534, 65_534]


def test_an_archive_that_grows_is_stopped(house: Path) -> None:
    bomb = gzip.compress(tar(("f", "zeros", "\0" * 5_000_000)))
    fd = os.open(house / "tree", os.O_RDONLY | os.O_DIRECTORY)
    try:
        with pytest.raises(SandboxError, match="bytes"), gzip.open(io.BytesIO(bomb)) as stream:
            unpack(stream, fd, Bounds(bytes_left=1_000_000))  # type: ignore[arg-type]  # a GzipFile is a stream
        with pytest.raises(SandboxError, match="entries"):
            unpack(io.BytesIO(tar(*(("f", str(n), "") for n in range(50)))), fd, Bounds(entries_left=20))
    finally:
        os.close(fd)


def test_a_header_that_grows_is_stopped(house: Path) -> None:
    with pytest.raises(SandboxError, match="header"):
        apply(house, tar(("f", "x" * (layers._HEADER_BYTES_MAX + 10), "")))


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 100, b"no archive at all" * 100, tar(("f", "x", "data" * 500))[:-11_000]]
)
def test_what_is_cut_or_no_archive_is_refused(house: Path, data: bytes) -> None:
    with pytest.raises(SandboxError):
        apply(house, data)
    assert untouched(house)


names = st.lists(
    st.sampled_from(["a", "b", "..", ".", "", ".wh.a", ".wh..wh..opq", "d"]), min_size=1, max_size=4
).map("/".join)
entries = st.tuples(
    st.sampled_from("fdlhbp"),
    names,
    st.sampled_from(["", "a", "b/a", "../out", "../out/canary", "/", "/tmp"]),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(entries, max_size=8), max_size=3))
def test_no_sequence_of_entries_leads_out(house: Path, content: list[list[tuple[str, str, str]]]) -> None:
    for layer in content:
        try:
            apply(house, tar(*layer))
        except ForgewrightError:
            pass
    assert untouched(house)
