"""The way out: what is allowed gets through, byte for byte; all else is refused, and all is recorded."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import shutil
import ssl
from collections.abc import AsyncIterator

import pytest

from forgewright.core.errors import UsageError
from forgewright.sandbox import Command, Network, SandboxSpec, Tier, driver
from forgewright.sandbox.addresses import is_public
from forgewright.sandbox.egress import Rule
from forgewright.sandbox.http_head import server_name
from forgewright.sandbox.session import AgentSandbox

TIERS = {"container": "crun", "gvisor": "runsc", "microvm": "qemu-system-x86_64"}
BODY = b"from outside\n" * 50_000


@pytest.fixture
async def server() -> AsyncIterator[int]:
    """An HTTP server on the host's loopback that answers anything with BODY and echoes what was posted."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (
                    int(h.split(b":")[1])
                    for h in head.split(b"\r\n")
                    if h.lower().startswith(b"content-length")
                ),
                0,
            )
            body = await reader.readexactly(length) if length else BODY
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


async def make(tier: str, *allow: str) -> AgentSandbox:
    program = TIERS[tier]
    if not (shutil.which(program) or shutil.which(program, path="/usr/sbin")):
        message = f"{program} is not installed; run: sh scripts/setup.sh"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    sandbox = await driver(tier).create(SandboxSpec(tier=Tier(tier), network=Network(allow=allow)))
    assert isinstance(sandbox, AgentSandbox)
    return sandbox


FETCH = """
import os, sys, urllib.request
os.environ.pop('no_proxy'), os.environ.pop('NO_PROXY')  # the server of this test is on a loopback
handler = urllib.request.ProxyHandler({'http': 'http://127.0.0.1:3128', 'https': 'http://127.0.0.1:3128'})
opener = urllib.request.build_opener(handler)
data = sys.stdin.buffer.read() or None
try:
    sys.stdout.buffer.write(opener.open(sys.argv[1], data=data, timeout=20).read())
except Exception as error:
    print('FAILED', error)
"""
RAW = """
import socket, sys
s = socket.create_connection(('127.0.0.1', 3128)); s.settimeout(20)
s.sendall(sys.stdin.buffer.read())
while data := s.recv(65536):
    sys.stdout.buffer.write(data)
"""


def fetch(url: str, data: bytes = b"") -> Command:
    return Command(argv=("python3", "-c", FETCH, url), stdin=data, timeout_seconds=60)


def raw(data: bytes) -> Command:
    return Command(argv=("python3", "-c", RAW), stdin=data, timeout_seconds=60)


@pytest.mark.sandbox
@pytest.mark.parametrize("tier", TIERS)
async def test_what_is_named_is_reached_and_nothing_else(tier: str, server: int) -> None:
    sandbox = await make(tier, f"127.0.0.1:{server}")
    try:
        assert (await sandbox.run(fetch(f"http://127.0.0.1:{server}/x"))).stdout == BODY
        posted = os.urandom(700_000)
        assert (await sandbox.run(fetch(f"http://127.0.0.1:{server}/x", posted))).stdout == posted
        ended = await sandbox.run(fetch(f"http://127.0.0.1:{server + 1}/x"))
        assert b"FAILED HTTP Error 403" in ended.stdout
        for url in ("http://169.254.169.254/latest", "http://localhost:1/", "https://example.com/"):
            assert b"403" in (await sandbox.run(fetch(url))).stdout
        direct = f"import socket; socket.create_connection(('127.0.0.1', {server}), timeout=3)"
        assert (await sandbox.run(Command(argv=("python3", "-c", direct)))).code == 1
        assert sandbox.egress is not None
        recorded = [(c.host, c.port, c.allowed) for c in sandbox.egress.connections]
        assert recorded[:3] == [("127.0.0.1", server, True)] * 2 + [("127.0.0.1", server + 1, False)]
        assert ("169.254.169.254", 80, False) in recorded
        assert sandbox.egress.connections[0].received_bytes >= len(BODY)
    finally:
        await sandbox.close()


@pytest.mark.sandbox
async def test_tricks_of_the_protocol_are_refused(server: int) -> None:
    sandbox = await make("container", f"127.0.0.1:{server}", "localhost:9")
    here = b"127.0.0.1:%d" % server
    try:
        tunnel = await sandbox.run(raw(b"CONNECT " + here + b" HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n"))
        assert tunnel.stdout.startswith(b"HTTP/1.1 200 Connection established")
        assert BODY in tunnel.stdout
        for head in (
            b"GET http://" + here + b"/ HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n",
            b"GET http://user@" + here + b"/ HTTP/1.1\r\n\r\n",
            b"POST http://" + here + b"/ HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
            b"GET http://" + here + b"/ HTTP/1.1\r\n folded: x\r\n\r\n",
            b"GET ftp://" + here + b"/ HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: " + here + b"\r\n\r\n",
            b"CONNECT elsewhere.example:443 HTTP/1.1\r\n\r\n",
            b"CONNECT " + here + b"@elsewhere HTTP/1.1\r\n\r\n",
        ):
            assert (await sandbox.run(raw(head))).stdout.startswith(b"HTTP/1.1 403"), head
        smuggled = (
            b"GET http://" + here + b"/ HTTP/1.1\r\nHost: " + here + b"\r\n\r\nGET /second HTTP/1.1\r\n\r\n"
        )
        assert (await sandbox.run(raw(smuggled))).stdout.count(b"HTTP/1.1 200") == 1
        fronted = hello("elsewhere.example")
        connect = b"CONNECT " + here + b" HTTP/1.1\r\n\r\n"
        assert BODY not in (await sandbox.run(raw(connect + fronted))).stdout
        assert sandbox.egress is not None
        assert "elsewhere.example" in sandbox.egress.connections[-1].reason
    finally:
        await sandbox.close()


@pytest.mark.sandbox
async def test_many_connections_and_closing_in_the_middle(server: int) -> None:
    sandbox = await make("container", f"127.0.0.1:{server}")
    try:
        command = fetch(f"http://127.0.0.1:{server}/x")
        ended = await asyncio.gather(*(sandbox.run(command) for _ in range(12)))
        assert all(e.stdout == BODY for e in ended)
        torn = "import socket\nfor i in range(40):\n  socket.create_connection(("
        torn += "'127.0.0.1', 3128)).send(b'GET ')"
        assert (await sandbox.run(Command(argv=("python3", "-c", torn)))).ok
        assert (await sandbox.run(fetch(f"http://127.0.0.1:{server}/x"))).stdout == BODY
    finally:
        await sandbox.close()


def hello(name: str) -> bytes:
    """A real TLS greeting for `name`."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    return outgoing.read()


def test_the_name_in_a_greeting_is_found() -> None:
    assert server_name(hello("packages.example")[5:]) == "packages.example"


PRIVATE = """127.0.0.1 10.1.2.3 192.168.0.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 ::1 :: fe80::1
fd00:ec2::254 ::ffff:127.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 2002:7f00:1::"""


@pytest.mark.parametrize("text", PRIVATE.split())
def test_addresses_that_are_not_public(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


def test_rules() -> None:
    assert is_public(ipaddress.ip_address("1.1.1.1"))
    assert Rule.parse("*.example.com:443").covers("a.example.com", 443)
    assert not Rule.parse("*.example.com:443").covers("example.com.evil.org", 443)
    assert not Rule.parse("example.com:443").covers("example.com", 80)
    assert not Rule.parse("*.0.0.1:80").covers("127.0.0.1", 80)
    for text in (
        "example.com",
        "example.com:",
        ":443",
        "*:443",
        "example.com:0",
        "example.com:99999",
        "http://x:1/",
    ):
        with pytest.raises(UsageError):
            Rule.parse(text)
