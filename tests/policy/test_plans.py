"""The sets that come along: a plan may be stated freely until untrusted content was read, and with a yes after."""

from __future__ import annotations

import pytest

from forgewright.policy import Attempt, CedarGate


@pytest.mark.parametrize("policies", ["default", "strict"])
@pytest.mark.parametrize(("tainted", "approval"), [(False, None), (True, "owner")])
def test_a_late_plan_needs_a_yes(policies: str, tainted: bool, approval: str | None) -> None:
    attempt = Attempt("clerk", "tool", "state_plan", {"recovery": "pure", "tainted": tainted, "plan": "none"})
    verdict = CedarGate.load(policies).decide(attempt)
    assert (verdict.permit, verdict.approval) == (True, approval)
