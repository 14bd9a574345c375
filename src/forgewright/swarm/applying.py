"""Brings a run's change into the user's own files: all of it or nothing, and never over work of theirs.

Each file is compared with what the run started from. A file that already has the new content is left as
it is, so an application that a crash cut short is finished by asking for it again.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import msgspec

from forgewright.core.errors import Conflict, NotFound, StoreError, StoreFull, UnsafePath
from forgewright.swarm.git import Git
from forgewright.swarm.source import find_source, repository_of
from forgewright.swarm.workspace import Change, Workspace

NAMED_MAX = 8
"""Paths that a message lists."""


class Applied(msgspec.Struct, frozen=True):
    changes: tuple[Change, ...]
    """What the run changed."""
    written: int
    """Files that were written or removed; the others already had the new content."""


def apply(workspace: Workspace, target: Path | None = None) -> Applied:
    """Writes the run's change into `target` (by default where the run started), uncommitted and unstaged.

    Raises `Conflict` where the target moved on since (other commits, other content in the same files),
    `UnsafePath`, `NotFound`, `StoreFull`, `StoreError`. Then nothing was changed.
    """
    root = _target(workspace, target)
    changes = workspace.changes()
    staging = workspace.folder / "apply"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    try:
        todo = _compare(workspace, root, changes, staging)
        _check_out(workspace, staging, todo)
        _write_all(root, staging / "new", todo, workspace.place.run)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Applied(changes, len(todo))


def _target(workspace: Workspace, target: Path | None) -> Path:
    place = workspace.place
    asked = target or place.source.root / place.source.prefix
    found = find_source(asked)
    if found.git_dir is None:
        if target is None and place.source.git_dir is not None:
            raise NotFound(f"{asked} was a git repository when the run started, and is none now")
        return found.root
    if place.source.git_dir is None:
        return asked.resolve()
    if found.head != place.source.head and found.root == place.source.root:
        _moved(workspace, found.head)
    return found.root


def _moved(workspace: Workspace, head: str | None) -> None:
    """Raises: HEAD stands elsewhere than at the start."""
    place = workspace.place
    old = place.source.head or "no commit"
    ours = {change.path for change in workspace.changes()}
    both: list[str] = []
    if head is not None and place.source.head is not None:
        user = repository_of(place.source)
        theirs = set(user.paths("diff-tree", "-r", "-z", "--name-only", place.source.head, head))
        both = sorted(ours & theirs)
    clash = f"; {len(both)} of the run's files changed there too: {_some(both)}" if both else ""
    raise Conflict(
        f"the repository moved since the run started: HEAD was {old[:12]} and is {(head or 'no commit')[:12]}"
        f"{clash or '; none of the files that the run changed changed there'}",
        hint=_merge_hint(workspace),
    )


def _merge_hint(workspace: Workspace) -> str:
    if workspace.place.source.git_dir is None:
        return (
            f"take the diff by hand: forgewright diff {workspace.place.run} > run.diff; patch -p1 < run.diff"
        )
    first = "commit or stash your own changes, then merge" if workspace.place.snapshot else "merge"
    return f"{first}: git merge {workspace.branch}   (git shows conflicts, if there are any)"


def _compare(workspace: Workspace, root: Path, changes: tuple[Change, ...], staging: Path) -> list[Change]:
    """The changes that are not in the target yet. Raises `Conflict` for content of neither side."""
    for change in changes:
        _no_link(root, change.path)
    base = _differing(workspace.git, root, staging / "base", workspace.place.base, changes)
    done = _differing(workspace.git, root, staging / "done", workspace.head, changes)
    todo = [change for change in changes if change.path in done]
    clash = [change.path for change in todo if change.path in base]
    if clash:
        raise Conflict(
            f"{len(clash)} of the files that the run changed have changed since it started: {_some(clash)}",
            hint="keep yours somewhere (git stash, or a copy) and apply again, or commit them and "
            f"{_merge_hint(workspace)}",
        )
    return todo


def _differing(git: Git, root: Path, index: Path, sha: str, changes: tuple[Change, ...]) -> set[str]:
    """Of the changed paths, those whose file under `root` is not as in commit `sha`."""
    looking = git.with_index(index, root)
    looking.raw("read-tree", sha)
    have = set(looking.paths("ls-files", "-z"))
    paths = [change.path for change in changes]
    differ = {path for path in paths if path not in have and os.path.lexists(root / path)}
    inside = [path for path in paths if path in have]
    for start in range(0, len(inside), 500):
        part = inside[start : start + 500]
        differ |= set(looking.paths("ls-files", "-z", "--modified", "--deleted", "--", *part))
    return differ


def _check_out(workspace: Workspace, staging: Path, todo: list[Change]) -> None:
    """The new content of each file, under `staging/new`, with modes and line ends as git would write them."""
    new = staging / "new"
    new.mkdir()
    names = [change.path for change in todo if change.kind != "deleted"]
    index = workspace.git.with_index(staging / "out", workspace.tree)
    index.raw("read-tree", workspace.head)
    index.raw(
        "checkout-index",
        f"--prefix={new}/",
        "-z",
        "--stdin",
        stdin=b"".join(os.fsencode(n) + b"\0" for n in names),
    )


def _write_all(root: Path, new: Path, todo: list[Change], run: str) -> None:
    """Puts the new files in place; at the first failure, what was already there comes back."""
    undo: list[tuple[Path, Path | None]] = []
    beside: list[Path] = []
    made: list[Path] = []
    try:
        for change in todo:  # everything that needs space happens before anything is replaced
            if change.kind != "deleted":
                _make_folders(root, (root / change.path).parent, made)
                part = _beside(root / change.path, run, "new")
                beside.append(part)
                _copy(new / change.path, part)
        for change in todo:
            at = root / change.path
            if change.kind == "deleted" or os.path.lexists(at):
                old = _beside(at, run, "old")
                beside.append(old)
                _link_or_copy(at, old)
                undo.append((at, old))
            else:
                undo.append((at, None))
            if change.kind == "deleted":
                at.unlink()
            else:
                os.replace(_beside(at, run, "new"), at)
    except OSError as error:
        for at, before in reversed(undo):
            if before is None:
                at.unlink(missing_ok=True)
            elif os.path.lexists(before):
                os.replace(before, at)
        _clean(beside, made)
        kind = StoreFull if error.errno in (28, 30, 122, 13) else StoreError
        raise kind(
            f"the change could not be written to {root}: {error}; nothing was changed",
            hint="make space or the folder writable, then apply again",
        ) from error
    _clean(beside, [])
    for change in todo:
        if change.kind == "deleted":
            _prune((root / change.path).parent, root)


def _copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    if source.is_symlink():
        target.symlink_to(os.readlink(source))
        return
    shutil.copyfile(source, target)
    with open(target, "rb") as file:
        os.fsync(file.fileno())
    target.chmod(0o755 if source.stat().st_mode & stat.S_IXUSR else 0o644)


def _link_or_copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _beside(path: Path, run: str, what: str) -> Path:
    return path.parent / f".{path.name}.forgewright-{run}.{what}"


def _make_folders(root: Path, folder: Path, made: list[Path]) -> None:
    missing = []
    while folder != root and not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for part in reversed(missing):
        part.mkdir()
        made.append(part)


def _clean(files: list[Path], folders: list[Path]) -> None:
    for path in files:
        path.unlink(missing_ok=True)
    for folder in reversed(folders):
        try:
            folder.rmdir()
        except OSError:
            pass


def _prune(folder: Path, root: Path) -> None:
    while folder != root and root in folder.parents:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


def _no_link(root: Path, path: str) -> None:
    at = root
    for part in Path(path).parts[:-1]:
        at = at / part
        if at.is_symlink():
            raise UnsafePath(
                f"{path} would be written through {at.relative_to(root)}, which is a link",
                hint="replace the link by a folder, or take the diff by hand: forgewright diff RUN",
            )


def _some(paths: list[str]) -> str:
    more = f" and {len(paths) - NAMED_MAX} more" if len(paths) > NAMED_MAX else ""
    return ", ".join(paths[:NAMED_MAX]) + more
