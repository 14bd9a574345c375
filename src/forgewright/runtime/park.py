"""The signal by which a run stops without failing: it waits for something and needs no process meanwhile."""

from __future__ import annotations


class ParkSignal(BaseException):
    """Raised through a node to park its run. Derived from BaseException so that no node swallows it.

    `reason` is one of `question`, `approval`, `unsafe`, `budget`, `stopped`, `interrupted`, `model`, `stuck`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
