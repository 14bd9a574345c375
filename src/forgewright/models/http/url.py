"""Where a request goes. Parsed by hand, since urllib.parse would cost start-up time for three fields."""

from __future__ import annotations

import msgspec

from forgewright.core.errors import UsageError

_HOST_EXTRA = frozenset(".-_:%")


class Url(msgspec.Struct, frozen=True):
    scheme: str
    """`http` or `https`."""
    host: str
    """Lower case, an IPv6 address without brackets."""
    port: int
    path: str
    """With a leading slash, without query."""

    @property
    def authority(self) -> str:
        """As the Host header wants it (RFC 9110 §7.2): the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    def __str__(self) -> str:
        return self.origin + self.path


def parse_url(text: str) -> Url:
    """An absolute http(s) URL. Raises `UsageError`; never repeats a user name or password of it."""
    scheme, mark, rest = text.strip().partition("://")
    scheme = scheme.lower()
    if not mark or scheme not in ("http", "https"):
        raise UsageError(
            f"a base URL has to start with http:// or https://, found {text[:60]!r}",
            hint="give it like https://api.example.com/v1",
        )
    authority, slash, path = rest.partition("/")
    if "@" in authority:
        raise UsageError(
            "a base URL must not carry a user name or password", hint="give the key as api_key instead"
        )
    if "?" in rest or "#" in rest or any(c <= " " or c > "~" for c in rest):
        raise UsageError(
            f"a base URL has no query, fragment, blanks or non-ASCII characters, found {text[:60]!r}",
            hint="leave everything from ? or # on away, and percent-encode the rest",
        )
    host, port = split_authority(authority, 443 if scheme == "https" else 80, text)
    return Url(scheme, host, port, slash + path if path else "/")


def split_authority(authority: str, default_port: int, text: str) -> tuple[str, int]:
    """`host`, `host:port`, `[v6]` or `[v6]:port` in its two parts."""
    if authority.startswith("["):
        host, closed, tail = authority[1:].partition("]")
        port_text = tail[1:] if tail.startswith(":") else ""
        bad = not closed or (tail and not tail.startswith(":"))
    else:
        host, colon, port_text = authority.partition(":")
        bad = bool(colon) and not port_text
    host = host.lower()
    if bad or not host or not all(c.isalnum() or c in _HOST_EXTRA for c in host):
        raise UsageError(f"no host name was found in {text[:60]!r}", hint="give it like https://host:port/v1")
    if not port_text:
        return host, default_port
    if not port_text.isdecimal() or not 0 < int(port_text) < 65536:
        raise UsageError(f"a port is a number from 1 to 65535, found {port_text[:20]!r} in {text[:60]!r}")
    return host, int(port_text)
