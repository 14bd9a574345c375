"""A new name that is nobody else's: not taken from who reads it already, not hidden where it is to be read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.python.resolver import PythonResolver
    from forgewright.code.python.scopes import FileIndex, Scope


def check_fresh(file: FileIndex, home: Scope, name: str, places: Iterable[int]) -> None:
    """Refuse to bind `name` in `home` where something means another by it, or would at `places`."""
    for ref in file.names.get(name, ()):
        if not _within(ref.scope, home):
            continue
        found = file.lookup(ref.scope, name, ref.start)
        if found is None or (found.scope is not home and not _within(found.scope, home)):
            raise EditRefused(
                f"{name} means something else in {file.path} already", hint="choose another name"
            )
    for at in places:
        found = file.lookup(file.scope_at(at), name, at)
        if found is not None and found.scope is not home and _within(found.scope, home):
            raise EditRefused(f"{name} means something else at its use", hint="choose another name")


def _within(scope: Scope, home: Scope) -> bool:
    current: Scope | None = scope
    while current is not None:
        if current is home:
            return True
        current = current.parent
    return False


def check_member(resolver: PythonResolver, cls: Scope, name: str) -> None:
    """Refuse a new member that a class above or below has already."""
    owner = resolver.types.owner(cls, name)
    if owner is not None:
        raise EditRefused(f"{owner.name} already has a {name}", hint="choose another name")
    for path in resolver.project.containing(name.encode(), "python"):
        for scope in resolver.file(path).scopes:
            if scope.kind == "class" and (name in scope.bindings or name in scope.self_sites):
                if cls in resolver.types.mro(scope)[0]:
                    raise EditRefused(
                        f"{scope.name} in {path} already has a {name}", hint="choose another name"
                    )
