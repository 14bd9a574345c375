"""Other servers' tools as tools.

What a server says of itself is not believed: a tool counts as `unsafe` unless its user says otherwise, and a
tool whose name, description or schema is another than the approved one is suspended.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mcp_types as mt
import msgspec
from mcp.client.client import Client, ConnectMode
from mcp.client.stdio import StdioServerParameters, get_default_environment, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from forgewright.core.errors import Refused, ToolError, UsageError
from forgewright.core.ids import Digest, digest
from forgewright.core.version import VERSION
from forgewright.tools.mcp.content import as_media, as_text
from forgewright.tools.schema_tool import SchemaTool
from forgewright.tools.types import CallContext, Media, Recovery, ToolOutput

if TYPE_CHECKING:
    import httpx2
    from mcp.server.mcpserver import MCPServer


TOOLS_MAX = 1_000
PAGES_MAX = 100
DESCRIPTION_CHARACTERS_MAX = 8_000
SCHEMA_BYTES_MAX = 256 << 10
NAME_CHARACTERS_MAX = 64

Asked = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any] | None]]
"""Answers a server's question (message, JSON Schema); None declines. Defaults of the schema are filled in."""
Sampled = Callable[[str, int], Awaitable[str]]
"""Completes a server's prompt with at most so many tokens: a model call of ours, through our own gate."""


class McpTool(SchemaTool):
    """A tool of another server, as `SERVER_TOOL`; policies know it as `mcp:SERVER/TOOL`."""

    def __init__(self, client: McpClient, tool: mt.Tool, recovery: Recovery, suspended: str) -> None:
        schema = {"type": "object", **tool.input_schema}
        super().__init__(
            local_name(client.name, tool.name),
            (tool.description or "")[:DESCRIPTION_CHARACTERS_MAX],
            schema,
            self._perform,
            recovery=recovery,
            timeout_seconds=client.timeout_seconds,
            resource=f"mcp:{client.name}/{tool.name}",
        )
        self.remote_name = tool.name
        self.told = told(tool)
        """What is approved: the bytes whose digest is the fingerprint."""
        self.fingerprint = digest(self.told)
        self.suspended = suspended
        """Why it may not be called; empty if it may."""
        self._client = client

    async def _perform(self, arguments: dict[str, Any], context: CallContext | None) -> ToolOutput:
        if self.suspended:
            raise Refused(
                f"the tool {self.name} is suspended: {self.suspended}",
                hint="have somebody look at it and approve its present form",
            )
        return await self._client.call(self.remote_name, arguments, key=context.key if context else None)


class McpClient:
    """A connection to an MCP server: an address, a command with its arguments, or a server in this process.

        async with McpClient("shop", "https://example.org/mcp") as shop:
            agent = Agent("buyer", tools=shop.tools)

    Raises `ToolError` if the server can't be reached or breaks the protocol.
    """

    def __init__(
        self,
        name: str,
        server: str | Sequence[str] | MCPServer[Any],
        *,
        approved: Mapping[str, Digest] | None = None,
        recovery: Mapping[str, Recovery] | None = None,
        ask: Asked | None = None,
        sample: Sampled | None = None,
        auth: httpx2.Auth | None = None,
        headers: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        timeout_seconds: float = 60.0,
        mode: ConnectMode = "auto",
    ) -> None:
        """`approved`: tool → fingerprint; others are suspended. Without it, a tool is what it was when this
        client first saw it. `recovery`: what is known of single tools. `environment` is all that a command
        gets beside the default one; the engine's own variables stay here."""
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,31}", name):
            raise UsageError(f"expected a server's name of 1–32 letters, digits and -; found {name!r:.80}")
        self.name = name
        self.timeout_seconds = timeout_seconds
        self.tools: tuple[McpTool, ...] = ()
        """The server's tools, as they were at the last `refresh`."""
        self._server = server
        self._approved: dict[str, Digest] | None = dict(approved) if approved is not None else None
        self._first: dict[str, Digest] = {}
        self._recovery = dict(recovery or {})
        self._ask, self._sample = ask, sample
        self._auth, self._headers, self._environment = auth, headers, environment
        self._mode = mode
        self._stale = False
        self._stack = AsyncExitStack()
        self._client: Client | None = None

    async def __aenter__(self) -> McpClient:
        try:
            self._client = await self._stack.enter_async_context(self._connect())
            await self.refresh()
        except BaseException as error:
            await self._stack.aclose()
            if isinstance(error, MCPError | OSError | ValidationError | TimeoutError | ExceptionGroup):
                raise ToolError(f"the MCP server {self.name} can't be used: {_reason(error)}") from error
            raise
        return self

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self._client = None
        try:
            await self._stack.__aexit__(kind, error, trace)
        except BaseExceptionGroup as group:
            if error is None or _innermost(group) is not error:
                raise  # else the block's own error, in the groups of the SDK's tasks: it goes on as it was

    @property
    def client(self) -> Client:
        """The SDK's client, for what is not wrapped here. Raises `UsageError` outside of `async with`."""
        if self._client is None:
            raise UsageError(
                f"the MCP server {self.name} is not connected", hint="use it in: async with client"
            )
        return self._client

    async def refresh(self) -> tuple[McpTool, ...]:
        """Lists the tools anew; those that changed since they were approved are suspended."""
        found: dict[str, mt.Tool] = {}
        cursor: str | None = None
        for _ in range(PAGES_MAX):
            page = await self.client.list_tools(cursor=cursor, cache_mode="refresh")
            for tool in page.tools:
                if len(msgspec.json.encode(tool.input_schema)) <= SCHEMA_BYTES_MAX and len(found) < TOOLS_MAX:
                    found.setdefault(tool.name, tool)
            cursor = page.next_cursor
            if cursor is None:
                break
        self._stale = False
        self.tools = tuple(
            McpTool(self, tool, self._recovery.get(tool.name, "unsafe"), self._suspended(tool))
            for tool in found.values()
        )
        return self.tools

    def fingerprints(self) -> dict[str, Digest]:
        """Tool → fingerprint of its present form: what a person approves, and `approved` then is."""
        return {tool.remote_name: tool.fingerprint for tool in self.tools}

    async def call(self, name: str, arguments: dict[str, Any], *, key: str | None = None) -> ToolOutput:
        """Calls a tool by the server's name for it. Raises `ToolError`, `Refused` (it changed meanwhile)."""
        if self._stale:
            await self.refresh()
            changed = next((tool for tool in self.tools if tool.remote_name == name), None)
            if changed is None or changed.suspended:
                raise Refused(f"the tool {name} of {self.name} changed while it was in use")
        meta: Any = {"forgewright/key": key.removeprefix("mcp/")} if key else None
        try:
            found = await self.client.call_tool(
                name, arguments, read_timeout_seconds=self.timeout_seconds, meta=meta
            )
        except (MCPError, OSError, ValidationError, TimeoutError, RuntimeError) as error:
            raise ToolError(f"the MCP server {self.name} failed at {name}: {_reason(error)}") from error
        value = found.structured_content
        return ToolOutput(
            text=as_text(found.content),
            error=bool(found.is_error),
            value=msgspec.Raw(msgspec.json.encode(value)) if value is not None else None,
            media=as_media(found.content),
        )

    async def read_resource(self, uri: str) -> tuple[Media, ...]:
        """What stands at a resource's URI. Raises `ToolError`."""
        try:
            found = await self.client.read_resource(uri)
        except (MCPError, OSError, ValidationError, TimeoutError) as error:
            raise ToolError(f"the MCP server {self.name} has no {uri}: {_reason(error)}") from error
        return as_media([mt.EmbeddedResource(type="resource", resource=part) for part in found.contents])

    async def prompt(self, name: str, arguments: Mapping[str, str] | None = None) -> str:
        """A prompt of the server, as text. Raises `ToolError`."""
        try:
            found = await self.client.get_prompt(name, dict(arguments or {}))
        except (MCPError, OSError, ValidationError, TimeoutError) as error:
            raise ToolError(f"the MCP server {self.name} has no prompt {name}: {_reason(error)}") from error
        return "\n\n".join(as_text([message.content]) for message in found.messages)

    def _suspended(self, tool: mt.Tool) -> str:
        now = fingerprint(tool)
        if self._approved is not None:
            then = self._approved.get(tool.name)
            if then is None:
                return "nobody approved it"
            return "" if then == now else "it changed since it was approved"
        return "" if self._first.setdefault(tool.name, now) == now else "it changed since it was first listed"

    def _connect(self) -> Client:
        server: Any = self._server
        if isinstance(server, str):
            if not server.startswith(("https://", "http://")):
                raise UsageError(
                    f"expected an http or https address of the MCP server; found {server!r:.200}"
                )
            http = create_mcp_http_client(headers=dict(self._headers or {}), auth=self._auth)
            self._stack.push_async_callback(http.aclose)
            server = streamable_http_client(server, http_client=http)
        elif isinstance(server, Sequence):
            environment = {**get_default_environment(), **(self._environment or {})}
            parameters = StdioServerParameters(command=server[0], args=list(server[1:]), env=environment)
            # The process's own stderr, and not what stands for it in this program at the moment.
            errors = sys.__stderr__ or self._stack.enter_context(Path(os.devnull).open("w"))  # noqa: SIM115 - the stack closes it
            server = stdio_client(parameters, errlog=errors)
        return Client(
            server,
            mode=self._mode,
            read_timeout_seconds=self.timeout_seconds,
            client_info=mt.Implementation(name="forgewright", version=VERSION),
            elicitation_callback=self._answer if self._ask is not None else None,
            sampling_callback=self._complete if self._sample is not None else None,
            message_handler=self._heard,
        )

    async def _heard(self, message: Any) -> None:
        if isinstance(message, mt.ToolListChangedNotification):
            self._stale = True

    async def _answer(self, context: Any, params: Any) -> mt.ElicitResult | mt.ErrorData:
        assert self._ask is not None
        if not isinstance(params, mt.ElicitRequestFormParams):
            return mt.ElicitResult(action="decline")
        schema: dict[str, Any] = dict(params.requested_schema)
        given = await self._ask(params.message, schema)
        if given is None:
            return mt.ElicitResult(action="decline")
        defaults = {
            name: field["default"]
            for name, field in schema.get("properties", {}).items()
            if isinstance(field, dict) and "default" in field
        }
        return mt.ElicitResult(action="accept", content={**defaults, **given})

    async def _complete(self, context: Any, params: mt.CreateMessageRequestParams) -> Any:
        assert self._sample is not None
        parts = [params.system_prompt or ""]
        for message in params.messages:
            blocks: Any = message.content if isinstance(message.content, list) else [message.content]
            parts.append(as_text(blocks))
        text = await self._sample("\n\n".join(part for part in parts if part), params.max_tokens)
        content = mt.TextContent(type="text", text=text)
        return mt.CreateMessageResult(
            role="assistant", content=content, model="forgewright", stop_reason="endTurn"
        )


def told(tool: mt.Tool) -> bytes:
    """All that a model is told of the tool, and what the server claims about it, as the JSON that is approved."""
    annotations = tool.annotations.model_dump(mode="json", exclude_none=True) if tool.annotations else None
    value = {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "input": tool.input_schema,
        "output": tool.output_schema,
        "annotations": annotations,
    }
    return msgspec.json.encode(value, order="sorted")


def fingerprint(tool: mt.Tool) -> Digest:
    """The digest of what is told of the tool."""
    return digest(told(tool))


def local_name(server: str, tool: str) -> str:
    """`server_tool` in the characters that models' providers take; where something had to go, with a digest
    of the whole, so that two tools never get one name."""
    whole = f"{server}_{tool}"
    name = re.sub(r"[^A-Za-z0-9_-]", "_", whole)
    if name == whole and len(name) <= NAME_CHARACTERS_MAX:
        return name
    return f"{name[: NAME_CHARACTERS_MAX - 9]}_{digest(whole.encode())[7:15]}"


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _reason(error: BaseException) -> str:
    error = _innermost(error)
    return f"{type(error).__name__}: {error}"[:500]
