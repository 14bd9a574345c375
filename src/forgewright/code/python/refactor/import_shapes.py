"""Imports written another way: stars expanded, absolute, relative, plain, shortened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.known import BUILTINS
from forgewright.code.python.refactor.imports import Imports, items_of, remove_statement
from forgewright.code.python.refactor.organise import exported, star_names, uses, uses_of
from forgewright.code.python.refactor.text import newline
from forgewright.code.python.scopes import FileIndex, Name
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver


def expand_stars(resolver: PythonResolver, file: FileIndex, *, every: bool = False) -> list[Splice]:
    """`from m import *` names what is used (or `every` public name)."""
    found: list[Splice] = []
    for item in Imports(file).items:
        if item.name != "*":
            continue
        path = tuple(item.module.split(".")) if item.module else ()
        module = resolver.modules.find(file.path, item.level, path)
        if module is None or not resolver.modules.files(module):
            continue
        names = public_names(resolver, module) if every else star_names(resolver, file, module)
        if not names:
            if not every:
                found.append(remove_statement(file, item.statement))
            continue
        found.append(Splice(file.path, item.node.start_byte, item.node.end_byte, ", ".join(names).encode()))
    return found


def public_names(resolver: PythonResolver, module: str) -> list[str]:
    for path in resolver.modules.files(module):
        file = resolver.file(path)
        exports = file.exports()
        if exports is not None:
            return sorted(exports)
        return [name for name in file.module.bindings if not name.startswith("_")]
    return []


def absolute(resolver: PythonResolver, file: FileIndex, only: str = "") -> list[Splice]:
    """Relative imports by the full name of their module (implicit relative ones too)."""
    found: list[Splice] = []
    for statement in Imports(file).statements:
        items = items_of(file, statement)
        if not items:
            continue
        first = items[0]
        path = tuple(first.module.split(".")) if first.module else ()
        module = resolver.modules.find(file.path, first.level, path)
        if module is None:
            continue
        dotted = resolver.modules.dotted(module)
        if first.name is None:
            for item in items:
                target = resolver.modules.find(file.path, 0, tuple(item.module.split(".")))
                full = resolver.modules.dotted(target) if target is not None else item.module
                if target is not None and full != item.module:
                    name = item.node.child_by_field_name("name") or item.node
                    found.append(Splice(file.path, name.start_byte, name.end_byte, full.encode()))
                    if item.alias is None:
                        prefix = full[: -len(item.module)]
                        found += [
                            Splice(file.path, r.start, r.start, prefix.encode()) for r in uses_of(file, item)
                        ]
            continue
        origin = statement.child_by_field_name("module_name")
        if origin is not None and dotted and file.text(origin) != dotted:
            found.append(Splice(file.path, origin.start_byte, origin.end_byte, dotted.encode()))
    return found


def relative(resolver: PythonResolver, file: FileIndex) -> list[Splice]:
    """`from package.module import x` of the same package with dots."""
    package = resolver.modules.package_of(file.path)
    root = resolver.modules.root_of(package)
    found: list[Splice] = []
    for statement in Imports(file).statements:
        items = items_of(file, statement)
        origin = statement.child_by_field_name("module_name")
        if not items or items[0].name is None or items[0].level or origin is None:
            continue
        module = resolver.modules.find(file.path, 0, tuple(items[0].module.split(".")))
        if module is None or package == root:
            continue
        dots, base = 1, package
        while base != root and module != base and not module.startswith(base + "/"):
            base, dots = base.rpartition("/")[0], dots + 1
        if base == root:
            continue
        rest = module[len(base) + 1 :].replace("/", ".")
        found.append(Splice(file.path, origin.start_byte, origin.end_byte, ("." * dots + rest).encode()))
    return found


def froms_to_imports(resolver: PythonResolver, file: FileIndex) -> list[Splice]:
    """`from a.b import c` and `c` become `import a.b` and `a.b.c`; unused names are dropped."""
    imports = Imports(file)
    found: list[Splice] = []
    known = {item.module for item in imports.items if item.name is None and item.alias is None}
    for statement in imports.top():
        items = items_of(file, statement)
        if statement.type != "import_from_statement" or not items:
            continue
        first = items[0]
        path = tuple(first.module.split(".")) if first.module else ()
        module = resolver.modules.find(file.path, first.level, path)
        dotted = resolver.modules.dotted(module) if module is not None else first.module
        if not dotted or (module is None and first.level):
            continue
        needed: list[str] = []
        edits: list[Splice] = []
        for item in items:
            names = (
                star_names(resolver, file, module)
                if item.name == "*" and module is not None
                else [item.bound]
            )
            if item.name == "*" and module is None:
                break
            for name in names:
                inner = resolver.modules.submodule(module, item.name or "") if module is not None else None
                plain = (
                    inner is not None and resolver.types.module_binding(module or "", item.name or "") is None
                )
                where = f"{dotted}.{item.name}" if plain else dotted
                target = where if plain else f"{dotted}.{name if item.name == '*' else item.name}"
                if exported(resolver, file, name):
                    raise EditRefused(f"{name} is used by others from {file.path}", hint="leave this import")
                here = uses(file, name)
                if here:
                    needed.append(where)
                edits += [Splice(file.path, r.start, r.end, target.encode()) for r in here]
        else:
            top = dotted.partition(".")[0]
            if top in file.module.bindings and not _binds_module(file, top):
                raise EditRefused(f"{top} already means something in {file.path}", hint="rename that first")
            found += edits
            fresh = [name for name in dict.fromkeys(needed) if name not in known]
            known |= set(fresh)
            if fresh:
                text = newline(file.data).decode().join(f"import {name}" for name in fresh)
                found.append(Splice(file.path, statement.start_byte, statement.end_byte, text.encode()))
            else:
                found.append(remove_statement(file, statement))
    return found


def _binds_module(file: FileIndex, name: str) -> bool:
    return all(site.kind in ("import", "from") for site in file.module.bindings[name].sites)


def shorten(
    resolver: PythonResolver, file: FileIndex, *, dots_max: int, length_max: int, only: Iterable[str] = ()
) -> list[Splice]:
    """`import a.b.c.d` with a long path becomes `from a.b.c import d`."""
    found: list[Splice] = []
    wanted = set(only)
    for item in Imports(file).items:
        if item.name is not None or item.alias is not None or "." not in item.module:
            continue
        if item.module.count(".") <= dots_max and len(item.module) <= length_max:
            continue
        if wanted and item.module not in wanted:
            continue
        if len(items_of(file, item.statement)) > 1 or item.statement.parent != file.root:
            continue
        head, _, last = item.module.rpartition(".")
        if last in file.module.bindings or last in BUILTINS:
            continue
        places = [
            place for r in uses(file, item.bound) if (place := _path_at(file, r, item.module)) is not None
        ]
        if len(places) != len(uses(file, item.bound)):
            continue
        found.append(
            Splice(
                file.path,
                item.statement.start_byte,
                item.statement.end_byte,
                f"from {head} import {last}".encode(),
            )
        )
        found += [Splice(file.path, start, end, last.encode()) for start, end in places]
    return found


def _path_at(file: FileIndex, ref: Name, module: str) -> tuple[int, int] | None:
    """The span of the dotted path that begins with this name."""
    node: Node | None = file.root.descendant_for_byte_range(ref.start, ref.end)
    while node is not None:
        if file.text(node) == module:
            return node.start_byte, node.end_byte
        if node.parent is None or node.parent.type != "attribute":
            return None
        node = node.parent
    return None
