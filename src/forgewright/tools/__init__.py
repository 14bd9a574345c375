"""A typed Python function is a tool: its signature gives the JSON Schema that its arguments are held to."""

from __future__ import annotations

from forgewright.tools.catalogue import Catalogue
from forgewright.tools.function import FunctionTool, as_tool, output, tool
from forgewright.tools.schema_tool import SchemaTool
from forgewright.tools.types import CallContext, Media, Recovery, Tool, ToolOutput

__all__ = [
    "CallContext",
    "Catalogue",
    "FunctionTool",
    "Media",
    "Recovery",
    "SchemaTool",
    "Tool",
    "ToolOutput",
    "as_tool",
    "output",
    "tool",
]
