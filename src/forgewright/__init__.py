"""Forgewright: an engine for autonomous R&D whose work can be trusted, stopped and proved.

    from forgewright import Agent, Engine, Graph, State, tool

Names are imported when they are used, so that `import forgewright` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forgewright.core import version

if TYPE_CHECKING:
    from forgewright.agent.agent import Agent
    from forgewright.agent.answer import Answer
    from forgewright.agent.middleware import Middleware
    from forgewright.core.errors import ForgewrightError
    from forgewright.graph import END, Branch, End, Goto, Graph, State, Update, append, extend, merge
    from forgewright.models.types import Assistant, Message, Request, Response, ToolCall, ToolResult, User
    from forgewright.runtime.budget import Budget
    from forgewright.runtime.context import Context
    from forgewright.runtime.effect import Effect
    from forgewright.runtime.engine import Engine
    from forgewright.runtime.execution import Outcome
    from forgewright.tools import ToolOutput, tool


__version__ = version.VERSION

_HOMES = {
    "forgewright.agent.agent": ("Agent",),
    "forgewright.agent.answer": ("Answer",),
    "forgewright.agent.middleware": ("Middleware",),
    "forgewright.core.errors": ("ForgewrightError",),
    "forgewright.graph": (
        "END",
        "Branch",
        "End",
        "Goto",
        "Graph",
        "State",
        "Update",
        "append",
        "extend",
        "merge",
    ),
    "forgewright.models.types": (
        "Assistant",
        "Message",
        "Request",
        "Response",
        "ToolCall",
        "ToolResult",
        "User",
    ),
    "forgewright.runtime.budget": ("Budget",),
    "forgewright.runtime.context": ("Context",),
    "forgewright.runtime.effect": ("Effect",),
    "forgewright.runtime.engine": ("Engine",),
    "forgewright.runtime.execution": ("Outcome",),
    "forgewright.tools": ("ToolOutput", "tool"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "END",
    "Agent",
    "Answer",
    "Assistant",
    "Branch",
    "Budget",
    "Context",
    "Effect",
    "End",
    "Engine",
    "ForgewrightError",
    "Goto",
    "Graph",
    "Message",
    "Middleware",
    "Outcome",
    "Request",
    "Response",
    "State",
    "ToolCall",
    "ToolOutput",
    "ToolResult",
    "Update",
    "User",
    "append",
    "extend",
    "merge",
    "tool",
]


def __getattr__(name: str) -> Any:
    module = _HOME_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'forgewright' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
