"""A run's isolated copy of a repository: a git work tree on its own branch, or, without git, a snapshot.

Every accepted step is a commit whose bytes follow from the journal alone (fixed author, given time), so a
commit repeated after a crash is the same commit, and one that was made can be found by its effect.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Literal

import msgspec

from forgewright.core.errors import NotFound, UsageError
from forgewright.core.ids import EffectId, RunId
from forgewright.swarm.git import Git, disarmed_filters
from forgewright.swarm.source import (
    FILE_BYTES_MAX,
    IGNORED,
    LeftOut,
    Source,
    copy_files,
    find_source,
    others,
    repository_of,
    stage,
)

AUTHOR = "Forgewright"
EMAIL = "forgewright@localhost"
BRANCH_PREFIX = "forgewright/"
DIFF_BYTES_MAX = 8 << 20
SNAPSHOT = "Snapshot of what was not committed when the run started\n"


class Place(msgspec.Struct, frozen=True):
    """What is kept of a workspace in `workspace.json`."""

    run: RunId
    source: Source
    base: str
    """Commit the run started from: HEAD, or the snapshot of what was not committed."""
    snapshot: bool
    """Whether `base` is a commit made for this run (uncommitted changes, or no git)."""
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    """What a person should know of the copy."""


class Change(msgspec.Struct, frozen=True):
    path: str
    kind: Literal["added", "modified", "deleted"]
    added_lines: int = 0
    """0 for a binary file."""
    removed_lines: int = 0


class Workspace:
    """Synchronous. Raises `GitFailed`, `StoreFull`, `NotFound`, `Conflict`, `UsageError`."""

    def __init__(self, folder: Path, place: Place) -> None:
        self.folder = folder
        """`HOME/runs/RUN`: everything of this workspace."""
        self.place = place
        self.tree = folder / "tree"
        """Top of the copy."""
        self.root = self.tree / place.source.prefix if place.source.prefix else self.tree
        """The folder of the copy that corresponds to the one that was asked for."""
        self.branch = BRANCH_PREFIX + place.run
        plain = Git(self._git_dir(), self.tree)
        self.git = Git(plain.git_dir, self.tree, config=disarmed_filters(plain))

    # ── made, found, removed ─────────────────────────────────────────────────────────────────────────

    @classmethod
    def create(
        cls,
        home: Path,
        run: RunId,
        source: Path,
        *,
        at: str | None = None,
        file_bytes_max: int = FILE_BYTES_MAX,
    ) -> Workspace:
        """The run's copy of `source` as it is now, or, for a fork, of the commit `at`.

        What is not committed becomes a snapshot commit on the run's branch; the user's files, index, HEAD
        and hooks are not touched. Called again after a crash, it begins anew.
        """
        folder = home / "runs" / run
        if (folder / "workspace.json").exists():
            return cls.open(home, run)
        found = find_source(source)
        _sweep(folder, found, run)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "ignore").write_text(IGNORED)
        if found.git_dir is None:
            place = _snapshot(folder, run, found, file_bytes_max)
        else:
            place = _work_tree(folder, run, found, at, file_bytes_max)
        _write(folder, place)
        return cls(folder, place)

    @classmethod
    def fork(cls, home: Path, run: RunId, parent: Workspace, at: str) -> Workspace:
        """A copy for `run` that starts from commit `at` of another run's workspace."""
        if parent.place.source.git_dir is not None:
            return cls.create(home, run, parent.place.source.root / parent.place.source.prefix, at=at)
        folder = home / "runs" / run
        if (folder / "workspace.json").exists():
            return cls.open(home, run)
        _sweep(folder, parent.place.source, run)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(parent.folder / "ignore", folder / "ignore")
        shutil.copytree(parent.folder / "git", folder / "git", symlinks=True)
        git = Git(folder / "git", folder / "tree")
        (folder / "tree").mkdir()
        base = git.text("rev-parse", "--verify", f"{at}^{{commit}}")
        _check_out(git, run, base)
        place = Place(run=run, source=parent.place.source, base=parent.place.base, snapshot=True)
        _write(folder, place)
        return cls(folder, place)

    @classmethod
    def open(cls, home: Path, run: RunId) -> Workspace:
        """Raises `NotFound`."""
        folder = home / "runs" / run
        try:
            place = msgspec.json.decode((folder / "workspace.json").read_bytes(), type=Place, dec_hook=_path)
        except FileNotFoundError:
            raise NotFound(
                f"run {run} has no work tree in {home}",
                hint="its journal can still be read: forgewright show RUN",
            ) from None
        return cls(folder, place)

    def remove(self) -> None:
        """Removes copy, branch and pinned commits. The user's repository is as before the run."""
        _sweep(self.folder, self.place.source, self.place.run)
        shutil.rmtree(self.folder, ignore_errors=True)

    # ── what a run does with it ──────────────────────────────────────────────────────────────────────

    @property
    def head(self) -> str:
        """Commit of the last accepted step."""
        return self.git.text("rev-parse", f"refs/heads/{self.branch}^{{commit}}")

    def commit(self, message: str, effect: EffectId, when_ms: int) -> str:
        """Commits everything that is not ignored; returns the commit, HEAD itself if nothing changed.

        Deterministic: the same parent, tree, message, effect and time give the same commit.
        """
        tree = self.tree_digest()
        parent = self.head
        if self.git.text("rev-parse", f"{parent}^{{tree}}") == tree:
            self._pin(effect, parent)
            return parent
        text = f"{message.rstrip()}\n\nForgewright-Effect: {self.place.run} {effect}\n"
        sha = _commit(self.git, tree, (parent,), text, when_ms)
        self.git.raw(
            "update-ref", "--stdin",
            stdin=(
                f"update refs/heads/{self.branch} {sha} {parent}\nupdate {self._pinned(effect)} {sha}\n"
            ).encode(),
        )  # fmt: skip
        return sha

    def find_commit(self, effect: EffectId) -> str | None:
        """The commit that an effect made, also when it was undone later."""
        name = self._pinned(effect)
        return (
            self.git.text("rev-parse", name)
            if self.git.answers("rev-parse", "-q", "--verify", name)
            else None
        )

    def reset(self, sha: str) -> None:
        """Branch, index and files become those of `sha`; ignored files stay. Raises `NotFound`."""
        if not self.git.answers("rev-parse", "-q", "--verify", f"{sha}^{{commit}}"):
            raise NotFound(f"commit {sha} is not in the run's repository")
        self.git.raw("read-tree", "--reset", "-u", sha)
        self.git.raw("update-ref", f"refs/heads/{self.branch}", sha)
        for path in others(self.git, self._ignore):
            at = self.tree / path.rstrip("/")
            if at.is_dir() and not at.is_symlink():
                shutil.rmtree(at)
            else:
                at.unlink(missing_ok=True)
            _prune(at.parent, self.tree)

    def status(self) -> tuple[Change, ...]:
        """What the files differ in from the last commit."""
        return self._changes(self.head, self.tree_digest())

    def changes(self, base: str | None = None, head: str | None = None) -> tuple[Change, ...]:
        """The files that differ between two commits; by default, all that the run changed."""
        return self._changes(base or self.place.base, head or self.head)

    def diff(self, base: str | None = None, head: str | None = None) -> str:
        """Unified diff between two commits (by default the run's whole change), that `git apply` takes.

        Raises `UsageError` above 8 MB.
        """
        raw = self.git.raw(
            "diff-tree", "-p", "-r", "-M", "--no-ext-diff", "--no-textconv", "--no-color", "--binary",
            "--full-index", base or self.place.base, head or self.head,
        )  # fmt: skip
        if len(raw) > DIFF_BYTES_MAX:
            raise UsageError(
                f"the diff has {len(raw) >> 20} MB; up to {DIFF_BYTES_MAX >> 20} MB are shown",
                hint=f"look at it with git: git diff {self.place.base[:12]} {self.branch}",
            )
        return raw.decode(errors="surrogateescape")

    def diff_all(self) -> str:
        """All that the run changed so far, committed or not. Raises `UsageError` above 8 MB."""
        return self.diff(head=self.tree_digest())

    def take_tree(self, tree: str, effect: EffectId) -> str:
        """Files and index become those of a git tree; returns a commit of it, which the branch does not follow."""
        sha = _commit(self.git, tree, (self.head,), f"Merged by {self.place.run} {effect}\n", 0)
        self._pin(effect, sha)
        self.git.raw("read-tree", "--reset", "-u", tree)
        return sha

    def tree_digest(self) -> str:
        """Name of the git tree of all files that are not ignored, as they are now."""
        stage(self.git, self.tree, self._ignore, bytes_max=FILE_BYTES_MAX)
        return self.git.text("write-tree")

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def _ignore(self) -> Path:
        return self.folder / "ignore"

    def _git_dir(self) -> Path:
        source = self.place.source.git_dir
        if source is None:
            return self.folder / "git"
        return _common(source) / "worktrees" / f"forgewright-{self.place.run}"

    def _pinned(self, effect: EffectId) -> str:
        return f"refs/forgewright/{self.place.run}/{effect}"

    def _pin(self, effect: EffectId, sha: str) -> None:
        self.git.raw("update-ref", self._pinned(effect), sha)

    def _changes(self, base: str, head: str) -> tuple[Change, ...]:
        kinds: dict[str, Literal["added", "modified", "deleted"]] = {"A": "added", "D": "deleted"}
        raw = self.git.paths("diff-tree", "-r", "-z", "--no-renames", "--name-status", base, head)
        kind_of = {
            path: kinds.get(letter, "modified") for letter, path in zip(raw[::2], raw[1::2], strict=True)
        }
        out = []
        for line in self.git.paths("diff-tree", "-r", "-z", "--no-renames", "--numstat", base, head):
            added, removed, path = line.split("\t", 2)
            out.append(Change(path, kind_of[path], _count(added), _count(removed)))
        return tuple(out)


def _count(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _work_tree(folder: Path, run: RunId, source: Source, at: str | None, bytes_max: int) -> Place:
    git = repository_of(source)
    assert git.git_dir is not None
    left_out: list[LeftOut] = []
    base, snapshot = at or source.head, at is not None
    if at is None:
        index = folder / "index"
        if (git.git_dir / "index").exists():
            shutil.copy(git.git_dir / "index", index)
        staged = git.with_index(index)
        left_out = stage(staged, source.root, folder / "ignore", bytes_max=bytes_max)
        tree = staged.text("write-tree")
        index.unlink(missing_ok=True)
        if base is None or git.text("rev-parse", f"{base}^{{tree}}") != tree:
            snapshot = True
            when = int(git.text("show", "-s", "--format=%ct", base)) * 1000 if base else 0
            base = _commit(git, tree, (base,) if base else (), SNAPSHOT, when)
    assert base is not None
    name = folder / f"forgewright-{run}"  # git names the work tree's folder in .git after this
    git.raw("worktree", "add", "--no-checkout", "--lock", "--detach", str(name), base)
    name.rename(folder / "tree")
    own = Git(_common(git.git_dir) / "worktrees" / f"forgewright-{run}", folder / "tree", config=git.config)
    assert own.git_dir is not None
    (own.git_dir / "gitdir").write_text(f"{folder / 'tree' / '.git'}\n")
    (own.git_dir / "locked").write_text("a run of Forgewright; remove it with: git worktree remove -f -f\n")
    _check_out(own, run, base)
    notes = []
    modules = [line for line in own.text("ls-files", "-s").splitlines() if line.startswith("160000 ")]
    if modules:
        notes.append(f"{len(modules)} submodules are empty in the copy")
    if any(key.endswith(".smudge") for key in git.config):
        notes.append("content filters (Git LFS, for example) are not run: their files are as git stores them")
    return Place(
        run=run, source=source, base=base, snapshot=snapshot, left_out=tuple(left_out), notes=tuple(notes)
    )


def _snapshot(folder: Path, run: RunId, source: Source, bytes_max: int) -> Place:
    tree = folder / "tree"
    tree.mkdir()
    Git().raw("init", "-q", "--bare", "--template=", str(folder / "git"), cwd=folder)
    looking = Git(folder / "git", source.root)
    left_out: list[LeftOut] = []
    take: list[str] = []
    for path in others(looking, folder / "ignore"):
        if path.endswith("/"):
            left_out.append(LeftOut(path, "a git repository of its own"))
            continue
        info = (source.root / path).lstat()
        if info.st_size > bytes_max:
            left_out.append(LeftOut(path, f"{info.st_size >> 20} MB; up to {bytes_max >> 20} MB are taken"))
        elif not os.access(source.root / path, os.R_OK, follow_symlinks=False):
            left_out.append(LeftOut(path, "not readable"))
        else:
            take.append(path)
    left_out += copy_files(source.root, tree, take)
    git = Git(folder / "git", tree)
    left_out += stage(git, tree, folder / "ignore", bytes_max=None)
    base = _commit(git, git.text("write-tree"), (), "Snapshot of the folder when the run started\n", 0)
    git.raw("update-ref", f"refs/heads/{BRANCH_PREFIX}{run}", base)
    git.raw("symbolic-ref", "HEAD", f"refs/heads/{BRANCH_PREFIX}{run}")
    return Place(run=run, source=source, base=base, snapshot=True, left_out=tuple(left_out))


def _check_out(git: Git, run: RunId, sha: str) -> None:
    git.raw("update-ref", f"refs/heads/{BRANCH_PREFIX}{run}", sha)
    git.raw("symbolic-ref", "HEAD", f"refs/heads/{BRANCH_PREFIX}{run}")
    git.raw("read-tree", "--reset", "-u", sha)


def _commit(git: Git, tree: str, parents: tuple[str, ...], message: str, when_ms: int) -> str:
    date = f"@{when_ms // 1000} +0000"
    who = {"NAME": AUTHOR, "EMAIL": EMAIL, "DATE": date}
    environment = {
        f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()
    }
    argv = ["commit-tree", tree]
    for parent in parents:
        argv += ["-p", parent]
    return git.raw(*argv, stdin=message.encode(), environment=environment).decode().strip()


def _common(git_dir: Path) -> Path:
    """The directory that holds refs and work trees: another one where the source is a linked work tree."""
    pointer = git_dir / "commondir"
    return (git_dir / pointer.read_text().strip()).resolve() if pointer.is_file() else git_dir


def _sweep(folder: Path, source: Source, run: RunId) -> None:
    """Removes what an earlier or half-made workspace of this run left."""
    shutil.rmtree(folder / "tree", ignore_errors=True)
    shutil.rmtree(folder / f"forgewright-{run}", ignore_errors=True)
    shutil.rmtree(folder / "git", ignore_errors=True)
    (folder / "index").unlink(missing_ok=True)
    if source.git_dir is None or not source.git_dir.is_dir():
        return
    common = _common(source.git_dir)
    shutil.rmtree(common / "worktrees" / f"forgewright-{run}", ignore_errors=True)
    git = Git(common)
    names = git.text("for-each-ref", "--format=%(refname)", f"refs/forgewright/{run}/", cwd=common).split()
    names += git.text(
        "for-each-ref", "--format=%(refname)", f"refs/heads/{BRANCH_PREFIX}{run}", cwd=common
    ).split()
    if names:
        git.raw(
            "update-ref", "--stdin", stdin="".join(f"delete {name}\n" for name in names).encode(), cwd=common
        )


def _prune(folder: Path, root: Path) -> None:
    """Removes empty folders from `folder` upwards, below `root`."""
    while folder != root and root in folder.parents:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


def _write(folder: Path, place: Place) -> None:
    data = msgspec.json.format(msgspec.json.encode(place, enc_hook=str), indent=2)
    part = folder / "workspace.json.part"
    with open(part, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.rename(folder / "workspace.json")


def _path(kind: type, value: str) -> object:
    return kind(value) if kind is Path else value
