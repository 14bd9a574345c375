"""Signed notes: a text with Ed25519 signatures by named keys below. C2SP signed-note.

text, ending in a newline
                                  (an empty line)
— NAME BASE64(4-byte key id || signature)
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from forgewright.core.errors import IntegrityError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ED25519 = 0x01
"""Signature type of a note's signature by the log itself (C2SP signed-note, "Signature types")."""

COSIGNATURE = 0x04
"""Signature type of a witness's timestamped cosignature (C2SP tlog-cosignature)."""

NOTE_BYTES_MAX = 1 << 16
SIGNATURES_MAX = 100


def canonical_base64(text: str) -> bytes:
    """Decodes standard base64 in its one canonical form; raises `ValueError` for any other."""
    data = b64decode(text, validate=True)
    if b64encode(data).decode() != text:
        raise ValueError("not in canonical form")
    return data


class Signature(msgspec.Struct, frozen=True):
    name: str
    key_id: bytes
    """Four bytes."""
    signature: bytes
    """What follows the key id: 64 bytes, or for a cosignature a timestamp of 8 and those 64."""


class Note(msgspec.Struct, frozen=True):
    text: str
    """With its last newline: the signed bytes are its UTF-8."""
    signatures: tuple[Signature, ...]


class VerifierKey(msgspec.Struct, frozen=True):
    """A public key by name: `NAME+KEYID+BASE64(type || public key)`."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """C2SP signed-note: SHA-256(name || newline || type || key)[:4]."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether this key made the Ed25519 signature over `data` (RFC 8032)."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, data)
        except InvalidSignature:
            return False
        return True

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(bytes([self.kind]) + self.public).decode()}"


def parse_verifier_key(text: str) -> VerifierKey:
    """Raises `IntegrityError` unless it is a well-formed Ed25519 verifier key whose id fits."""
    try:
        name, key_id, encoded = text.strip().split("+", 2)
        raw = canonical_base64(encoded)
        key = VerifierKey(name, raw[0], raw[1:])
        well = bool(name) and not name.split()[1:] and key.kind in (ED25519, COSIGNATURE)
        if not well or len(key.public) != 32 or key.key_id.hex() != key_id:
            raise ValueError
    except (ValueError, IndexError):
        raise IntegrityError(
            f"expected a verifier key NAME+KEYID+BASE64, found {text.strip()[:80]!r}",
            hint="take the line from the file keys/log.pub of the home that signed",
        ) from None
    return key


class Signer:
    """A private key with its name."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.key = VerifierKey(name, ED25519, private.public_key().public_bytes_raw())
        self._line = f"— {name} "
        self._id = self.key.key_id

    def sign_bytes(self, data: bytes) -> bytes:
        """The bare Ed25519 signature (RFC 8032); `data` must say what it is, so that it fits nowhere else."""
        return self._private.sign(data)

    def sign(self, text: str) -> bytes:
        """The note: `text` with this key's signature."""
        signature = self.sign_bytes(text.encode())
        return f"{text}\n{self._line}{b64encode(self._id + signature).decode()}\n".encode()


def parse_note(data: bytes) -> Note:
    """C2SP signed-note, "Format". Raises `IntegrityError`."""
    try:
        if len(data) > NOTE_BYTES_MAX:
            raise ValueError("too long")
        whole = data.decode()
        if any(ord(char) < 0x20 and char != "\n" for char in whole):
            raise ValueError("control characters")
        text, middle, below = whole.rpartition("\n\n")
        if not middle or not below.endswith("\n"):
            raise ValueError("no signatures")
        signatures = [_signature(line) for line in below[:-1].split("\n")]
        if len(signatures) > SIGNATURES_MAX:
            raise ValueError("too many signatures")
    except ValueError as error:
        raise IntegrityError(
            f"not a signed note: {error}", hint="the file was changed, or is another"
        ) from None
    return Note(text + "\n", tuple(signatures))


def _signature(line: str) -> Signature:
    dash, name, encoded = line.split(" ")
    raw = canonical_base64(encoded)
    if dash != "—" or not name or "+" in name or len(raw) < 5:
        raise ValueError("malformed signature line")
    return Signature(name, raw[:4], raw[4:])


def verify_note(note: Note, key: VerifierKey) -> None:
    """Raises `IntegrityError` unless `key` signed the note. Lines of other keys are passed over, as the
    specification asks."""
    for signature in note.signatures:
        if signature.name != key.name or signature.key_id != key.key_id:
            continue
        if not key.verifies(signature.signature, note.text.encode()):
            raise IntegrityError(
                f"the signature of {key.name} does not fit the note it stands under",
                hint="the note was changed, or not signed by this key",
            )
        return
    raise IntegrityError(
        f"the note is not signed by {key}",
        hint="check that the key is the one of the home that signed",
    )
