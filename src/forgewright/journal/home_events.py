"""Events of a home, not of a run: its keys, witnesses, persons and registries (runs whose names start with `@`)."""

from __future__ import annotations

from forgewright.core.ids import Digest
from forgewright.journal.event import Event, Json


class KeyRotated(Event, frozen=True, tag="key.rotated"):
    """From the head over this record on, another key signs."""

    old: str
    """Verifier key that signed before."""
    new: str
    statement: str
    """The signed note by which the old key hands over to the new one."""


class KeyRevoked(Event, frozen=True, tag="key.revoked"):
    key: str
    reason: str
    size: int
    """Heads over more records than these that the key signed are not to be believed."""


class HeadWitnessed(Event, frozen=True, tag="head.witnessed"):
    """A witness cosigned a head of this log."""

    witness: str
    size: int
    cosignature: str
    """The signature line."""


class ConsentGiven(Event, frozen=True, tag="consent.given"):
    subject: str
    """Pseudonym of the person."""
    purpose: str
    basis: str
    """`consent`, `contract`, `legal-obligation`, `vital-interests`, `public-task`, `legitimate-interests`
    (GDPR Art. 6(1))."""
    version: str = ""
    """Of the text that was agreed to."""
    expires: int | None = None
    """Milliseconds since 1970."""


class ConsentWithdrawn(Event, frozen=True, tag="consent.withdrawn"):
    subject: str
    purpose: str


class HoldPlaced(Event, frozen=True, tag="hold.placed"):
    """The subject's data must be kept (litigation): erasure is refused until it is released."""

    subject: str
    reason: str


class HoldReleased(Event, frozen=True, tag="hold.released"):
    subject: str
    reason: str


class SubjectErased(Event, frozen=True, tag="subject.erased"):
    """The certificate of an erasure: the subject's key and values are destroyed."""

    subject: str
    values: int
    """How many were destroyed."""
    commitments: Digest
    """SHA-256 over the commitments of those values, sorted, one per line."""
    reason: str
    replayed: bool = False
    """The erasure was done before, and was repeated on a restored backup."""


class StatementSigned(Event, frozen=True, tag="registry.statement"):
    """A person's signed statement about the home's registries: a proposal, a review, an approval …"""

    statement: Json
    """The exact bytes that are signed."""
    signature: str


class MemoryChanged(Event, frozen=True, tag="memory.changed"):
    """Something was written to the long-term memory, or is gone from it. What it says stands in the memory alone, so
    that it can be forgotten."""

    what: str
    """`written`, `edited`, `forgotten` or `expired`."""
    namespace: str
    id: str
    trust: str = ""
    """How far it is believed: `person`, `agent` or `untrusted`."""
    run: str = ""
    """The run that wrote it …"""
    effect: str = ""
    """… and the call in it."""
