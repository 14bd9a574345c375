"""The journal as the rest of the house sees it: events in, records out, in one home."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from forgewright.core.errors import IntegrityError, LostRace, NotFound, Refused
from forgewright.core.limits import INLINE_BYTES_MAX
from forgewright.journal import codec
from forgewright.journal.events import (
    ApprovalRevoked,
    Event,
    Json,
    QuestionAnswered,
    Record,
    RunStarted,
    Stored,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from forgewright.core.ids import RunId
    from forgewright.journal.log.checkpoint import TreeHead
    from forgewright.journal.log.sealer import LogSealer
    from forgewright.journal.privacy.privacy import Privacy
    from forgewright.store.ports import LeaseStore, MemoryStore, Placed, RunRow, Store

IDENTIFIED: frozenset[type[Event]] = frozenset({QuestionAnswered, ApprovalRevoked})
"""The events that name a person (`privacy.personal.IDENTITY`, which is imported where one occurs)."""
MARKS = (b"sealed", b'"actor":"subject-')
"""What the bytes of a record hold that has something to open."""
SUBJECTS_MAX = 10_000
"""Runs of which it is remembered for whom they are."""


class Journal:
    """Appends events of any run and reads them back. Made by `open_journal`."""

    def __init__(self, store: Store, home: Path | None, sealer: LogSealer | None = None) -> None:
        self.store = store
        self._sealer = sealer
        self.home = home
        """The folder; None for a journal that is not kept."""
        self._privacy: Privacy | None = None
        self._subjects: dict[RunId, str] = {}
        """Run → pseudonym of the person whom it is for, or nothing."""

    @property
    def leases(self) -> LeaseStore:
        return self.store.leases

    @property
    def memory(self) -> MemoryStore:
        return self.store.memory

    async def append(
        self,
        run: RunId,
        events: Sequence[Event],
        *,
        expected: int,
        actor: str = "engine",
        epoch: int | None = None,
        person: str | None = None,
    ) -> list[Record]:
        """Records `events` after sequence `expected` of `run`, all or none; returns when they are durable.

        `epoch` is that of the caller's lease, where it holds one. `person`: who does this; stands in the records
        under a pseudonym, instead of `actor`. What is personal is sealed on its way (`privacy.personal`).

        Raises `LostRace`, `LeaseLost`, `StoreFull`, `StoreError` (also for a person who was erased),
        `IntegrityError`, and `UsageError` for an event that is too large.
        """
        now = time.time_ns() // 1_000_000
        stored: Sequence[Event] = events
        if self.home is None:
            actor = actor if person is None else person
        elif (
            person is not None
            or self._subjects.get(run) != ""
            or not IDENTIFIED.isdisjoint(map(type, events))  # names somebody
        ):
            stored, actor = await self._sealed(run, events, actor, person)
        data: Sequence[bytes]
        if len(stored) == 1:  # the usual case, and the one that many writers have at once
            event = events[0]
            data = (codec.encode(run, expected + 1, now, actor, stored[0]),)
            (at,) = await self.store.journal.append(run, data, expected=expected, epoch=epoch)
            return [Record(at.index, run, at.sequence, now, actor, event, at.data)]
        data = tuple(codec.encode(run, expected + 1 + i, now, actor, event) for i, event in enumerate(stored))
        placed = await self.store.journal.append(run, data, expected=expected, epoch=epoch)
        return [
            Record(at.index, run, at.sequence, now, actor, event, at.data)
            for at, event in zip(placed, events, strict=True)
        ]

    async def read(self, run: RunId, *, after: int = 0, limit: int | None = None) -> list[Record]:
        """The run's records after sequence `after`; empty for a run that is not known."""
        return await self._opened(await self.store.journal.read(run, after=after, limit=limit))

    async def follow(self, run: RunId, *, after: int = 0) -> AsyncIterator[Record]:
        """The run's records after sequence `after`, then new ones as they come, until the journal closes."""
        async for placed in self.store.journal.follow(run, after=after):
            yield (await self._opened([placed]))[0]

    async def scan(self, *, start: int = 0, limit: int = 1000) -> list[Record]:
        """Records of all runs in log order."""
        return await self._opened(await self.store.journal.scan(start=start, limit=limit))

    async def runs(self, *, system: bool = False) -> Sequence[RunRow]:
        """All runs, newest first; with `system` also those of the home itself, whose names start with `@`."""
        rows = await self.store.journal.runs()
        return rows if system else [row for row in rows if not row.run.startswith("@")]

    async def note(self, run: RunId, events: Sequence[Event], *, actor: str = "engine") -> list[Record]:
        """Appends at the end of `run`, wherever that is: for events that depend on nothing before them."""
        expected = 0
        while True:
            try:
                return await self.append(run, events, expected=expected, actor=actor)
            except LostRace as lost:
                expected = lost.found

    async def keep(self, value: bytes, *, subject: str = "") -> Json | Stored:
        """What an event should hold for this encoded JSON value: itself, or a reference to a blob. In a run for
        a person (`subject`) always itself, since the record will hold only a commitment to it."""
        raw = msgspec.Raw(value)
        if subject:
            return raw
        if len(value) <= INLINE_BYTES_MAX and codec.as_stored(raw) is None:
            return raw
        return Stored(await self.store.blobs.put(value), len(value))

    async def keep_bytes(self, data: bytes, *, subject: str = "") -> Stored:
        """Keeps bytes as a blob; in a run for a person in the vault, and the reference is a commitment."""
        if not subject:
            return Stored(await self.store.blobs.put(data), len(data))
        from forgewright.core.ids import Digest
        from forgewright.journal.privacy.sealing import token

        sealed = await (await self.privacy()).seal_bytes(data, subject)
        return Stored(Digest(token(sealed)), len(data))

    async def load_bytes(self, stored: Stored) -> bytes:
        """What `keep_bytes` kept. Raises `NotFound` (also after an erasure), `IntegrityError`."""
        from forgewright.journal.privacy.sealing import parse_token

        sealed = parse_token(stored.blob)
        if sealed is None:
            return await self.store.blobs.get(stored.blob)
        found = await (await self.privacy()).open_bytes(sealed)
        if found is None:
            raise NotFound(f"this was erased with the data of {sealed.subject}")
        return found

    async def privacy(self) -> Privacy:
        """What the home knows of persons, opened once. Raises `UsageError` for a journal that is not kept."""
        if self._privacy is not None:
            return self._privacy
        from forgewright.journal.privacy.privacy import open_privacy

        return await self._adopt(await open_privacy(self))

    async def _adopt(self, opened: Privacy) -> Privacy:
        if self._privacy is None:
            self._privacy = opened
        elif opened is not self._privacy:  # somebody else was opening it at the same time
            await opened.close()
        return self._privacy

    async def _sealed(
        self, run: RunId, events: Sequence[Event], actor: str, person: str | None
    ) -> tuple[Sequence[Event], str]:
        subject = self._subjects.get(run)
        if subject is None:
            subject = await self._subject_of(run, events)
        if not subject and person is None and IDENTIFIED.isdisjoint(map(type, events)):
            return events, actor
        from forgewright.journal.privacy.personal import ROLES

        privacy = await self.privacy()
        if person is not None:
            actor = person if person in ROLES else await privacy.subject(person)
        return await privacy.seal_events(events, subject), actor

    async def _subject_of(self, run: RunId, events: Sequence[Event]) -> str:
        """Pseudonym of the person whom the run is for, or nothing; a fork is for whom its parent was."""
        first = events[0] if events else None
        if not isinstance(first, RunStarted) and not run.startswith("@"):
            begun = await self.store.journal.read(run, limit=1)
            first = codec.decode(begun[0]).event if begun else None
        subject = first.subject if isinstance(first, RunStarted) else ""
        if first is not None:
            if len(self._subjects) >= SUBJECTS_MAX:
                self._subjects.clear()
            self._subjects[run] = subject
        return subject

    async def _opened(self, placed: Sequence[Placed]) -> list[Record]:
        records = [codec.decode(at) for at in placed]
        if self.home is None or not any(mark in at.data for at in placed for mark in MARKS):
            return records
        return await (await self.privacy()).open_records(records)

    async def load(self, value: Json | Stored) -> bytes:
        """The encoded JSON value that an event holds or refers to. Raises `IntegrityError`, `NotFound`."""
        stored = codec.as_stored(value)
        if stored is None:
            assert isinstance(value, msgspec.Raw)
            return bytes(value)
        data = await self.store.blobs.get(stored.blob)
        if len(data) != stored.size:
            raise IntegrityError(
                f"blob {stored.blob} has {len(data)} bytes, its record says {stored.size}", record=stored.blob
            )
        return data

    async def head(self) -> TreeHead:
        """The newest signed tree head. Raises `NotFound` for a journal that is not kept or has no records."""
        from forgewright.journal.log.checkpoint import CHECKPOINT, parse_head

        note = await self.store.journal.page(CHECKPOINT)
        if note is None:
            raise NotFound(
                "no tree head has been signed here", hint="only a durable journal with records has one"
            )
        return parse_head(note)

    async def rotate_key(self, *, actor: str = "operator") -> Record:
        """Gives the log a new signing key, which the old one vouches for. Raises `NotFound` for a journal that
        is not kept, `StoreFull`."""
        if self.home is None or self._sealer is None:
            raise NotFound("a journal that is not kept has no key")
        from forgewright.journal.events import KeyRotated
        from forgewright.journal.log.keys import RUN, hand_over

        ring, handover = hand_over(self.home, await self.store.journal.size())
        self._sealer.use(ring)
        event = KeyRotated(handover.old, handover.new, handover.statement)
        return (await self.note(RUN, [event], actor=actor))[0]

    async def revoke_key(self, key: str, reason: str, *, actor: str = "operator") -> Record:
        """Records that heads which an old key signs from now on are not to be believed."""
        from forgewright.journal.events import KeyRevoked
        from forgewright.journal.log.keys import RUN, trusted_keys

        if self.home is None:
            raise NotFound("a journal that is not kept has no key")
        present, *old = [str(item) for item in trusted_keys(self.home)]
        if key == present:
            raise Refused(
                "the key that signs now cannot be revoked",
                hint="rotate it first: forgewright audit keys rotate",
            )
        if key not in old:
            raise NotFound(
                f"{key} was never a key of this log", hint="`forgewright audit keys list` shows them"
            )
        event = KeyRevoked(key, reason, await self.store.journal.size())
        return (await self.note(RUN, [event], actor=actor))[0]

    async def close(self) -> None:
        """Idempotent; waits for what was acknowledged."""
        if self._privacy is not None:
            await self._privacy.close()
            self._privacy = None
        await self.store.close()


async def open_journal(home: Path | None) -> Journal:
    """The journal of the home `home`, made with its signing key if there is none.

    Without a home it lives in memory: nothing touches the disk and nothing is signed. Raises `StoreFull`,
    `StoreError`, `IntegrityError` (the log does not fit its head, or the key file is damaged).
    """
    from forgewright.store import open_store

    if home is None:
        return Journal(await open_store("memory:"), None)
    from forgewright.journal.log.sealer import LogSealer

    sealer = LogSealer(home)
    journal = Journal(await open_store(home, sealer=sealer), home, sealer)
    if (home / "vault.db").exists():
        try:
            await journal.privacy()  # an old backup, restored, repeats the erasures since before it serves
        except BaseException:
            await journal.close()
            raise
    return journal
