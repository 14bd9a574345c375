"""The log's signing key: a file that only its owner may read, made at first use.

The private file holds one line in the form of Go's sumdb notes (`PRIVATE+KEY+NAME+KEYID+BASE64`), the public
file beside it a C2SP verifier key. The key's name is also the origin of the log.
"""

from __future__ import annotations

import os
from base64 import b64encode
from pathlib import Path

from forgewright.core.errors import IntegrityError, StoreError, StoreFull
from forgewright.core.ids import base32
from forgewright.journal.log.notes import ED25519, Signer, canonical_base64

PRIVATE = "keys/log.key"
PUBLIC = "keys/log.pub"


def open_keys(home: Path) -> Signer:
    """The signing key of `home`; a new one where neither a key nor a log is there.

    Raises `IntegrityError` (the file is damaged, or others can read it), `StoreError`, `StoreFull`.
    """
    path = home / PRIVATE
    try:
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


def _refuse_orphan(home: Path) -> None:
    """A log without its key is not continued under a new one in silence."""
    log = home / "journal.db"
    if log.exists() and log.stat().st_size > 0:
        raise StoreError(
            f"{home} has a log, but not the key that signs it ({PRIVATE})",
            hint="restore the key file from a backup",
        )


def _make(home: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    name = "forgewright-" + base32(int.from_bytes(os.urandom(10)), 16)
    private = Ed25519PrivateKey.generate()
    signer = Signer(name, private)
    raw = bytes([ED25519]) + private.private_bytes_raw()
    line = f"PRIVATE+KEY+{name}+{signer.key.key_id.hex()}+{b64encode(raw).decode()}\n"
    folder = (home / PRIVATE).parent
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    _write(home / PUBLIC, f"{signer.key}\n", 0o644)
    _write(home / PRIVATE, line, 0o600)
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
