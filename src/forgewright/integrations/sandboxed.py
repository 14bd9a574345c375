"""A sandbox that is created at its first use, on a loop of its own, for frameworks that bring theirs."""

from __future__ import annotations

import asyncio
from pathlib import Path

from forgewright.agent.workspace.work import Taken
from forgewright.core.errors import UsageError
from forgewright.integrations.portal import Portal
from forgewright.integrations.tree import Approve, LentTree
from forgewright.policy.types import Gate
from forgewright.sandbox.registry import open_sandbox
from forgewright.sandbox.types import Exit, Sandbox, SandboxSpec

HOME = "/home/sandbox"
"""Where commands start unless the spec says otherwise: every image has it, and it can be written."""
SHELL = 'command -v bash >/dev/null && exec bash -c "$1"; exec sh -c "$1"'
"""Runs its first argument in bash where the image has it, else in sh."""


class Sandboxed:
    """Owns one sandbox and its loop. Coroutines given to `portal` may use what `open` returns."""

    def __init__(
        self,
        spec: SandboxSpec | None = None,
        *,
        driver: str | None = None,
        root: Path | str | None = None,
        gate: Gate | None = None,
        principal: str = "guest",
    ) -> None:
        """`root`: a folder of this machine that is seen as a copy at /work; `gate`: the policy that holds there, by
        default the one that comes along."""
        self.tree: LentTree | None = None
        if root is not None:
            from forgewright.policy.gate import CedarGate

            self.tree = LentTree(root, gate or CedarGate.load("default"), principal)
        elif gate is not None:
            raise UsageError("expected a folder (root) with the gate: a gate holds for the paths of one")
        self.spec = spec or SandboxSpec(workdir=HOME)
        self.portal = Portal("sandbox")
        self._driver = driver
        self._lock: asyncio.Lock | None = None
        self._sandbox: Sandbox | None = None
        self._closed = False

    @property
    def sandbox(self) -> Sandbox | None:
        """None until it was first used."""
        return self._sandbox

    async def open(self) -> Sandbox:
        """The sandbox; created once, also when several ask at the same time."""
        if self._sandbox is None:
            if self._lock is None:
                self._lock = asyncio.Lock()
            # Whoever is cancelled while it is being created leaves it to the others.
            await asyncio.shield(asyncio.ensure_future(self._create()))
        assert self._sandbox is not None
        return self._sandbox

    async def _create(self) -> None:
        assert self._lock is not None
        async with self._lock:
            if self._sandbox is None:
                if self._closed:
                    raise UsageError("this sandbox was closed")
                spec = self.spec if self.tree is None else await self.tree.prepare(self.spec)
                sandbox = await open_sandbox(spec, self._driver)
                if self.tree is not None:
                    await self.tree.opened(sandbox)
                self._sandbox = sandbox

    async def take_over(self, approve: Approve | None) -> Taken:
        """On the portal. Raises `UsageError` where there is no folder."""
        if self.tree is None:
            raise UsageError("there is no folder to take changes over into", hint="give the folder as root=…")
        return await self.tree.take_over(approve)

    def close(self) -> None:
        """Destroys the sandbox with all that is in it. Idempotent."""
        if not self._closed:
            self._closed = True
            self.portal.call(self.destroy())
            self.portal.close()

    async def destroy(self) -> None:
        """On the portal: ends the sandbox; what runs in it ends with it."""
        if self._lock is not None:
            async with self._lock:
                if self._sandbox is not None:
                    await self._sandbox.close()


def told(done: Exit) -> str:
    """What a person should know of an end that the command did not choose."""
    return "" if done.reason == "exit" else f"the command was ended: {done.reason}"
