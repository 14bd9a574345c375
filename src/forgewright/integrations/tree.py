"""A folder of this machine in a lent sandbox: as a copy, held to a policy, and taken over when its owner says so."""

from __future__ import annotations

import asyncio
import posixpath
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from forgewright.agent.workspace.changes import Change, content_digest
from forgewright.agent.workspace.guard import Ability, Guard, Survey, guarded
from forgewright.agent.workspace.staging import Staging
from forgewright.agent.workspace.work import TREE, Taken, View
from forgewright.core.errors import PolicyDenied, Refused, UsageError
from forgewright.files.directory import DirectoryFiles
from forgewright.policy.types import Gate
from forgewright.sandbox.types import Exit, Mount, Sandbox, SandboxSpec

Approve = Callable[[str, str], bool]
"""(path, who has to say so) → whether the change of a path that needs a yes may be taken over."""


class LentTree:
    """The folder `root`, seen at /work; what `principal` may not read there is hidden, what it may not change is
    protected, and nothing of the folder itself changes before `take_over`."""

    def __init__(self, root: Path | str, gate: Gate, principal: str) -> None:
        self._root = Path(root).expanduser().resolve()
        if not self._root.is_dir():
            raise UsageError(f"expected a folder to lend; {self._root} is none")
        self._guard = Guard(gate, principal)
        self._survey: Survey | None = None
        self._view: View | None = None
        self._staging: tempfile.TemporaryDirectory[str] | None = None

    async def prepare(self, spec: SandboxSpec) -> SandboxSpec:
        """The spec with the folder in it."""
        self._survey = await asyncio.to_thread(self._guard.survey, self._root)
        spec = msgspec.structs.replace(
            spec, mounts=(Mount(str(self._root), TREE, "cow"), *spec.mounts), workdir=TREE
        )
        return guarded(spec, self._root, self._survey)

    async def opened(self, sandbox: Sandbox) -> None:
        """Remembers how the folder looks in the new sandbox."""
        assert self._survey is not None
        self._staging = tempfile.TemporaryDirectory(prefix="forgewright-")
        self._view = View(sandbox, self._root, self._survey, Staging(Path(self._staging.name)))
        await self._view.look()

    def check(self, action: Ability, path: str) -> None:
        """Of an absolute path inside. Raises `PolicyDenied`; what needs a yes may be changed in the copy, not read."""
        name = self.inside(path)
        if not name:
            return
        verdict = self._guard.verdict(action, name)
        if not verdict.permit:
            raise PolicyDenied(verdict.reason)
        if action == "read" and verdict.approval is not None:
            raise PolicyDenied(f"{name} may be read only if {verdict.approval} says so")

    def shows(self, path: str) -> bool:
        """Whether a path may stand in a listing."""
        name = self.inside(path)
        return not name or self._guard.may_read(name)

    def inside(self, path: str) -> str:
        """The path from the folder on; nothing for the folder itself and for what is elsewhere."""
        whole = posixpath.normpath(posixpath.join(TREE, path))
        return whole[len(TREE) + 1 :] if whole.startswith(TREE + "/") else ""

    async def take_over(self, approve: Approve | None) -> Taken:
        """Writes what changed in the copy into the folder, as far as the policy goes."""
        if self._view is None or self._staging is None:
            return Taken((), ())
        worked = await self._view.changed(Exit(0, "exit", b"", b"", 0, 0, 0.0))
        staging = Staging(Path(self._staging.name))
        files = DirectoryFiles(self._root)
        paths: list[str] = []
        refused = list(worked.left)
        try:
            for change in worked.changes:
                verdict = self._guard.verdict("edit", change.path)
                if not verdict.permit:
                    refused.append(f"{change.path}: {verdict.reason}")
                elif verdict.approval and not (approve and approve(change.path, verdict.approval)):
                    refused.append(f"{change.path}: it needs a yes of {verdict.approval}")
                else:
                    paths += await _write(files, change, staging, refused)
        finally:
            files.close()
        staging.drop(change.after for change in worked.changes if change.after is not None)
        await self._view.settle(paths, await asyncio.to_thread(self._guard.survey, self._root))
        return Taken(tuple(sorted(paths)), tuple(refused))


async def _write(files: DirectoryFiles, change: Change, staging: Staging, refused: list[str]) -> list[str]:
    try:
        if await content_digest(files, change.path) != change.before:
            refused.append(f"{change.path}: somebody else changed it meanwhile")
            return []
        if change.after is None:
            await files.delete(change.path)
        else:
            await files.write(change.path, staging.get(change.after), executable=change.executable)
    except Refused as error:
        refused.append(f"{change.path}: {error.message}")
        return []
    return [change.path]
