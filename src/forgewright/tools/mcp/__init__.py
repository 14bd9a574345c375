"""The Model Context Protocol both ways: other servers' tools as tools, and tools for other clients.

Needs the extra `mcp`; nothing of the SDK is imported before something here is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forgewright.tools.mcp.client import McpClient, McpTool
    from forgewright.tools.mcp.interaction import Ask, Roots, Sample, ServedCall
    from forgewright.tools.mcp.serve import serve_http, serve_stdio
    from forgewright.tools.mcp.server import ToolServer

_HOMES = {
    "McpClient": "client",
    "McpTool": "client",
    "Ask": "interaction",
    "Roots": "interaction",
    "Sample": "interaction",
    "ServedCall": "interaction",
    "ToolServer": "server",
    "serve_http": "serve",
    "serve_stdio": "serve",
}

__all__ = [
    "Ask",
    "McpClient",
    "McpTool",
    "Roots",
    "Sample",
    "ServedCall",
    "ToolServer",
    "serve_http",
    "serve_stdio",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in ("mcp", "mcp_types", "starlette", "uvicorn"):
            raise
        from forgewright.core.errors import MissingExtra

        raise MissingExtra("mcp", needed_for="the Model Context Protocol") from error
