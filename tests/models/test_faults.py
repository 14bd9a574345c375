"""Whatever a model server does wrong ends in the right error, in bounded time; the connection is dropped."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from time import time
from typing import Any

import pytest
from tests.models.server import (
    ModelServer,
    Step,
    answer,
    cut_stream,
    events,
    hang,
    huge,
    raw,
    reset,
    slow_drip,
    status,
)
from tests.models.test_drivers import ASK, HELLO, NAMES, model_at

from forgewright.core.errors import (
    ContextOverflow,
    ForgewrightError,
    ModelAuthError,
    ModelError,
    ModelOverloaded,
    ModelProtocolError,
    ModelRateLimited,
    ModelUnknown,
)
from forgewright.models import make_model
from forgewright.models.drivers.failures import retry_after_seconds
from forgewright.models.http import HttpLimits, HttpTimeouts

Fault = tuple[Step, type[ModelError]]


def error(message: str, type: str = "", code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": type, "code": code}}


FAULTS: dict[str, Fault] = {
    "key refused": (status(401, error("Incorrect API key sk-test", code="invalid_api_key")), ModelAuthError),
    "forbidden": (status(403, error("no access to this region")), ModelAuthError),
    "quota": (status(429, error("You exceeded your quota", code="insufficient_quota")), ModelAuthError),
    "no such model": (
        status(404, error("The model `m-1` does not exist", code="model_not_found")),
        ModelUnknown,
    ),
    "anthropic model": (status(404, error("model: m-1", "not_found_error")), ModelUnknown),
    "wrong path": (status(404, b"<html>nothing here</html>", "text/html"), ModelProtocolError),
    "rate limit": (status(429, error("slow down"), retry_after="7"), ModelRateLimited),
    "server error": (status(500, error("boom", "api_error")), ModelOverloaded),
    "gateway": (status(502, b"<html>bad gateway</html>", "text/html"), ModelOverloaded),
    "overloaded": (status(529, error("Overloaded", "overloaded_error")), ModelOverloaded),
    "redirect": (status(302, b"", location="https://elsewhere.invalid/"), ModelProtocolError),
    "bad request": (status(400, error("tools.0.name: invalid", "invalid_request_error")), ModelProtocolError),
    "openai overflow": (
        status(400, error("This model's maximum context length is 8 tokens", code="context_length_exceeded")),
        ContextOverflow,
    ),
    "anthropic overflow": (
        status(400, error("prompt is too long: 212345 tokens > 200000 maximum", "invalid_request_error")),
        ContextOverflow,
    ),
    "llama.cpp overflow": (
        status(400, error("the request exceeds the available context size", "exceed_context_size_error")),
        ContextOverflow,
    ),
    "too large": (
        status(413, error("Request exceeds the maximum size", "request_too_large")),
        ContextOverflow,
    ),
    "web page": (status(200, b"<html>Log in</html>", "text/html"), ModelProtocolError),
    "malformed JSON": (status(200, b'{"choices": [{"mess', "application/json"), ModelProtocolError),
    "other JSON": (status(200, {"hello": "world"}), ModelProtocolError),
    "array": (status(200, b"[1, 2]"), ModelProtocolError),
    "deep JSON": (status(200, b"[" * 100_000), ModelProtocolError),
    "not UTF-8": (status(200, b'{"choices": "\xff\xfe"}'), ModelProtocolError),
    "not HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), ModelProtocolError),
    "endless header": (raw(b"HTTP/1.1 200 OK\r\nx: " + b"y" * (1 << 20), close=False), ModelProtocolError),
    "endless headers": (raw(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000, close=False), ModelProtocolError),
    "bad length": (raw(b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n{}"), ModelProtocolError),
    "two lengths": (
        raw(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 9\r\n\r\n{}1234567"),
        ModelProtocolError,
    ),
    "switches protocols": (
        raw(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
        ModelProtocolError,
    ),
    "cut head": (raw(b"HTTP/1.1 200 OK\r\ncontent-"), ModelOverloaded),
    "cut body": (raw(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{"), ModelOverloaded),
    "closed at once": (raw(b""), ModelOverloaded),
    "connection reset": (reset(), ModelOverloaded),
    "huge": (huge(), ModelProtocolError),
}
STREAM_FAULTS: dict[str, Fault] = {
    "cut stream": (cut_stream(HELLO), ModelOverloaded),
    "cut before the end": (cut_stream(HELLO, 0.85), ModelOverloaded),
    "stream of nothing": (events(), ModelOverloaded),
    "overloaded in the stream": (
        events({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        ModelOverloaded,
    ),
    "rate limit in the stream": (
        events({"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}}),
        ModelRateLimited,
    ),
    "malformed event": (events('{"type": "response.comp'), ModelProtocolError),
    "huge event": (huge("text/event-stream"), ModelProtocolError),
}
LIMITS = HttpLimits(body_bytes_max=4 << 20)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_the_right_error(name: str, fault: str, streamed: bool) -> None:
    step, expected = FAULTS[fault]
    await _fails(name, step, expected, streamed=streamed)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fault", STREAM_FAULTS)
async def test_a_fault_in_a_stream_is_the_right_error(name: str, fault: str) -> None:
    step, expected = STREAM_FAULTS[fault]
    await _fails(name, step, expected, streamed=True)


async def _fails(name: str, step: Step, expected: type[ModelError], *, streamed: bool) -> None:
    async with ModelServer([step, answer(HELLO)]) as server:
        model = model_at(server, name, limits=LIMITS)
        with pytest.raises(ForgewrightError) as caught:
            async with asyncio.timeout(20):
                await model.respond(ASK, on_delta=(lambda _: None) if streamed else None)
        assert type(caught.value) is expected, caught.value
        assert caught.value.hint, "every failure says what to do"
        assert "sk-test" not in str(caught.value)
        assert len(str(caught.value)) < 1500
        again = await model.respond(ASK)  # a bad answer does not spoil the next request
        assert again.message == HELLO.message
        await model.close()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "before",
    [b"", b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"],
    ids=["no answer", "half an answer"],
)
async def test_a_server_that_hangs_is_given_up(name: str, before: bytes) -> None:
    async with ModelServer([hang(before)]) as server:
        model = model_at(server, name, timeouts=HttpTimeouts(read_seconds=0.05))
        with pytest.raises(ModelOverloaded, match=r"sent nothing for 0\.05 s"):
            await model.respond(ASK)
        await model.close()


async def test_the_whole_exchange_is_bounded_however_it_drips() -> None:
    async with ModelServer([slow_drip()]) as server:
        model = model_at(server, NAMES[0], timeouts=HttpTimeouts(total_seconds=0.2))
        with pytest.raises(ModelOverloaded, match="not complete in time"):
            await model.respond(ASK, on_delta=lambda _: None)
        await model.close()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_cancelling_closes_the_connection(name: str, streamed: bool) -> None:
    async with ModelServer([hang(), answer(HELLO)]) as server:
        model = model_at(server, name)
        asking = asyncio.ensure_future(model.respond(ASK, on_delta=(lambda _: None) if streamed else None))
        await server.waiting.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        server.release.set()
        await server.closed.wait()
        assert (await model.respond(ASK)).message == HELLO.message
        assert server.connections == 2
        await model.close()


async def test_a_callback_that_raises_closes_the_stream() -> None:
    def refuse(_: object) -> None:
        raise ZeroDivisionError

    async with ModelServer([answer(HELLO), answer(HELLO)]) as server:
        model = model_at(server, NAMES[0])
        with pytest.raises(ZeroDivisionError):
            await model.respond(ASK, on_delta=refuse)
        assert (await model.respond(ASK)).message == HELLO.message
        await model.close()


async def test_a_kept_connection_that_the_server_closed_is_replaced() -> None:
    async def close_silently(exchange: Any) -> None:
        await answer(HELLO)(exchange)
        exchange.cut()

    async with ModelServer([close_silently, answer(HELLO)]) as server:
        model = model_at(server, NAMES[0])
        await model.respond(ASK)
        assert (await model.respond(ASK)).message == HELLO.message
        assert server.connections == 2
        await model.close()


async def test_nobody_listens() -> None:
    async with ModelServer() as server:
        url = server.url
    server._server.close()
    await server._server.wait_closed()
    model = make_model("openai:m-1", base_url=url)
    with pytest.raises(ModelOverloaded, match="refused the connection"):
        await model.respond(ASK)


async def test_a_host_that_does_not_exist() -> None:
    model = make_model("openai:m-1", base_url="http://no-such-host.invalid/v1")
    with pytest.raises(ModelOverloaded, match="could not be resolved"):
        await model.respond(ASK)


@pytest.mark.parametrize("name", NAMES)
async def test_the_provider_is_heard_when_it_says_wait(name: str) -> None:
    async with ModelServer(
        [
            status(429, error("slow down"), retry_after="7"),
            status(529, error("busy"), retry_after=formatdate(time() + 100, usegmt=True)),
        ]
    ) as server:
        model = model_at(server, name)
        with pytest.raises(ModelRateLimited) as limited:
            await model.respond(ASK)
        with pytest.raises(ModelOverloaded) as overloaded:
            await model.respond(ASK)
        await model.close()
    assert limited.value.retry_after_seconds == 7
    assert overloaded.value.retry_after_seconds == pytest.approx(100, abs=5)


@pytest.mark.parametrize(
    ("value", "milliseconds", "expected"),
    [
        ("7", "", 7.0),
        ("1.5", "", 1.5),
        ("7", "250", 0.25),
        ("-3", "", None),
        ("soon", "", None),
        ("", "", None),
        ("nan", "", None),
        ("Thu, 01 Jan 1970 00:00:30 GMT", "", 20.0),
        ("Thu, 01 Jan 1970 00:00:05 GMT", "", 0.0),
        ("Thu, 99 Foo 1970", "", None),
    ],
)
def test_both_forms_of_retry_after(value: str, milliseconds: str, expected: float | None) -> None:
    assert retry_after_seconds(value, milliseconds, now=10.0) == expected
