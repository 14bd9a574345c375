"""The connection fed with bytes that no server would send: it ends in an answer or in a model error, always."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from forgewright.core.errors import ModelError
from forgewright.models.http import HttpLimits, HttpTimeouts
from forgewright.models.http.connection import Connection

LIMITS = HttpLimits(header_bytes_max=2000, body_bytes_max=2000, buffer_bytes_max=100)


class Wire(asyncio.Transport):
    """The far end of nothing: takes what is written, and closes when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = False

    def write(self, data: object) -> None: ...

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def _exchange(pieces: list[bytes], *, streamed: bool) -> bytes | ModelError:
    loop = asyncio.get_running_loop()
    connection, wire = Connection(loop, "http://test", LIMITS), Wire()
    connection.connection_made(wire)
    connection.begin(b"POST", HttpTimeouts(), loop.time() + 60)
    for piece in pieces:
        if not wire.aborted:
            connection.data_received(piece)
    connection.connection_lost(None)
    try:
        if not streamed:
            return await connection.rest()
        await connection.head()
        body = b""
        while got := await connection.piece():
            body += got
        return body
    except ModelError as error:
        return error
    finally:
        connection.finish()


def exchange(pieces: list[bytes], *, streamed: bool = False) -> bytes | ModelError:
    return asyncio.run(_exchange(pieces, streamed=streamed))


def cut(raw: bytes, places: list[int]) -> list[bytes]:
    ends = [*sorted(places), len(raw)]
    return [raw[start:end] for start, end in zip([0, *ends], ends, strict=False)]


bodies = st.binary(max_size=300)
heads = st.sampled_from([b"", b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n"])


@st.composite
def answers(draw: st.DrawFn) -> tuple[bytes, bytes, str]:
    """An honest answer, its body, and in which of the three ways it is framed."""
    body = draw(bodies)
    framing = draw(st.sampled_from(["length", "chunked", "close"]))
    head = draw(heads) + b"HTTP/1.1 200 OK\r\ncontent-type: x\r\n"
    if framing == "length":
        return head + b"content-length: %d\r\n\r\n%b" % (len(body), body), body, framing
    if framing == "close":
        return head + b"\r\n" + body, body, framing
    chunks = [chunk for chunk in cut(body, draw(st.lists(st.integers(0, len(body)), max_size=4))) if chunk]
    raw = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head + b"transfer-encoding: chunked\r\n\r\n" + raw + b"0\r\n\r\n", body, framing


@settings(deadline=None, max_examples=60)
@given(answers(), st.data(), st.booleans())
def test_an_answer_does_not_depend_on_its_packets(
    answer: tuple[bytes, bytes, str], data: st.DataObject, streamed: bool
) -> None:
    raw, body, _ = answer
    places = data.draw(st.lists(st.integers(0, len(raw)), max_size=6))
    assert exchange(cut(raw, places), streamed=streamed) == body


@settings(deadline=None, max_examples=60)
@given(answers(), st.data(), st.booleans())
def test_half_an_answer_is_never_a_whole_one(
    answer: tuple[bytes, bytes, str], data: st.DataObject, streamed: bool
) -> None:
    raw, body, framing = answer
    stop = data.draw(st.integers(0, len(raw) - 1))
    got = exchange([raw[:stop]], streamed=streamed)
    if isinstance(got, bytes):  # only where the end of the connection is the end of the answer
        assert framing == "close"
        assert body.startswith(got)


@settings(deadline=None, max_examples=100)
@given(answers(), st.data(), st.booleans())
def test_whatever_comes_it_ends(
    answer: tuple[bytes, bytes, str], data: st.DataObject, streamed: bool
) -> None:
    raw = bytearray(answer[0])
    for _ in range(data.draw(st.integers(0, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    extra = data.draw(st.binary(max_size=50))
    assert isinstance(exchange([bytes(raw), extra], streamed=streamed), bytes | ModelError)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.binary(max_size=400), max_size=10))
def test_noise_ends_too(pieces: list[bytes]) -> None:
    assert isinstance(exchange(pieces), bytes | ModelError)
