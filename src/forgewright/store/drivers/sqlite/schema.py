"""Tables of the home's database, and how a connection to it is set up.

`records` holds the run as a small number and no copy of anything that stands in the record itself, since
the bytes per record decide what keeping everything costs. Its rows arrive in order of `idx`, so SQLite
fills the pages one after the other; `by_run` is the one further index, and holds 8–12 bytes per record.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from forgewright.core.errors import IntegrityError

FILE = "journal.db"

HEADER_BYTES = 100
"""Of every SQLite file."""

APPLICATION = 0x46577274
"""`application_id` of the file: "FWrt"."""

SCHEMA = 1
"""`user_version` of the file."""

WAL_PAGES = 4_000
"""Frames in the write-ahead log before a commit also checkpoints it (16 MiB): rare enough not to show in
the 99th percentile of commits, small enough to bound the file."""

BUSY_SECONDS = 30.0

_TABLES = """
CREATE TABLE runs(rid INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE);
CREATE TABLE records(idx INTEGER PRIMARY KEY, rid INTEGER NOT NULL, seq INTEGER NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX by_run ON records(rid, seq);
CREATE TABLE pages(name TEXT NOT NULL UNIQUE, data BLOB NOT NULL);
CREATE TABLE leases(run TEXT PRIMARY KEY, worker TEXT NOT NULL, epoch INTEGER NOT NULL, expires REAL NOT NULL)
  WITHOUT ROWID;
CREATE TABLE memory(namespace TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
  PRIMARY KEY(namespace, key));
"""


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode; usable from any one thread at a time."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_SECONDS,
    )
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute("PRAGMA trusted_schema=OFF")
    connection.execute("PRAGMA cell_size_check=ON")
    return connection


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Makes the tables where the file is new; refuses a file that is another's or from the future."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if tables == 0:
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id={APPLICATION}")
            connection.execute(f"PRAGMA user_version={SCHEMA}")
        elif application != APPLICATION:
            raise IntegrityError(
                f"{path} is a SQLite file of something else (application id {application:#x})",
                hint="choose another home, or move that file away",
            )
        elif version != SCHEMA:
            raise IntegrityError(
                f"{path} has schema version {version}; this Forgewright knows {SCHEMA}",
                hint="open it with the Forgewright that wrote it, or a newer one",
            )
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
