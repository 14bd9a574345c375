"""Long-term memory: values by namespace and key."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING

from forgewright.store.drivers.sqlite.writer import Task

if TYPE_CHECKING:
    from forgewright.store.drivers.sqlite.log import Reader
    from forgewright.store.drivers.sqlite.writer import Writer


class SqliteMemory:
    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def get(self, namespace: str, key: str) -> bytes | None:
        def one(connection: sqlite3.Connection) -> bytes | None:
            row = connection.execute(
                "SELECT value FROM memory WHERE namespace=? AND key=?", (namespace, key)
            ).fetchone()
            return None if row is None else row[0]

        return await self._reader.run(one)

    async def put(self, namespace: str, key: str, value: bytes) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO memory(namespace,key,value) VALUES(?,?,?)"
                " ON CONFLICT(namespace,key) DO UPDATE SET value=excluded.value",
                (namespace, key, value),
            )

        await self._writer.submit(Task(work))

    async def delete(self, namespace: str, key: str) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            done = connection.execute("DELETE FROM memory WHERE namespace=? AND key=?", (namespace, key))
            return done.rowcount > 0

        deleted: bool = await self._writer.submit(Task(work))
        return deleted

    async def namespaces(self) -> Sequence[str]:
        def all_of(connection: sqlite3.Connection) -> list[str]:
            found = connection.execute("SELECT DISTINCT namespace FROM memory ORDER BY namespace")
            return [namespace for (namespace,) in found]

        return await self._reader.run(all_of)

    async def keys(self, namespace: str) -> Sequence[str]:
        def all_of(connection: sqlite3.Connection) -> list[str]:
            found = connection.execute("SELECT key FROM memory WHERE namespace=? ORDER BY key", (namespace,))
            return [key for (key,) in found]

        return await self._reader.run(all_of)

    async def items(self, namespace: str) -> Sequence[tuple[str, bytes]]:
        def all_of(connection: sqlite3.Connection) -> list[tuple[str, bytes]]:
            return connection.execute(
                "SELECT key, value FROM memory WHERE namespace=? ORDER BY key", (namespace,)
            ).fetchall()

        return await self._reader.run(all_of)
