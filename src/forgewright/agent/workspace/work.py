"""A command in a sandbox over a copy of the tree, and what it changed there: judged before it leaves.

The command never writes to the tree itself. It gets a copy-on-write view in which the policy's hidden files are
empty and its protected ones read-only; afterwards the difference is read out of the sandbox, and each changed path
passes the gate like any other edit. So renames, links, hooks and races inside gain nothing.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from forgewright.agent.workspace.changes import Change, ChangeFiles
from forgewright.agent.workspace.guard import Survey, guard_of, guarded
from forgewright.agent.workspace.staging import Staging, staging_of
from forgewright.core.errors import Conflict, PolicyDenied, Refused, SandboxError
from forgewright.core.ids import digest
from forgewright.files.directory import DirectoryFiles
from forgewright.files.types import FILE_BYTES_MAX
from forgewright.journal import events as ev
from forgewright.policy.types import Verdict
from forgewright.runtime.effects.exec import ExecEffect
from forgewright.runtime.effects.keep import load
from forgewright.sandbox.types import Command, Exit, Mount, Sandbox, SandboxSpec

if TYPE_CHECKING:
    from forgewright.runtime.context import Context

TREE = "/work"
"""Where the tree lies inside."""
CHANGED_BYTES_MAX = 64 << 20
"""All that one command may change of the tree."""
CHANGED_FILES_MAX = 5_000
LEFT_BEHIND = frozenset(
    (
        ".git",
        "node_modules",
        ".venv",
        "__pycache__",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".hypothesis",
    )
)
"""Folders whose changes never leave the sandbox: git's own, and what tools make anew."""
SECONDS = 120.0

_SHOWN = r"%y\0%m\0%s\0%C@\0%i\0%l\0%P\0"
_FIELDS = 7


class Worked(Exit, frozen=True):
    """How a command ended, and what it changed."""

    changes: tuple[Change, ...] = ()
    left: tuple[str, ...] = ()
    """What it changed and cannot leave the sandbox, with the reason."""
    hidden: tuple[str, ...] = ()
    """What it could not see."""


class Taken(msgspec.Struct, frozen=True):
    """What became of the changes."""

    paths: tuple[str, ...]
    refused: tuple[str, ...]
    """Paths that stay as they were, each with the reason."""


class WorkEffect(ExecEffect):
    """A command over a copy of the tree at `root`. Pure: nothing of it remains until its changes are taken over.

    `changes=False`: what it changes is not even looked at.
    """

    def __init__(
        self,
        command: Command,
        purpose: str,
        root: Path,
        spec: SandboxSpec | None = None,
        *,
        changes: bool = True,
    ) -> None:
        self._changes = changes
        spec = spec or SandboxSpec()
        mounts = (Mount(str(root.resolve()), TREE, "cow"), *spec.mounts)
        spec = msgspec.structs.replace(spec, mounts=mounts, workdir=TREE)
        super().__init__(command, purpose, spec)
        self.root = root.resolve()
        self.survey: Survey | None = None

    async def oblige(self, verdict: Verdict, context: Context) -> None:
        await super().oblige(verdict, context)
        guard = guard_of(context, "exec")
        self.survey = await asyncio.to_thread(guard.survey, self.root)
        self.spec = guarded(self.spec, self.root, self.survey)

    async def perform(self, key: str, context: Context) -> Exit:
        assert self.survey is not None
        listener = context.execution.output_listener(context.actor)
        sandbox = await context.execution.engine.sandboxes.open(self.spec)
        try:
            if not self._changes:
                done = await sandbox.run(self.command, on_output=listener)
                return Worked(**msgspec.structs.asdict(done), hidden=self.survey.hidden)
            view = View(sandbox, self.root, self.survey, staging_of(context))
            await view.look()
            done = await sandbox.run(self.command, on_output=listener)
            return await view.changed(done)
        finally:
            await sandbox.close()

    async def recall(self, asked: ev.Asked, answered: ev.Answered, context: Context) -> Exit:
        assert isinstance(answered, ev.ExecAnswered)
        return await load(answered.result, Worked, context)


class View:
    """The tree as a sandbox shows it, compared with itself earlier."""

    def __init__(self, sandbox: Sandbox, root: Path, survey: Survey, staging: Staging) -> None:
        self._staging = staging
        self._sandbox = sandbox
        self._root = root
        self._survey = survey
        self._before: dict[str, tuple[bytes, ...]] = {}

    async def settle(self, paths: Sequence[str], now: Survey) -> None:
        """After these changes were taken over: they are no difference any more; all others still are."""
        after = await self._list()
        seen = {path: one for path, one in self._survey.seen.items() if path not in paths}
        seen |= {path: now.seen[path] for path in paths if path in now.seen}
        self._survey = msgspec.structs.replace(self._survey, seen=seen)
        for path in paths:
            self._before.pop(path, None)
            if path in after:
                self._before[path] = after[path]

    async def look(self) -> None:
        """Remembers how it is now."""
        self._before = await self._list()

    async def changed(self, done: Exit) -> Worked:
        """`done` with what differs from before. What is too much to be taken over stays inside, and that is said."""
        fields = msgspec.structs.asdict(done)
        hidden = self._survey.hidden
        try:
            after = await self._list()
            changes, left = await self._compare(after)
        except (SandboxError, Refused) as error:
            return Worked(**fields, left=(f"all that it changed: {error}",), hidden=hidden)
        return Worked(**fields, changes=tuple(changes), left=tuple(left), hidden=hidden)

    async def _compare(self, after: Mapping[str, tuple[bytes, ...]]) -> tuple[list[Change], list[str]]:
        changes: list[Change] = []
        left: list[str] = []
        differing = sorted(p for p in {*self._before, *after} if self._before.get(p) != after.get(p))
        room = CHANGED_BYTES_MAX
        for path in differing:
            old, new = self._before.get(path), after.get(path)
            kind = new[0] if new is not None else b""
            if kind == b"d" or (new is None and old is not None and old[0] == b"d"):
                continue  # folders come and go with their files
            if self._covered(path):
                left.append(f"{path}: it is hidden or protected")
            elif kind not in (b"f", b""):
                left.append(f"{path}: only regular files are taken over, and this is none")
            elif old is not None and old[0] not in (b"f", b"d"):
                left.append(f"{path}: it was no regular file before")
            elif len(changes) >= CHANGED_FILES_MAX or room < (size := int(new[2]) if new else 0):
                raise Refused(
                    f"expected at most {CHANGED_FILES_MAX:,} changed files of {CHANGED_BYTES_MAX >> 20} MiB; found more"
                )
            else:
                room -= size
                change = await self._change(path, old, new, left)
                if change is not None:
                    changes.append(change)
        return changes, left

    async def _change(
        self, path: str, old: tuple[bytes, ...] | None, new: tuple[bytes, ...] | None, left: list[str]
    ) -> Change | None:
        host = await asyncio.to_thread(self._on_host, path)
        if isinstance(host, str):
            left.append(f"{path}: {host}")
            return None
        before = None if host is None else digest(host)
        if new is None:
            return None if host is None else Change(path, None, before)
        size = int(new[2])
        if size > FILE_BYTES_MAX:
            left.append(f"{path}: it has {size:,} bytes, at most {FILE_BYTES_MAX:,} are taken over")
            return None
        data = await self._sandbox.read(f"{TREE}/{path}", bytes_max=FILE_BYTES_MAX)
        runs = bool(int(new[1], 8) & 0o100)
        ran = bool(int(old[1], 8) & 0o100) if old is not None else None
        if data == host and runs == ran:
            return None
        after = await asyncio.to_thread(self._staging.put, data)
        return Change(path, after, before, None if runs == (ran or False) else runs)

    def _on_host(self, path: str) -> bytes | str | None:
        """The file's content in the tree, None where it is not there; or why it cannot be replaced."""
        seen = self._survey.seen.get(path)
        try:
            with open(self._root / path, "rb", opener=_no_link) as file:
                now = os.fstat(file.fileno())
                same = seen is not None and (
                    (now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino)
                    == (seen.size_bytes, seen.modified_ns, seen.changed_ns, seen.inode)
                )
                return file.read() if same else "somebody else changed it meanwhile"
        except (FileNotFoundError, NotADirectoryError):
            return None if seen is None else "somebody else deleted it meanwhile"
        except OSError as error:
            return f"it cannot be replaced: {error.strerror}"

    def _covered(self, path: str) -> bool:
        covers = (*self._survey.hidden, *self._survey.frozen)
        return any(path == cover or path.startswith(cover + "/") for cover in covers)

    async def _list(self) -> dict[str, tuple[bytes, ...]]:
        pruned = [word for name in sorted(LEFT_BEHIND) for word in ("-o", "-name", name)][1:]
        argv = ("find", "-P", TREE, "-mindepth", "1", "(", *pruned, ")", "-prune", "-o", "-printf", _SHOWN)
        command = Command(argv, environment={"LC_ALL": "C"}, workdir="/", timeout_seconds=SECONDS)
        done = await self._sandbox.run(command)
        if done.reason != "exit" or done.stdout_bytes > len(done.stdout):
            raise Refused("the tree inside is too large to be compared with what it was")
        fields = done.stdout.split(b"\0")[:-1]
        rows = zip(*[iter(fields)] * _FIELDS, strict=True)
        return {os.fsdecode(row[-1]): row[:-1] for row in rows}


async def take_over(root: Path, worked: Worked, context: Context) -> Taken:
    """Writes what a command changed into the tree: what the policy permits, and with a yes what needs one."""
    guard = guard_of(context, "exec")
    free: list[Change] = []
    groups: list[list[Change]] = [free]
    for change in worked.changes:
        verdict = guard.verdict("edit", change.path)
        if verdict.permit and verdict.approval is None:
            free.append(change)
        else:
            groups.append([change])  # refused, or asked about, by itself
    files = DirectoryFiles(root)
    paths: list[str] = []
    refused = list(worked.left)
    try:
        while groups:
            group = groups.pop(0)
            if not group:
                continue
            try:
                done = await context.perform(ChangeFiles(files, group, "exec"))
                paths += done
            except PolicyDenied as error:
                reason = error.message.partition(": ")[2] or error.message
                refused += [f"{change.path}: {reason}" for change in group]
            except (
                Refused,
                Conflict,
            ) as error:  # one of them is in the way of the others, and none was written
                if len(group) == 1:
                    refused.append(f"{group[0].path}: {error.message}")
                else:
                    groups += [[change] for change in group]
    finally:
        files.close()
    staging_of(context).drop(change.after for change in worked.changes if change.after is not None)
    return Taken(tuple(sorted(paths)), tuple(refused))


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
