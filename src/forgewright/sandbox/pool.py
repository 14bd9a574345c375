"""Warm sandboxes: some of each kind stand ready, so that taking one costs nothing and the next is made meanwhile.

A pool is bounded in all it holds. What is taken is never given back: a sandbox serves one owner. Virtual machines wait
paused, after a first command: they use no processor, and what commands begin with is translated and in memory.
"""

from __future__ import annotations

import asyncio
from collections import deque

import msgspec

from forgewright.core.errors import SandboxError, Unavailable
from forgewright.sandbox.registry import open_sandbox
from forgewright.sandbox.types import Command, Sandbox, SandboxSpec, Tier

_FIRST = Command(argv=("true",), timeout_seconds=20.0)


class PoolStatistics(msgspec.Struct, frozen=True):
    ready: int
    making: int
    taken_warm: int
    taken_cold: int
    failed: int


class Pool:
    """`async with Pool(size=2) as pool: sandbox = await pool.take(spec)`.

    A kind is known from its first `take` on, or by `prepare`. Kinds are told apart by the whole spec: tier, image, limits,
    mounts, network and environment are those that were asked for, from the moment it is made.
    """

    def __init__(self, *, size: int = 2, kinds_max: int = 8, driver: str | None = None) -> None:
        self._size = size
        self._kinds_max = kinds_max
        self._driver = driver
        self._ready: dict[bytes, deque[Sandbox]] = {}
        self._specs: dict[bytes, SandboxSpec] = {}
        self._making: dict[bytes, set[asyncio.Task[None]]] = {}
        self._warm = self._cold = self._failed = 0
        self._closed = False

    async def __aenter__(self) -> Pool:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def take(self, spec: SandboxSpec) -> Sandbox:
        """A sandbox for `spec`: a warm one that still answers, or a new one. The caller closes it."""
        key = self._know(spec)
        waiting = self._ready[key]
        while waiting:
            sandbox = waiting.popleft()
            if await _answers(sandbox):
                self._warm += 1
                self._refill(key)
                return sandbox
            await sandbox.close()
        self._cold += 1
        self._refill(key)
        return await open_sandbox(spec, self._driver)

    async def prepare(self, spec: SandboxSpec) -> None:
        """Fills the pool for `spec`; returns when as many as it holds stand ready, or cannot be made."""
        key = self._know(spec)
        self._refill(key)
        await asyncio.gather(*self._making[key])

    def statistics(self) -> PoolStatistics:
        return PoolStatistics(
            ready=sum(map(len, self._ready.values())), making=sum(map(len, self._making.values())),
            taken_warm=self._warm, taken_cold=self._cold, failed=self._failed,
        )  # fmt: skip

    async def close(self) -> None:
        """Closes all that nobody took. Idempotent."""
        self._closed = True
        for tasks in self._making.values():
            await asyncio.gather(*tasks, return_exceptions=True)
        waiting = [sandbox for kind in self._ready.values() for sandbox in kind]
        self._ready.clear()
        self._making.clear()
        self._specs.clear()
        await asyncio.gather(*(sandbox.close() for sandbox in waiting))

    def _know(self, spec: SandboxSpec) -> bytes:
        if self._closed:
            raise SandboxError("the pool is closed")
        key = msgspec.json.encode(spec, order="sorted")
        if key not in self._specs:
            if len(self._specs) >= self._kinds_max:
                self._forget(next(iter(self._specs)))
            self._specs[key] = spec
            self._ready[key] = deque()
            self._making[key] = set()
        return key

    def _forget(self, key: bytes) -> None:
        """Makes room for another kind: the one known longest goes."""
        del self._specs[key]
        for task in self._making.pop(key):
            task.cancel()
        for sandbox in self._ready.pop(key):
            closing = asyncio.ensure_future(sandbox.close())
            self._making.setdefault(b"", set()).add(closing)
            closing.add_done_callback(self._making[b""].discard)

    def _refill(self, key: bytes) -> None:
        tasks = self._making[key]
        while len(self._ready[key]) + len(tasks) < self._size and not self._closed:
            task = asyncio.ensure_future(self._make(key))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def _make(self, key: bytes) -> None:
        try:
            sandbox = await open_sandbox(self._specs[key], self._driver)
        except SandboxError:
            self._failed += 1  # whoever takes one next is told why
            return
        try:
            if sandbox.spec.tier is Tier.MICROVM:
                await sandbox.run(_FIRST)
                await sandbox.pause()  # once the processes of the next command are ready
        except (SandboxError, Unavailable):
            self._failed += 1
            await sandbox.close()
            return
        if self._closed or key not in self._ready:
            await sandbox.close()
        else:
            self._ready[key].append(sandbox)


async def _answers(sandbox: Sandbox) -> bool:
    from forgewright.sandbox.session import AgentSandbox

    if not isinstance(sandbox, AgentSandbox):
        return True
    try:
        async with asyncio.timeout(2):
            await sandbox.resume()
            await sandbox.ping()
    except (SandboxError, TimeoutError):
        return False
    return True
