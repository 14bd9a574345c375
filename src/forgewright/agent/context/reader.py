"""The tool by which a model reads what was set aside."""

from __future__ import annotations

from functools import cache
from typing import Any

from forgewright.agent.context.paging import Page
from forgewright.agent.context.results import SetAside
from forgewright.models.types import ToolSpec
from forgewright.tools import FunctionTool, ToolOutput, tool
from forgewright.tools.types import CallContext, Recovery

NAME = "read_result"


@cache
def _prototype() -> FunctionTool[..., Page]:
    """Made once: what differs from conversation to conversation is only what was set aside."""

    @tool(name=NAME, recovery="pure")
    def read_result(
        result: str = "",
        start_line: int = 1,
        end_line: int | None = None,
        start_byte: int | None = None,
        end_byte: int | None = None,
        pattern: str = "",
    ) -> Page:
        """Read a part of a large tool result that was set aside; without `result`, list them.

        Args:
            result: Its handle, as the preview names it; or a tool's name, for the newest result of that tool.
            start_line: First line, from 1. With a pattern: search from this line on.
            end_line: Last line, inclusive.
            start_byte: First byte, from 0, instead of lines.
            end_byte: End of the bytes, exclusive.
            pattern: Show the lines that hold this literal text, in any case.
        """
        return Page(result, start_line, end_line, start_byte, end_byte, pattern)

    return read_result


@cache
def read_result_spec() -> ToolSpec:
    """As models are told of it. It stands there from the first request on, since a tool that came later would
    cost the provider's cache."""
    made = _prototype()
    return ToolSpec(made.name, made.description, made.parameters)


class ReadResult:
    """`read_result` over what one conversation set aside."""

    name = NAME
    recovery: Recovery = "pure"
    timeout_seconds: float | None = None
    resource = NAME

    def __init__(self, aside: SetAside) -> None:
        self._aside = aside
        spec = read_result_spec()
        self.description, self.parameters = spec.description, spec.parameters

    def bind(self, arguments: str | bytes) -> dict[str, Any]:
        return _prototype().bind(arguments)

    async def call(self, arguments: dict[str, Any], context: CallContext | None = None) -> ToolOutput:
        return ToolOutput(await self._aside.read(_prototype()(**arguments)))

    async def reconcile(
        self, arguments: dict[str, Any], context: CallContext | None = None
    ) -> ToolOutput | None:
        return None
