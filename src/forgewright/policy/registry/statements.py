"""What a person signs. A statement names its registry, so that it counts in no other, and its signer.

The signature is Ed25519 over a fixed line and the statement's bytes; those bytes are kept and hashed as they
are, and their digest is the statement's name.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import msgspec

from forgewright.core.errors import IntegrityError, UsageError
from forgewright.core.ids import Digest, digest

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Subject = Literal["policy", "rules", "agent", "tool", "model", "image", "dependency"]
State = Literal["proposed", "reviewed", "approved", "in force", "rejected", "expired", "superseded"]
"""Of a proposal. What is in force can later be `suspended` or `retired`."""

STATEMENT_BYTES_MAX = 32 << 10
_CONTEXT = b"forgewright registry statement v1\n"


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who may review and approve. Agents are never among them: an agent holds no key."""

    key: str
    """Ed25519 public key, base64 of 32 bytes."""
    roles: tuple[str, ...] = ("owner",)


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who decides, and how many of them."""

    people: Mapping[str, Person]
    quorum: int = 2
    """Approvals that a change needs, its author's not counted."""
    valid_seconds: int = 14 * 24 * 3600
    """A proposal that is not in force after this has expired, and its approvals with it."""


class Statement(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """Base of all statements."""

    registry: str
    """Digest of the statement that established the registry; in that one a random number."""
    by: str
    time: int
    """Milliseconds since 1970, by the signer's clock; what counts is the journal's."""


class Established(Statement, frozen=True, tag="established"):
    """The first statement: the rules, signed by one of their people."""

    rules: Rules


class Proposed(Statement, frozen=True, tag="proposed"):
    subject: Subject
    name: str
    content: Digest
    """Of the bytes that are proposed."""
    number: int
    """Of the version: one more than the one in force."""
    parent: str
    """Digest of the proposal in force; empty for the first."""
    note: str = ""
    rules: Rules | None = None
    """The proposed rules, where the subject is `rules`; `content` is their digest."""


class Reviewed(Statement, frozen=True, tag="reviewed"):
    proposal: str
    verdict: Literal["fine", "reject"]
    comment: str = ""


class Approved(Statement, frozen=True, tag="approved"):
    proposal: str
    content: Digest
    """Named again: what is signed is what was looked at."""


class Enacted(Statement, frozen=True, tag="enacted"):
    proposal: str


class Stopped(Statement, frozen=True, tag="stopped"):
    """Suspends or retires what is in force. One person is enough to stop a thing, never to start it."""

    subject: Subject
    name: str
    proposal: str
    state: Literal["suspended", "retired"]
    reason: str = ""


AnyStatement = Established | Proposed | Reviewed | Approved | Enacted | Stopped


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    statement: msgspec.Raw
    signature: str
    """Base64 of 64 bytes."""

    @property
    def digest(self) -> Digest:
        """The statement's name."""
        return digest(bytes(self.statement))


def sign(statement: Statement, key: Ed25519PrivateKey) -> Signed:
    """The statement with its signature."""
    data = msgspec.json.encode(statement)
    return Signed(msgspec.Raw(data), b64encode(key.sign(_CONTEXT + data)).decode())


def read(signed: Signed) -> AnyStatement:
    """The statement, not yet verified. Raises `IntegrityError`."""
    data = bytes(signed.statement)
    if len(data) > STATEMENT_BYTES_MAX:
        raise IntegrityError(
            f"expected a statement of at most {STATEMENT_BYTES_MAX:,} bytes; found {len(data):,}"
        )
    try:
        statement: AnyStatement = msgspec.json.decode(data, type=AnyStatement)
    except msgspec.DecodeError as error:
        raise IntegrityError(
            f"expected a statement of the registry: {error}", record=signed.digest
        ) from error
    if (
        msgspec.json.encode(statement) != data
    ):  # one meaning, one form: a second encoding is no second statement
        raise IntegrityError("expected a statement in its one encoding; found another", record=signed.digest)
    return statement


def verify(signed: Signed, person: Person) -> None:
    """Raises `IntegrityError` if the person's key did not sign the statement."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        signature = b64decode(signed.signature, validate=True)
        key = Ed25519PublicKey.from_public_bytes(b64decode(person.key, validate=True))
        key.verify(signature, _CONTEXT + bytes(signed.statement))
    except (InvalidSignature, ValueError) as error:
        raise IntegrityError("the signature is not that of the signer's key", record=signed.digest) from error


def check_rules(rules: Rules) -> None:
    """Raises `UsageError` for rules by which one person could decide alone, or nobody could."""
    if rules.quorum < 1:
        raise UsageError(f"expected a quorum of at least 1 beside the author; found {rules.quorum}")
    if len(rules.people) < rules.quorum + 1:
        raise UsageError(
            f"a quorum of {rules.quorum} beside the author needs {rules.quorum + 1} people; "
            f"found {len(rules.people)}"
        )
    if rules.valid_seconds < 60:
        raise UsageError(
            f"expected proposals to be valid for 60 seconds or more; found {rules.valid_seconds}"
        )
    keys: dict[bytes, str] = {}
    for name, person in rules.people.items():
        try:
            raw = b64decode(person.key, validate=True)
        except ValueError:
            raw = b""
        if len(raw) != 32 or not name:
            raise UsageError(f"expected the public key of {name or 'a person'} as base64 of 32 bytes")
        if raw in keys:
            raise UsageError(f"expected a key of their own for {name}; it is also the key of {keys[raw]}")
        keys[raw] = name
