"""The list of erasures, kept outside the home: a backup of the home from before an erasure, once restored,
would bring the erased person back. Opening the vault replays this list first.

One line per erasure, signed with the log's key, so that nobody else can have somebody erased by writing here.
The lines name pseudonyms only.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from forgewright.core.errors import IntegrityError
from forgewright.store.drivers.sqlite.errors import translate

if TYPE_CHECKING:
    from forgewright.journal.log.notes import Signer, VerifierKey

ENVIRONMENT = "FORGEWRIGHT_ERASURES"
"""Names the folder of the lists, where the default does not suit (another machine's disk is best)."""


class Line(msgspec.Struct, frozen=True):
    subject: str
    time: int
    """Milliseconds since 1970."""
    signature: str


def folder() -> Path:
    """`$FORGEWRIGHT_ERASURES`, or the user's state folder (XDG Base Directory Specification)."""
    given = os.environ.get(ENVIRONMENT)
    if given:
        return Path(given)
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local/state")
    return Path(state) / "forgewright/erasures"


def add(signer: Signer, subject: str, time: int) -> Path:
    """Writes an erasure down, durably. Raises `StoreFull`, `StoreError`."""
    path = folder() / f"{signer.key.name}.jsonl"
    signature = signer.sign_bytes(_text(signer.key.name, subject, time))
    line = msgspec.json.encode(Line(subject, time, b64encode(signature).decode())) + b"\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        try:
            os.write(handle, line)
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise translate(error, path) from error
    return path


def read(keys: list[VerifierKey]) -> list[str]:
    """The pseudonyms erased so far, by any of these keys of the log. Raises `IntegrityError` on a forged line."""
    name = keys[0].name
    path = folder() / f"{name}.jsonl"
    if not path.exists():
        return []
    subjects = []
    for number, raw in enumerate(path.read_bytes().splitlines(), 1):
        try:
            line = msgspec.json.decode(raw, type=Line)
        except msgspec.MsgspecError:
            continue  # torn by a crash before its erasure began
        text = _text(name, line.subject, line.time)
        if not any(key.verifies(b64decode(line.signature), text) for key in keys):
            raise IntegrityError(
                f"line {number} of {path} is not signed by this log",
                record=f"{path}:{number}",
                hint="remove the line if you know that nobody was erased by it",
            )
        subjects.append(line.subject)
    return subjects


def _text(name: str, subject: str, time: int) -> bytes:
    return f"forgewright-erasure/1\n{name}\n{subject}\n{time}\n".encode()
