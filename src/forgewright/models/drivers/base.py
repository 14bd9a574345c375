"""What the drivers share: post the request, tell a good answer from a bad one, feed the stream."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Mapping
from typing import Literal, Protocol, TypeVar

import msgspec

from forgewright.core.errors import ModelOverloaded, ModelProtocolError
from forgewright.models.deltas import tell_whole
from forgewright.models.drivers.failures import Peer, ReasoningRefused, failure_of
from forgewright.models.encoding import MessageBytes
from forgewright.models.http import HttpClient, HttpResponse, HttpStream, parse_url
from forgewright.models.prices import Price, cost_microdollars
from forgewright.models.settings import ModelSettings
from forgewright.models.sse import Event, SseParser
from forgewright.models.types import (
    Assistant,
    OnDelta,
    Part,
    Request,
    Response,
    ToolCall,
    Usage,
)

_DRAIN_SECONDS = 1.0
T = TypeVar("T")
Stop = Literal["end", "tools", "length", "refusal"]


class Assembler(Protocol):
    """Puts the answer together from a stream's events, and tells of its pieces as they come."""

    def take(self, event: Event) -> bool:
        """Whether this was the last event."""

    def result(self) -> Response:
        """The whole answer. Raises `ModelOverloaded` if the stream ended before it."""


class HttpModel:
    """A model behind one POST endpoint. A driver says how requests are encoded and answers decoded."""

    def __init__(
        self,
        peer: Peer,
        headers: Mapping[str, str],
        settings: ModelSettings,
        price: Price | None,
        client: HttpClient | None,
        messages: MessageBytes,
    ) -> None:
        self.name = peer.name
        self.context_tokens = settings.context_tokens or (price.context_tokens if price else None)
        self._peer = peer
        self._messages = messages
        self._settings = settings
        self._price = price
        self._client = client or HttpClient(timeouts=settings.timeouts, limits=settings.limits)
        self._owns_client = client is None
        common = {
            "user-agent": "forgewright",
            "accept": "application/json, text/event-stream",
            "accept-encoding": "identity",
            "content-type": "application/json",
        }
        self._endpoint = self._client.endpoint(parse_url(peer.where), {**common, **headers})
        self._extra = _spliced(settings.extra)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @property
    def priced(self) -> bool:
        """Whether usage carries a cost; without a price it says 0."""
        return self._price is not None

    @abstractmethod
    def _encode(self, request: Request, *, stream: bool) -> bytes: ...

    @abstractmethod
    def _decode(self, body: bytes) -> Response: ...

    @abstractmethod
    def _assembler(self, on_delta: OnDelta) -> Assembler: ...

    async def respond(self, request: Request, *, on_delta: OnDelta | None = None) -> Response:
        try:
            return await self._respond(request, on_delta)
        except ReasoningRefused:
            if not self._messages.leave_out_reasoning(request.messages):
                raise
            return await self._respond(request, on_delta)

    async def _respond(self, request: Request, on_delta: OnDelta | None) -> Response:
        if on_delta is None:
            answer = await self._endpoint.fetch(self._encode(request, stream=False))
            return self._whole(answer)
        stream = await self._endpoint.stream(self._encode(request, stream=True))
        try:
            kind = stream.header(b"content-type")
            if stream.status == 200 and kind.startswith("text/event-stream"):
                return await self._streamed(stream, on_delta)
            response = self._whole(await stream.whole())
            tell_whole(response, on_delta)  # a server that can't stream, or would not this time
            return response
        finally:
            stream.close()

    async def close(self) -> None:
        if self._owns_client:
            await self._client.close()

    def _whole(self, answer: HttpResponse) -> Response:
        if answer.status != 200:
            raise failure_of(answer, self._peer)
        kind = answer.header(b"content-type")
        if "json" not in kind and not (kind == "" and answer.body[:1] == b"{"):
            raise ModelProtocolError(
                f"{self._peer.where} was expected to answer JSON, found {kind or 'no content type'!r}:"
                f" {self._begin(answer.body)}",
                hint="check the base URL; it should be that of a model API, not of a web page",
            )
        return self._decode(answer.body)

    async def _streamed(self, stream: HttpStream, on_delta: OnDelta) -> Response:
        parser = SseParser()
        assembler = self._assembler(on_delta)
        while piece := await stream.piece():
            for event in parser.feed(piece):
                if event.data and assembler.take(event):
                    await _drain(stream)
                    return assembler.result()
        return assembler.result()

    def _parsed(self, decoder: msgspec.json.Decoder[T], body: bytes, what: str) -> T:
        """JSON of the expected shape, or `ModelProtocolError`."""
        try:
            return decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ModelProtocolError(
                f"{self.name} was expected to answer {what}, found something else"
                f" ({error}): {self._begin(body)}",
                hint="try again; if it stays so, the server does not speak this API: check the base URL",
            ) from None

    def _begin(self, body: bytes) -> str:
        return repr(self._peer.clean(body[:200].decode("utf-8", "replace")))

    def _cut(self, found: str) -> ModelOverloaded:
        return ModelOverloaded(
            f"the streamed answer of {self.name} ended before it was complete ({found})",
            hint="try again; the server may be overloaded",
        )

    def _response(self, parts: list[Part], stop: Stop, usage: Usage, model: str) -> Response:
        if stop == "end" and any(isinstance(part, ToolCall) for part in parts):
            stop = "tools"
        cost = cost_microdollars(self._price, usage)
        if cost:
            usage = msgspec.structs.replace(usage, cost_microdollars=cost)
        return Response(Assistant(tuple(parts)), stop, usage, model)


async def _drain(stream: HttpStream) -> None:
    """Takes what closes the stream after its last event, so that the connection can be used again."""
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            for _ in range(16):
                if not await stream.piece():
                    return
    except (TimeoutError, ModelOverloaded, ModelProtocolError):
        return  # the answer is complete; only the connection is lost


def _spliced(extra: msgspec.Raw | None) -> bytes:
    """`,"field":value,…` to stand before the closing brace of a body."""
    if extra is None:
        return b""
    fields = msgspec.json.encode(msgspec.json.decode(extra, type=dict[str, msgspec.Raw]))
    return b"," + fields[1:-1] if len(fields) > 2 else b""
