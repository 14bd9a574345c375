"""The vault: values of persons, each encrypted under that person's key; destroying the key destroys them.

A record holds only a commitment, SHA-256(tag ‖ path ‖ salt ‖ value) with 256 random bits of salt: without the
salt it says nothing about the value, and the log's proofs do not depend on the value being there. Persons
stand in records under random pseudonyms; which pseudonym is whose is known only here.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager
from hashlib import sha256
from hmac import digest as hmac_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.core.errors import IntegrityError, StoreError
from forgewright.core.ids import base32
from forgewright.store.drivers.sqlite.errors import translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FILE = "vault.db"
TAG = b"forgewright-commitment/1\0"
SALT_BYTES = 32
NONCE_BYTES = 12

_TABLES = """
CREATE TABLE IF NOT EXISTS vault(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subjects(subject TEXT PRIMARY KEY, lookup BLOB NOT NULL UNIQUE, key BLOB NOT NULL,
  name BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS vault_values(commitment TEXT PRIMARY KEY, subject TEXT NOT NULL, path TEXT NOT NULL,
  data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS by_subject ON vault_values(subject);
"""


class SealedValue(msgspec.Struct, frozen=True):
    """Stands in a record where a person's value would."""

    sealed: str
    """The commitment: `sha256:` and 64 hexadecimal digits."""
    subject: str
    """Pseudonym of the person."""


class Held(msgspec.Struct, frozen=True):
    """A value that the vault holds."""

    commitment: str
    path: str
    value: bytes


class Subject(msgspec.Struct, frozen=True):
    subject: str
    name: str
    values: int


def commit(path: str, salt: bytes, value: bytes) -> str:
    """The commitment to `value` at `path`."""
    raw = path.encode()
    return "sha256:" + sha256(TAG + len(raw).to_bytes(4) + raw + salt + value).hexdigest()


class Vault:
    """One file, for any thread. Its journal is deleted after each change, so that of a deleted row nothing stays
    behind."""

    def __init__(self, home: Path) -> None:
        self._lock = threading.RLock()
        self.path = home / FILE
        try:
            if not self.path.exists():
                os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600))
            self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=30)
            self._db.execute("PRAGMA journal_mode=DELETE")
            self._db.execute("PRAGMA synchronous=EXTRA")
            self._db.execute("PRAGMA secure_delete=ON")
            self._db.executescript(_TABLES)
            self._db.execute("INSERT OR IGNORE INTO vault VALUES('lookup', ?)", (os.urandom(32),))
            (self._lookup_key,) = self._db.execute("SELECT value FROM vault WHERE name='lookup'").fetchone()
        except (sqlite3.Error, OSError) as error:
            raise translate(error, self.path) from error

    def close(self) -> None:
        """Waits for what another thread is doing; what is asked later raises `StoreError`.

        SQLite crashes the process where a connection goes under a thread's feet.
        """
        with self._lock:
            self._db.close()

    def subject(self, name: str) -> str:
        """The pseudonym of the person `name` (an address, an account), a new one at first."""
        found = self.find(name)
        if found is not None:
            return found
        subject = "subject-" + base32(int.from_bytes(os.urandom(10)), 16)
        key = os.urandom(32)
        sealed = _encrypt(key, name.encode(), subject.encode())
        self._do(
            "INSERT OR IGNORE INTO subjects(subject,lookup,key,name) VALUES(?,?,?,?)",
            (subject, self._lookup(name), key, sealed),
        )
        return self.find(name) or subject

    def find(self, name: str) -> str | None:
        """The pseudonym of `name`, or `name` if it is itself a known pseudonym."""
        row = self._one(
            "SELECT subject FROM subjects WHERE lookup=? OR subject=?", (self._lookup(name), name)
        )
        return None if row is None else row[0]

    def seal(self, subject: str, path: str, value: bytes) -> SealedValue:
        """Keeps `value`; returns what goes into the record. Raises `StoreError` for an unknown subject."""
        return self.seal_many([(subject, path, value)])[0]

    def seal_many(self, items: Sequence[tuple[str, str, bytes]]) -> list[SealedValue]:
        """The same for many (subject, path, value), durable together."""
        keys: dict[str, bytes] = {}
        rows, sealed = [], []
        for subject, path, value in items:
            key = keys.get(subject) or self._key(subject)
            if key is None:
                raise StoreError(
                    f"no subject {subject} in the vault", hint="the person was erased, or never known"
                )
            keys[subject] = key
            salt = os.urandom(SALT_BYTES)
            commitment = commit(path, salt, value)
            rows.append((commitment, subject, path, _encrypt(key, salt + value, commitment.encode())))
            sealed.append(SealedValue(commitment, subject))
        if rows:
            with self._lock, self._changing():
                self._db.executemany("INSERT INTO vault_values VALUES(?,?,?,?)", rows)
                for subject in keys:  # erased by another process since its key was read
                    if not self._db.execute("SELECT 1 FROM subjects WHERE subject=?", (subject,)).fetchone():
                        raise StoreError(f"no subject {subject} in the vault", hint="the person was erased")
        return sealed

    def name(self, subject: str) -> str | None:
        """Who stands under a pseudonym; None after their erasure."""
        row = self._one("SELECT name, key FROM subjects WHERE subject=?", (subject,))
        return None if row is None else _decrypt(row[1], row[0], subject.encode()).decode()

    def open(self, commitment: str) -> bytes | None:
        """The value committed to, or None after its erasure. Raises `IntegrityError` if it was changed."""
        row = self._one(
            "SELECT path, data, key FROM vault_values JOIN subjects USING(subject) WHERE commitment=?",
            (commitment,),
        )
        return None if row is None else _open(commitment, *row)

    def held(self, subject: str) -> list[Held]:
        """Everything kept of a person."""
        key = self._key(subject)
        rows = self._all("SELECT commitment, path, data FROM vault_values WHERE subject=?", (subject,))
        if key is None:
            return []
        return [Held(commitment, path, _open(commitment, path, data, key)) for commitment, path, data in rows]

    def subjects(self) -> list[Subject]:
        rows = self._all(
            "SELECT subject, name, key, (SELECT count(*) FROM vault_values v WHERE v.subject=s.subject)"
            " FROM subjects s ORDER BY subject",
            (),
        )
        return [
            Subject(subject, _decrypt(key, name, subject.encode()).decode(), count)
            for subject, name, key, count in rows
        ]

    def commitments(self, subject: str) -> list[str]:
        rows = self._all("SELECT commitment FROM vault_values WHERE subject=? ORDER BY 1", (subject,))
        return [commitment for (commitment,) in rows]

    def erase(self, subject: str) -> None:
        """Destroys the subject's key, name and values. What SQLite frees is overwritten; then the file is
        rewritten without it."""
        with self._lock:
            with self._changing():
                self._db.execute("UPDATE subjects SET key=zeroblob(32) WHERE subject=?", (subject,))
                self._db.execute("DELETE FROM subjects WHERE subject=?", (subject,))
                self._db.execute("DELETE FROM vault_values WHERE subject=?", (subject,))
            self._do("VACUUM", ())

    def _lookup(self, name: str) -> bytes:
        return hmac_digest(self._lookup_key, name.strip().casefold().encode(), "sha256")

    def _key(self, subject: str) -> bytes | None:
        row = self._one("SELECT key FROM subjects WHERE subject=?", (subject,))
        return None if row is None else row[0]

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One transaction."""
        self._do("BEGIN IMMEDIATE", ())
        try:
            yield
            self._do("COMMIT", ())
        except BaseException as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise translate(error, self.path) from error
            raise

    def _do(self, statement: str, values: Iterable[object]) -> None:
        try:
            with self._lock:
                self._db.execute(statement, tuple(values))
        except sqlite3.Error as error:
            raise translate(error, self.path) from error

    def _all(self, statement: str, values: Iterable[object]) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._db.execute(statement, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise translate(error, self.path) from error

    def _one(self, statement: str, values: Iterable[object]) -> tuple[Any, ...] | None:
        rows = self._all(statement, values)
        return rows[0] if rows else None


def _open(commitment: str, path: str, data: bytes, key: bytes) -> bytes:
    plain = _decrypt(key, data, commitment.encode())
    salt, value = plain[:SALT_BYTES], plain[SALT_BYTES:]
    if commit(path, salt, value) != commitment:
        raise IntegrityError(
            f"the vault's value for {commitment} is not the one committed to", record=commitment
        )
    return value


def _encrypt(key: bytes, plain: bytes, context: bytes) -> bytes:
    """AES-256-GCM (NIST SP 800-38D): a random nonce of 96 bits before the ciphertext."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, context)


def _decrypt(key: bytes, data: bytes, context: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], context)
    except InvalidTag:
        raise IntegrityError(
            "a value in the vault does not decrypt under its subject's key",
            record=context.decode(errors="replace"),
            hint="the vault was changed from outside; restore it from a backup",
        ) from None
