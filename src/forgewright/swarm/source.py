"""Finds out what a run starts from: the repository as the user sees it now, including what is uncommitted.

The user's files, index and HEAD are only read. What can't or should not be taken along is left out and
named: other people's surprises belong in the summary, not in a silent gap.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

import msgspec

from forgewright.core.errors import Conflict, NotFound, UsageError
from forgewright.swarm.git import Git, GitFailed, disarmed_filters, trusted_folders

FILE_BYTES_MAX = 64 << 20
"""A larger file that is not committed is left out of the run's copy."""

IGNORED = """\
__pycache__/
*.py[cod]
.venv/
node_modules/
.pytest_cache/
.mypy_cache/
.ruff_cache/
.hypothesis/
.tox/
.nox/
.coverage
.forgewright/*
!.forgewright/skills/
"""
"""What tests and tools leave behind; ignored in addition to the project's own `.gitignore`."""


class LeftOut(msgspec.Struct, frozen=True):
    path: str
    why: str


class Source(msgspec.Struct, frozen=True):
    """Where a run's copy comes from."""

    root: Path
    """Top folder: git's top level, or the folder itself where there is no git."""
    prefix: str = ""
    """The folder that was asked for, relative to `root`, with `/`; empty where they are the same."""
    git_dir: Path | None = None
    """The user's git directory; None where there is no git."""
    head: str | None = None
    """Commit that HEAD stood at; None without git and before the first commit."""
    branch: str | None = None


def find_source(folder: Path) -> Source:
    """What `folder` is. Raises `NotFound`, `UsageError` (bare), `Conflict` (merge under way), `GitFailed`."""
    folder = Path(os.path.abspath(folder))
    if not folder.is_dir():
        raise NotFound(f"{folder} is not a folder", hint="give the folder of a project: --repo FOLDER")
    folder = folder.resolve()
    git = Git()
    trusted = [part for name in trusted_folders() for part in ("-c", f"safe.directory={name}")]
    try:
        said = git.text(
            *trusted,
            "rev-parse",
            "--absolute-git-dir",
            "--is-bare-repository",
            "--is-inside-work-tree",
            cwd=folder,
        )
    except GitFailed as error:
        if "not a git repository" in error.stderr:
            return Source(root=folder)
        raise
    git_dir, bare, inside = said.split("\n")
    if bare == "true" or inside != "true":
        raise UsageError(
            f"{folder} is a bare git repository, without files to work on",
            hint="clone it first: git clone FOLDER, then give the clone",
        )
    top = Path(git.text(*trusted, "rev-parse", "--show-toplevel", cwd=folder))
    prefix = git.text(*trusted, "rev-parse", "--show-prefix", cwd=folder).rstrip("/")
    repository = Git(Path(git_dir), top)
    if prefix and repository.answers("check-ignore", "-q", "--no-index", prefix):
        return Source(root=folder)  # an ignored folder inside another project is no part of it
    head = branch = None
    if repository.answers("rev-parse", "--verify", "-q", "HEAD^{commit}"):
        head = repository.text("rev-parse", "HEAD^{commit}")
    if repository.answers("symbolic-ref", "-q", "HEAD"):
        branch = repository.text("symbolic-ref", "--short", "HEAD")
    unmerged = repository.paths("ls-files", "-z", "--unmerged")
    if unmerged:
        raise Conflict(
            f"{top} is in the middle of a merge with conflicts",
            hint="resolve or abort it first (git merge --abort, git rebase --abort), then start the run",
        )
    return Source(root=top, prefix=prefix, git_dir=Path(git_dir), head=head, branch=branch)


def repository_of(source: Source) -> Git:
    """git on the user's repository, with its filters switched off."""
    assert source.git_dir is not None
    plain = Git(source.git_dir, source.root)
    return Git(source.git_dir, source.root, config=disarmed_filters(plain))


def stage(git: Git, root: Path, ignore_file: Path, *, bytes_max: int | None) -> list[LeftOut]:
    """Brings the index of `git` in line with the files under `root`; says what was left out.

    Only git's plumbing looks at the folder, and never into a repository nested in it: that would run
    that repository's configuration. `bytes_max` bounds files that are new or changed.
    """
    changed = git.paths(
        "ls-files", "-z", "--modified", "--deleted", "--others", "--exclude-standard",
        f"--exclude-from={ignore_file}",
    )  # fmt: skip
    left_out: list[LeftOut] = []
    add: list[str] = []
    drop: list[str] = []
    for path in dict.fromkeys(changed):
        if path.endswith("/"):
            left_out.append(LeftOut(path, "a git repository of its own"))
            continue
        if _beyond_link(root, path):
            drop.append(path)
            continue
        try:
            info = (root / path).lstat()
        except (FileNotFoundError, NotADirectoryError):
            drop.append(path)
            continue
        if stat.S_ISDIR(info.st_mode):
            if (root / path / ".git").exists():
                continue  # a submodule: its link stays as committed
            drop.append(path)
        elif bytes_max is not None and stat.S_ISREG(info.st_mode) and info.st_size > bytes_max:
            left_out.append(LeftOut(path, f"{info.st_size >> 20} MB; up to {bytes_max >> 20} MB are taken"))
        elif stat.S_ISREG(info.st_mode) and not os.access(root / path, os.R_OK):
            left_out.append(LeftOut(path, "not readable"))
        elif stat.S_ISREG(info.st_mode) or stat.S_ISLNK(info.st_mode):
            add.append(path)
        else:
            left_out.append(LeftOut(path, "neither a file, a folder nor a link"))
    if drop:
        git.raw("update-index", "-z", "--force-remove", "--stdin", stdin=_nul(drop))
    if add:
        git.raw("update-index", "-z", "--add", "--replace", "--stdin", stdin=_nul(add))
    return left_out


def others(git: Git, ignore_file: Path) -> list[str]:
    """Files that are neither in the index nor ignored; a nested repository ends with `/`."""
    return git.paths("ls-files", "-z", "--others", "--exclude-standard", f"--exclude-from={ignore_file}")


def copy_files(root: Path, target: Path, paths: Iterable[str]) -> list[LeftOut]:
    """Copies files and links; a link that leads out of the folder is left out. Shares extents if it can."""
    left_out: list[LeftOut] = []
    for path in paths:
        at, to = root / path, target / path
        to.parent.mkdir(parents=True, exist_ok=True)
        if at.is_symlink():
            goal = os.readlink(at)
            inside = os.path.normpath(os.path.join(os.path.dirname(path), goal))
            if os.path.isabs(goal) or inside == ".." or inside.startswith("../"):
                left_out.append(LeftOut(path, "a link that leads out of the folder"))
                continue
            os.symlink(goal, to)
        else:
            _clone(at, to)
    return left_out


def _clone(at: Path, to: Path) -> None:
    flags = os.O_RDONLY | os.O_NOFOLLOW
    with open(os.open(at, flags), "rb") as reader, open(to, "xb") as writer:
        try:
            import fcntl

            fcntl.ioctl(writer.fileno(), 0x40049409, reader.fileno())  # FICLONE: no bytes are moved
        except OSError:
            shutil.copyfileobj(reader, writer, 1 << 20)
        os.fchmod(writer.fileno(), 0o755 if os.fstat(reader.fileno()).st_mode & 0o100 else 0o644)


def _beyond_link(root: Path, path: str) -> bool:
    """Whether a folder on the way to `path` is a link."""
    at = root
    for part in Path(path).parts[:-1]:
        at = at / part
        if at.is_symlink():
            return True
    return False


def _nul(paths: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(path) + b"\0" for path in paths)
