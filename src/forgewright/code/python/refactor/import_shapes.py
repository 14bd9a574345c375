"""Imports written another way: stars expanded, absolute, relative, plain, shortened."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.known import BUILTINS
from forgewright.code.python.refactor.import_checks import check_named, names_module, open_to_texts
from forgewright.code.python.refactor.imports import Imports, items_of, remove_statement
from forgewright.code.python.refactor.mentions import place
from forgewright.code.python.refactor.organise import exported, star_names, unclear_star, uses, uses_of
from forgewright.code.python.refactor.registering import acts
from forgewright.code.python.refactor.text import newline
from forgewright.code.python.scopes import FileIndex, Name
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver


GUARD = re.compile(rb"""^if __name__ *== *["']__main__["']""", re.M)
"""What a module that is run as a script has."""


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
        check_star(resolver, file, module)
        package = file.path.rpartition("/")[2].startswith("__init__.") and file.exports() is None
        whole = every or package
        names = public_names(resolver, module) if whole else star_names(resolver, file, module)
        if not names:
            if not whole and acts(resolver, module) is None:
                found.append(remove_statement(file, item.statement))
            continue
        found.append(Splice(file.path, item.node.start_byte, item.node.end_byte, ", ".join(names).encode()))
    return found


def check_star(resolver: PythonResolver, file: FileIndex, module: str) -> None:
    """Refuse where it is not known which names a star brings in, or which of them are used."""
    unclear = unclear_star(resolver, module)
    if unclear is not None:
        raise EditRefused(f"the names of {unclear} are computed", hint="write out its __all__ first")
    texts = open_to_texts(resolver, file)
    if texts is not None:
        raise EditRefused(f"{texts} asks for names of {file.path} by texts", hint="use every: true")


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
    check_root(resolver, file)
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


def check_root(resolver: PythonResolver, file: FileIndex) -> None:
    """Refuse where others name a package from further up than its own `__init__` files tell."""
    package = resolver.modules.package_of(file.path)
    root = resolver.modules.root_of(package)
    last = root.rpartition("/")[2]
    if not last or package == root:
        return
    top = package[len(root) + 1 :].partition("/")[0]
    wanted = f"{last}.{top}".encode()
    for path in resolver.project.containing(wanted, "python"):
        for segment in resolver.file(path).segments.get(top, ()):
            if segment.module[-2:] == (last, top):
                raise EditRefused(
                    f"{path} imports {top} as {last}.{top}", hint="its full name is not known: leave it"
                )


def relative(resolver: PythonResolver, file: FileIndex) -> list[Splice]:
    """`from package.module import x` of the same package with dots."""
    package = resolver.modules.package_of(file.path)
    root = resolver.modules.root_of(package)
    if file.data.startswith(b"#!") or (GUARD.search(file.data) and not file.path.endswith("__main__.py")):
        raise EditRefused(
            f"{file.path} is run as a script, too, where relative imports fail", hint="leave them absolute"
        )
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
                bound = item.bound if item.name != "*" else name
                check_named(resolver, file, item, bound)
                _check_path(resolver, file, module, where, plain=plain)
                target = where if plain else f"{dotted}.{name if item.name == '*' else item.name}"
                if exported(resolver, file, name):
                    raise EditRefused(f"{name} is used by others from {file.path}", hint="leave this import")
                here = uses(file, name)
                if here:
                    needed.append(where)
                _check_uses(resolver, file, here, where)
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


def _check_path(
    resolver: PythonResolver, file: FileIndex, module: str | None, where: str, *, plain: bool
) -> None:
    """Refuse where a package has something else under the name of its module."""
    if module is None:
        return
    folder = module if not plain else f"{module}/{where.rpartition('.')[2]}"
    while "/" in folder:
        package, _, last = folder.rpartition("/")
        if resolver.modules.files(package) and not names_module(resolver, package, last):
            raise EditRefused(
                f"{last} of {resolver.modules.dotted(package)} is not its module", hint="leave this import"
            )
        folder = package


def _check_uses(resolver: PythonResolver, file: FileIndex, here: list[Name], where: str) -> None:
    """Refuse where the module's name means something else, or its package is not whole yet."""
    top = where.partition(".")[0]
    own = resolver.modules.package_of(file.path)
    parts = resolver.modules.dotted(own).split(".") if own != resolver.modules.root_of(own) else []
    shared = 0
    for mine, theirs in zip(parts, where.split("."), strict=False):
        if mine != theirs:
            break
        shared += 1
    for ref in here:
        found = file.lookup(ref.scope, top, ref.start)
        if found is not None and found.scope is not file.module:
            raise EditRefused(
                f"{top} means something else at {place(file, ref.start)}", hint="rename that first"
            )
        above = where.split(".") == parts[:shared]  # a name of a package that this module is in
        if (shared > 1 or above) and ref.scope.kind in ("module", "class"):
            package = ".".join(parts[:shared])
            raise EditRefused(
                f"{place(file, ref.start)} needs {where} while {package} is still being imported",
                hint="leave this import",
            )


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
