"""A tool server on its two transports: the standard streams, and streamable HTTP."""

from __future__ import annotations

import hmac
from typing import Any

from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl
from starlette.applications import Starlette

from forgewright.core.errors import UsageError
from forgewright.tools.mcp.server import ToolServer

LOOPBACK = ("127.0.0.1", "localhost", "::1")
TOKEN_CHARACTERS_MIN = 24
EVENTS_MAX = 10_000
"""Messages kept for clients that come back after a cut stream."""


async def serve_stdio(server: ToolServer) -> None:
    """Serves one client on the standard streams until they close."""
    await server.run_stdio_async()


async def serve_http(
    server: ToolServer, *, host: str = "127.0.0.1", port: int = 8765, token: str | None = None
) -> None:
    """Serves at `http://HOST:PORT/mcp` until cancelled. Raises `UsageError` for a host that others can reach
    without a token."""
    import uvicorn

    app = _Trimmed(http_app(server, host=host, port=port, token=token))
    await uvicorn.Server(uvicorn.Config(app, host=host, port=port, log_level="warning")).serve()


def http_app(server: ToolServer, *, host: str, port: int, token: str | None = None) -> Starlette:
    """The ASGI application. With a token each request has to bear it; requests with a foreign `Host` or
    `Origin` are refused (DNS rebinding)."""
    if token is None and host not in LOOPBACK:
        raise UsageError(
            f"expected a token for a server on {host}, which others can reach",
            hint="give one, or listen on 127.0.0.1",
        )
    if token is not None and len(token) < TOKEN_CHARACTERS_MIN:
        raise UsageError(f"expected a token of {TOKEN_CHARACTERS_MIN} characters or more; found {len(token)}")
    auth: dict[str, Any] = {}
    if token is not None:
        at = AnyHttpUrl(f"http://{host}:{port}")
        resource = AnyHttpUrl(f"http://{host}:{port}/mcp")
        auth = {
            "auth": AuthSettings(issuer_url=at, resource_server_url=resource, validate_token_resource=False),
            "token_verifier": _OneToken(token),
        }
    names = LOOPBACK if host in LOOPBACK else (host,)
    return server._lowlevel_server.streamable_http_app(
        host=host,
        event_store=KeptEvents(),
        retry_interval=100,
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection=True,
            allowed_hosts=[f"{_bracketed(name)}:*" for name in names],
            allowed_origins=[f"http://{_bracketed(name)}:*" for name in names],
        ),
        **auth,
    )


class KeptEvents(EventStore):
    """The last messages of all streams, in memory; the oldest are forgotten first."""

    def __init__(self, events_max: int = EVENTS_MAX) -> None:
        self._events: dict[int, tuple[str, Any]] = {}
        self._next = 1
        self._max = events_max

    async def store_event(self, stream_id: str, message: Any) -> str:
        number = self._next
        self._next += 1
        self._events[number] = (stream_id, message)
        while len(self._events) > self._max:
            del self._events[next(iter(self._events))]
        return str(number)

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        if not last_event_id.isascii() or not last_event_id.isdigit():
            return None
        last = int(last_event_id)
        if last not in self._events:
            return None
        stream = self._events[last][0]
        for number, (of, message) in list(self._events.items()):
            if number > last and of == stream and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


class _Trimmed:
    """Takes the white space around header values away before anybody compares them (RFC 9110 §5.5), which
    not each HTTP parser does."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if "headers" in scope:
            scope = {**scope, "headers": [(name, value.strip(b" \t")) for name, value in scope["headers"]]}
        await self._app(scope, receive, send)


class _OneToken:
    """Accepts one token, compared in constant time."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    async def verify_token(self, token: str) -> AccessToken | None:
        if not hmac.compare_digest(token.encode(), self._token):
            return None
        return AccessToken(token=token, client_id="owner", scopes=[])


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name
