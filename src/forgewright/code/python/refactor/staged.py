"""Several steps on one Python project in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.python.scopes import FileIndex
from forgewright.code.staging import Staging, difference, spliced

if TYPE_CHECKING:
    from forgewright.code.project import Project
    from forgewright.code.python.resolver import PythonResolver

__all__ = ["Staged", "difference", "spliced"]


class Staged(Staging):
    """A project with the steps so far laid over it."""

    def __init__(self, project: Project) -> None:
        super().__init__(project)
        self._resolver: PythonResolver | None = None

    @property
    def resolver(self) -> PythonResolver:
        from forgewright.code.python.resolver import PythonResolver

        if self._resolver is None:
            self._resolver = PythonResolver(self.overlay)
        return self._resolver

    def file(self, path: str) -> FileIndex:
        return self.resolver.file(path)

    def forget(self) -> None:
        self._resolver = None
