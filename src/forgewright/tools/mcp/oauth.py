"""OAuth for HTTP servers: the authorisation code flow in the person's own browser, tokens in a private file.

The SDK does discovery, registration, PKCE and refresh. Here is what it leaves to its user: where tokens are
kept, how the person is sent to the page, and a listener on loopback that takes the answer (RFC 8252 §7.3).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)
from pydantic import AnyUrl

from forgewright.core.errors import IntegrityError, ToolError, UsageError

WAIT_SECONDS = 300.0
REQUEST_BYTES_MAX = 16 << 10

Open = Callable[[str], Awaitable[None]]
"""Sends the person to a page: prints the address, or opens a browser."""


class TokenFile:
    """Tokens and the client's registration of one server, in a file that only its owner can read.

    Without a file they are kept in memory."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._kept: dict[str, str] = {}
        if path is not None and path.exists():
            if path.stat().st_mode & 0o077:
                raise IntegrityError(f"others may read the tokens in {path}", hint=f"run: chmod 600 {path}")
            try:
                self._kept = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
            except msgspec.DecodeError as error:
                raise IntegrityError(
                    f"the tokens in {path} can't be read: {error}", hint="delete the file and log in again"
                ) from error

    async def register(self, client_id: str, secret: str | None = None) -> None:
        """Keeps a registration that was made beforehand, at the authorisation server's own pages."""
        method = "client_secret_basic" if secret else "none"
        info = OAuthClientInformationFull(client_id=client_id, client_secret=secret)
        await self.set_client_info(info.model_copy(update={"token_endpoint_auth_method": method}))

    async def get_tokens(self) -> OAuthToken | None:
        kept = self._kept.get("tokens")
        return OAuthToken.model_validate_json(kept) if kept else None

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self._keep("tokens", tokens.model_dump_json(exclude_none=True))

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        kept = self._kept.get("client")
        return OAuthClientInformationFull.model_validate_json(kept) if kept else None

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self._keep("client", client_info.model_dump_json(exclude_none=True))

    def _keep(self, name: str, value: str) -> None:
        self._kept[name] = value
        if self._path is None:
            return
        fresh = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        handle = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        with open(handle, "wb") as file:
            file.write(msgspec.json.encode(self._kept))
        os.replace(fresh, self._path)


class Loopback:
    """Listens on 127.0.0.1 for the one answer that the authorisation server sends the browser back with."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._answer: asyncio.Future[AuthorizationCodeResult] | None = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}/callback"

    async def wait(self) -> AuthorizationCodeResult:
        """The answer. Raises `ToolError` after `WAIT_SECONDS`, or if the person or the server said no."""
        self._answer = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=REQUEST_BYTES_MAX)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await self._answer
        except TimeoutError as error:
            raise ToolError(f"nobody logged in within {WAIT_SECONDS:g} seconds") from error
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = (await reader.readuntil(b"\r\n")).decode("ascii", "replace").split(" ")
            found = (
                parse_qs(urlsplit(line[1]).query)
                if len(line) > 1 and line[1].startswith("/callback?")
                else {}
            )
            said = {name: values[0] for name, values in found.items()}
            good = self._take(said)
            text = b"You can close this window." if good else b"This is not the answer that was waited for."
            status = b"200 OK" if good else b"400 Bad Request"
            writer.write(
                b"HTTP/1.1 %b\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"
                % (status, len(text), text)
            )
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # somebody else knocked
        finally:
            writer.close()

    def _take(self, said: dict[str, str]) -> bool:
        waiting = self._answer
        if waiting is None or waiting.done():
            return False
        if "code" in said:
            waiting.set_result(
                AuthorizationCodeResult(code=said["code"], state=said.get("state"), iss=said.get("iss"))
            )
            return True
        if "error" in said:
            waiting.set_exception(ToolError(f"the login was refused: {said['error'][:200]}"))
            return True
        return False


def oauth(
    url: str,
    *,
    open_page: Open,
    tokens: TokenFile | None = None,
    port: int = 8766,
    answer: Callable[[], Awaitable[AuthorizationCodeResult]] | None = None,
    scope: str | None = None,
    client_metadata_url: str | None = None,
) -> OAuthClientProvider:
    """Authorisation for a server at `url`, to be handed to `McpClient(auth=…)`.

    `answer` replaces the listener on loopback. Raises `UsageError`.
    """
    listener = Loopback(port)
    metadata = OAuthClientMetadata(
        client_name="Forgewright",
        redirect_uris=[AnyUrl(listener.uri)],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        scope=scope,
    )
    try:
        return OAuthClientProvider(
            server_url=url,
            client_metadata=metadata,
            storage=tokens or TokenFile(),
            redirect_handler=open_page,
            callback_handler=answer or listener.wait,
            client_metadata_url=client_metadata_url,
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
