"""Names in JavaScript, TypeScript, TSX and JSX: scopes, members, modules and types."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.project import Project


def make(project: Project) -> JavaScriptResolver:
    """A resolver over `project`; nothing is read before it is asked something."""
    from forgewright.code.javascript.resolver import JavaScriptResolver

    return JavaScriptResolver(project)
