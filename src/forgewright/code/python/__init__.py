"""Python: what names mean (`make` gives the resolver) and the refactorings that need to know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forgewright.code.binding import Resolver
    from forgewright.code.project import Project


def make(project: Project) -> Resolver:
    """The resolver of a project's Python files; lazy, so making it costs nothing."""
    from forgewright.code.python.resolver import PythonResolver

    return PythonResolver(project)
