"""Files as an agent may use them: each path passes the gate, each change is journaled, what may not be read is not there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from forgewright.agent.workspace.changes import Change, ChangeFiles, content_digest
from forgewright.agent.workspace.guard import guard_of
from forgewright.agent.workspace.staging import staging_of
from forgewright.core.errors import Conflict, ForgewrightError, NotFound, PolicyDenied, UsageError
from forgewright.core.ids import digest
from forgewright.files import content, paths, transfer
from forgewright.files.types import MATCHES_MAX, Entry, Files, Found, Transfer

if TYPE_CHECKING:
    from forgewright.runtime.context import Context


class GuardedFiles:
    """A `Files` over another, within one tool call of a run.

    Raises, beside what the other raises, `PolicyDenied`; a file that may be read or changed with somebody's yes
    parks the run until it is given. Listings and searches leave out what may not be read without asking.
    """

    def __init__(self, files: Files, context: Context, *, operation: str = "write_file") -> None:
        self._files = files
        self._context = context
        self._operation = operation
        self._guard = guard_of(context, operation)

    async def ls(self, path: str = "") -> Sequence[Entry]:
        listed = await self._files.ls(path)
        return [e for e in listed if e.kind == "folder" or self._guard.may_read(e.path)]

    async def stat(self, path: str) -> Entry:
        found = await self._files.stat(path)
        if found.kind != "folder" and not self._guard.may_read(found.path):
            raise PolicyDenied(self._guard.verdict("read", found.path).reason)
        return found

    async def read(self, path: str) -> bytes:
        name = paths.clean(path)
        approved = await self._may_read(name)
        data = await self._files.read(name)
        if approved is not None and digest(data) != approved:
            raise Conflict(f"{name} is not what was approved any more", hint="read it again")
        return data

    async def write(self, path: str, data: bytes) -> None:
        name = paths.clean(path)
        content.bounded(name, data)
        if not name:
            raise UsageError("expected the path of a file; found the root")

        async def planned() -> Planned:
            after = staging_of(self._context).put(data)
            return Planned([Change(name, after, await content_digest(self._files, name))])

        await self._change(planned)

    async def edit(self, path: str, old: str, new: str, *, every: bool = False) -> int:
        name = paths.clean(path)
        await self._may_read(name)

        async def planned() -> Planned:
            before = await self._files.read(name)
            after, count = content.edited(name, before, old, new, every=every)
            return Planned([Change(name, staging_of(self._context).put(after), digest(before))], count)

        return await self._change(planned)

    async def glob(self, pattern: str, path: str = "") -> Sequence[str]:
        return [found for found in await self._files.glob(pattern, path) if self._guard.may_read(found)]

    async def grep(
        self,
        pattern: str,
        path: str = "",
        *,
        glob: str | None = None,
        regex: bool = False,
        matches_max: int = MATCHES_MAX,
    ) -> Found:
        found = await self._files.grep(pattern, path, glob=glob, regex=regex, matches_max=matches_max)
        kept = tuple(match for match in found.matches if self._guard.may_read(match.path))
        skipped = tuple(name for name in found.skipped if self._guard.may_read(name))
        return msgspec.structs.replace(found, matches=kept, skipped=skipped)

    async def delete(self, path: str) -> None:
        """A folder goes file by file, all of them or none."""
        name = paths.clean(path)
        if not name:
            raise UsageError("expected a file or folder to delete; found the root")
        names = [name]
        if (await self._files.stat(name)).kind == "folder":
            names = list(await self._files.glob("**", name))
            if not names:
                raise NotFound(f"there is no file in {name!r}")

        async def planned() -> Planned:
            return Planned([Change(one, None, await content_digest(self._files, one)) for one in names])

        await self._change(planned)

    async def upload(self, files: Sequence[tuple[str, bytes]]) -> Sequence[Transfer]:
        return await transfer.upload(self, files)

    async def download(self, paths: Sequence[str]) -> Sequence[Transfer]:
        return await transfer.download(self, paths)

    async def _may_read(self, name: str) -> str | None:
        """Asks whoever has to be asked; the digest of what they approved, None where nobody had to."""
        verdict = self._guard.verdict("read", name)
        if not verdict.permit:
            raise PolicyDenied(verdict.reason)
        if verdict.approval is None:
            return None

        async def now() -> str:
            return await content_digest(self._files, name) or ""

        content = await self._context.read("file", now, str)
        answer = await self._context.ask(
            f"May {self._context.actor} read {name}?",
            to=verdict.approval,
            choices=("yes", "no"),
            about={"read": name, "content": content},
            reason="approval",
        )
        if answer != "yes":
            raise PolicyDenied(f"{verdict.approval} did not approve reading {name}")
        return content

    async def _change(self, planned: Callable[[], Awaitable[Planned]]) -> int:
        # What was there before is read once: a repetition after a crash may find the change already made.
        plan = await self._context.read("files", planned, Planned)
        try:
            await self._context.perform(ChangeFiles(self._files, plan.changes, self._operation))
        except ForgewrightError:
            self._drop(plan)
            raise
        self._drop(plan)
        return plan.count

    def _drop(self, plan: Planned) -> None:
        staging_of(self._context).drop(one.after for one in plan.changes if one.after is not None)


class Planned(msgspec.Struct, frozen=True):
    """Changes as they are journaled before they are asked for."""

    changes: list[Change]
    count: int = 0
