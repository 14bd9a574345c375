"""The client: endpoints with their headers ready, and a pool of connections per origin."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING

from forgewright.core.errors import ModelOverloaded, UsageError
from forgewright.models.http.connect import default_tls_context, open_connection
from forgewright.models.http.connection import Connection
from forgewright.models.http.limits import HttpLimits, HttpTimeouts
from forgewright.models.http.proxy import Proxy, proxy_for
from forgewright.models.http.response import HttpResponse, HttpStream
from forgewright.models.http.url import Url

if TYPE_CHECKING:
    import ssl

_Key = tuple[str, int, str]
"""Host, port and scheme of an origin."""


class HttpClient:
    """Posts to endpoints over kept connections. Belongs to one event loop at a time; made outside of any.

    Environment variables for proxies are read when an endpoint is made.
    """

    def __init__(
        self,
        *,
        timeouts: HttpTimeouts | None = None,
        limits: HttpLimits | None = None,
        environ: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`tls` replaces the system's authorities by one's own; it has to verify certificates."""
        if tls is not None and not (tls.verify_mode and tls.check_hostname):
            raise UsageError(
                "a TLS context has to verify certificates and host names",
                hint="load your own authority into it (load_verify_locations)",
            )
        self.timeouts = timeouts or HttpTimeouts()
        self.limits = limits or HttpLimits()
        self._environ: Mapping[str, str] = os.environ if environ is None else environ
        self._tls = tls
        self._idle: dict[_Key, deque[Connection]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._slots: dict[_Key, asyncio.Semaphore] = {}

    def endpoint(self, url: Url, headers: Mapping[str, str]) -> Endpoint:
        return Endpoint(self, url, headers, proxy_for(url, self._environ))

    async def close(self) -> None:
        """Drops the idle connections. One in use is closed when its exchange ends."""
        self._forget()

    def _forget(self) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.abort()
        self._idle.clear()
        self._slots.clear()

    def _bind(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # a new asyncio.run: the old loop's sockets are of no use any more
            self._idle.clear()
            self._slots.clear()
            self._loop = loop
        return loop

    def _take_idle(self, key: _Key, now: float) -> Connection | None:
        idle = self._idle.get(key)
        while idle:
            connection = idle.pop()
            if not connection.lost and now - connection.idle_since < self.limits.idle_seconds:
                connection.reused = True
                return connection
            connection.abort()
        return None

    async def _open(self, url: Url, proxy: Proxy | None, seconds: float) -> Connection:
        tls = None
        if url.scheme == "https":
            if self._tls is None:
                self._tls = default_tls_context()
            tls = self._tls
        return await open_connection(url, proxy, tls, self.limits, seconds)

    def _give_back(self, key: _Key, connection: Connection) -> None:
        """Keeps a connection for the next request, and drops those that waited too long for one."""
        if not connection.reusable or self._loop is None:
            connection.abort()
            return
        connection.finish()
        now = connection.idle_since = self._loop.time()
        idle = self._idle.setdefault(key, deque())
        idle.append(connection)
        while idle and (idle[0].lost or now - idle[0].idle_since >= self.limits.idle_seconds):
            idle.popleft().abort()


class Endpoint:
    """One URL with its headers, encoded once. `fetch` for a whole answer, `stream` for one in pieces."""

    def __init__(self, client: HttpClient, url: Url, headers: Mapping[str, str], proxy: Proxy | None) -> None:
        self.url = url
        self._client = client
        self._proxy = proxy
        self._key = (url.host, url.port, url.scheme)
        lines = [f"POST {url.path} HTTP/1.1", f"host: {url.authority}"]
        lines += [f"{name}: {_checked(name, value)}" for name, value in headers.items()]
        self._head = ("\r\n".join(lines) + "\r\ncontent-length: ").encode("ascii")

    def __repr__(self) -> str:
        return f"Endpoint({self.url})"

    async def fetch(self, body: bytes) -> HttpResponse:
        """The whole answer, whatever its status.

        Raises `ModelOverloaded` (unreachable, timed out, cut), `ModelProtocolError` (malformed, too large).
        """
        async with self._slot():
            connection = await self._begin(body)
            try:
                try:
                    payload = await connection.rest()
                except ModelOverloaded:
                    if not (connection.reused and connection.untouched):
                        raise
                    connection = await self._begin(body, fresh=True)
                    payload = await connection.rest()
                return HttpResponse(connection.status, connection.headers, payload)
            finally:
                self._client._give_back(self._key, connection)

    async def stream(self, body: bytes) -> HttpStream:
        """An answer whose head came; close it. Raises as `fetch` does."""
        slot = self._slot()
        await slot.acquire()
        connection = None
        try:
            connection = await self._begin(body)
            try:
                await connection.head()
            except ModelOverloaded:
                if not (connection.reused and connection.untouched):
                    raise
                connection = await self._begin(body, fresh=True)
                await connection.head()
        except BaseException:
            if connection is not None:
                connection.abort()
            slot.release()
            raise

        def give_back(connection: Connection) -> None:
            self._client._give_back(self._key, connection)
            slot.release()

        return HttpStream(connection, give_back)

    def _slot(self) -> asyncio.Semaphore:
        client = self._client
        client._bind()
        slot = client._slots.get(self._key)
        if slot is None:
            slot = client._slots[self._key] = asyncio.Semaphore(client.limits.connections_max)
        return slot

    async def _begin(self, body: bytes, *, fresh: bool = False) -> Connection:
        """Sends the request. A kept connection may have been closed by the server in the same moment; the
        request is then sent once more over a fresh one, which is safe since no byte of an answer came."""
        client = self._client
        loop = client._bind()
        now = loop.time()
        timeouts = client.timeouts
        connection = None if fresh else client._take_idle(self._key, now)
        if connection is None:
            seconds = min(timeouts.connect_seconds, timeouts.total_seconds)
            connection = await client._open(self.url, self._proxy, seconds)
        request = b"%b%d\r\n\r\n%b" % (self._head, len(body), body)
        connection.begin(request, timeouts, now + timeouts.total_seconds)
        return connection


def _checked(name: str, value: str) -> str:
    """A header value without anything that could end the line; the value itself is never repeated."""
    if not value.isascii() or not value.isprintable():
        raise UsageError(
            f"the value for the header {name} holds characters that no HTTP header may hold",
            hint="check the API key for blanks, line ends and quotes"
            if "auth" in name or "key" in name
            else None,
        )
    return value
