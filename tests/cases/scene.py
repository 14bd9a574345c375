"""A scene over files in memory: the engine's own, without a disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from forgewright.code.integrity import allowances, check
from forgewright.code.operations.base import Operation, Outcome, Scene
from forgewright.code.scene import Stage
from forgewright.code.sources import MemoryProject
from forgewright.code.validity import mistake
from forgewright.core.errors import EditRefused


class Planned(Protocol):
    """An operation, or what stands for one."""

    def plan(self, scene: Scene) -> Outcome: ...


class MemoryScene(Stage):
    """The stage of one program over a mapping from path to text."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.before = MemoryProject({path.lstrip("/"): text.encode() for path, text in files.items()})
        super().__init__(self.before)
        self.done: list[Planned] = []

    def run(self, operation: Planned) -> Outcome:
        """Plan it and lay the outcome over the files."""
        self.done.append(operation)
        return self.apply(operation.plan(self))

    def check(self) -> None:
        """What the engine asks of a result. Raises `EditRefused`."""
        done = [one for one in self.done if isinstance(one, Operation)]
        if any(one.writes and one.binds and one.checked for one in done):
            check(self.before, self, allowances(done))
        for path, source in self.overlay.changed().items():
            old = self.before.source(path) if self.before.exists(path) else None
            wrong = mistake(old, source) if source is not None and path not in self.sound else ""
            if wrong:
                raise EditRefused(f"the result would not parse: {wrong}")

    def files(self) -> dict[str, str]:
        return {path: self.overlay.source(path).data.decode() for path in self.overlay.paths()}
