"""Asks the person at the terminal what a run wants to know; without an answer the run is parked."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from forgewright.cli.output import clean

if TYPE_CHECKING:
    from forgewright.cli.live import View
    from forgewright.core.ids import RunId
    from forgewright.runtime.engine import OnQuestion


def asker(view: View) -> OnQuestion:
    """An engine's `on_question` that stops the view, asks, and lets it go on."""
    lock = asyncio.Lock()

    async def ask(run: RunId, to: str, question: str, choices: tuple[str, ...]) -> str | None:
        async with lock:
            view.__exit__()
            try:
                return await asyncio.to_thread(_ask, question, choices)
            finally:
                view.__enter__()

    return ask


def _ask(question: str, choices: tuple[str, ...]) -> str | None:
    """None for an empty answer: the run is parked, and `forgewright answer` takes it later."""
    offered = f" [{'/'.join(choices)}]" if choices else ""
    for _ in range(3):
        sys.stdout.write(f"? {clean(question)}{offered} (empty: later) ")
        sys.stdout.flush()
        answer = sys.stdin.readline().strip()
        if not answer:
            return None
        if not choices or answer in choices:
            return answer
    return None
