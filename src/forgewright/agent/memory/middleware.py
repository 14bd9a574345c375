"""Gives an agent its memory, and watches what it reads, so that what it writes down is labelled by where it may be from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from forgewright.agent.builtin.plan import write_plan
from forgewright.agent.memory.entry import Scope, parse_scope
from forgewright.agent.memory.tools import Memory
from forgewright.agent.middleware.base import Middleware
from forgewright.agent.skills.heard import MARK
from forgewright.models.types import Message, Request, ToolCall, ToolResult
from forgewright.tools.types import Tool

if TYPE_CHECKING:
    from forgewright.runtime.context import Context

OWN = frozenset({"remember", "forget", write_plan.name})
"""Tools whose results say nothing that others wrote."""
NOT_VERIFIED = "NOT VERIFIED:"


class Remembering(Middleware):
    """`remember`, `recall` and `forget` for an agent.

        memory = Remembering("user", "project/orders", "agent/coder")
        agent = Agent("coder", tools=[…, *memory.tools], middleware=[memory])

    List it after `ProjectInstructions` and `Skills`: what they tell is read as well. `believed`: tools whose results are
    as good as the agent's own word (a clock, the person's answers). Whatever is written after another tool's result was
    read is labelled `untrusted`, with that tool's name.
    """

    def __init__(self, *scopes: str | Scope, believed: Collection[str] = ()) -> None:
        self.scopes = tuple(parse_scope(s) if isinstance(s, str) else s for s in scopes)
        self.believed = OWN | set(believed)
        self._memory = Memory(self.scopes)
        self.tools: Sequence[Tool] = self._memory.tools()
        self._own: dict[str, Tool] = {}

    def fresh(self) -> Remembering:
        mine = Remembering(*self.scopes, believed=self.believed)
        mine._memory.watched = True
        mine._own = {one.name: one for one in mine.tools}
        return mine

    async def before_agent(self, messages: tuple[Message, ...], context: Context) -> tuple[Message, ...]:
        for message in messages:
            if isinstance(message, ToolResult):
                self._saw(message)
        return messages

    async def before_model(self, request: Request, context: Context) -> Request:
        if MARK in request.system:
            self._memory.read["AGENTS.md"] = None
        return request

    async def after_tool(self, tool_call: ToolCall, result: ToolResult, context: Context) -> ToolResult:
        self._saw(result)
        return result

    def _saw(self, result: ToolResult) -> None:
        if result.name == "recall":
            if NOT_VERIFIED in result.text:
                self._memory.read["recall"] = None
        elif result.name not in self.believed and not result.name.startswith("ask"):
            self._memory.read[result.name] = None

    def wrap_tool(self, tool: Tool, context: Context) -> Tool:
        """This work's own memory behind the tools that were given to the agent."""
        return self._own.get(tool.name, tool)
