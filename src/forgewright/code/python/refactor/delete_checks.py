"""When a definition that no name refers to is needed all the same: it is registered, listed, called by a text, or computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.refactor.closed import is_made
from forgewright.code.python.refactor.dispatch import from_outside
from forgewright.code.python.refactor.families import gone_through
from forgewright.code.python.refactor.frames import check_names, sees_module
from forgewright.code.python.refactor.mentions import listed, place, spoken
from forgewright.code.python.refactor.registering import hook, told
from forgewright.code.python.refactor.text import definition_of, walk
from forgewright.code.python.values import ClassValue, External
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver
    from forgewright.code.python.scopes import FileIndex, Scope, Site

COLLECTED = ("test_", "pytest_", "Test")
"""Beginnings of names that test runners look for."""
ACTING = ("call", "await", "yield", "named_expression")


def check_unneeded(
    resolver: PythonResolver, scope: Scope, name: str, sites: Sequence[Site], spans: Sequence[Node]
) -> None:
    """Refuse to delete what is there for something else than its name."""
    file = scope.file
    if any(site.kind == "augmented" for site in sites):
        raise EditRefused(f"{name} is changed in place", hint="what it was made of may be changed with it")
    for span in spans:
        heard = told(resolver, file, span)
        if heard is not None:
            raise EditRefused(f"{heard} hears of {name}", hint="take that off first")
    if scope.kind == "function":
        check_names(file, scope.node, scope.name)
    elif scope.kind == "module":
        _check_global(resolver, file, name)
    elif scope.kind == "class":
        _check_member(resolver, scope, name, sites)


def check_symbol(resolver: PythonResolver, path: str, offset: int) -> None:
    """The same for the definition whose name stands at a place."""
    keys, name = resolver.keys_at(path, offset)
    for key in keys:
        if key.is_module or resolver.identity.is_external(key):
            continue
        sites = [site for site in resolver.identity.sites(key) if site.node is not None]
        spans = [
            definition_of(site.node) for site in sites if site.node is not None and site.scope is not None
        ]
        check_unneeded(resolver, resolver.identity.scope(key), name, sites, spans)


def _check_global(resolver: PythonResolver, file: FileIndex, name: str) -> None:
    if name.startswith("__") and name.endswith("__"):
        raise EditRefused(f"{name} is read by tools", hint="delete it by hand")
    if name.startswith(COLLECTED):
        raise EditRefused(f"{name} is found by its name when tests run", hint="delete it by hand")
    module = resolver.modules.module_of(file.path)
    texts = spoken(resolver, module, name)
    if texts:
        path, start, _ = texts[0]
        raise EditRefused(f"{place(resolver.file(path), start)} speaks of it", hint="change that first")
    found = sees_module(file.root, ())
    seen = place(file, found.start_byte) if found is not None else listed(resolver, module)
    if seen is not None:
        raise EditRefused(f"{seen} goes through the names of {file.path}", hint="delete it by hand")


def _check_member(resolver: PythonResolver, cls: Scope, name: str, sites: Sequence[Site]) -> None:
    heard = hook(resolver, cls)
    if heard is not None or is_made(cls):
        raise EditRefused(
            f"{heard or cls.name} makes something of the members of {cls.name}", hint="leave it"
        )
    seen = gone_through(resolver, resolver.types.mro(cls)[0], objects=True)
    if seen is not None:
        raise EditRefused(f"{seen} goes through the members of a class", hint="leave it")
    if name.startswith("__") and name.endswith("__"):
        raise EditRefused(f"{name} is called by Python itself", hint="delete it by hand")
    for site in sites:
        outside = from_outside(resolver, site.scope) if site.scope is not None else None
        if outside is not None or name.startswith(COLLECTED):
            raise EditRefused(f"{name} is called by {outside or 'test runners'}", hint="leave it")
    for one in resolver.types.mro(cls)[0]:
        for base in one.bases:
            values = resolver.types.infer(base, one.parent or one)
            known = values and all(
                isinstance(v, ClassValue)
                or (isinstance(v, External) and v.name.rpartition(".")[2] in ("object", "ABC"))
                for v in values
            )
            if not known:
                raise EditRefused(
                    f"{one.file.text(base)} may call {name} of what inherits from it",
                    hint="delete it by hand",
                )


def kept_value(file: FileIndex, statement: Node) -> Splice | None:
    """The splice that leaves what an assignment computes as a statement, if computing it does something."""
    inner = statement.named_children[0] if statement.named_children else statement
    value = inner.child_by_field_name("right") if inner.type == "assignment" else None
    if value is None or not any(node.type in ACTING for node in walk(value)):
        return None
    return Splice(file.path, inner.start_byte, value.start_byte, b"")
