"""A three-way merge of trees: files that one side touched are taken, files that both touched are merged inside."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal

import msgspec

from forgewright.swarm.merge import structure
from forgewright.swarm.merge.text import Conflict, merge_text

TEXT_BYTES_MAX = 4 << 20
"""A larger file is not merged inside."""


class Entry(msgspec.Struct, frozen=True):
    """A file of a tree."""

    mode: str
    """As git writes it: `100644`, `100755`, `120000` (a link)."""
    data: bytes


class Clash(msgspec.Struct, frozen=True):
    """A file for which somebody has to decide. The merged tree holds our side of what is in question."""

    path: str
    kind: Literal["content", "deleted", "mode", "binary", "broken"]
    why: str
    places: tuple[Conflict, ...] = ()
    theirs: bytes | None = None
    """Their file, whole; None where they deleted it."""


Tree = Mapping[str, Entry]


def merge_files(base: Tree, ours: Tree, theirs: Tree) -> tuple[dict[str, Entry], list[Clash]]:
    """The merged tree, and what is left to decide. The trees may leave out files that nobody changed."""
    merged: dict[str, Entry] = {}
    clashes: list[Clash] = []
    for path in sorted({*base, *ours, *theirs}):
        entry, clash = _one(path, base.get(path), ours.get(path), theirs.get(path))
        if entry is not None:
            merged[path] = entry
        if clash is not None:
            clashes.append(clash)
    return merged, clashes


def _one(
    path: str, base: Entry | None, ours: Entry | None, theirs: Entry | None
) -> tuple[Entry | None, Clash | None]:
    if ours == theirs or theirs == base:
        return ours, None
    if ours == base:
        return theirs, None
    if ours is None or theirs is None:
        gone, kept = ("ours", theirs) if ours is None else ("theirs", ours)
        why = f"{gone} deleted it, and the other side changed it"
        return kept, Clash(path, "deleted", why, theirs=theirs.data if theirs else None)
    mode, mode_clash = _mode(base, ours, theirs)
    if mode_clash:
        return ours, Clash(path, "mode", mode_clash, theirs=theirs.data)
    if _opaque(base, ours, theirs):
        return ours, Clash(path, "binary", "both sides changed it, and it is no text", theirs=theirs.data)
    before = base.data if base is not None else b""
    done = merge_text(before, ours.data, theirs.data, partial(structure.resolve, path))
    if not done.conflicts:
        why = structure.wrong(path, before, ours.data, theirs.data, done.text)
        if not why:
            return Entry(mode, done.text), None
        plain = merge_text(before, ours.data, theirs.data)
        if not plain.conflicts:
            # Line by line there is nothing to decide between, so the whole file is.
            return Entry(mode, ours.data), Clash(path, "broken", why, theirs=theirs.data)
        done = plain
    why = f"{len(done.conflicts)} places that both sides changed"
    return Entry(mode, done.text), Clash(path, "content", why, done.conflicts, theirs.data)


def _mode(base: Entry | None, ours: Entry, theirs: Entry) -> tuple[str, str]:
    before = base.mode if base is not None else None
    if ours.mode == theirs.mode or theirs.mode == before:
        return ours.mode, ""
    if ours.mode == before:
        return theirs.mode, ""
    return ours.mode, f"its mode is {ours.mode} here and {theirs.mode} there"


def _opaque(*sides: Entry | None) -> bool:
    return any(
        side is not None
        and (
            side.mode in ("120000", "160000") or b"\0" in side.data[:8000] or len(side.data) > TEXT_BYTES_MAX
        )
        for side in sides
    )
