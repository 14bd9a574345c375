"""Attesting a run: statements about what it made, signed with the log's key, kept as blobs, named in the log."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.core.errors import NotFound, UsageError
from forgewright.core.ids import RunId
from forgewright.journal import events as ev
from forgewright.journal.attest.dsse import open_envelope, sign_envelope
from forgewright.journal.attest.statements import (
    PROVENANCE,
    TEST_RESULT,
    products,
    provenance,
    statement,
    test_result,
)
from forgewright.journal.log.keys import PRIVATE, read_signer, trusted_keys

if TYPE_CHECKING:
    from forgewright.journal.journal import Journal


async def attest(journal: Journal, run: RunId) -> list[ev.Record]:
    """Signs the provenance of what the run made, and the result of its last tests; returns their records.

    Raises `NotFound` (no such run), `UsageError` (it made nothing yet, or the journal is not kept)."""
    if journal.home is None:
        raise UsageError("a journal that is not kept has no key to sign with", hint="open a durable journal")
    records = await journal.read(run)
    if not records or not isinstance(records[0].event, ev.RunStarted):
        raise NotFound(f"no run {run}", hint="`forgewright runs` lists them")
    made = products(records, await _commits(journal, records))
    if not made.subjects:
        raise UsageError(f"run {run} has made nothing that could be attested")
    head = await journal.head()
    described = provenance(records[0], records[-1], made, origin=head.origin, size=head.size, root=head.root)
    statements: list[tuple[str, Any]] = [(PROVENANCE, described)]
    if made.tests:
        asked, answered = made.tests[-1]
        if records[0].event.subject:  # an envelope is a blob, and outlives the person
            asked = msgspec.structs.replace(asked, argv=())
        result: dict[str, Any] = msgspec.json.decode(await journal.load(answered.result))
        statements.append((TEST_RESULT, test_result(asked, int(result.get("code", 1)))))
    signer = await asyncio.to_thread(read_signer, journal.home / PRIVATE)
    events: list[ev.Event] = []
    for kind, predicate in statements:
        envelope = sign_envelope(signer, statement(made.subjects, kind, predicate))
        digest = await journal.store.blobs.put(envelope)
        events.append(ev.AttestationMade(kind, made.subjects, ev.Stored(digest, len(envelope))))
    return await journal.note(run, events)


async def attestations(journal: Journal, run: RunId) -> list[tuple[ev.AttestationMade, bytes, bytes]]:
    """The run's attestations: event, envelope, and the verified statement. Raises `IntegrityError`, `NotFound`."""
    if journal.home is None:
        raise UsageError("a journal that is not kept has no attestations")
    keys = await asyncio.to_thread(trusted_keys, journal.home)
    found = []
    for record in await journal.read(run):
        if isinstance(record.event, ev.AttestationMade):
            envelope = await journal.load(record.event.envelope)
            found.append((record.event, envelope, open_envelope(envelope, keys)))
    return found


async def _commits(journal: Journal, records: list[ev.Record]) -> dict[str, str]:
    """Effect → commit."""
    found: dict[str, str] = {}
    asked = {
        r.event.effect for r in records if isinstance(r.event, ev.GitAsked) and r.event.operation == "commit"
    }
    for record in records:
        if isinstance(record.event, ev.GitAnswered) and record.event.effect in asked:
            done: dict[str, Any] = msgspec.json.decode(await journal.load(record.event.result))
            if "sha" in done:
                found[record.event.effect] = str(done["sha"])
    return found
