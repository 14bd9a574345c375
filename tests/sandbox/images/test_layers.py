"""Layers upon layers: whiteouts as the specification has them, later ones over earlier ones."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from forgewright.sandbox.images.layers import Bounds, unpack

from .conftest import Entry, archive


def apply(tree: Path, *layers: list[Entry]) -> list[str]:
    fd = os.open(tree, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for layer in layers:
            unpack(io.BytesIO(archive(layer)), fd, Bounds())
    finally:
        os.close(fd)
    return sorted(str(path.relative_to(tree)) for path in tree.rglob("*"))


BASE: list[Entry] = [
    ("a", None),
    ("a/one", b"1"),
    ("a/two", b"2"),
    ("b", None),
    ("b/c", None),
    ("b/c/deep", b"d"),
    ("top", b"t"),
]


@pytest.mark.parametrize(
    ("layer", "left"),
    [
        ([("a/.wh.one", b"")], ["a", "a/two", "b", "b/c", "b/c/deep", "top"]),
        ([(".wh.b", b"")], ["a", "a/one", "a/two", "top"]),
        ([("b/.wh.c", b""), (".wh.top", b"")], ["a", "a/one", "a/two", "b"]),
        ([("a/.wh..wh..opq", b""), ("a/new", b"n")], ["a", "a/new", "b", "b/c", "b/c/deep", "top"]),
        ([("a/new", b"n"), ("a/.wh..wh..opq", b"")], ["a", "a/new", "b", "b/c", "b/c/deep", "top"]),
        ([("b", None), ("b/c", None), ("b/c/new", b"n"), (".wh.b", b"")], ["a", "a/one", "a/two", "b", "b/c", "b/c/new", "top"]),
        ([("a", b"a file now")], ["a", "b", "b/c", "b/c/deep", "top"]),
        ([("top", None), ("top/x", b"x")], ["a", "a/one", "a/two", "b", "b/c", "b/c/deep", "top", "top/x"]),
        ([("b", "a")], ["a", "a/one", "a/two", "b", "top"]),
        ([(".wh.never", b""), ("no/where/.wh.x", b"")], ["a", "a/one", "a/two", "b", "b/c", "b/c/deep", "top"]),
    ],
)  # fmt: skip
def test_whiteouts_and_replacing(tmp_path: Path, layer: list[Entry], left: list[str]) -> None:
    assert apply(tmp_path, BASE, layer) == left


def test_a_whiteout_hides_lower_layers_only_and_later_layers_bring_it_back(tmp_path: Path) -> None:
    assert apply(tmp_path, BASE, [(".wh.a", b"")], [("a", None), ("a/again", b"")]) == [
        "a", "a/again", "b", "b/c", "b/c/deep", "top",
    ]  # fmt: skip


def test_contents_modes_and_times(tmp_path: Path) -> None:
    apply(tmp_path, [("x", b"first")], [("x", b"second")])
    assert (tmp_path / "x").read_bytes() == b"second"
    assert (tmp_path / "x").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "x").stat().st_mtime == 0
