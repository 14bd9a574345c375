"""An event loop in a thread of its own, so that one object serves callers with and without an event loop.

What it holds (a sandbox's channel, a store's connections) belongs to that loop, and the frameworks that call
have loops of their own, or none, or one for each call.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from forgewright.core.errors import UsageError

T = TypeVar("T")


class Portal:
    """Runs coroutines on its loop; the thread starts with the first of them and ends with `close`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns or raises. Not to be called on an event loop that something else waits for."""
        return asyncio.run_coroutine_threadsafe(work, self._running(work)).result()

    async def acall(self, work: Coroutine[Any, Any, T]) -> T:
        """The same for a caller with an event loop; cancelling the caller cancels the work."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._running(work)))

    def close(self) -> None:
        """Ends the thread. Idempotent; what still runs is cancelled."""
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    def _running(self, work: Coroutine[Any, Any, Any]) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                work.close()
                raise UsageError(f"this {self._name} was closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_run, args=(self._loop,), name=f"forgewright-{self._name}", daemon=True
                )
                self._thread.start()
            return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
