"""What a project's own files say is told to whoever traces where values come from: it is no word of the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.models.types import ToolCall
from forgewright.tools import ToolOutput, tool

if TYPE_CHECKING:
    from forgewright.runtime.context import Context


MARK = "its authors' word, not your user's"
"""Stands in the system prompt where a project's files are told."""


@tool(name="project_files", recovery="pure")
def project_files() -> str:
    """Stands for the project's files where a witness is told of them; no model calls it."""
    return ""


def heard(name: str, text: str, context: Context, *, asked_now: bool = False) -> bool:
    """Whether there is a witness that took it in, as an output of `name`: it believes nothing of that, unless it was
    told otherwise (`Provenance({"AGENTS.md": Outputs(otherwise="trusted")})`). `asked_now`: the model is asked right
    after this, and its answer can be moved by it."""
    witness = context.witness
    if witness is None:
        return False
    witness.saw(project_files, ToolCall(name, name, "{}"), ToolOutput(text))
    if asked_now:
        witness.turn()
    return True
