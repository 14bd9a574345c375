"""What a home knows of persons: sealing values on their way into records, consent, holds, export, erasure."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.core.errors import NotFound, Refused, UsageError
from forgewright.core.ids import Digest, RunId
from forgewright.journal.events import (
    ConsentGiven,
    ConsentWithdrawn,
    Event,
    HoldPlaced,
    HoldReleased,
    SubjectErased,
)
from forgewright.journal.log.keys import PRIVATE, read_signer, trusted_keys
from forgewright.journal.privacy import ledger
from forgewright.journal.privacy.vault import Held, SealedValue, Subject, Vault

if TYPE_CHECKING:
    from forgewright.journal.events import Record
    from forgewright.journal.journal import Journal

RUN = RunId("@privacy")
CONTENT_PATH = "(content)"
"""Path of bytes that are no JSON."""
SEALED_FIELDS = {"sealed", "subject"}
BASES = (
    "consent",
    "contract",
    "legal-obligation",
    "vital-interests",
    "public-task",
    "legitimate-interests",
)


class Privacy:
    """Made by `open_privacy`. One per process and home."""

    def __init__(self, journal: Journal, vault: Vault) -> None:
        self._journal = journal
        self._vault = vault
        assert journal.home is not None
        self._home = journal.home
        self._seen = 0
        self._consents: dict[str, dict[str, ConsentGiven]] = {}
        """Pseudonym → purpose → consent, as far as the records were seen."""

    async def close(self) -> None:
        await asyncio.to_thread(self._vault.close)

    # ── values ───────────────────────────────────────────────────────────────────────────────────────

    async def subject(self, name: str) -> str:
        """The pseudonym under which the person `name` stands in records."""
        return await asyncio.to_thread(self._vault.subject, name)

    async def protect(self, value: bytes, subject: str, paths: Sequence[str]) -> bytes:
        """The JSON `value` with what stands at `paths` (`user.email`, `items.0.name`; `` for all of it) sealed
        for `subject`. Raises `UsageError` for a path that is not there."""

        def work() -> bytes:
            tree = msgspec.json.decode(value)
            for path in paths:
                tree = _replace(tree, path.split(".") if path else [], path, self._seal(subject))
            return msgspec.json.encode(tree)

        return await asyncio.to_thread(work)

    async def reveal(self, value: bytes) -> bytes:
        """The JSON `value` with every sealed value put back; an erased one is `{"erased": PSEUDONYM}`."""

        def work() -> bytes:
            return msgspec.json.encode(self._reveal(msgspec.json.decode(value)))

        return await asyncio.to_thread(work)

    def _seal(self, subject: str) -> Any:
        def seal(value: Any, path: str) -> Any:
            return msgspec.to_builtins(self._vault.seal(subject, path, msgspec.json.encode(value)))

        return seal

    def _reveal(self, tree: Any) -> Any:
        if isinstance(tree, dict):
            if tree.keys() == SEALED_FIELDS:
                found = self._vault.open(msgspec.convert(tree, SealedValue).sealed)
                return {"erased": tree["subject"]} if found is None else msgspec.json.decode(found)
            return {name: self._reveal(item) for name, item in tree.items()}
        if isinstance(tree, list):
            return [self._reveal(item) for item in tree]
        return tree

    async def seal_events(self, events: Sequence[Event], subject: str) -> list[Event]:
        """The events as they are stored (`sealing`). `subject`: the pseudonym of whom the run is for, or nothing."""
        from forgewright.journal.privacy.sealing import seal_events

        return await asyncio.to_thread(seal_events, self._vault, events, subject)

    async def open_records(self, records: Sequence[Record]) -> list[Record]:
        """The records with their events as they were before they were sealed."""
        from forgewright.journal.privacy.sealing import open_record

        return await asyncio.to_thread(lambda: [open_record(self._vault, record) for record in records])

    async def seal_bytes(self, data: bytes, subject: str) -> SealedValue:
        return await asyncio.to_thread(self._vault.seal, subject, CONTENT_PATH, data)

    async def open_bytes(self, sealed: SealedValue) -> bytes | None:
        """None after an erasure."""
        return await asyncio.to_thread(self._vault.open, sealed.sealed)

    # ── persons ──────────────────────────────────────────────────────────────────────────────────────

    async def subjects(self) -> list[Subject]:
        return await asyncio.to_thread(self._vault.subjects)

    async def find(self, name: str) -> str:
        """The pseudonym of a person that is known. Raises `NotFound`."""
        found = await asyncio.to_thread(self._vault.find, name)
        if found is None:
            raise NotFound(
                f"nobody called {name} is known here", hint="`forgewright privacy subjects` lists them"
            )
        return found

    async def export(self, name: str) -> bytes:
        """All that is kept of a person, as JSON: values, where they stand, consents and holds."""
        subject = await self.find(name)
        held = await asyncio.to_thread(self._vault.held, subject)
        places = await self._places(subject)
        events = [
            record for record in await self._events() if getattr(record.event, "subject", "") == subject
        ]
        return msgspec.json.encode(
            {
                "subject": subject,
                "values": [
                    {
                        "path": item.path,
                        "value": _shown(item),
                        "commitment": item.commitment,
                        "records": places.get(item.commitment, []),
                    }
                    for item in held
                ],
                "memory": {
                    key: (await self._journal.memory.get(_memory(subject), key) or b"").decode(
                        errors="replace"
                    )
                    for key in await self._journal.memory.keys(_memory(subject))
                },
                "events": [msgspec.Raw(record.data) for record in events],
            }
        )

    async def erase(self, name: str, *, reason: str, actor: str = "operator") -> Record:
        """Destroys the person's key, values and memory, and returns the certificate's record.

        Raises `NotFound`, `Refused` (a hold), `StoreError` (another process keeps old pages alive).
        """
        subject = await self.find(name)
        held = await self.hold(subject)
        if held is not None:
            raise Refused(
                f"{subject} is under a hold since record {held.index}: {held.event.reason}",  # type: ignore[attr-defined]  # HoldPlaced
                hint="whoever placed the hold has to release it first",
            )
        now = time.time_ns() // 1_000_000
        signer = read_signer(self._home / PRIVATE)
        await asyncio.to_thread(ledger.add, signer, subject, now)
        return await self._destroy(subject, reason, actor, replayed=False)

    async def runs_for(self, subject: str) -> list[RunId]:
        """The runs that were started for a person, given by pseudonym."""
        found = []
        for row in await self._journal.runs():
            first = (await self._journal.store.journal.read(row.run, limit=1))[0]
            if f'"subject":"{subject}"'.encode() in first.data:
                found.append(row.run)
        return found

    async def replay(self) -> int:
        """Repeats the erasures of the list on what an old backup brought back; how many that were."""
        done = 0
        for subject in dict.fromkeys(await asyncio.to_thread(ledger.read, trusted_keys(self._home))):
            if await asyncio.to_thread(self._vault.find, subject) is not None:
                await self._destroy(subject, "restored backup", "engine", replayed=True)
                done += 1
        return done

    async def _destroy(self, subject: str, reason: str, actor: str, *, replayed: bool) -> Record:
        commitments = await asyncio.to_thread(self._vault.commitments, subject)
        await asyncio.to_thread(self._vault.erase, subject)
        for key in await self._journal.memory.keys(_memory(subject)):
            await self._journal.memory.delete(_memory(subject), key)
        for run in await self.runs_for(subject):
            await asyncio.to_thread(shutil.rmtree, self._home / "runs" / run, ignore_errors=True)
        await self._journal.store.purge()
        certificate = SubjectErased(
            subject=subject,
            values=len(commitments),
            commitments=Digest(
                "sha256:" + sha256("".join(f"{c}\n" for c in commitments).encode()).hexdigest()
            ),
            reason=reason,
            replayed=replayed,
        )
        return (await self._journal.note(RUN, [certificate], actor=actor))[0]

    # ── consent and holds ────────────────────────────────────────────────────────────────────────────

    async def consent(
        self,
        name: str,
        purpose: str,
        *,
        basis: str = "consent",
        version: str = "",
        expires: int | None = None,
        actor: str = "operator",
    ) -> Record:
        """Records that the person's data may be used for `purpose`. `expires` in milliseconds since 1970."""
        if basis not in BASES:
            raise UsageError(f"{basis!r} is no basis of GDPR Art. 6(1)", hint=f"one of: {', '.join(BASES)}")
        event = ConsentGiven(await self.subject(name), purpose, basis, version, expires)
        return (await self._journal.note(RUN, [event], actor=actor))[0]

    async def withdraw(self, name: str, purpose: str, *, actor: str = "operator") -> Record:
        event = ConsentWithdrawn(await self.find(name), purpose)
        return (await self._journal.note(RUN, [event], actor=actor))[0]

    async def consented(self, subject: str, purpose: str) -> ConsentGiven | None:
        """The consent in force now, for the gate to ask; None where there is none, or not any more."""
        return (await self.consents(subject)).get(purpose)

    async def consents(self, subject: str) -> dict[str, ConsentGiven]:
        """Purpose → the consent in force now."""
        for record in await self._journal.read(RUN, after=self._seen):
            self._seen = max(self._seen, record.sequence)
            event = record.event
            if isinstance(event, SubjectErased):
                self._consents.pop(event.subject, None)
            elif isinstance(event, ConsentGiven):
                self._consents.setdefault(event.subject, {})[event.purpose] = event
            elif isinstance(event, ConsentWithdrawn):
                self._consents.get(event.subject, {}).pop(event.purpose, None)
        now = time.time_ns() // 1_000_000
        given = self._consents.get(subject, {})
        return {purpose: e for purpose, e in given.items() if e.expires is None or e.expires > now}

    async def place_hold(self, name: str, reason: str, *, actor: str = "operator") -> Record:
        return await self._note(HoldPlaced(await self.find(name), reason), actor)

    async def release_hold(self, name: str, reason: str, *, actor: str = "operator") -> Record:
        return await self._note(HoldReleased(await self.find(name), reason), actor)

    async def hold(self, subject: str) -> Record | None:
        """The record of the hold in force, if there is one."""
        found = None
        for record in await self._events():
            if isinstance(record.event, HoldPlaced) and record.event.subject == subject:
                found = record
            elif isinstance(record.event, HoldReleased) and record.event.subject == subject:
                found = None
        return found

    async def _note(self, event: Event, actor: str) -> Record:
        return (await self._journal.note(RUN, [event], actor=actor))[0]

    async def _events(self) -> list[Record]:
        return await self._journal.read(RUN)

    async def _places(self, subject: str) -> dict[str, list[str]]:
        """Commitment → the records that it stands in, over the whole log."""
        import re

        wanted = re.compile(rb'sealed(?:":"|:)(sha256:[0-9a-f]{64})(?:","subject":"|:)' + subject.encode())
        found: dict[str, list[str]] = {}
        start = 0
        while page := await self._journal.store.journal.scan(start=start):
            for placed in page:
                for match in wanted.finditer(placed.data):
                    found.setdefault(match[1].decode(), []).append(f"{placed.run}:{placed.sequence}")
            start = page[-1].index + 1
        return found


async def open_privacy(journal: Journal) -> Privacy:
    """The privacy side of a journal that is kept; replays erasures before it serves anything.

    Raises `UsageError` for a journal that is not kept, `StoreError`, `IntegrityError`.
    """
    if journal.home is None:
        raise UsageError("a journal that is not kept has no vault", hint="open a durable journal")
    home: Path = journal.home
    privacy = Privacy(journal, await asyncio.to_thread(Vault, home))
    await privacy.replay()
    return privacy


def _memory(subject: str) -> str:
    """Namespace of long-term memory about a person, which goes with that person."""
    return f"subject/{subject}"


def _shown(item: Held) -> msgspec.Raw:
    """A value as JSON: as it is, or, of an artifact's bytes, as text or base64."""
    if item.path != CONTENT_PATH:
        return msgspec.Raw(item.value)
    try:
        return msgspec.Raw(msgspec.json.encode(item.value.decode()))
    except UnicodeDecodeError:
        return msgspec.Raw(msgspec.json.encode({"base64": item.value}))


def _replace(tree: Any, steps: list[str], path: str, seal: Any) -> Any:
    if not steps:
        return seal(tree, path)
    step, *rest = steps
    if isinstance(tree, dict) and step in tree:
        return {**tree, step: _replace(tree[step], rest, path, seal)}
    if isinstance(tree, list) and step.isdigit() and int(step) < len(tree):
        at = int(step)
        return [*tree[:at], _replace(tree[at], rest, path, seal), *tree[at + 1 :]]
    raise UsageError(
        f"there is nothing at {path!r} to protect", hint="paths are names and indices joined by dots"
    )
