"""Changing files as an effect: judged by the policy path by path, journaled with digests before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from forgewright.agent.workspace.staging import staging_of
from forgewright.core.errors import Conflict, NotFound
from forgewright.core.ids import Digest, EffectId, digest
from forgewright.files.directory import DirectoryFiles
from forgewright.files.types import Files
from forgewright.journal import events as ev
from forgewright.policy.types import Fact
from forgewright.runtime.effect import Effect
from forgewright.runtime.effects.keep import keep

if TYPE_CHECKING:
    from forgewright.runtime.context import Context


WHAT = "files"
"""The kind of effect, in the journal; the request is the list of changes."""


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """What becomes of one file. Its new content is staged, not journaled: a file may hold what a journal must not."""

    path: str
    after: Digest | None = None
    """Of its new content; None deletes it."""
    before: Digest | None = None
    """Of its content as it was; None where it was not there."""
    executable: bool | None = None
    """None leaves that as it is."""


class ChangeFiles(Effect[tuple[str, ...]]):
    """Idempotent: a file that is already as it shall be is left alone, one that is as neither before nor after is a
    `Conflict`, and then nothing is changed."""

    action = "edit"
    recovery = "idempotent"

    def __init__(self, files: Files, changes: Sequence[Change], operation: str) -> None:
        """`operation`: what policies see in `context.operations`: `exec`, `write_file`, `edit_file` …"""
        self.files = files
        self.operation = operation
        self.changes = tuple(changes)
        self.resource = self.changes[0].path if len(self.changes) == 1 else f"{len(self.changes)} files"

    def facts(self) -> Mapping[str, Fact]:
        paths = tuple(change.path for change in self.changes)
        return {"paths": paths, "files": len(paths), "operations": (self.operation,)}

    async def asked(self, effect: EffectId, decision: ev.Decision, context: Context) -> ev.Asked:
        request = await keep(self.changes, context)
        return ev.CustomAsked(effect, decision, WHAT, self.recovery, request)

    def matches(self, asked: ev.Asked) -> bool:
        if not isinstance(asked, ev.CustomAsked) or asked.what != WHAT:
            return False
        mine = msgspec.json.encode(self.changes)
        if isinstance(asked.request, ev.Stored):
            return asked.request.blob == digest(mine)
        return bytes(asked.request) == mine

    async def perform(self, key: str, context: Context) -> tuple[str, ...]:
        todo = []
        for change in self.changes:
            now = await content_digest(self.files, change.path)
            if now not in (change.before, change.after):
                raise Conflict(
                    f"{change.path} is neither as it was before this change nor as it would be after it",
                    hint="somebody else changed it meanwhile; read it again",
                )
            if now != change.after or change.executable is not None:
                todo.append(change)
        staging = staging_of(context)
        for change in todo:
            if change.after is None:
                await self.files.delete(change.path)
                continue
            data = staging.get(change.after)
            if isinstance(self.files, DirectoryFiles):
                await self.files.write(change.path, data, executable=change.executable)
            else:
                await self.files.write(change.path, data)
        return tuple(change.path for change in self.changes)

    async def answered(
        self, effect: EffectId, answer: tuple[str, ...], ms: int, context: Context
    ) -> ev.Answered:
        return ev.CustomAnswered(effect, ev.NULL, ms)

    async def recall(self, asked: ev.Asked, answered: ev.Answered, context: Context) -> tuple[str, ...]:
        return tuple(change.path for change in self.changes)


async def content_digest(files: Files, path: str) -> Digest | None:
    """Of the file's content; None where there is no such file."""
    try:
        return digest(await files.read(path))
    except NotFound:
        return None
