"""What came back: a whole answer, or one that is still coming."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from forgewright.models.http.connection import Connection

Headers = dict[bytes, bytes]
"""Names in lower case; of a repeated name the last value."""


class HttpResponse(msgspec.Struct, frozen=True):
    status: int
    headers: Headers
    body: bytes

    def header(self, name: bytes) -> str:
        return self.headers.get(name, b"").decode("latin-1")


class HttpStream:
    """An answer whose head is there and whose body is read piece by piece. Close it always."""

    __slots__ = ("_connection", "_give_back", "headers", "status")

    def __init__(self, connection: Connection, give_back: Callable[[Connection], None]) -> None:
        self.status = connection.status
        self.headers = connection.headers
        self._connection: Connection | None = connection
        self._give_back = give_back

    def header(self, name: bytes) -> str:
        return self.headers.get(name, b"").decode("latin-1")

    async def piece(self) -> bytes:
        """The next bytes, as they came; b"" at the end. Raises `ModelOverloaded` (cut, timed out) and
        `ModelProtocolError` (malformed, too large)."""
        return await self._connection.piece() if self._connection else b""

    async def whole(self) -> HttpResponse:
        """The rest of the body in one piece, for an answer that turns out not to be a stream."""
        body = await self._connection.rest() if self._connection else b""
        return HttpResponse(self.status, self.headers, body)

    def close(self) -> None:
        """Keeps the connection if the body was read to its end, drops it if not."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._give_back(connection)
