"""Names in Java: packages, imports, types with members, overrides, records, enums and locals."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forgewright.code.java.resolver import JavaResolver
    from forgewright.code.project import Project


def make(project: Project) -> JavaResolver:
    """A resolver over `project`; nothing is read before it is asked something."""
    from forgewright.code.java.resolver import JavaResolver

    return JavaResolver(project)
