"""Which proxy, if any, stands before an origin: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.

The variables are read as curl reads them: lower case wins, and HTTP_PROXY in capitals is ignored where
REQUEST_METHOD is set, since a CGI client could have set it. Loopback is never sent to a proxy.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from forgewright.core.errors import ConfigError
from forgewright.models.http.url import Url, split_authority


class Proxy(msgspec.Struct, frozen=True):
    host: str
    port: int
    authorization: str = ""
    """Value of Proxy-Authorization, or empty."""

    def __repr__(self) -> str:
        return f"Proxy({self.host}:{self.port})"


def proxy_for(url: Url, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy for this origin. Raises `ConfigError` when a variable names one that can't be used."""
    if _is_loopback(url.host):
        return None
    no_proxy = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    if no_proxy and _excluded(url, no_proxy):
        return None
    names = [f"{url.scheme}_proxy", f"{url.scheme}_proxy".upper(), "all_proxy", "ALL_PROXY"]
    if url.scheme == "http" and "REQUEST_METHOD" in environ:
        names.remove("HTTP_PROXY")
    for name in names:
        value = environ.get(name, "").strip()
        if value:
            return _parse(name, value)
    return None


def _parse(name: str, value: str) -> Proxy:
    scheme, mark, rest = value.partition("://")
    if not mark:
        scheme, rest = "http", value
    if scheme.lower() != "http":
        raise ConfigError(
            f"{name} names a {scheme.lower()} proxy; only http:// proxies are supported",
            hint=f"set {name} to http://HOST:PORT, or add the model's host to NO_PROXY",
        )
    credentials, at, authority = rest.rstrip("/").rpartition("@")
    host, port = split_authority(authority, 80, f"{name} (without its credentials: {authority})")
    if not at:
        return Proxy(host, port)
    from base64 import b64encode
    from urllib.parse import unquote

    user, _, password = credentials.partition(":")
    pair = f"{unquote(user)}:{unquote(password)}".encode()
    return Proxy(host, port, "Basic " + b64encode(pair).decode())


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost") or host == "::1" or host.startswith("127.")


def _excluded(url: Url, no_proxy: str) -> bool:
    for entry in no_proxy.replace(",", " ").split():
        if entry == "*":
            return True
        pattern, _, port = entry.lower().partition(":") if entry.count(":") == 1 else (entry.lower(), "", "")
        if port and port != str(url.port):
            continue
        if "/" in pattern:
            if _in_network(url.host, pattern):
                return True
            continue
        pattern = pattern.strip("[]").removeprefix("*").lstrip(".")
        if pattern and (url.host == pattern or url.host.endswith("." + pattern)):
            return True
    return False


def _in_network(host: str, network: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
