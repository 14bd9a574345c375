"""The HTTP client by itself: TLS, proxies, kept connections, back-pressure, bounds."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.models.server import SSE_HEAD, Exchange, ModelServer, Step, chunk, http, raw

from forgewright.core.errors import ConfigError, ModelOverloaded, ModelProtocolError, UsageError
from forgewright.models.http import HttpClient, HttpLimits, parse_url
from forgewright.models.http.proxy import proxy_for


def certificate(folder: Path, host: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a server with a fresh certificate for `host`, and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{host}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + cert.public_bytes(serialization.Encoding.PEM))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=str(file))


def ok(body: bytes = b"{}") -> Step:
    return raw(http(200, body), close=False)


async def post(client: HttpClient, url: str, body: bytes = b"{}") -> bytes:
    return (await client.endpoint(parse_url(url), {"x": "y"}).fetch(body)).body


async def test_tls_with_a_trusted_certificate(tmp_path: Path) -> None:
    server_tls, client_tls = certificate(tmp_path, "localhost")
    async with ModelServer([ok(b"one"), ok(b"two")], tls=server_tls) as server:
        client = HttpClient(tls=client_tls)
        assert await post(client, server.url) == b"one"
        assert await post(client, server.url) == b"two"
        assert server.connections == 1
        assert server.asked[0].headers["host"] == f"localhost:{server.port}"
        await client.close()


async def test_a_certificate_that_is_not_trusted_is_refused(tmp_path: Path) -> None:
    server_tls, _ = certificate(tmp_path, "localhost")
    async with ModelServer([ok()], tls=server_tls) as server:
        with pytest.raises(ModelProtocolError, match=r"certificate of .* could not be verified"):
            await post(HttpClient(), server.url)
        assert server.asked == []


async def test_a_certificate_for_another_host_is_refused(tmp_path: Path) -> None:
    server_tls, client_tls = certificate(tmp_path, "other.example")
    async with ModelServer([ok()], tls=server_tls) as server:
        with pytest.raises(ModelProtocolError, match="could not be verified"):
            await post(HttpClient(tls=client_tls), server.url)
        assert server.asked == []


def test_a_context_that_verifies_nothing_is_refused() -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with pytest.raises(UsageError):
        HttpClient(tls=context)


async def test_https_asked_of_a_plain_server() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ModelProtocolError, match="does not speak TLS"):
            await post(HttpClient(), f"https://127.0.0.1:{port}/v1")


@asynccontextmanager
async def proxy(
    answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n", target: int = 0
) -> AsyncIterator[tuple[str, list[str]]]:
    """A CONNECT proxy that leads wherever `target` listens, and keeps what it was asked."""
    asked: list[str] = []
    tasks: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(answer)
        if b" 200 " not in answer:
            writer.close()
            return
        inner, outer = await asyncio.open_connection("127.0.0.1", target)
        for pair in ((reader, outer), (inner, writer)):
            tasks.add(asyncio.ensure_future(pump(*pair)))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://user:p%40ss@127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_tls_through_a_proxy(tmp_path: Path) -> None:
    server_tls, client_tls = certificate(tmp_path, "models.example")
    async with (
        ModelServer([ok(b"one"), ok(b"two")], tls=server_tls) as server,
        proxy(target=server.port) as (address, asked),
    ):
        client = HttpClient(tls=client_tls, environ={"HTTPS_PROXY": address})
        assert await post(client, "https://models.example/v1") == b"one"
        assert await post(client, "https://models.example/v1") == b"two"
        await client.close()
    assert len(asked) == 1
    assert asked[0].startswith("CONNECT models.example:443 HTTP/1.1\r\n")
    assert "proxy-authorization: Basic dXNlcjpwQHNz" in asked[0]
    assert "proxy-authorization" not in server.asked[0].headers


async def test_plain_http_through_a_proxy() -> None:
    async with ModelServer([ok(b"one")]) as server, proxy(target=server.port) as (address, asked):
        client = HttpClient(environ={"http_proxy": address})
        assert await post(client, "http://models.example:8000/v1") == b"one"
        await client.close()
        assert asked[0].startswith("CONNECT models.example:8000 ")


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 407 Who are you\r\n\r\n", b"garbage\r\n\r\n", b"", b"x" * 20_000]
)
async def test_a_proxy_that_refuses_is_named(answer: bytes) -> None:
    async with proxy(answer) as (address, _):
        client = HttpClient(environ={"HTTPS_PROXY": address})
        with pytest.raises(ModelOverloaded, match="proxy") as caught:
            await post(client, "https://models.example/v1")
    assert "p@ss" not in str(caught.value)
    assert "p%40ss" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "environ", "used"),
    [
        ("https://a.example/", {"HTTPS_PROXY": "http://p:1"}, True),
        ("https://a.example/", {"HTTP_PROXY": "http://p:1"}, False),
        ("https://a.example/", {"ALL_PROXY": "p:1"}, True),
        ("http://a.example/", {"HTTP_PROXY": "http://p:1"}, True),
        ("http://a.example/", {"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, False),
        ("https://a.example/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "b.example, .example"}, False),
        ("https://a.example/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a.example:8443"}, True),
        ("https://a.example/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "ample"}, True),
        ("https://10.1.2.3/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, False),
        ("https://a.example/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, False),
        ("http://127.0.0.1:9/", {"HTTP_PROXY": "http://p:1"}, False),
        ("http://localhost:9/", {"ALL_PROXY": "http://p:1"}, False),
    ],
)
def test_which_proxy_the_environment_names(url: str, environ: dict[str, str], used: bool) -> None:
    assert (proxy_for(parse_url(url), environ) is not None) is used


def test_a_proxy_of_another_kind_is_refused_without_its_password() -> None:
    with pytest.raises(ConfigError) as caught:
        proxy_for(parse_url("https://a.example/"), {"HTTPS_PROXY": "socks5://u:secret@p:1"})
    assert "secret" not in str(caught.value)


async def test_a_body_that_nobody_reads_is_not_taken_off_the_wire() -> None:
    sent = 0

    async def pour(exchange: Exchange) -> None:
        nonlocal sent
        await exchange.send(SSE_HEAD)
        for _ in range(2000):
            await exchange.send(chunk(b"x" * 65536))
            sent += 65536
        await exchange.send(b"0\r\n\r\n")

    async with ModelServer([pour]) as server:
        client = HttpClient(limits=HttpLimits(body_bytes_max=1 << 30, buffer_bytes_max=1 << 16))
        stream = await client.endpoint(parse_url(server.url), {}).stream(b"{}")
        taken = len(await stream.piece())
        for _ in range(2000):  # the server runs as far as the sockets' buffers let it
            await asyncio.sleep(0)
        assert sent < 32 << 20, "the server has to wait"
        while piece := await stream.piece():
            taken += len(piece)
        assert taken == 2000 * 65536
        stream.close()
        await client.close()


async def test_requests_beyond_the_bound_wait_for_a_connection() -> None:
    async with ModelServer([ok(str(n).encode()) for n in range(20)]) as server:
        client = HttpClient(limits=HttpLimits(connections_max=3))
        bodies = await asyncio.gather(*[post(client, server.url) for _ in range(20)])
        assert sorted(map(int, bodies)) == list(range(20))
        assert server.connections <= 3
        await client.close()


async def test_informational_answers_are_passed_over() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    async with ModelServer([raw(early + http(200, b"real"), close=False)]) as server:
        client = HttpClient()
        assert await post(client, server.url) == b"real"
        await client.close()


async def test_an_answer_that_ends_with_the_connection() -> None:
    async with ModelServer([raw(b"HTTP/1.1 200 OK\r\n\r\nall of it"), ok(b"next")]) as server:
        client = HttpClient()
        assert await post(client, server.url) == b"all of it"
        assert await post(client, server.url) == b"next"
        assert server.connections == 2
        await client.close()


async def test_what_comes_after_an_answer_spoils_the_connection() -> None:
    async with ModelServer(
        [raw(http(200, b"one") + http(200, b"planted"), close=False), ok(b"two")]
    ) as server:
        client = HttpClient()
        assert await post(client, server.url) == b"one"
        assert await post(client, server.url) == b"two"
        assert server.connections == 2
        await client.close()


def test_a_client_serves_one_event_loop_after_the_other() -> None:
    client = HttpClient()

    async def once() -> None:
        async with ModelServer([ok(b"one")]) as server:
            assert await post(client, server.url) == b"one"

    asyncio.run(once())
    asyncio.run(once())


def test_headers_cannot_be_injected() -> None:
    with pytest.raises(UsageError) as caught:
        HttpClient().endpoint(parse_url("http://a.example/"), {"authorization": "Bearer x\r\nevil: 1"})
    assert "evil" not in str(caught.value)


async def test_every_connection_is_kept_and_old_ones_are_closed() -> None:
    async with ModelServer([ok() for _ in range(120)]) as server:
        client = HttpClient(limits=HttpLimits(idle_seconds=60))
        for _ in range(2):
            await asyncio.gather(*[post(client, server.url) for _ in range(50)])
        assert server.connections == 50, "a fleet's connections are all used again"
        client.limits = HttpLimits(idle_seconds=0)
        await post(client, server.url)
        while server.open:
            server.closed.clear()
            await server.closed.wait()
        await client.close()
