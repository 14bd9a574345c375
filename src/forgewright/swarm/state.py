"""What a job knows of itself from node to node."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from forgewright.agent.builtin.plan import Step
from forgewright.graph import State, append
from forgewright.swarm.testing import TestReport

Phase = Literal["build", "improve"]
Verdict = Literal["open", "passed", "failed", "unchanged"]


class Accepted(msgspec.Struct, frozen=True):
    """An accepted step: a commit on the run's branch."""

    sha: str
    title: str
    effect: str
    """The effect that made it."""


class JobState(State):
    """The state of the swarm's graph."""

    goal: str
    base: str
    """Commit that the run started from."""
    phase: Phase = "build"
    plan: tuple[Step, ...] = ()
    brief: str = ""
    """The planner's words to the coder."""
    baseline: TestReport | None = None
    """The project's tests before anything was changed."""
    report: TestReport | None = None
    """The newest test report."""
    attempts: int = 0
    """Times the coder was sent back."""
    improvements: int = 0
    """Times the refactorer was sent in."""
    told: str = ""
    """What coder or refactorer said of their last work; becomes the commit's message."""
    commits: Annotated[tuple[Accepted, ...], append] = ()
    undone: Annotated[tuple[str, ...], append] = ()
    """Improvements that were taken back because tests failed with them."""
    verdict: Verdict = "open"
    summary: str = ""
