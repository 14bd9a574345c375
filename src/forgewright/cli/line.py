"""One line of what a run did, for people, and one step of its plan."""

from __future__ import annotations

import msgspec

from forgewright.cli.agents import Style


class Line(msgspec.Struct, frozen=True):
    """One thing that happened, for people. `text` may have several lines."""

    glyph: str
    text: str
    style: Style = "plain"
    detail: str = ""
    """Beside it, less important: duration, tokens, driver."""
    level: int = 1


class PlanStep(msgspec.Struct, frozen=True):
    title: str
    status: str = "pending"
