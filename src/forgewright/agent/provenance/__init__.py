"""Where the values in tool calls come from, and whether a call was planned: told to the gate, which decides."""

from __future__ import annotations

from forgewright.agent.provenance.middleware import Provenance, state_plan
from forgewright.agent.provenance.outputs import Outputs
from forgewright.agent.provenance.plan import PlannedCall

__all__ = ["Outputs", "PlannedCall", "Provenance", "state_plan"]
