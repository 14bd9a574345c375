"""A process that kills itself at the n-th write to the journal."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forgewright.wiring.engine import Engine


def dying(engine: Engine, when: str, at: int) -> Callable[[], int]:
    """From here on the `at`-th append is the last, killed `before` or `after` it. Gives the number of appends so far."""
    append = engine.journal.append
    writes = 0

    async def counted(*args: Any, **options: Any) -> Any:
        nonlocal writes
        writes += 1
        if writes == at and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        records = await append(*args, **options)
        if writes == at and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return records

    engine.journal.append = counted  # type: ignore[method-assign]
    return lambda: writes
