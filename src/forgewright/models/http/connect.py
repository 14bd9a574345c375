"""Opens connections: TCP, TLS with verified certificates, through a proxy where the environment names one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from forgewright.core.errors import ModelError, ModelOverloaded, ModelProtocolError
from forgewright.models.http.connection import Connection
from forgewright.models.http.limits import HttpLimits
from forgewright.models.http.proxy import Proxy
from forgewright.models.http.url import Url

if TYPE_CHECKING:
    import ssl

_TUNNEL_HEAD_BYTES_MAX = 16 << 10


async def open_connection(
    url: Url, proxy: Proxy | None, tls: ssl.SSLContext | None, limits: HttpLimits, seconds: float
) -> Connection:
    """A connection ready for a request to `url`. `tls` is given exactly if its scheme is https.

    Raises `ModelOverloaded` (no such host, refused, timed out) and `ModelProtocolError` (certificate).
    """
    loop = asyncio.get_running_loop()
    connection = Connection(loop, url.origin, limits)
    try:
        async with asyncio.timeout(seconds):
            if proxy is not None:
                await _through_proxy(loop, url, proxy, tls, connection)
            else:
                await loop.create_connection(
                    lambda: connection, url.host, url.port, ssl=tls, happy_eyeballs_delay=_delay(url.host)
                )
    except TimeoutError as error:
        raise ModelOverloaded(
            f"{_whither(url, proxy)} could not be reached within {seconds:g} s",
            hint="check the network, and HTTPS_PROXY where one is needed",
        ) from error
    except OSError as error:
        raise _explain(url, proxy, error) from error
    except BaseException:
        connection.abort()
        raise
    return connection


def _delay(host: str) -> float | None:
    """Seconds until the next address of a host is tried beside the first (RFC 8305); a host that is an
    address has no other, and the race would cost three tasks."""
    return None if ":" in host or host[-1:].isdecimal() else 0.25


def _whither(url: Url, proxy: Proxy | None) -> str:
    return f"the proxy {proxy.host}:{proxy.port}" if proxy else url.origin


def _explain(url: Url, proxy: Proxy | None, error: OSError) -> ModelError:
    import socket

    whither = _whither(url, proxy)
    if isinstance(error, socket.gaierror):
        return ModelOverloaded(
            f"the host name of {whither} could not be resolved ({error.strerror})",
            hint="check the network, the base URL, and HTTPS_PROXY where one is needed",
        )
    if isinstance(error, ConnectionRefusedError):
        return ModelOverloaded(
            f"{whither} refused the connection",
            hint="start the server, or check host and port of the base URL",
        )
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        return ModelProtocolError(
            f"the certificate of {url.origin} could not be verified: {error.verify_message}",
            hint="name the right host, or add its authority by SSL_CERT_FILE=FILE",
        )
    if isinstance(error, ssl.SSLError):
        return ModelProtocolError(
            f"{url.origin} does not speak TLS as expected ({error.reason or error})",
            hint="check whether the base URL has to start with http:// or https://",
        )
    return ModelOverloaded(
        f"{whither} could not be reached ({error.strerror or error})",
        hint="check the network and the base URL",
    )


async def _through_proxy(
    loop: asyncio.AbstractEventLoop,
    url: Url,
    proxy: Proxy,
    tls: ssl.SSLContext | None,
    connection: Connection,
) -> None:
    """CONNECT (RFC 9110 §9.3.6), for plain http as well: the proxy then sees no headers and no keys."""
    tunnel = _Tunnel(loop)
    transport, _ = await loop.create_connection(lambda: tunnel, proxy.host, proxy.port)
    try:
        host = f"[{url.host}]" if ":" in url.host else url.host
        authorization = f"proxy-authorization: {proxy.authorization}\r\n" if proxy.authorization else ""
        target = f"{host}:{url.port}"
        transport.write(f"CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n{authorization}\r\n".encode())
        status_line = await tunnel.answer
        status = status_line.split(b" ", 2)[1:2]
        if status != [b"200"]:
            raise ModelOverloaded(
                f"the proxy {proxy.host}:{proxy.port} did not open a tunnel to {target}:"
                f" {status_line[:100].decode('latin-1')!r}",
                hint="check the proxy's address and credentials, or add the host to NO_PROXY",
            )
        if tls is None:
            transport.set_protocol(connection)
            connection.connection_made(transport)
        else:
            upgraded = await loop.start_tls(transport, connection, tls, server_hostname=url.host)
            if upgraded is None:
                raise ConnectionResetError("the tunnel was closed during the TLS handshake")
            connection.connection_made(upgraded)
    except BaseException:
        transport.abort()
        raise


class _Tunnel(asyncio.Protocol):
    """Reads a proxy's answer to CONNECT up to the blank line, and nothing after it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.answer: asyncio.Future[bytes] = loop.create_future()
        self._head = b""

    def data_received(self, data: bytes) -> None:
        self._head += data
        end = self._head.find(b"\r\n\r\n")
        if self.answer.done():
            return
        if end >= 0 and end + 4 == len(self._head):
            self.answer.set_result(self._head.partition(b"\r\n")[0])
        elif end >= 0 or len(self._head) > _TUNNEL_HEAD_BYTES_MAX:
            self.answer.set_exception(ConnectionError("the proxy did not answer CONNECT in HTTP/1.1"))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.answer.done():
            self.answer.set_exception(ConnectionResetError("the proxy closed the connection"))


def default_tls_context() -> ssl.SSLContext:
    """The system's authorities (or SSL_CERT_FILE, SSL_CERT_DIR), host names checked, TLS 1.2 at least."""
    import ssl

    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
