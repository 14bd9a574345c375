"""What stands beside an agent's tool calls and tells the gate where their arguments come from.

A context hands its witness on to its scopes, so that sub-agents and tools that call tools are seen by the same one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from forgewright.models.types import ToolCall
from forgewright.policy.types import Fact
from forgewright.tools.types import Tool, ToolOutput


class Witness(Protocol):
    """Called in the order of the calls, `saw` also on replay; so what it knows is the same after a crash."""

    def facts(self, tool: Tool, call: ToolCall, *, edited: bool = False) -> Mapping[str, Fact]:
        """Facts of a call that is about to be put to the gate. `edited`: a person wrote the arguments."""

    def turn(self) -> None:
        """The model is asked: what it answers can have been moved by all that was seen until now."""

    def saw(self, tool: Tool, call: ToolCall, output: ToolOutput) -> None:
        """A call was made, and gave this."""
