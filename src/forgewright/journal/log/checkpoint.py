"""Tree heads: origin, size and root of the log, as a signed note. C2SP tlog-checkpoint."""

from __future__ import annotations

from base64 import b64encode

import msgspec

from forgewright.core.errors import IntegrityError
from forgewright.journal.log.notes import Note, Signer, canonical_base64, parse_note
from forgewright.journal.log.tree import HASH_BYTES

CHECKPOINT = "checkpoint"
"""Page of the newest tree head."""


class TreeHead(msgspec.Struct, frozen=True):
    origin: str
    """Name of the log."""
    size: int
    """Number of records."""
    root: bytes
    """RFC 9162 tree hash over them."""
    note: Note
    """The signed note it was read from."""
    data: bytes
    """The note's bytes."""


def sign_head(signer: Signer, size: int, root: bytes) -> bytes:
    """The tree head as a signed note; its origin is the key's name."""
    return signer.sign(f"{signer.key.name}\n{size}\n{b64encode(root).decode()}\n")


def parse_head(data: bytes) -> TreeHead:
    """Reads a tree head without verifying it. Raises `IntegrityError`."""
    note = parse_note(data)
    lines = note.text.split("\n")
    try:
        origin, size, encoded = lines[:3]
        root = canonical_base64(encoded)
        if not origin or str(int(size)) != size or int(size) < 0 or len(root) != HASH_BYTES:
            raise ValueError
        if lines[3:] != [""]:
            raise ValueError
    except ValueError:
        raise IntegrityError("not a tree head", hint="the note was changed, or is another") from None
    return TreeHead(origin, int(size), root, note, data)
