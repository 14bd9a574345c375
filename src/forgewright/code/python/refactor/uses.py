"""Change what the uses of a name in one scope name, and a module into a package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.refactor.imports import Imports, items_of
from forgewright.code.python.refactor.module_checks import check_asked, check_place, check_script
from forgewright.code.python.rename import check_name
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.python.resolver import PythonResolver


def replace_uses(
    resolver: PythonResolver, path: str, offset: int, new: str, *, calls_only: bool
) -> list[Splice]:
    """The name's places in the function, class or module around `offset` get another name."""
    for part in new.split("."):
        check_name(part)
    keys, name = resolver.keys_at(path, offset)
    if not keys:
        raise EditRefused("no symbol of this project is named there", hint="point at a name")
    file = resolver.file(path)
    scope = file.scope_at(offset)
    found: list[Splice] = []
    for place in resolver.finder.find(keys, name, hierarchy=False)[1]:
        if place.path != path or not scope.node.start_byte <= place.start < max(scope.node.end_byte, 1):
            continue
        if calls_only:
            node = file.root.descendant_for_byte_range(place.start, place.end)
            parent = node.parent if node is not None else None
            if parent is None or parent.type != "call" or parent.child_by_field_name("function") != node:
                continue
        found.append(Splice(path, place.start, place.end, new.encode()))
    return found


def module_to_package(resolver: PythonResolver, path: str) -> tuple[list[Splice], list[tuple[str, str]]]:
    """`m.py` becomes `m/__init__.py`; its relative imports go one level further up."""
    base, _, suffix = path.rpartition(".")
    if base.rpartition("/")[2] == "__init__":
        raise EditRefused(f"{path} is a package already", hint="name a plain module")
    target = f"{base}/__init__.{suffix}"
    file = resolver.file(path)
    check_place(file, "__file__", "__package__", "__path__", "__spec__")
    check_script(resolver, file)
    check_asked(resolver, base, "__package__", "__path__", "__spec__", "__file__")
    found: list[Splice] = []
    for statement in Imports(file).statements:
        items = items_of(file, statement)
        origin = statement.child_by_field_name("module_name")
        if items and items[0].level and origin is not None:
            found.append(Splice(path, origin.start_byte, origin.start_byte, b"."))
    return found, [(path, target)]
