"""What a driver holds of one sandbox, and what the session with the agent inside asks of it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from forgewright.sandbox.cgroups import Counters
from forgewright.sandbox.protocol import Channel
from forgewright.sandbox.types import Metrics


class Machine(Protocol):
    """What a driver holds of one sandbox: its processes, its limits, its folder."""

    channel: Channel

    def counters(self) -> Counters: ...
    def reset_peak(self) -> None: ...
    def disk_full(self) -> bool:
        """Nothing more can be written, as far as that can be seen from outside."""

    def fallback_limits(self) -> tuple[int, int]:
        """(processes, address space in bytes) as rlimits, where no cgroup bounds them; 0 is none."""

    def log(self) -> str:
        """The last lines that the runtime wrote."""

    async def pause(self) -> None: ...
    async def resume(self) -> None: ...
    def metrics(self) -> Metrics: ...
    async def save(self, folder: Path) -> None:
        """Writes the state of the paused machine into the empty `folder`. Raises `Unavailable`."""

    async def destroy(self) -> None:
        """Ends all and removes all, also what is paused; idempotent."""
