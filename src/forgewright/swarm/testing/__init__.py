"""How a project's tests are run, and what they said."""

from forgewright.swarm.testing.discover import discover
from forgewright.swarm.testing.parse import parse
from forgewright.swarm.testing.plan import TestPlan, TestSettings
from forgewright.swarm.testing.report import TestFailure, TestOutput, TestReport, headline, render

__all__ = [
    "TestFailure",
    "TestOutput",
    "TestPlan",
    "TestReport",
    "TestSettings",
    "discover",
    "headline",
    "parse",
    "render",
]
