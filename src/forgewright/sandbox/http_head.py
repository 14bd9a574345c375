"""Heads of HTTP requests and of TLS connections, as far as a proxy has to understand them; strict, since both can lie.

Rules: RFC 9110 §9.3.6 (CONNECT), RFC 9112 §3.2 (forms of the target) and §6 (message bodies), RFC 8446 §4.1.2 and
RFC 6066 §3 (server name).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

HEAD_BYTES_MAX = 16 << 10
BODY_BYTES_MAX = 1 << 30
_DROPPED = (
    "connection", "proxy-connection", "proxy-authorization", "keep-alive", "upgrade", "te", "trailer",
    "expect", "content-length", "transfer-encoding",
)  # fmt: skip
"""Of what one hop tells the next (RFC 9110 §7.6.1), and what frames the body: that is written anew."""


class Denied(Exception):  # never leaves the proxy
    pass


class Head(msgspec.Struct, frozen=True):
    """A request to a proxy."""

    method: str
    host: str
    port: int
    path: str = ""
    """Of the request that is sent on; nothing for CONNECT."""
    headers: tuple[str, ...] = ()
    """Lines that are sent on."""
    framing: Literal["none", "length", "chunked"] = "none"
    length: int = 0
    """Bytes of the body: one request for each connection, and not a byte more."""
    waits: bool = False
    """The program sends its body when the server has said 100 (RFC 9110 §10.1.1)."""

    def encode(self, added: tuple[tuple[str, str], ...] = ()) -> bytes:
        """The request to send on; `added` headers take the place of those of the same name."""
        names = {name.lower() for name, _ in added}
        kept = [line for line in self.headers if line.partition(":")[0].lower() not in names]
        lines = [f"{self.method} {self.path} HTTP/1.1", *kept, *(f"{name}: {value}" for name, value in added)]
        if self.framing != "none":
            lines.append(
                "Transfer-Encoding: chunked"
                if self.framing == "chunked"
                else f"Content-Length: {self.length}"
            )
        if self.waits:
            lines.append("Expect: 100-continue")
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


def proxy_request(head: bytes) -> Head:
    """A request as a proxy gets it: CONNECT, or the absolute form. Raises `Denied`."""
    method, target, version, lines = _start(head)
    if method == "CONNECT":
        host, colon, port = target.rpartition(":")
        if not colon or not port.isdigit():
            raise Denied("malformed target")
        return Head(method, name_of(host), int(port))
    if not target.startswith("http://"):
        raise Denied("expected CONNECT or http://")
    authority, slash, path = target[7:].partition("/")
    host, colon, port = authority.rpartition(":") if not authority.endswith("]") else (authority, "", "")
    host, port = (host, port) if colon else (authority, "80")
    if not port.isdigit() or "@" in authority:
        raise Denied("malformed target")
    return _request(method, name_of(host), int(port), f"{slash or '/'}{path}", version, lines, authority)


def origin_request(head: bytes, host: str, port: int) -> Head:
    """A request as its server gets it (the origin form), which has to be for `host`. Raises `Denied`."""
    method, target, version, lines = _start(head)
    if method == "CONNECT" or not target.startswith("/"):
        raise Denied("expected a path")
    return _request(method, host, port, target, version, lines, host if port == 443 else f"{host}:{port}")


def _start(head: bytes) -> tuple[str, str, str, list[str]]:
    if len(head) > HEAD_BYTES_MAX:
        raise Denied("the request is too long")
    try:
        lines = head.decode("ascii").split("\r\n")
        method, target, version = lines[0].split(" ")
    except ValueError:
        raise Denied("malformed request") from None
    if version not in ("HTTP/1.1", "HTTP/1.0") or not method.isalpha() or any(c < "!" for c in target):
        raise Denied("malformed request")
    return method, target, version, lines[1:-2]


def _request(
    method: str, host: str, port: int, path: str, version: str, lines: list[str], authority: str
) -> Head:
    kept: list[str] = []
    found: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if (
            not colon
            or not name
            or name != name.strip()
            or any((c < " " and c != "\t") or c == "\x7f" for c in line)
        ):
            raise Denied("malformed header")
        name, value = name.lower(), value.strip(" \t")
        found.setdefault(name, []).append(value)
        if name == "host" and name_of(_host_part(value)) != host:
            raise Denied(f"the Host header is not {host}")
        if name not in _DROPPED:
            kept.append(line)
    if len(found.get("host", ())) > 1:
        raise Denied("more than one Host header")
    if "host" not in found:
        kept.insert(0, f"Host: {authority}")
    framing, length = _framing(found, version)
    return Head(method, host, port, path, tuple(kept), framing, length, _waits(found, version, framing))


def _framing(
    found: Mapping[str, list[str]], version: str
) -> tuple[Literal["none", "length", "chunked"], int]:
    """How long the body is (RFC 9112 §6.3); what says it in two ways is refused."""
    codings, lengths = found.get("transfer-encoding", []), set(found.get("content-length", ()))
    if not codings:
        return ("length", _length(lengths)) if lengths else ("none", 0)
    if lengths:
        raise Denied("a body with a length and a transfer coding")
    if [coding.lower() for coding in codings] != ["chunked"]:
        raise Denied("a transfer coding other than chunked")
    if version != "HTTP/1.1":
        raise Denied("a transfer coding in HTTP/1.0")
    return "chunked", 0


def _waits(found: Mapping[str, list[str]], version: str, framing: str) -> bool:
    wanted = [value.lower() for value in found.get("expect", ())]
    if wanted and wanted != ["100-continue"]:
        raise Denied("an expectation other than 100-continue")
    return (
        bool(wanted) and framing != "none" and version == "HTTP/1.1"
    )  # else it is ignored (RFC 9110 §10.1.1)


def _host_part(value: str) -> str:
    host, colon, port = value.rpartition(":")
    return host if colon and port.isdigit() else value


def name_of(host: str) -> str:
    return host.strip().strip("[]").lower().rstrip(".")


def _length(lengths: set[str]) -> int:
    value = lengths.pop()
    if lengths or not value.isascii() or not value.isdigit() or int(value) > BODY_BYTES_MAX:
        raise Denied("malformed Content-Length")
    return int(value)


def server_name(handshake: bytes) -> str | None:
    """The server name of a ClientHello; None where it has none. Raises `Denied` for one that cannot be read."""
    try:
        if handshake[0] != 1 or int.from_bytes(handshake[1:4]) + 4 > len(handshake):
            raise Denied("a TLS greeting that cannot be read")
        at = 4 + 2 + 32
        at += 1 + handshake[at]
        at += 2 + int.from_bytes(handshake[at : at + 2])
        at += 1 + handshake[at]
        end = at + 2 + int.from_bytes(handshake[at : at + 2])
        at += 2
        while at + 4 <= min(end, len(handshake)):
            kind, length = int.from_bytes(handshake[at : at + 2]), int.from_bytes(handshake[at + 2 : at + 4])
            if kind == 0:
                size = int.from_bytes(handshake[at + 7 : at + 9])
                return handshake[at + 9 : at + 9 + size].decode("ascii")
            at += 4 + length
    except (IndexError, UnicodeDecodeError):
        raise Denied("a TLS greeting that cannot be read") from None
    return None
