"""The newest head, written once more beside the database: a database that was exchanged for an older or an empty copy
does not continue it, and that is found at the next opening, without a witness.

It holds against mistakes (a backup of one file put back, a file lost), not against whoever can write both files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from forgewright.core.errors import ForgewrightError, IntegrityError
from forgewright.journal.log.checkpoint import TreeHead, parse_head
from forgewright.journal.log.notes import verify_note
from forgewright.journal.log.tiles import subtree_reader
from forgewright.journal.log.tree import range_hash

if TYPE_CHECKING:
    from forgewright.journal.log.notes import VerifierKey

FILE = "last-head"


def write_last(home: Path, note: bytes) -> None:
    """Replaces the file, without waiting for the disk: it may lag behind the log, and is never ahead of it."""
    scratch = home / f"{FILE}.{os.getpid()}"
    try:
        scratch.write_bytes(note)
        os.replace(scratch, home / FILE)
    except OSError:  # a full disk: the log itself says so, and an older head is one too
        scratch.unlink(missing_ok=True)


def read_last(home: Path, keys: Sequence[VerifierKey]) -> TreeHead | None:
    """None where there is none, or none that a key of this log signed."""
    try:
        head = parse_head((home / FILE).read_bytes())
    except (OSError, IntegrityError):
        return None
    for key in keys:
        try:
            verify_note(head.note, key)
        except ForgewrightError:
            continue
        return head
    return None


def check_continues(last: TreeHead | None, size: int, tile: Callable[[int, int], bytes], home: Path) -> None:
    """Raises `IntegrityError` unless a log of `size` records, read by `tile(level, number)`, continues `last`."""
    if last is None:
        return
    hint = (
        f"put the whole home back as it was; if the older copy is what you want, remove {home / FILE}, "
        "and what came after it is lost"
    )
    if last.size > size:
        raise IntegrityError(
            f"the log has {size} records, and a head over {last.size} of them was signed here before: the "
            "database was exchanged for an older copy, or cut off",
            record=f"record {size}…{last.size - 1}",
            hint=hint,
        )
    if range_hash(0, last.size, subtree_reader(tile)) != last.root:
        raise IntegrityError(
            f"the first {last.size} records of the log are not those over which a head was signed here before: "
            "the database was exchanged for another",
            record=f"record 0…{last.size - 1}",
            hint=hint,
        )
