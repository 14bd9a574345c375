"""One GET over HTTP/1.1 to an address that was checked: bounded in time and bytes, no redirect followed, nothing sent along.

RFC 9110 (semantics), RFC 9112 (messages).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import zlib
from typing import TYPE_CHECKING

import msgspec

from forgewright.core.errors import Refused, Unavailable, UsageError
from forgewright.core.version import VERSION
from forgewright.policy.labels import host_labels
from forgewright.sandbox.addresses import Address, is_public

if TYPE_CHECKING:
    import ssl

BODY_BYTES_MAX = 5 << 20
HEAD_BYTES_MAX = 64 << 10
SECONDS = 30.0
URL_CHARACTERS_MAX = 4_000
ACCEPT = "text/html, text/plain, application/json, text/*;q=0.9, */*;q=0.5"


class Fetched(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a server answered."""

    status: int
    media: str = ""
    """The content type, in lower case."""
    body: bytes = b""
    location: str = ""
    """Where it sends us on to."""
    truncated: bool = False
    """The body was longer than what is kept."""


class Target(msgspec.Struct, frozen=True):
    """A URL in its parts."""

    scheme: str
    host: str
    port: int
    path: str
    """With its query."""

    @property
    def place(self) -> str:
        """`host:port`, as policies see it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        default = 443 if self.scheme == "https" else 80
        return f"{self.scheme}://{self.authority if self.port == default else self.place}{self.path}"

    @property
    def authority(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


def parse_target(url: str, base: Target | None = None) -> Target:
    """Raises `UsageError` for what is no http(s) address, or carries a name and a password."""
    from urllib.parse import quote, urljoin, urlsplit

    if len(url) > URL_CHARACTERS_MAX:
        raise UsageError(f"expected a URL of at most {URL_CHARACTERS_MAX:,} characters; found {len(url):,}")
    whole = urljoin(str(base), url) if base is not None else url.strip()
    try:
        parts = urlsplit(whole)
        port = parts.port
        host = (
            (parts.hostname or "")
            .encode("idna" if not (parts.hostname or "").isascii() else "ascii")
            .decode()
        )
    except (ValueError, UnicodeError) as error:
        raise UsageError(f"expected a URL; {whole[:100]!r} is none: {error}") from error
    odd = any(c < " " or c == "\x7f" for c in whole) or " " in parts.netloc
    if parts.scheme not in ("http", "https") or not host or odd:
        raise UsageError(f"expected a URL that starts with http:// or https://; found {whole[:100]!r}")
    if "@" in parts.netloc:
        raise UsageError("expected a URL without a user name or password")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?") if parts.query else ""
    return Target(
        parts.scheme, host.lower().rstrip("."), port or (443 if parts.scheme == "https" else 80), path + query
    )


async def get(target: Target, tls: ssl.SSLContext | None = None) -> Fetched:
    """Raises `Refused` (an address that is not public), `Unavailable` (no answer, or none that can be read)."""
    try:
        async with asyncio.timeout(SECONDS):
            return await _get(target, tls)
    except TimeoutError as error:
        raise Unavailable(f"{target.place} did not answer within {SECONDS:g} seconds") from error
    except OSError as error:
        raise Unavailable(f"{target.place} can't be reached: {error.strerror or error}") from error


async def _get(target: Target, tls: ssl.SSLContext | None) -> Fetched:
    address = await resolve(target)
    context = None
    if target.scheme == "https":
        from forgewright.models.http.connect import default_tls_context

        context = tls or default_tls_context()
    name = target.host if context is not None else None
    reader, writer = await asyncio.open_connection(
        str(address), target.port, ssl=context, server_hostname=name, limit=HEAD_BYTES_MAX
    )
    try:
        default = 443 if target.scheme == "https" else 80
        host = target.authority if target.port == default else target.place
        writer.write(
            f"GET {target.path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: forgewright/{VERSION}\r\n"
            f"accept: {ACCEPT}\r\naccept-encoding: gzip, identity\r\nconnection: close\r\n\r\n".encode(
                "ascii"
            )
        )
        return await _read(reader, target)
    finally:
        writer.close()


async def resolve(target: Target) -> Address:
    """The address that is connected to. Only a host that is private by its name may be at one that is not public."""
    private = "private" in host_labels(target.host)
    found = await asyncio.get_running_loop().getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
    for address in addresses:
        if not is_public(address) and not private:
            raise Refused(f"{target.host} resolves to {address}, which is no public address")
    return addresses[0]


class _Answer:
    """Callbacks of the parser."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.size = 0
        self.done = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.size += len(name) + len(value)
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.done = True


async def _read(reader: asyncio.StreamReader, target: Target) -> Fetched:
    import httptools

    answer = _Answer()
    parser = httptools.HttpResponseParser(answer)
    try:
        while not answer.done and len(answer.body) <= BODY_BYTES_MAX and answer.size <= HEAD_BYTES_MAX:
            data = await reader.read(65536)
            if not data:
                break
            parser.feed_data(data)
    except httptools.HttpParserError as error:
        raise Unavailable(f"{target.place} gave an answer that is no HTTP: {error}") from error
    status = parser.get_status_code()
    if not status or answer.size > HEAD_BYTES_MAX:
        raise Unavailable(f"{target.place} gave no answer that can be read")
    said = answer.headers.get("content-length", "")
    if (
        not answer.done
        and len(answer.body) <= BODY_BYTES_MAX
        and said.isdigit()
        and len(answer.body) < int(said)
    ):
        raise Unavailable(f"{target.place} said {said} bytes and sent {len(answer.body)}")
    body, cut = _plain(bytes(answer.body), answer.headers.get("content-encoding", ""), target)
    return Fetched(
        status,
        answer.headers.get("content-type", "").lower(),
        body,
        answer.headers.get("location", ""),
        cut or (not answer.done and len(answer.body) > BODY_BYTES_MAX),
    )


def _plain(body: bytes, encoding: str, target: Target) -> tuple[bytes, bool]:
    """The body uncompressed, at most so much of it, and whether there was more."""
    if encoding.strip().lower() in ("gzip", "x-gzip"):
        inflate = zlib.decompressobj(wbits=31)
        whole = len(body) <= BODY_BYTES_MAX
        try:
            body = inflate.decompress(body, BODY_BYTES_MAX + 1)
        except zlib.error as error:
            raise Unavailable(f"{target.place} gave an answer that is no gzip: {error}") from error
        if whole and not inflate.eof and len(body) <= BODY_BYTES_MAX:
            raise Unavailable(f"{target.place} gave an answer that is no gzip: it is cut off")
    elif encoding and encoding.strip().lower() != "identity":
        raise Unavailable(
            f"{target.place} compressed its answer as {encoding[:30]!r}, which was not asked for"
        )
    return body[:BODY_BYTES_MAX], len(body) > BODY_BYTES_MAX
