"""DSSE envelopes: a payload with its type, signed by the log's key. Dead Simple Signing Envelope v1.0.2."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import msgspec

from forgewright.core.errors import IntegrityError
from forgewright.journal.log.notes import VerifierKey, canonical_base64

if TYPE_CHECKING:
    from forgewright.journal.log.notes import Signer

IN_TOTO = "application/vnd.in-toto+json"


class _Signature(msgspec.Struct, frozen=True):
    sig: str
    keyid: str = ""


class _Envelope(msgspec.Struct, frozen=True, rename={"payload_type": "payloadType"}):
    payload: str
    payload_type: str
    signatures: tuple[_Signature, ...]


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE, "Signature Definition": the pre-authentication encoding that is signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def key_id(key: VerifierKey) -> str:
    """A hint only (DSSE): name and id of the log's key."""
    return f"{key.name}+{key.key_id.hex()}"


def sign_envelope(signer: Signer, payload: bytes, payload_type: str = IN_TOTO) -> bytes:
    """The envelope as JSON."""
    signature = b64encode(signer.sign_bytes(pae(payload_type, payload))).decode()
    return msgspec.json.encode(
        _Envelope(b64encode(payload).decode(), payload_type, (_Signature(signature, key_id(signer.key)),))
    )


def open_envelope(data: bytes, keys: list[VerifierKey], payload_type: str = IN_TOTO) -> bytes:
    """The payload, when one of `keys` signed it. Raises `IntegrityError`."""
    try:
        envelope = msgspec.json.decode(data, type=_Envelope)
        payload = canonical_base64(envelope.payload)
        signatures = [canonical_base64(signature.sig) for signature in envelope.signatures]
    except (msgspec.MsgspecError, ValueError):
        raise IntegrityError("not a DSSE envelope", hint="the file was changed, or is another") from None
    if envelope.payload_type != payload_type:
        raise IntegrityError(f"the envelope holds {envelope.payload_type!r}, expected {payload_type!r}")
    message = pae(payload_type, payload)
    if not any(key.verifies(signature, message) for key in keys for signature in signatures):
        raise IntegrityError("the envelope is not signed by a key of this log")
    return payload
