"""The gate of an engine that was given no policies: what the program itself handed over is granted, nothing else."""

from __future__ import annotations

from forgewright.core.ids import Digest
from forgewright.policy.types import Attempt, Verdict

GRANTED = ("model", "tool", "ask", "delegate")
"""Actions on things that a program passes to its engine by name: its models, its tools, its people, its sub-agents."""


class GrantedGate:
    """Permits models, tools and questions. Edits, commands, network and the rest need a policy set."""

    digest = Digest("")

    def decide(self, attempt: Attempt) -> Verdict:
        if attempt.action in GRANTED:
            return _YES
        return Verdict(
            False,
            reason=f"no policy set is loaded, and without one nothing may {attempt.action}; "
            "give the engine a policy set that permits it",
        )


_YES = Verdict(True)
