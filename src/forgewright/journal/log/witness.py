"""Witnesses: somebody in another trust domain who cosigns heads, and refuses one that does not continue the last.

Whoever holds the log's key could otherwise rewrite the past for those who did not look before. The protocol is
C2SP tlog-witness (`add-checkpoint`), the signature C2SP tlog-cosignature (Ed25519).
"""

from __future__ import annotations

import os
import time
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from forgewright.core.errors import Conflict, IntegrityError, NotFound, Refused, UsageError
from forgewright.journal.log.checkpoint import TreeHead, parse_head
from forgewright.journal.log.notes import (
    COSIGNATURE,
    Note,
    Signature,
    VerifierKey,
    canonical_base64,
    parse_note,
    verify_note,
)
from forgewright.journal.log.tree import HASH_BYTES, verify_consistency
from forgewright.store.drivers.sqlite.errors import translate

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PROOF_LINES_MAX = 63
REQUEST_BYTES_MAX = 1 << 17


class Request(msgspec.Struct, frozen=True):
    """The body of `add-checkpoint`."""

    old: int
    proof: tuple[bytes, ...]
    head: TreeHead

    def encode(self) -> bytes:
        lines = [f"old {self.old}", *(b64encode(h).decode() for h in self.proof), "", ""]
        return "\n".join(lines).encode() + self.head.data


def parse_request(body: bytes) -> Request:
    """Raises `IntegrityError` for a body that is not of the specified form."""
    try:
        if len(body) > REQUEST_BYTES_MAX:
            raise ValueError
        above, _, note = body.partition(b"\n\n")
        first, *lines = above.decode().split("\n")
        size = first.removeprefix("old ")
        if f"old {int(size)}" != first or int(size) < 0 or len(lines) > PROOF_LINES_MAX:
            raise ValueError
        proof = tuple(canonical_base64(line) for line in lines)
        if any(len(item) != HASH_BYTES for item in proof):
            raise ValueError
    except ValueError:
        raise IntegrityError("not a request to add a checkpoint", hint="see C2SP tlog-witness") from None
    return Request(int(size), proof, parse_head(note))


class StaleSize(Conflict):
    """The witness has cosigned another size than the request starts from."""

    code = "stale_size"

    def __init__(self, size: int) -> None:
        super().__init__(
            f"the witness has cosigned a tree of {size} records", hint="prove consistency from that size"
        )
        self.size = size


class Witness:
    """Cosigns heads of the logs it knows. Its state is a file per log, written before it answers.

    One process per folder; requests one after the other.
    """

    def __init__(self, folder: Path, name: str, private: Ed25519PrivateKey, logs: list[VerifierKey]) -> None:
        self._folder = folder
        self._private = private
        self._logs = logs
        self.key = VerifierKey(name, COSIGNATURE, private.public_key().public_bytes_raw())

    def add_checkpoint(self, request: Request) -> bytes:
        """The cosignature line, after every check of the specification.

        Raises `NotFound` (404, unknown log), `Refused` (403, not signed by the log), `UsageError` (400),
        `StaleSize` (409), `IntegrityError` (422: the head does not continue the last one).
        """
        head = request.head
        keys = [key for key in self._logs if key.name == head.origin]
        if not keys:
            raise NotFound(f"this witness does not know the log {head.origin}")
        if not any(_signed(head.note, key) for key in keys):
            raise Refused(f"the head is not signed by a key of {head.origin}")
        if request.old > head.size:
            raise UsageError(f"the old size {request.old} is larger than the new one, {head.size}")
        last = self._last(head.origin)
        size, root = (0, b"") if last is None else (last.size, last.root)
        if request.old != size:
            raise StaleSize(size)
        if size == head.size and last is not None and root != head.root:
            raise StaleSize(size)  # the specification's answer to a fork at the same size
        if size and not verify_consistency(size, head.size, request.proof, root, head.root):
            raise IntegrityError(
                f"the tree of {head.size} records does not continue the one of {size} that was cosigned",
                record=head.origin,
                hint="the log was forked or rolled back; keep both heads as evidence",
            )
        if not size and request.proof:
            raise IntegrityError("a proof from an empty tree must be empty", record=head.origin)
        self._keep(head)
        return cosign(self.key, self._private, head, int(time.time()))

    def _path(self, origin: str) -> Path:
        from hashlib import sha256

        return self._folder / f"{sha256(origin.encode()).hexdigest()}.head"

    def _last(self, origin: str) -> TreeHead | None:
        path = self._path(origin)
        return parse_head(path.read_bytes()) if path.exists() else None

    def _keep(self, head: TreeHead) -> None:
        path = self._path(head.origin)
        scratch = path.with_suffix(f".{os.urandom(4).hex()}")
        try:
            with open(scratch, "xb") as file:
                file.write(head.data)
                file.flush()
                os.fsync(file.fileno())
            os.rename(scratch, path)
            handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise translate(error, path) from error


def open_witness(folder: Path, name: str, logs: list[VerifierKey]) -> Witness:
    """The witness whose key and memory lie in `folder`; both made at first use. Raises `StoreFull`, `StoreError`,
    `IntegrityError` (the key file is damaged)."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = folder / "witness.key"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            try:
                os.write(handle, Ed25519PrivateKey.generate().private_bytes_raw())
                os.fsync(handle)
            finally:
                os.close(handle)
        private = Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    except OSError as error:
        raise translate(error, path) from error
    except ValueError:
        raise IntegrityError(f"{path} is no key of 32 bytes", hint="restore it from a backup") from None
    return Witness(folder, name, private, logs)


def cosign(key: VerifierKey, private: Ed25519PrivateKey, head: TreeHead, seconds: int) -> bytes:
    """C2SP tlog-cosignature, "Ed25519 signed message": the signature line, with its newline."""
    signature = private.sign(_message(head.note, seconds))
    raw = key.key_id + seconds.to_bytes(8) + signature
    return f"— {key.name} {b64encode(raw).decode()}\n".encode()


def verify_cosignature(note: Note, key: VerifierKey) -> int:
    """When the witness cosigned the head in `note` (seconds since 1970). Raises `IntegrityError` if it did not."""
    for signature in note.signatures:
        if (signature.name, signature.key_id) != (key.name, key.key_id) or len(signature.signature) != 72:
            continue
        seconds = int.from_bytes(signature.signature[:8])
        if key.verifies(signature.signature[8:], _message(note, seconds)):
            return seconds
        raise IntegrityError(f"the cosignature of {key.name} does not fit the head it stands under")
    raise IntegrityError(f"the head is not cosigned by {key}", hint="ask that witness for its cosignature")


def with_cosignatures(head: TreeHead, lines: bytes, witnesses: list[VerifierKey]) -> TreeHead:
    """The head with those of the answered signature lines that a known witness made; others are dropped.

    Raises `IntegrityError` for a known witness's line that does not verify, or where none is left."""
    answered = parse_note(head.data + lines)
    known = {(key.name, key.key_id): key for key in witnesses}
    data = head.data
    for signature in answered.signatures[len(head.note.signatures) :]:
        key = known.get((signature.name, signature.key_id))
        if key is not None:
            verify_cosignature(Note(answered.text, (signature,)), key)
            data += _line(signature)
    if data == head.data:
        raise IntegrityError("the witness answered with no cosignature of a key that is known")
    return parse_head(data)


def _signed(note: Note, key: VerifierKey) -> bool:
    try:
        verify_note(note, key)
    except IntegrityError:
        return False
    return True


def _line(signature: Signature) -> bytes:
    return f"— {signature.name} {b64encode(signature.key_id + signature.signature).decode()}\n".encode()


def _message(note: Note, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{note.text}".encode()
