"""The signal by which a run stops without failing: it waits for something and needs no process meanwhile."""

from __future__ import annotations

from forgewright.core.errors import IntegrityError, LeaseLost, LostRace, RunError, StoreError

OWN_TROUBLE = (RunError, StoreError, IntegrityError, LeaseLost, LostRace)
"""Errors of the engine itself. They end the execution, and no tool or model may take them for its own."""


class ParkSignal(BaseException):
    """Raised through a node to park its run. Derived from BaseException so that no node swallows it.

    `reason` is one of `question`, `approval`, `unsafe`, `budget`, `stopped`, `interrupted`, `model`, `stuck`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
