"""One connection: writes a request, parses its answer with llhttp, holds the bounds and the clock.

A plain asyncio protocol and one timer per exchange; no stream reader, no task, no lock. The framing is
llhttp's (RFC 9112) in strict mode, so that nothing but an honest HTTP/1.1 answer passes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from forgewright.core.errors import ModelError, ModelOverloaded, ModelProtocolError
from forgewright.models.http.limits import HttpLimits, HttpTimeouts
from forgewright.models.http.response import Headers

_WAIT_HEAD, _WAIT_PIECE, _WAIT_END = range(3)


class Connection(asyncio.Protocol):
    """Carries one exchange at a time. `begin`, then `head` and `piece` until b"", or `rest`."""

    __slots__ = (
        "_body_bytes",
        "_buffer",
        "_buffered",
        "_deadline",
        "_error",
        "_header_bytes",
        "_informational",
        "_keep_alive",
        "_last_byte",
        "_limits",
        "_loop",
        "_origin",
        "_parser",
        "_paused",
        "_received",
        "_surplus",
        "_timeouts",
        "_timer",
        "_wait",
        "_waiter",
        "active",
        "complete",
        "headers",
        "idle_since",
        "lost",
        "reused",
        "status",
        "transport",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, origin: str, limits: HttpLimits) -> None:
        self._loop = loop
        self._origin = origin
        self._limits = limits
        self._parser = HttpResponseParser(self)
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.transport: asyncio.Transport | None = None
        self.active = False
        self.lost = False
        self.reused = False
        self.complete = self._keep_alive = self._surplus = False
        self.idle_since = 0.0
        self.status = 0
        self.headers: Headers = {}

    # -- one exchange

    def begin(self, request: bytes, timeouts: HttpTimeouts, deadline: float) -> None:
        self.active = True
        self.complete = self._informational = self._paused = self._keep_alive = self._surplus = False
        self.status = self._header_bytes = self._body_bytes = self._buffered = self._received = 0
        self.headers = {}
        self._buffer: deque[bytes] = deque()
        self._error: ModelError | None = None
        self._wait = _WAIT_END
        self._timeouts = timeouts
        self._deadline = deadline
        self._last_byte = self._loop.time()
        self._timer = self._loop.call_at(
            min(deadline, self._last_byte + timeouts.read_seconds), self._check_clock
        )
        if self.transport is None or self.lost:
            self._fail(self._cut())
        else:
            self.transport.write(request)

    @property
    def untouched(self) -> bool:
        """Nothing of an answer came: the request may safely be sent again over another connection."""
        return self._received == 0

    @property
    def reusable(self) -> bool:
        return self._keep_alive and self.complete and not self.lost and self._error is None

    async def head(self) -> None:
        """Until status and headers are there."""
        while not self.status and self._error is None:
            await self._until(_WAIT_HEAD)
        self._raise()

    async def piece(self) -> bytes:
        while not self._buffer and not self.complete and self._error is None:
            await self._until(_WAIT_PIECE)
        if self._buffer:
            data = self._buffer.popleft() if len(self._buffer) == 1 else b"".join(self._buffer)
            self._buffer.clear()
            self._buffered = 0
            if self._paused and self.transport is not None and not self.lost:
                self._paused = False
                self._last_byte = self._loop.time()
                self.transport.resume_reading()
            return data
        self._raise()
        return b""

    async def rest(self) -> bytes:
        """The body to its end, in one piece."""
        if self._paused and self.transport is not None and not self.lost:
            self._paused = False
            self.transport.resume_reading()
        while not self.complete and self._error is None:
            await self._until(_WAIT_END)
        self._raise()
        return self._buffer[0] if len(self._buffer) == 1 else b"".join(self._buffer)

    def finish(self) -> None:
        """Ends the exchange: the clock stops, and what was buffered is forgotten."""
        self.active = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._buffer.clear()
        self.headers = {}

    def abort(self) -> None:
        if self.active:
            self.finish()
        if self.transport is not None:
            self.transport.abort()

    async def _until(self, what: int) -> None:
        self._wait = what
        waiter = self._waiter = self._loop.create_future()
        try:
            await waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _fail(self, error: ModelError) -> None:
        if self._error is None and not self.complete:
            self._error = error
        if self.transport is not None:
            self.transport.abort()
        self._wake()

    def _cut(self, cause: Exception | None = None) -> ModelError:
        where = (
            "before it answered" if self._received == 0 else f"after {self._body_bytes} bytes of an answer"
        )
        why = f" ({cause})" if cause else ""
        return ModelOverloaded(
            f"{self._origin} closed the connection {where}{why}",
            hint="try again; the server may be overloaded",
        )

    def _check_clock(self) -> None:
        now = self._loop.time()
        quiet_until = self._last_byte + self._timeouts.read_seconds
        if now >= self._deadline:
            self._fail(
                ModelOverloaded(
                    f"the answer of {self._origin} was not complete in time (after {self._body_bytes} bytes)",
                    hint="raise total_seconds of the model's timeouts, or ask for a shorter answer",
                )
            )
        elif now >= quiet_until and not self._paused:
            self._fail(
                ModelOverloaded(
                    f"{self._origin} sent nothing for {self._timeouts.read_seconds:g} s",
                    hint="try again, or raise read_seconds of the model's timeouts",
                )
            )
        else:
            again = now + self._timeouts.read_seconds if self._paused else quiet_until
            self._timer = self._loop.call_at(min(self._deadline, again), self._check_clock)

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if not self.active or self.complete:
            # An answer to no question: the one that was asked for stands, but this connection is not to be
            # trusted with the next one.
            self._keep_alive = False
            if self.transport is not None:
                self.transport.abort()
            return
        self._last_byte = self._loop.time()
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if self._error is None:
                self._fail(
                    ModelProtocolError(
                        f"{self._origin} did not answer in HTTP/1.1 ({type(error).__name__}: {error})",
                        hint="check the base URL, and that no proxy or login page stands in between",
                    )
                )
        if not self.status and self._received > self._limits.header_bytes_max:
            self._too_large("the header", self._limits.header_bytes_max)
        elif self._received > 8 * self._limits.body_bytes_max + self._limits.header_bytes_max:
            self._too_large("the framing", 8 * self._limits.body_bytes_max)  # endless chunk extensions

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if not self.active or self.complete or self._error is not None:
            self._wake()
            return
        until_close = (
            self.status and b"content-length" not in self.headers and b"transfer-encoding" not in self.headers
        )
        if until_close and exc is None:  # RFC 9112 §6.3, item 8
            self.complete = True
            self._wake()
        else:
            self._fail(self._cut(exc))

    # -- llhttp callbacks (an exception raised here would be swallowed: errors go through _fail)

    def on_message_begin(self) -> None:
        if self.complete:  # a second answer behind the first: not ours, and nor is what comes after it
            self._surplus = True
            self._keep_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._surplus:
            return
        self._header_bytes += len(name) + len(value) + 4
        if self._header_bytes > self._limits.header_bytes_max:
            self._too_large("the header", self._limits.header_bytes_max)
        elif not self.status:
            self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        if self._surplus:
            return
        status = self._parser.get_status_code()
        if 100 <= status < 200:  # RFC 9110 §15.2: a client has to accept and may ignore these
            self._informational = True
            self.headers = {}
            return
        self.status = status
        if self._wait == _WAIT_HEAD:
            self._wake()

    def on_body(self, body: bytes) -> None:
        if self._surplus:
            return
        self._body_bytes += len(body)
        if self._body_bytes > self._limits.body_bytes_max:
            self._too_large("an answer", self._limits.body_bytes_max)
            return
        self._buffer.append(body)
        self._buffered += len(body)
        if self._wait != _WAIT_END:
            if self._buffered > self._limits.buffer_bytes_max and not self._paused:
                self._paused = True
                if self.transport is not None:
                    self.transport.pause_reading()
            if self._wait == _WAIT_PIECE:
                self._wake()

    def on_message_complete(self) -> None:
        if self._surplus:
            return
        if self._informational:
            self._informational = False
            return
        self._keep_alive = self._parser.should_keep_alive()  # llhttp forgets it after this callback
        self.complete = True
        self._wake()

    def _too_large(self, what: str, bytes_max: int) -> None:
        self._fail(
            ModelProtocolError(
                f"{what} of {self._origin} is larger than {bytes_max} bytes",
                hint="check that the base URL is that of a model API",
            )
        )
