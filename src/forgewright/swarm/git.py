"""Calls git on repositories that may be hostile: no hook, filter, pager, prompt or network of theirs runs.

A repository's own configuration can name programs (hooks, filters, file-system monitors, pagers). Each
way by which the few plumbing commands used here could start one is switched off, and the git directory
is always named explicitly: a `.git` that a sandboxed process left in a work tree is never believed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from forgewright.core.errors import Conflict, MissingProgram, StoreFull, Unavailable

TIMEOUT_SECONDS = 300.0

_FIXED = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "core.pager": "cat",
    "core.askPass": "false",
    "core.sshCommand": "false",
    "core.quotePath": "false",
    "core.alternateRefsCommand": "true",
    "core.logAllRefUpdates": "false",
    "core.fsync": "committed,loose-object,reference",
    "core.fsyncMethod": "batch",
    "advice.addEmbeddedRepo": "false",
    "protocol.allow": "never",
    "submodule.recurse": "false",
    "diff.ignoreSubmodules": "all",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "commit.gpgSign": "false",
    "init.defaultBranch": "main",
}
FREE_BYTES_MIN = 64 << 10
"""With less than this, a write that failed is taken to have failed for want of space."""
_PASSED_ON = ("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR")


class GitFailed(Unavailable):
    """git ended with an error; `stderr` is what it said."""

    code = "git"

    def __init__(self, argv: Iterable[str], stderr: str, *, hint: str | None = None) -> None:
        self.stderr = stderr.strip()
        said = self.stderr.splitlines()[-1] if self.stderr else "nothing on stderr"
        super().__init__(f"git {' '.join(list(argv)[:3])} failed: {said}", hint=hint)


class Git:
    """git on one git directory and one work tree. Synchronous; every call is bounded in time."""

    def __init__(
        self,
        git_dir: Path | None = None,
        work_tree: Path | None = None,
        *,
        index: Path | None = None,
        config: Mapping[str, str] | None = None,
    ) -> None:
        self.git_dir = git_dir
        self.work_tree = work_tree
        self._index = index
        self.config = dict(config) if config is not None else {}

    def with_index(self, index: Path, work_tree: Path | None = None) -> Git:
        """The same repository through another index, optionally over another work tree."""
        return Git(self.git_dir, work_tree or self.work_tree, index=index, config=self.config)

    def environment(self) -> dict[str, str]:
        env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        env |= {
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_ALLOW_PROTOCOL": "",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_PAGER": "cat",
        }
        if self.git_dir is not None:
            env["GIT_DIR"] = str(self.git_dir)
        if self.work_tree is not None and self.git_dir is not None:
            env["GIT_WORK_TREE"] = str(self.work_tree)
        if self._index is not None:
            env["GIT_INDEX_FILE"] = str(self._index)
        settings = _FIXED | self.config
        env["GIT_CONFIG_COUNT"] = str(len(settings))
        for i, (key, value) in enumerate(settings.items()):
            env[f"GIT_CONFIG_KEY_{i}"] = key
            env[f"GIT_CONFIG_VALUE_{i}"] = value
        return env

    def raw(
        self,
        *argv: str,
        stdin: bytes = b"",
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        ok: tuple[int, ...] = (0,),
    ) -> bytes:
        """stdout of `git *argv`. Raises `GitFailed`, `MissingProgram`, `StoreFull`, `Conflict` (a lock)."""
        folder = cwd or self.work_tree or self.git_dir
        env = self.environment()
        if environment is not None:
            env |= environment
        try:
            done = subprocess.run(
                ["git", *argv],
                input=stdin,
                capture_output=True,
                cwd=folder,
                env=env,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            if folder is not None and not folder.is_dir():
                raise GitFailed(argv, f"the folder {folder} is not there") from None
            raise MissingProgram(
                "git", needed_for="the run's own copy of the repository", install="apt-get install git"
            ) from None
        except subprocess.TimeoutExpired:
            raise GitFailed(argv, f"no end after {TIMEOUT_SECONDS:.0f} s") from None
        if done.returncode not in ok:
            raise _failure(argv, done.stderr.decode(errors="replace"), folder)
        return done.stdout

    def text(self, *argv: str, stdin: bytes = b"", cwd: Path | None = None) -> str:
        """stdout as text without the final line end."""
        return self.raw(*argv, stdin=stdin, cwd=cwd).decode(errors="surrogateescape").rstrip("\n")

    def paths(self, *argv: str) -> list[str]:
        """The NUL-separated paths that a command prints with `-z`."""
        raw = self.raw(*argv)
        return [os.fsdecode(part) for part in raw.split(b"\0") if part]

    def answers(self, *argv: str, cwd: Path | None = None) -> bool:
        """Whether the command ends with 0. Other failures than exit 1 and 128 still raise."""
        try:
            self.raw(*argv, cwd=cwd)
        except GitFailed:
            return False
        return True


def _failure(argv: Iterable[str], stderr: str, folder: Path | None) -> Exception:
    lower = stderr.lower()
    full = "no space left" in lower or "disk quota" in lower or "read-only file system" in lower
    if not full and "unable to write" in lower and folder is not None:  # git does not always say why
        free = os.statvfs(folder)
        full = free.f_bavail * free.f_frsize < FREE_BYTES_MIN
    if full:
        return StoreFull(
            f"git could not write: {stderr.strip().splitlines()[-1]}",
            hint="free some space or make the folder writable, then: forgewright resume",
        )
    if ".lock': file exists" in lower:
        return Conflict(
            f"another git process works on the repository: {stderr.strip().splitlines()[0]}",
            hint="wait for it to end (or remove the lock file it left), then try again",
        )
    if "dubious ownership" in lower:
        return GitFailed(
            argv,
            "the repository belongs to another user",
            hint="if you trust it: git config --global --add safe.directory FOLDER",
        )
    return GitFailed(argv, stderr)


def trusted_folders() -> list[str]:
    """The folders of other owners that the user told git to trust (`safe.directory`)."""
    try:
        done = subprocess.run(
            ["git", "config", "--global", "--get-all", "safe.directory"],
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
            cwd="/",
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return []
    return done.stdout.decode(errors="replace").split("\n")[:-1] if done.returncode == 0 else []


def disarmed_filters(git: Git) -> dict[str, str]:
    """Settings that switch off every content filter which the repository's own configuration defines."""
    listed = git.raw("config", "--null", "--name-only", "--get-regexp", r"^filter\..*", ok=(0, 1)).decode(
        errors="replace"
    )
    names = {key.rsplit(".", 1)[0] for key in listed.split("\0") if key.count(".") >= 2}
    out: dict[str, str] = {}
    for name in sorted(names):
        out |= {f"{name}.clean": "", f"{name}.smudge": "", f"{name}.process": "", f"{name}.required": "false"}
    return out
