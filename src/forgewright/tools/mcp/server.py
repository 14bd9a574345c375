"""Tools for other clients: an MCP server over any tools, with our own validation and messages.

The SDK speaks the protocol (both of its generations), and keeps resources, prompts and subscriptions;
`resource`, `prompt` and `completion` are its decorators. What a call does is up to `call`: an engine
puts its gate and its journal there.
"""

from __future__ import annotations

import uuid
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import mcp_types as mt
import msgspec
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.subscriptions import (
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ToolsListChanged,
)
from mcp.shared.exceptions import MCPError
from starlette.requests import Request

from forgewright.core.errors import ForgewrightError, UsageError
from forgewright.core.version import VERSION
from forgewright.tools.mcp.interaction import KEY_META, InputNeeded, ServedCall, wire
from forgewright.tools.types import Media, Tool, ToolOutput

Call = Callable[[Tool, bytes, ServedCall], Awaitable[ToolOutput]]
"""Performs a call, given the tool, the arguments as JSON (they fit its schema) and the call's context."""

SUBSCRIPTIONS_MAX = 10_000
KEY_CHARACTERS_MAX = 200


async def call_directly(tool: Tool, arguments: bytes, call: ServedCall) -> ToolOutput:
    """Performs the call, with nothing between."""
    return await tool.call(tool.bind(arguments), call)


class ToolServer(MCPServer[Any]):
    """An MCP server over tools. `add` and `remove` may be used while it serves; `announce` tells clients."""

    def __init__(
        self,
        tools: Iterable[Tool] = (),
        *,
        name: str = "forgewright",
        version: str = VERSION,
        instructions: str | None = None,
        call: Call = call_directly,
        **options: Any,
    ) -> None:
        super().__init__(
            name=name, version=version, instructions=instructions, log_level="WARNING", **options
        )
        self._call = call
        self._tools: dict[str, Tool] = {}
        self._subscribers: dict[str, list[Any]] = {}
        for tool in tools:
            self.add(tool)
        low = self._lowlevel_server
        low.add_request_handler("logging/setLevel", mt.SetLevelRequestParams, _accept_level)
        low.add_request_handler("resources/subscribe", mt.SubscribeRequestParams, self._subscribe)
        low.add_request_handler("resources/unsubscribe", mt.UnsubscribeRequestParams, self._unsubscribe)

    def add(self, tool: Tool) -> None:
        """Offers a tool. Raises `UsageError` if one of its name is there."""
        if tool.name in self._tools:
            raise UsageError(f"expected tools of different names; found two of the name {tool.name}")
        self._tools[tool.name] = tool

    def remove(self, name: str) -> None:
        """Offers the tool no longer."""
        self._tools.pop(name, None)

    async def announce(self, *what: str) -> None:
        """Tells subscribed clients that `tools`, `prompts`, `resources` changed, or a resource by its URI."""
        kinds: dict[str, Any] = {
            "tools": ToolsListChanged,
            "prompts": PromptsListChanged,
            "resources": ResourcesListChanged,
        }
        for item in what:
            event = kinds[item]() if item in kinds else ResourceUpdated(uri=item)
            await self._subscriptions.publish(event)
            for session in self._subscribers.get(item, ()):
                await session.send_resource_updated(item)

    async def list_tools(self) -> list[mt.Tool]:
        return [_described(tool) for tool in self._tools.values()]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> mt.CallToolResult | mt.InputRequiredResult:
        tool = self._tools.get(name)
        if tool is None:
            raise MCPError(mt.INVALID_PARAMS, f"Unknown tool: {name[:100]}")
        assert context is not None
        try:
            encoded = msgspec.json.encode(arguments)
            if self._call is not call_directly:
                tool.bind(encoded)  # what does not fit is told before a gate or a journal hears of it
            return _result(await self._call(tool, encoded, ServedCall(context, _key(context))))
        except InputNeeded as needed:
            return wire(needed)
        except MCPError:
            raise
        except ForgewrightError as error:
            return _failed(str(error))
        except Exception as error:  # noqa: BLE001 - whatever a tool raises is told to whoever called it
            return _failed(f"{name} failed: {type(error).__name__}: {error}")

    def _tool_input_schema(self, name: str) -> dict[str, Any] | None:
        tool = self._tools.get(name)
        return None if tool is None else msgspec.json.decode(tool.parameters, type=dict[str, Any])

    async def _subscribe(self, context: Any, params: mt.SubscribeRequestParams) -> mt.EmptyResult:
        if sum(map(len, self._subscribers.values())) >= SUBSCRIPTIONS_MAX:
            raise MCPError(mt.INVALID_REQUEST, f"expected at most {SUBSCRIPTIONS_MAX} subscriptions")
        self._subscribers.setdefault(str(params.uri), []).append(context.session)
        return mt.EmptyResult()

    async def _unsubscribe(self, context: Any, params: mt.UnsubscribeRequestParams) -> mt.EmptyResult:
        self._subscribers.pop(str(params.uri), None)
        return mt.EmptyResult()


async def _accept_level(context: Any, params: mt.SetLevelRequestParams) -> mt.EmptyResult:
    """Every line is sent; the client may leave out what it does not want."""
    return mt.EmptyResult()


def _key(context: Context[Any, Any]) -> str:
    given = (context.request_context.meta or {}).get(KEY_META)
    if isinstance(given, str) and 0 < len(given) <= KEY_CHARACTERS_MAX:
        return f"mcp/{given}"
    request = context.request_context.request
    session = request.headers.get("mcp-session-id", "") if isinstance(request, Request) else ""
    return f"mcp/{session}{uuid.uuid4().hex}"


def _described(tool: Tool) -> mt.Tool:
    return mt.Tool(
        name=tool.name,
        description=tool.description or tool.name,
        input_schema=msgspec.json.decode(tool.parameters, type=dict[str, Any]),
        annotations=mt.ToolAnnotations(
            read_only_hint=tool.recovery == "pure",
            idempotent_hint=tool.recovery in ("pure", "idempotent"),
            destructive_hint=tool.recovery == "unsafe",
        ),
    )


def _result(output: ToolOutput) -> mt.CallToolResult:
    content: list[Any] = (
        [mt.TextContent(type="text", text=output.text)] if output.text or not output.media else []
    )
    content += [_media(item) for item in output.media]
    value = msgspec.json.decode(output.value) if output.value is not None else None
    return mt.CallToolResult(
        content=content, is_error=output.error, structured_content=value if isinstance(value, dict) else None
    )


def _failed(text: str) -> mt.CallToolResult:
    return mt.CallToolResult(content=[mt.TextContent(type="text", text=text)], is_error=True)


def _media(item: Media) -> Any:
    encoded = b64encode(item.data).decode()
    if item.uri:
        if item.media.startswith("text/") or item.media == "application/json":
            text = item.data.decode("utf-8", "replace")
            resource: Any = mt.TextResourceContents(uri=item.uri, mime_type=item.media, text=text)
        else:
            resource = mt.BlobResourceContents(uri=item.uri, mime_type=item.media, blob=encoded)
        return mt.EmbeddedResource(type="resource", resource=resource)
    if item.media.startswith("audio/"):
        return mt.AudioContent(type="audio", data=encoded, mime_type=item.media)
    return mt.ImageContent(type="image", data=encoded, mime_type=item.media)
