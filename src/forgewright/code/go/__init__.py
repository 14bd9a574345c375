"""Names in Go: packages, imports, types with fields and methods, interfaces and what implements them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forgewright.code.go.resolver import GoResolver
    from forgewright.code.project import Project


def make(project: Project) -> GoResolver:
    """A resolver over `project`; nothing is read before it is asked something."""
    from forgewright.code.go.resolver import GoResolver

    return GoResolver(project)
