"""Names in Rust: modules, use trees, fields, impls and traits, locals, lifetimes, macro arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forgewright.code.project import Project
    from forgewright.code.rust.resolver import RustResolver


def make(project: Project) -> RustResolver:
    """A resolver over `project`; nothing is read before it is asked something."""
    from forgewright.code.rust.resolver import RustResolver

    return RustResolver(project)
