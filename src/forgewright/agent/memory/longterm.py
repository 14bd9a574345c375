"""The long-term memory of a home: written, found, edited and forgotten, each change on record."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from forgewright.agent.memory.entry import TEXT_CHARS_MAX, Entry, Scope
from forgewright.agent.memory.search import search
from forgewright.core.errors import NotFound, UsageError
from forgewright.core.ids import RunId
from forgewright.journal import events as ev

if TYPE_CHECKING:
    from forgewright.journal.journal import Journal

RUN = RunId("@memory")
ENTRIES_MAX = 5_000
"""Of one scope."""
SUBJECTS = "subject/"


class LongTerm:
    """Over a journal and its store. What an entry says stands in the store alone; the journal records that it was
    written, by whom, and that it is gone."""

    def __init__(self, journal: Journal, *, clock: Callable[[], float] = time.time) -> None:
        self._journal = journal
        self._clock = clock

    def now(self) -> int:
        """Milliseconds since 1970."""
        return int(self._clock() * 1000)

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────

    async def entries(self, scopes: Sequence[Scope] | None = None) -> list[Entry]:
        """All that have not expired, oldest first; of these scopes, or of all."""
        now = self.now()
        found = [entry for entry in await self._all(scopes) if not entry.expired(now)]
        return sorted(found, key=lambda entry: (entry.created, entry.id))

    async def search(self, query: str, scopes: Sequence[Scope] | None = None, limit: int = 10) -> list[Entry]:
        """The entries that say something about `query`, best first; without words, the newest."""
        entries = await self.entries(scopes)
        return await asyncio.to_thread(search, entries, query, limit)

    async def find(self, id: str, scopes: Sequence[Scope] | None = None) -> Entry:
        """By its id, or the beginning of it. Raises `NotFound`, `UsageError` (several)."""
        found = [entry for entry in await self.entries(scopes) if entry.id.startswith(id)] if id else []
        exact = [entry for entry in found if entry.id == id]
        if len(exact or found) == 1:
            return (exact or found)[0]
        if found:
            raise UsageError(
                f"{id!r} is the beginning of {len(found)} memories: {', '.join(e.id for e in found[:8])}"
            )
        raise NotFound(f"there is no memory {id[:40]!r}", hint="`forgewright memory list` shows them")

    async def _all(self, scopes: Sequence[Scope] | None) -> list[Entry]:
        memory = self._journal.memory
        spaces = await memory.namespaces()
        wanted = None if scopes is None else {scope.namespace for scope in scopes}
        found: list[Entry] = []
        for space in spaces:
            about = space.startswith(SUBJECTS)
            if not about and (
                not space.startswith("memory/") or (wanted is not None and space not in wanted)
            ):
                continue
            for _, value in await memory.items(space):
                entry = _decode(value)
                if entry is not None and (wanted is None or entry.scope.namespace in wanted):
                    found.append(entry)
        return found

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────

    async def write(self, entry: Entry, *, what: str = "written", actor: str = "") -> Entry:
        """Keeps it, in the place of one with its id. Raises `UsageError` for one that is too long or too many."""
        text = entry.text.strip()
        if not text or len(text) > TEXT_CHARS_MAX:
            raise UsageError(
                f"expected a memory of 1 to {TEXT_CHARS_MAX:,} characters; found {len(text):,}",
                hint="remember one thing at a time, and what is long in a file",
            )
        memory = self._journal.memory
        await self._expire(entry.namespace)
        keys = await memory.keys(entry.namespace)
        if len(keys) >= ENTRIES_MAX and entry.id not in keys:
            raise UsageError(
                f"{entry.scope} remembers {len(keys):,} things, and that is as many as it may",
                hint="forget some: forgewright memory list",
            )
        entry = msgspec.structs.replace(entry, text=text)
        await memory.put(entry.namespace, entry.id, msgspec.json.encode(entry))
        await self._note(what, entry, actor or entry.by)
        return entry

    async def edit(self, id: str, *, text: str | None = None, expires: int | None = None, by: str) -> Entry:
        """A person's change: what it says then is a person's word."""
        entry = await self.find(id)
        entry = msgspec.structs.replace(
            entry,
            text=entry.text if text is None else text,
            expires=entry.expires if expires is None else expires,
            trust="person" if text is not None else entry.trust,
            by=by if text is not None else entry.by,
            after=() if text is not None else entry.after,
            edited=self.now(),
        )
        return await self.write(entry, what="edited", actor=by)

    async def believe(self, id: str, *, by: str) -> Entry:
        """A person vouches for what it says."""
        entry = await self.find(id)
        entry = msgspec.structs.replace(entry, trust="person", after=(), edited=self.now())
        return await self.write(entry, what="edited", actor=by)

    async def forget(self, entry: Entry, *, by: str, purge: bool = False) -> None:
        """It is gone; with `purge` from every file of the home (raises `StoreError` while another process reads)."""
        await self._journal.memory.delete(entry.namespace, entry.id)
        if purge:
            await self._journal.store.purge()
        await self._note("forgotten", entry, by)

    async def _expire(self, namespace: str) -> None:
        now = self.now()
        for key, value in await self._journal.memory.items(namespace):
            entry = _decode(value)
            if entry is not None and entry.expired(now):
                await self._journal.memory.delete(namespace, key)
                await self._note("expired", entry, "engine")

    async def _note(self, what: str, entry: Entry, actor: str) -> None:
        event = ev.MemoryChanged(what, entry.namespace, entry.id, entry.trust, entry.run, entry.effect)
        await self._journal.note(RUN, [event], actor=actor)


def _decode(value: bytes) -> Entry | None:
    """None for what others keep in the same place."""
    try:
        return msgspec.json.decode(value, type=Entry)
    except msgspec.MsgspecError:
        return None
