"""A typed Python function is a tool: its signature gives the JSON Schema that its arguments are held to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from forgewright.tools.function import FunctionTool, output, tool
from forgewright.tools.types import CallContext, Recovery, Tool, ToolOutput

__all__ = ["CallContext", "FunctionTool", "Recovery", "Tool", "ToolOutput", "as_tool", "output", "tool"]


def as_tool(given: Tool | Callable[..., Any]) -> Tool:
    """`given` itself if it is a tool, else the function made one with the defaults of `@tool`."""
    if isinstance(given, FunctionTool) or hasattr(given, "bind"):
        return given  # type: ignore[return-value]  # a Tool by its shape
    return tool(given)
