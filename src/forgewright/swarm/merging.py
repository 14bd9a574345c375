"""Merging one git tree into a work tree, with the merge of `swarm.merge` in place of git's own."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from forgewright.core.ids import EffectId
from forgewright.swarm.git import Git
from forgewright.swarm.merge import Clash, Entry, merge_files
from forgewright.swarm.workspace import Workspace


class MergedTree(msgspec.Struct, frozen=True):
    sha: str
    """A commit of the merged tree, pinned and beside the run's branch."""
    clashes: Sequence[Clash]


def merge_trees(
    workspace: Workspace, side: Workspace, base: str, ours: str, theirs: str, effect: EffectId
) -> MergedTree:
    """Merges `theirs` (a tree of `side`) into the files of `workspace`, which are those of the tree `ours`.

    Done again after a crash it comes to the same. Raises what git says.
    """
    git = workspace.git
    paths = sorted({*_changed(git, base, ours), *_changed(side.git, base, theirs)})
    before, mine = _entries(git, base, paths), _entries(git, ours, paths)
    merged, clashes = merge_files(before, mine, _entries(side.git, theirs, paths))
    lines = []
    for path in paths:
        entry = merged.get(path)
        if entry == mine.get(path):
            continue
        if entry is None:
            lines.append(f"0 {'0' * 40}\t{path}\0")
        else:
            blob = git.raw("hash-object", "-w", "--stdin", stdin=entry.data).decode().strip()
            lines.append(f"{entry.mode} {blob}\t{path}\0")
    with tempfile.TemporaryDirectory(dir=workspace.folder) as folder:
        index = git.with_index(Path(folder) / "index")
        index.raw("read-tree", ours)
        if lines:
            update = "".join(lines).encode(errors="surrogateescape")
            index.raw("update-index", "-z", "--index-info", stdin=update)
        tree = index.text("write-tree")
    return MergedTree(workspace.take_tree(tree, effect), clashes)


def _changed(git: Git, one: str, other: str) -> list[str]:
    return git.paths("diff-tree", "-r", "-z", "--no-renames", "--name-only", one, other)


def _entries(git: Git, tree: str, paths: Sequence[str]) -> dict[str, Entry]:
    """The files of a tree that have these names."""
    found: dict[str, Entry] = {}
    wanted = set(paths)
    for row in git.paths("ls-tree", "-r", "-z", tree):
        about, _, path = row.partition("\t")
        mode, kind, blob = about.split(" ")
        if path in wanted and kind == "blob":
            found[path] = Entry(mode, git.raw("cat-file", "blob", blob))
    return found
