"""Secrets that the proxy adds to allowed requests, so that they never enter a sandbox.

For these hosts alone the proxy ends the program's TLS, with a certificate of an authority that exists for this one
sandbox and lives in memory only; to the host it speaks a TLS of its own and checks its certificate as ever.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from forgewright.core.errors import UsageError
from forgewright.sandbox.http_head import Denied, Head
from forgewright.sandbox.types import Credential

if TYPE_CHECKING:
    from forgewright.sandbox.egress import Inward

CA_PATH = "/run/forgewright-ca.pem"
CA_VARIABLES = (
    "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS", "PIP_CERT",
)  # fmt: skip
_SECRET_BYTES_MIN = 8
"""Shorter ones would be found everywhere in what comes back."""


class Secrets:
    """Where secrets come from by name: the engine's own environment, or what a program hands over."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = values

    def value(self, name: str) -> str:
        """Raises `UsageError` where there is none, or one that can stand in no header."""
        value = (os.environ if self._values is None else self._values).get(name, "")
        if len(value) < _SECRET_BYTES_MIN or not value.isascii() or not value.isprintable():
            raise UsageError(
                f"secret {name!r}: expected {_SECRET_BYTES_MIN} or more printable characters in the variable of that name",
                hint=f"export {name}=…",
            )
        return value


class Interception:
    """The credentials of one sandbox, and the authority that its programs trust beside those of the system."""

    def __init__(self, credentials: Sequence[Credential], secrets: Secrets) -> None:
        from forgewright.sandbox.egress import Rule

        self._headers: dict[tuple[str, int], tuple[str, str]] = {}
        self._values: list[bytes] = []
        for credential in credentials:
            rule = Rule.parse(credential.to)
            if rule.host.startswith("*."):
                raise UsageError(f"credential for {credential.to}: expected one host, not all below a name")
            if "{}" not in credential.form or not credential.header.replace("-", "").isalnum():
                raise UsageError(
                    f"credential for {credential.to}: expected a header's name, and {{}} in its form"
                )
            value = secrets.value(credential.secret)
            self._headers[rule.host, rule.port] = (credential.header, credential.form.replace("{}", value))
            self._values.append(value.encode())
        self._authority: tuple[object, object] | None = None
        self._contexts: dict[str, ssl.SSLContext] = {}

    def header(self, request: Head) -> tuple[str, str] | None:
        """What is added to a request; over plain HTTP only to this machine's own loopback. Raises `Denied`."""
        found = self._headers.get((request.host, request.port))
        if (
            found is not None
            and request.method != "CONNECT"
            and request.host not in ("127.0.0.1", "localhost", "::1")
        ):
            raise Denied("a credential is sent over TLS only: ask for https://")
        return found

    def leaks(self, added: tuple[tuple[str, str], ...]) -> Callable[[bytes], None]:
        """A watch on what comes back: an answer that holds a secret does not reach the program."""
        longest = max(map(len, self._values))
        tail = b""

        def watch(data: bytes) -> None:
            nonlocal tail
            seen = tail + data
            if any(value in seen for value in self._values):
                raise Denied("the answer holds the credential")
            tail = seen[-longest + 1 :]

        return watch

    @asynccontextmanager
    async def decrypt(self, stream: Inward, host: str) -> AsyncIterator[Decrypted]:
        """The program's TLS, ended here."""
        loop = asyncio.get_running_loop()
        context = await asyncio.to_thread(self._context, host)
        outer, inner = socket.socketpair()
        outer_reader, outer_writer = await asyncio.open_connection(sock=outer)
        pumps = [
            asyncio.ensure_future(_pump_in(stream, outer_writer)),
            asyncio.ensure_future(_pump_out(outer_reader, stream)),
        ]
        writer: asyncio.StreamWriter | None = None
        try:
            reader = asyncio.StreamReader(limit=1 << 17)
            protocol = asyncio.StreamReaderProtocol(reader)
            inner.setblocking(False)
            transport, _ = await loop.connect_accepted_socket(lambda: protocol, inner, ssl=context)
            writer = asyncio.StreamWriter(transport, protocol, reader, loop)
            yield Decrypted(reader, writer)
            await _quietly(writer.drain())
        except ssl.SSLError as error:
            raise ConnectionAbortedError(f"no TLS with the program inside: {error.reason}") from None
        finally:
            if writer is not None:
                writer.close()
                await _quietly(asyncio.wait_for(writer.wait_closed(), 5))
            await asyncio.wait(pumps[1:], timeout=5)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            outer_writer.close()

    def _context(self, host: str) -> ssl.SSLContext:
        if host not in self._contexts:
            key, certificate = self._signed(host)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.set_alpn_protocols(["http/1.1"])
            with (
                tempfile.NamedTemporaryFile() as file
            ):  # ssl takes certificates by file only; it is gone at once
                file.write(key + certificate)
                file.flush()
                context.load_cert_chain(file.name)
            self._contexts[host] = context
        return self._contexts[host]

    def authority_pem(self) -> bytes:
        """What programs inside have to trust: the system's authorities, and the one of this sandbox."""
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding

        _, certificate = self._issuer()
        assert isinstance(certificate, x509.Certificate)
        own = certificate.public_bytes(Encoding.PEM)
        system = ssl.get_default_verify_paths().cafile
        if system and os.path.exists(system):
            with open(system, "rb") as file:
                return file.read(4 << 20) + b"\n" + own
        return own

    def _issuer(self) -> tuple[object, object]:
        if self._authority is None:
            from forgewright.sandbox.certificates import authority

            self._authority = authority()
        return self._authority

    def _signed(self, host: str) -> tuple[bytes, bytes]:
        from forgewright.sandbox.certificates import certificate

        return certificate(host, *self._issuer())


class Decrypted:
    """The plain side of an ended TLS; implements `Inward`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.read, self.readuntil, self.readexactly = reader.read, reader.readuntil, reader.readexactly

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def write_eof(self) -> None:
        """TLS has no half-close here: closing ends it."""

    def close(self) -> None:
        self._writer.close()


async def _pump_in(stream: Inward, writer: asyncio.StreamWriter) -> None:
    while data := await stream.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


async def _pump_out(reader: asyncio.StreamReader, stream: Inward) -> None:
    while data := await reader.read(65536):
        await stream.write(data)
    stream.write_eof()


async def _quietly(awaitable: object) -> None:
    try:
        await awaitable  # type: ignore[misc]  # a coroutine of the caller's
    except (OSError, TimeoutError):
        pass
