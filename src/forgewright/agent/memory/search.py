"""Finding entries by their words: SQLite's full-text search over an index in memory.

It is made for each search, from what is stored then. So what is forgotten or erased is in no index, on no disk.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence

from forgewright.agent.memory.entry import Entry

WORDS_MAX = 32


def search(entries: Sequence[Entry], query: str, limit: int) -> list[Entry]:
    """The best matches first: any word of the query counts, its beginning is enough, rare words count more."""
    words = re.findall(r"\w+", query)[:WORDS_MAX]
    words = [word for word in words if len(word) > 2] or words  # "is" and "of" say nothing, unless alone
    if not words:
        return sorted(entries, key=lambda entry: -entry.created)[:limit]
    index = sqlite3.connect(":memory:")
    try:
        index.execute(
            "CREATE VIRTUAL TABLE entries USING fts5(text, tokenize='porter unicode61 remove_diacritics 2')"
        )
        index.executemany(
            "INSERT INTO entries(rowid, text) VALUES(?, ?)", ((n, e.text) for n, e in enumerate(entries))
        )
        rows = index.execute(
            "SELECT rowid FROM entries WHERE entries MATCH ? ORDER BY bm25(entries), rowid DESC LIMIT ?",
            (" OR ".join(f'"{word}"*' if len(word) > 2 else f'"{word}"' for word in words), limit),
        ).fetchall()
    finally:
        index.close()
    return [entries[row[0]] for row in rows]
