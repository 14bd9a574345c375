"""Who may do what, and what that obliges: Cedar behind one gate.

`CedarGate.load()` gives the gate; nothing of Cedar is imported before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forgewright.policy.types import Action, Attempt, Fact, Gate, Verdict

if TYPE_CHECKING:
    from forgewright.policy.gate import CedarGate

__all__ = ["Action", "Attempt", "CedarGate", "Fact", "Gate", "Verdict"]


def __getattr__(name: str) -> Any:
    if name == "CedarGate":
        from forgewright.policy.gate import CedarGate

        return CedarGate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
