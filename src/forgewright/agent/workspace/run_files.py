"""Files that are part of a run's state: each write is an artifact in its journal.

So they are there after a crash and in every fork, as they stood where it branched off, and what they were at any
time can be read from the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import msgspec

from forgewright.core.ids import EffectId
from forgewright.files import content, paths, transfer
from forgewright.files.memory import MemoryFiles
from forgewright.files.types import MATCHES_MAX, Entry, Found, Transfer
from forgewright.journal import events as ev

if TYPE_CHECKING:
    from forgewright.runtime.context import Context

PREFIX = "files/"
"""Before the path, in the artifact's name."""
DELETED = "files.deleted"
"""Topic of the note that a file was deleted."""
BYTES_MAX = 64 << 20
"""All files of a run together."""

_loaded: WeakKeyDictionary[Any, MemoryFiles] = WeakKeyDictionary()
"""Execution → its files, once they are asked for."""


class RunFiles:
    """A `Files` over the run that `context` belongs to.

    A node that is run again after a crash finds them as they were when it began, and makes its own writes again;
    those of tool calls that have their receipt are there already.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    async def ls(self, path: str = "") -> Sequence[Entry]:
        return await (await self._files()).ls(path)

    async def stat(self, path: str) -> Entry:
        return await (await self._files()).stat(path)

    async def read(self, path: str) -> bytes:
        return await (await self._files()).read(path)

    async def write(self, path: str, data: bytes) -> None:
        files = await self._files()
        name = paths.clean(path)
        data = self._context.execution.cleaner.data(data)  # as the journal will have it
        await files.write(name, data)
        await self._context.artifact(PREFIX + name, data)

    async def edit(self, path: str, old: str, new: str, *, every: bool = False) -> int:
        data, count = content.edited(path, await self.read(path), old, new, every=every)
        await self.write(path, data)
        return count

    async def glob(self, pattern: str, path: str = "") -> Sequence[str]:
        return await (await self._files()).glob(pattern, path)

    async def grep(
        self,
        pattern: str,
        path: str = "",
        *,
        glob: str | None = None,
        regex: bool = False,
        matches_max: int = MATCHES_MAX,
    ) -> Found:
        files = await self._files()
        return await files.grep(pattern, path, glob=glob, regex=regex, matches_max=matches_max)

    async def delete(self, path: str) -> None:
        await (await self._files()).delete(path)
        await self._context.note(DELETED, paths.clean(path))

    async def upload(self, files: Sequence[tuple[str, bytes]]) -> Sequence[Transfer]:
        return await transfer.upload(self, files)

    async def download(self, paths: Sequence[str]) -> Sequence[Transfer]:
        return await transfer.download(self, paths)

    async def _files(self) -> MemoryFiles:
        execution = self._context.execution
        found = _loaded.get(execution)
        if found is None:
            found = await _read(self._context)
            found = _loaded.setdefault(execution, found)  # somebody may have been quicker
        return found


async def _read(context: Context) -> MemoryFiles:
    """The files as the journal has them up to now."""
    await context.ledger.flush()
    newest: dict[str, ev.Stored] = {}
    for record in await context.execution.engine.records(context.run):
        if isinstance(record.event, ev.Noted) and _comes_again(record.event.effect, context):
            continue
        match record.event:
            case ev.ArtifactMade(name=name, content=stored) if name.startswith(PREFIX):
                newest[name.removeprefix(PREFIX)] = stored
            case ev.NoteWritten(topic=topic, value=value) if topic == DELETED:
                gone = msgspec.json.decode(value, type=str)
                newest = {path: kept for path, kept in newest.items() if not paths.inside(path, gone)}
            case _:
                pass
    blobs = context.execution.journal.store.blobs
    return MemoryFiles(
        {path: await blobs.get(stored.blob) for path, stored in newest.items()}, bytes_max=BYTES_MAX
    )


def _comes_again(effect: EffectId, context: Context) -> bool:
    """Whether a write belongs to a node that is being run again, and to no tool call that is answered from its
    receipt."""
    history = context.execution.history
    if effect not in history.noted:
        return False
    parts = effect.split(".")
    above = (history.effects.get(EffectId(".".join(parts[:n]))) for n in range(1, len(parts)))
    return not any(past is not None and past.answered is not None for past in above)
