"""Renaming a package: its clause, its folder, all imports of it. The new name may be an import path."""

from __future__ import annotations

import posixpath
import re

from forgewright.code.binding import Renaming
from forgewright.code.go.hazards import check_name, refuse
from forgewright.code.go.packages import Packages
from forgewright.code.go.things import File
from forgewright.code.go.types import Types
from forgewright.code.project import Splice
from forgewright.code.scopes.tree import Node

_SEGMENT = re.compile(r"[\w.~-]+")


def rename_package(packages: Packages, node: Node, new: str) -> Renaming:
    """`node` is the name in a package clause; `new` a name, or the import path that the package moves to."""
    folder = posixpath.dirname(node.path)
    old_path = packages.import_path(folder)
    name = node.text
    if old_path is None:
        raise refuse(f"{node.path} is in no module", "add a go.mod first")
    if name == "main":
        raise refuse("can't rename package 'main'", "leave it as it is")
    if name.endswith("_test"):
        raise refuse(f"can't rename {name!r}: it is the tests of another package", "rename that package")
    if new.startswith("."):
        raise refuse(
            "specifying relative paths in a package rename is not yet supported", "write the import path"
        )
    new_path = new if "/" in new else posixpath.join(posixpath.dirname(old_path), new)
    if new_path == old_path:
        return Renaming(())
    base = posixpath.basename(new_path)
    if not all(_SEGMENT.fullmatch(segment) for segment in new_path.split("/")):
        raise refuse(f"invalid package name in {new!r}", "use letters, digits and _ in each part of the path")
    check_name(base)
    own = posixpath.basename(old_path)
    if name != own:
        message = f"can't move: the package name {name!r} does not match directory base name {own!r}"
        raise refuse(message, "make them the same first")
    home = packages.module_of(folder) or ""
    module = packages.modules[home]
    if new_path != module and not new_path.startswith(module + "/"):
        raise refuse(
            f"cannot move package across module boundary, from {module!r} to {new_path!r}",
            "stay inside the module",
        )
    target = posixpath.normpath(posixpath.join(home, new_path[len(module) :].lstrip("/")))
    if packages.module_of(target) != packages.module_of(folder):
        raise refuse(f"cannot move package across module boundary, to {target!r}", "stay inside the module")
    if target in packages.folders:
        raise refuse(f"the folder {target!r} is not empty", "choose a path that is not taken")
    paths = packages.folders[folder]
    _ignored(packages, folder, name)
    splices: list[Splice] = []
    importers = [file for file in _importers(packages, old_path) if file.path not in paths]
    _internal(packages, new_path, old_path, importers)
    for path in paths:
        clause = packages.clause(path)
        if clause in (name, name + "_test") and base != name:
            file = packages.file(path)
            found = file.root.first("package_clause") if file is not None else None
            word = found.items[0] if found is not None and found.items else None
            if word is not None:
                splices.append(Splice(path, word.start, word.start + len(name.encode()), base.encode()))
    for file in [*importers, *(f for p in paths if (f := packages.file(p)) is not None)]:
        splices += _reimport(packages, file, old_path, new_path, name, base)
    moves = tuple((path, posixpath.join(target, posixpath.basename(path))) for path in paths)
    return Renaming(tuple(sorted(splices)), moves)


def _ignored(packages: Packages, folder: str, name: str) -> None:
    """Files that build constraints leave out would be left behind by a build's view of the package."""
    for path in packages.folders[folder]:
        data = packages.project.source(path).data
        if packages.clause(path) == name and data.lstrip().startswith(b"//go:build "):
            raise refuse(f"can't move the package: it has ignored files, such as {path}", "rename it by hand")


def _importers(packages: Packages, path: str) -> list[File]:
    found = []
    for other in packages.project.containing(path.encode()):
        file = packages.file(other) if other.endswith(".go") else None
        if file is not None and any(_path(spec) == path for spec in _specs(file)):
            found.append(file)
    return found


def _specs(file: File) -> list[Node]:
    return [
        spec
        for declaration in file.root.children
        if declaration.type == "import_declaration"
        for spec in declaration.walk()
        if spec.type == "import_spec"
    ]


def _path(spec: Node) -> str:
    path = spec.get("path")
    return path.text[1:-1] if path is not None else ""


def _internal(packages: Packages, new: str, old: str, importers: list[File]) -> None:
    """An internal package may be imported from below its parent only."""
    if "/internal/" not in new + "/":
        return
    parent = (new + "/").partition("/internal/")[0]
    for file in importers:
        here = packages.import_path(posixpath.dirname(file.path)) or ""
        if here != parent and not here.startswith(parent + "/"):
            raise refuse(f"the package move would result in an illegal internal import in {file.path}")


def _reimport(packages: Packages, file: File, old: str, new: str, name: str, base: str) -> list[Splice]:
    found: list[Splice] = []
    types = Types(packages)
    for spec in _specs(file):
        path = spec.get("path")
        if path is None or _path(spec) != old:
            continue
        found.append(Splice(path.path, path.start + 1, path.end - 1, new.encode()))
        if base == name or spec.get("name") is not None:
            continue
        thing = next((t for things in file.imports.table.values() for t in things if t.node is spec), None)
        for node in file.root.walk():
            used = node.up.type in ("selector_expression", "qualified_type") and node.text == name
            if used and node.type in ("identifier", "package_identifier") and types.lookup(node) is thing:
                found.append(Splice(node.path, node.start, node.end, base.encode()))
    return found
