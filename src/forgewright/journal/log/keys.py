"""The log's signing key: a file that only its owner may read, made at first use.

The private file holds one line in the form of Go's sumdb notes (`PRIVATE+KEY+NAME+KEYID+BASE64`), the public
file beside it a C2SP verifier key. The key's name is also the origin of the log.
"""

from __future__ import annotations

import os
from base64 import b64encode
from pathlib import Path

import msgspec

from forgewright.core.errors import IntegrityError, StoreError, StoreFull
from forgewright.core.ids import RunId, base32
from forgewright.journal.log.notes import (
    ED25519,
    Signer,
    VerifierKey,
    canonical_base64,
    parse_note,
    parse_verifier_key,
    verify_note,
)

PRIVATE = "keys/log.key"
PUBLIC = "keys/log.pub"
HISTORY = "keys/history.jsonl"
STATEMENT = "forgewright-key/1"
RUN = RunId("@keys")
"""Run of the keys' own events."""


class Handover(msgspec.Struct, frozen=True):
    """By which an old key of the log made a new one its successor."""

    old: str
    new: str
    size: int
    """Records in the log at that time."""
    statement: str
    """Signed note by the old key: what it is, the log, the size, the new key."""


class Keyring(msgspec.Struct, frozen=True):
    """The key that signs, and those that signed before it, newest first."""

    signer: Signer
    handovers: tuple[Handover, ...]

    @property
    def trusted(self) -> list[VerifierKey]:
        return [self.signer.key, *(parse_verifier_key(handover.old) for handover in reversed(self.handovers))]


def open_keys(home: Path) -> Signer:
    """The signing key of `home`; a new one where neither a key nor a log is there.

    Raises `IntegrityError` (the file is damaged, or others can read it), `StoreError`, `StoreFull`.
    """
    path = home / PRIVATE
    try:
        _finish_handover(home)
        if not path.exists():
            _refuse_orphan(home)
            _make(home)
        if path.stat().st_mode & 0o077:
            raise IntegrityError(f"others may read the signing key {path}", hint=f"run: chmod 600 {path}")
        return read_signer(path)
    except OSError as error:
        raise StoreFull(
            f"the signing key {path} could not be read or made: {error.strerror}",
            hint="make the folder readable and writable for this user",
        ) from error


def open_ring(home: Path) -> Keyring:
    """As `open_keys`, with the keys before. Raises `IntegrityError` where the history is no unbroken chain."""
    signer = open_keys(home)
    handovers = read_history(home)
    chain = [*(h.old for h in handovers), str(signer.key)]
    for handover, new in zip(handovers, chain[1:], strict=True):
        check_handover(handover)
        if handover.new != new:
            raise IntegrityError(
                f"{home / HISTORY} does not lead to the key in {PRIVATE}",
                hint="restore the folder keys/ from one backup",
            )
    return Keyring(signer, handovers)


def trusted_keys(home: Path) -> list[VerifierKey]:
    """The log's keys, newest first."""
    return open_ring(home).trusted


def chain(handovers: tuple[Handover, ...], key: str) -> list[VerifierKey]:
    """`key` and the keys it handed over to, newest first: whoever trusts `key` can trust those.

    Raises `IntegrityError` for a handover that the old key did not sign.
    """
    found = [parse_verifier_key(key)]
    for handover in handovers:
        if handover.old == str(found[0]):
            check_handover(handover)
            found.insert(0, parse_verifier_key(handover.new))
    return found


def read_history(home: Path) -> tuple[Handover, ...]:
    path = home / HISTORY
    if not path.exists():
        return ()
    try:
        return tuple(msgspec.json.decode(line, type=Handover) for line in path.read_bytes().splitlines())
    except msgspec.MsgspecError as error:
        raise IntegrityError(f"{path} is damaged: {error}", hint="restore it from a backup") from None


def check_handover(handover: Handover) -> None:
    """Raises `IntegrityError` unless the old key signed for the new one."""
    old = parse_verifier_key(handover.old)
    note = parse_note(handover.statement.encode())
    verify_note(note, old)
    if note.text != f"{STATEMENT}\n{old.name}\n{handover.size}\n{handover.new}\n":
        raise IntegrityError(f"the statement of {handover.old} does not hand over to {handover.new}")


def hand_over(home: Path, size: int) -> tuple[Keyring, Handover]:
    """Makes a new signing key, which the present one makes its successor. The old private key is destroyed.

    Raises `StoreFull`, `StoreError`, `IntegrityError`.
    """
    ring = open_ring(home)
    old = ring.signer
    new, line = _generate(old.key.name)
    text = f"{STATEMENT}\n{old.key.name}\n{size}\n{new.key}\n"
    handover = Handover(str(old.key), str(new.key), size, old.sign(text).decode())
    lines = b"".join(msgspec.json.encode(item) + b"\n" for item in (*ring.handovers, handover))
    try:
        _write(home / f"{PRIVATE}.new", line, 0o600)
        _write(home / HISTORY, lines.decode(), 0o644)
        os.rename(home / f"{PRIVATE}.new", home / PRIVATE)
        _write(home / PUBLIC, f"{new.key}\n", 0o644)
        _sync((home / PRIVATE).parent)
    except OSError as error:
        raise StoreFull(f"the new key could not be written: {error}", hint="make keys/ writable") from error
    return Keyring(new, (*ring.handovers, handover)), handover


def read_signer(path: Path) -> Signer:
    """The signer of a private key file. Raises `IntegrityError`, `OSError`."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        prefix, key, name, key_id, encoded = path.read_text().strip().split("+", 4)
        raw = canonical_base64(encoded)
        if (prefix, key, raw[:1]) != ("PRIVATE", "KEY", bytes([ED25519])):
            raise ValueError
        signer = Signer(name, Ed25519PrivateKey.from_private_bytes(raw[1:]))
        if signer.key.key_id.hex() != key_id:
            raise ValueError
    except ValueError:
        raise IntegrityError(
            f"{path} is not a signing key", hint="restore it from a backup; without it the log cannot go on"
        ) from None
    return signer


def _finish_handover(home: Path) -> None:
    """A crash may have left the new key beside the old one, whose statement is written already."""
    fresh = home / f"{PRIVATE}.new"
    if not fresh.exists():
        return
    handovers = read_history(home)
    signer = read_signer(fresh)
    if handovers and handovers[-1].new == str(signer.key):
        os.rename(fresh, home / PRIVATE)
        _write(home / PUBLIC, f"{signer.key}\n", 0o644)
    else:
        fresh.unlink()


def _refuse_orphan(home: Path) -> None:
    """A log without its key is not continued under a new one in silence."""
    log = home / "journal.db"
    if log.exists() and log.stat().st_size > 0:
        raise StoreError(
            f"{home} has a log, but not the key that signs it ({PRIVATE})",
            hint="restore the key file from a backup",
        )


def _make(home: Path) -> None:
    signer, line = _generate("forgewright-" + base32(int.from_bytes(os.urandom(10)), 16))
    folder = (home / PRIVATE).parent
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    _write(home / PUBLIC, f"{signer.key}\n", 0o644)
    _write(home / PRIVATE, line, 0o600)
    _sync(folder)


def _generate(name: str) -> tuple[Signer, str]:
    """A new key and the line of its private file."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.generate()
    signer = Signer(name, private)
    raw = bytes([ED25519]) + private.private_bytes_raw()
    return signer, f"PRIVATE+KEY+{name}+{signer.key.key_id.hex()}+{b64encode(raw).decode()}\n"


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(path: Path, text: str, mode: int) -> None:
    scratch = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    handle = os.open(scratch, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    with open(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.rename(scratch, path)
