"""Bodies without a length go through the proxy, with and without its credential; what could be read in two ways does not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sandbox.test_network import SECRET, Web, answer, make, raw
from tests.sandbox.tls import credentialed

from forgewright.sandbox import Command, Network
from forgewright.sandbox.http_body import body_of
from forgewright.sandbox.http_head import Denied, origin_request
from forgewright.sandbox.session import AgentSandbox
from forgewright.sandbox.types import Credential


class Receiving:
    """What a server does that reads as strictly as can be: exactly what it was sent, as it was framed."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.rests: list[bytes] = []

    async def __call__(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lower = head.lower()
        if b"/refuse" in head.split(b"\r\n")[0]:
            await answer(b"too much", b"413 Content Too Large")(head, reader, writer)
            return
        if b"\r\nexpect: 100-continue" in lower:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = bytearray()
        if b"\r\ntransfer-encoding: chunked\r\n" in lower:
            assert b"content-length" not in lower
            while size := int(await reader.readuntil(b"\r\n"), 16):
                body += await reader.readexactly(size)
                assert await reader.readexactly(2) == b"\r\n"
            assert await reader.readexactly(2) == b"\r\n"
        else:
            lengths = [line for line in lower.split(b"\r\n") if line.startswith(b"content-length:")]
            body += await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b""
        self.bodies.append(bytes(body))
        try:  # before the answer: what else was sent is here by now
            self.rests.append(await asyncio.wait_for(reader.read(1000), 0.2))
        except TimeoutError:
            self.rests.append(b"")
        known = b"\r\nAuthorization: Bearer " + SECRET.encode() + b"\r\n" in head
        await answer(b"%d bytes, known: %s" % (len(body), str(known).encode()))(head, reader, writer)


@pytest.fixture
async def plain() -> AsyncIterator[tuple[Web, Receiving]]:
    receiving = Receiving()
    async with Web(receiving) as web:
        yield web, receiving


@pytest.fixture
async def secured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Web, Receiving, AgentSandbox]]:
    """A server behind TLS, and a sandbox whose proxy adds its credential."""
    context = credentialed(tmp_path, SECRET, monkeypatch)
    receiving = Receiving()
    async with Web(receiving, context) as web:
        host = f"localhost:{web.port}"
        sandbox = await make(Network((host,), (Credential(host, "API_TOKEN"),)))
        yield web, receiving, sandbox
        await sandbox.close()


def curl(url: str, *more: str, data: bytes) -> Command:
    argv = ("curl", "-sS", "--noproxy", "", "-T", "-", "-X", "POST", *more, url)
    return Command(argv=argv, stdin=data, timeout_seconds=60)


@pytest.mark.sandbox
async def test_a_body_without_a_length_goes_through_with_the_credential(
    secured: tuple[Web, Receiving, AgentSandbox],
) -> None:
    web, receiving, sandbox = secured
    data = bytes(range(256)) * 6000
    ended = await sandbox.run(curl(f"https://localhost:{web.port}/", data=data))
    assert ended.stdout == b"1536000 bytes, known: True", ended
    assert receiving.bodies == [data]
    ended = await sandbox.run(curl(f"https://localhost:{web.port}/", "-H", "Expect: 100-continue", data=data))
    assert ended.stdout == b"1536000 bytes, known: True", ended
    assert ended.seconds < 10
    assert b"Expect: 100-continue" in web.seen[-1]
    assert receiving.rests == [b"", b""]
    ended = await sandbox.run(
        curl(f"https://localhost:{web.port}/refuse", "-H", "Expect: 100-continue", data=data)
    )
    assert ended.stdout == b"too much", "the server's own answer comes, and the body was never sent"
    assert len(receiving.bodies) == 2


@pytest.mark.sandbox
async def test_the_program_waits_for_the_servers_word(plain: tuple[Web, Receiving]) -> None:
    web, receiving = plain
    sandbox = await make(Network((f"127.0.0.1:{web.port}",)))
    program = """
import socket, sys
s = socket.create_connection(('127.0.0.1', 3128)); s.settimeout(20)
head = b'POST http://%b/ HTTP/1.1\\r\\nContent-Length: 5\\r\\nExpect: 100-Continue\\r\\n\\r\\n'
s.sendall(head % sys.argv[1].encode())
assert s.recv(100) == b'HTTP/1.1 100 Continue\\r\\n\\r\\n'
s.sendall(b'hello')
print(s.recv(1000))
"""
    try:
        here = f"127.0.0.1:{web.port}"
        ended = await sandbox.run(Command(argv=("python3", "-c", program, here), timeout_seconds=60))
        assert b"5 bytes" in ended.stdout, ended
        assert receiving.bodies == [b"hello"]
    finally:
        await sandbox.close()


def posted(here: bytes, headers: bytes, body: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    return b"POST http://" + here + b"/ " + version + b"\r\n" + headers + b"\r\n\r\n" + body


CHUNKED = b"Transfer-Encoding: chunked"


@pytest.mark.sandbox
async def test_what_can_be_read_in_two_ways_is_refused(plain: tuple[Web, Receiving]) -> None:
    web, receiving = plain
    here = b"127.0.0.1:%d" % web.port
    sandbox = await make(Network((here.decode(),)))
    second = b"GET /second HTTP/1.1\r\nHost: " + here + b"\r\n\r\n"
    try:
        for headers, body, version in (  # never gets a connection
            (CHUNKED + b"\r\nContent-Length: 5", b"0\r\n\r\n" + second, b"HTTP/1.1"),
            (b"Content-Length: 5\r\n" + CHUNKED, b"0\r\n\r\n" + second, b"HTTP/1.1"),
            (CHUNKED + b"\r\n" + CHUNKED, b"0\r\n\r\n", b"HTTP/1.1"),
            (b"Transfer-Encoding: gzip, chunked", b"0\r\n\r\n", b"HTTP/1.1"),
            (b"Transfer-Encoding: xchunked", b"0\r\n\r\n", b"HTTP/1.1"),
            (b"Transfer-Encoding: identity", b"", b"HTTP/1.1"),
            (b"Transfer-Encoding:\x0bchunked", b"0\r\n\r\n", b"HTTP/1.1"),
            (b"Transfer-Encoding : chunked", b"0\r\n\r\n", b"HTTP/1.1"),
            (b"X: y\r\n Transfer-Encoding: chunked", b"0\r\n\r\n", b"HTTP/1.1"),
            (b"X: y\nTransfer-Encoding: chunked", b"0\r\n\r\n", b"HTTP/1.1"),
            (b"X: y\rTransfer-Encoding: chunked", b"0\r\n\r\n", b"HTTP/1.1"),
            (CHUNKED, b"0\r\n\r\n", b"HTTP/1.0"),
            (b"Content-Length: 5\r\nContent-Length: 6", b"123456", b"HTTP/1.1"),
            (b"Content-Length: +5", b"12345", b"HTTP/1.1"),
            (b"Content-Length: 5, 5", b"12345", b"HTTP/1.1"),
            (b"Content-Length: 5\r\nExpect: 200-ok", b"12345", b"HTTP/1.1"),
        ):
            told = (await sandbox.run(raw(posted(here, headers, body, version)))).stdout
            assert told.startswith(b"HTTP/1.1 403"), (headers, told)
        assert web.seen == []
        for body in (  # whatever was sent of it, the server never sees an end
            b"5;\r\nhello\r\n0x0\r\n\r\n", b"-1\r\n\r\n", b"+5\r\nhello\r\n0\r\n\r\n", b" 5\r\nhello\r\n0\r\n\r\n",
            b"5 \r\nhello\r\n0\r\n\r\n", b"\r\nhello\r\n0\r\n\r\n", b"5\nhello\r\n0\r\n\r\n", b"4\r\nhello\r\n0\r\n\r\n",
            b"6\r\nhello\r\n0\r\n\r\n", b"fffffffff\r\nhello", b"ffffffff\r\nhello",
            b"5;" + b"x" * 300 + b"\r\nhello\r\n0\r\n\r\n",
            b"5;a\x00b\r\nhello\r\n0\r\n\r\n", b"0\r\nno trailer\r\n\r\n", b"0\r\n folded: x\r\n\r\n",
            b"0\r\n" + b"x: y\r\n" * 40 + b"\r\n",
        ):  # fmt: skip
            told = (await sandbox.run(raw(posted(here, CHUNKED, body)))).stdout
            assert told.startswith(b"HTTP/1.1 400"), (body[:40], told)
        assert receiving.bodies == []
        assert sandbox.egress is not None
        assert not any(one.allowed for one in sandbox.egress.connections)
    finally:
        await sandbox.close()


@pytest.mark.sandbox
async def test_extensions_trailers_and_a_second_request_go_nowhere(plain: tuple[Web, Receiving]) -> None:
    web, receiving = plain
    here = b"127.0.0.1:%d" % web.port
    sandbox = await make(Network((here.decode(),)))
    try:
        body = b'5;name="value"\r\nhello\r\n00000006 ; x\r\n world\r\n0\r\nContent-Length: 99\r\nX: y\r\n\r\n'
        second = b"GET /second HTTP/1.1\r\nHost: " + here + b"\r\n\r\n"
        headers = b"transfer-encoding:  CHUNKED\t\r\nTrailer: X\r\nTE: trailers"
        told = (await sandbox.run(raw(posted(here, headers, body + second)))).stdout
        assert told.count(b"HTTP/1.1 200") == 1
        assert receiving.bodies == [b"hello world"]
        assert receiving.rests == [b""]
        assert len(web.seen) == 1
        assert b"railer" not in web.seen[0]
        assert b"TE:" not in web.seen[0].replace(b"\r\nTransfer", b"")
        assert web.seen[0].count(b"Transfer-Encoding: chunked") == 1
    finally:
        await sandbox.close()


async def test_bodies_in_any_pieces_are_the_same() -> None:
    head = origin_request(b"POST / HTTP/1.1\r\n" + CHUNKED + b"\r\n\r\n", "a.example", 443)
    whole = b"3\r\nabc\r\n" + b"a\r\n" + b"0123456789" + b"\r\n0\r\n\r\n"
    for cut in range(1, len(whole)):
        reader = asyncio.StreamReader(limit=1 << 17)
        reader.feed_data(whole[:cut])
        asyncio.get_running_loop().call_soon(reader.feed_data, whole[cut:])
        out = b"".join([data async for data in body_of(head, reader)])
        assert out.endswith(b"0\r\n\r\n")
        assert b"".join(piece for piece in out.split(b"\r\n")[1::2] if piece) == b"abc0123456789"
    reader = asyncio.StreamReader(limit=1 << 17)
    reader.feed_data(whole[:-9])
    reader.feed_eof()
    with pytest.raises(asyncio.IncompleteReadError):
        _ = [data async for data in body_of(head, reader)]
    with pytest.raises(Denied, match="a length and a transfer coding"):
        origin_request(b"POST / HTTP/1.1\r\nContent-Length: 1\r\n" + CHUNKED + b"\r\n\r\n", "a.example", 443)


_BITS = st.sampled_from(
    [b"0", b"5", b"a", b"A", b"\r\n", b"\n", b"\r", b" ", b";", b";x=y", b"\t", b"hello", b"0\r\n\r\n", b"5\r\nhello\r\n",
     b"x: y", b"+", b"-", b"0x", b"\0", b"GET / HTTP/1.1\r\n\r\n", b"ffffffff", b"\xff"]
)  # fmt: skip


def strictly(data: bytes) -> bytes:
    """What a server reads that takes nothing but `size CRLF data CRLF … 0 CRLF CRLF`, and all of it."""
    out = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        assert re.fullmatch(rb"0|[1-9a-f][0-9a-f]*", size)
        if size == b"0":
            assert data == b"\r\n"
            return out
        length = int(size, 16)
        out, data = out + data[:length], data[length:]
        assert data.startswith(b"\r\n")
        data = data[2:]


@settings(max_examples=400, deadline=None)
@given(st.lists(_BITS, max_size=14))
def test_whatever_is_sent_on_is_framed_in_one_way_only(bits: list[bytes]) -> None:
    async def sent() -> bytes:
        reader = asyncio.StreamReader(limit=1 << 17)
        reader.feed_data(b"".join(bits))
        reader.feed_eof()
        head = origin_request(b"POST / HTTP/1.1\r\n" + CHUNKED + b"\r\n\r\n", "a.example", 443)
        return b"".join([data async for data in body_of(head, reader)])

    try:
        out = asyncio.run(sent())
    except (Denied, asyncio.IncompleteReadError):
        return  # the server never sees an end
    payload = strictly(out)
    assert len(payload) <= len(b"".join(bits))


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"Transfer-Encoding", b"transfer-encoding ", b"Content-Length", b" X", b"Expect", b"Host", b"X\0"]),
            st.sampled_from([b": ", b":", b" : ", b":\t", b":\x0b"]),
            st.sampled_from(
                [b"chunked", b"CHUNKED", b"gzip", b"chunked, chunked", b"5", b"+5", b"5, 5", b"100-continue", b"a.example", b""]
            ),
            st.sampled_from([b"\r\n", b"\r\n ", b"\n", b"\r"]),
        ),
        max_size=5,
    )
)  # fmt: skip
def test_a_head_that_is_sent_on_says_how_long_its_body_is_once(
    lines: list[tuple[bytes, bytes, bytes, bytes]],
) -> None:
    raw_head = b"POST / HTTP/1.1\r\n" + b"".join(b"".join(line) for line in lines)
    try:
        head = origin_request(raw_head.rstrip(b"\r\n ") + b"\r\n\r\n", "a.example", 443)
    except Denied:
        return
    told = head.encode().lower().split(b"\r\n")
    framing = [line for line in told if line.startswith((b"content-length", b"transfer-encoding"))]
    assert framing in ([], [b"transfer-encoding: chunked"], [b"content-length: 5"])
    assert sum(line.startswith(b"host:") for line in told) == 1
    assert not any(line[:1] in (b" ", b"\t") or b"\n" in line or b"\r" in line for line in told)
