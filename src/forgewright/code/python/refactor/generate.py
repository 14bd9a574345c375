"""Several new files at once: the names that they use of each other and of the project are imported."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from forgewright.code.python.refactor.gather import definitions
from forgewright.code.python.refactor.imports import Imports
from forgewright.code.python.refactor.staged import Staged
from forgewright.code.python.scopes import FileIndex

if TYPE_CHECKING:
    from forgewright.code.project import Project
    from forgewright.code.python.resolver import PythonResolver

KNOWN = frozenset((*dir(builtins), "__file__", "__name__", "__doc__", "__path__", "__spec__", "__class__"))


def generated(
    project: Project, files: Mapping[str, bytes]
) -> tuple[dict[str, bytes], list[str], list[tuple[str, str]]]:
    """The files with their imports, their paths in the order of dependency, and (path, name) of what is unknown."""
    staged = Staged(project)
    staged.create(files)
    modules = [path for path in files if path.endswith(".py")]
    unknown: list[tuple[str, str]] = []
    found: dict[str, list[str]] = {}
    for path in modules:
        resolver = staged.resolver
        for name in missing(resolver, path):
            text = statement(resolver, name, path)
            if text:
                found.setdefault(path, []).append(text)
            else:
                unknown.append((path, name))
    for path, texts in found.items():
        file = staged.file(path)
        gap = not Imports(file).statements and file.root.named_child_count > 0
        staged.apply(Imports(file).add(sorted(texts)))
        first = staged.file(path).root.named_children
        if gap and first[-1].type in ("function_definition", "class_definition", "decorated_definition"):
            _spaced(staged, path)
    created = {path: staged.overlay.source(path).data for path in files}
    return created, ordered(staged, list(files)), unknown


def _spaced(staged: Staged, path: str) -> None:
    """Two blank lines between the imports and the first definition."""
    from forgewright.code.project import Splice

    file = staged.file(path)
    statements = Imports(file).statements
    end = statements[-1].end_byte
    rest = file.data[end:]
    blank = len(rest) - len(rest.lstrip(b"\n"))
    following = next((c for c in file.root.named_children if c.start_byte > end), None)
    if following is not None and following.type.endswith("definition") and blank < 3:
        staged.apply([Splice(path, end + blank, end + blank, b"\n" * (3 - blank))])


def missing(resolver: PythonResolver, path: str) -> list[str]:
    """The names that a file reads and nothing binds, in order."""
    file = resolver.file(path)
    if file.stars:
        return []
    places: dict[str, int] = {}
    for name, refs in file.names.items():
        for ref in refs:
            if name not in KNOWN and resolver.types.lookup(ref.scope, name, ref.start) is None:
                places[name] = min(places.get(name, ref.start), ref.start)
    return sorted(places, key=lambda name: places[name])


def statement(resolver: PythonResolver, name: str, path: str) -> str:
    """The import that brings in `name`: of the one module that defines it, or as the other files import it."""
    homes = defining(resolver, name, path)
    if homes:
        module = resolver.modules.dotted(resolver.modules.module_of(homes[0]))
        return f"from {module} import {name}" if len(homes) == 1 else ""
    texts: set[str] = set()
    for other in resolver.project.containing(name.encode(), "python"):
        items = Imports(resolver.file(other)).items if other != path else []
        texts |= {item.text() for item in items if item.bound == name and not item.level}
    if len(texts) == 1:
        return texts.pop()
    return f"import {name}" if name in sys.stdlib_module_names and not texts else ""


def defining(resolver: PythonResolver, name: str, path: str) -> list[str]:
    """The files at whose top `name` is defined."""
    return [
        other
        for other in resolver.project.containing(name.encode(), "python")
        if other != path and not other.endswith(".pyi") and name in definitions(resolver.file(other))
    ]


def ordered(staged: Staged, paths: list[str]) -> list[str]:
    """The paths with what is imported before what imports it; circles in the given order."""
    wanted = set(paths)
    done: list[str] = []
    active: set[str] = set()

    def visit(path: str) -> None:
        if path in done or path in active:
            return
        active.add(path)
        for other in _imported(staged.resolver, staged.file(path)) if path.endswith(".py") else ():
            if other in wanted:
                visit(other)
        done.append(path)

    for path in paths:
        visit(path)
    return done


def _imported(resolver: PythonResolver, file: FileIndex) -> list[str]:
    found: list[str] = []
    for item in Imports(file).items:
        module = resolver.modules.find(
            file.path, item.level, tuple(item.module.split(".")) if item.module else ()
        )
        if module is None:
            continue
        inner = resolver.modules.submodule(module, item.name) if item.name else None
        found += resolver.modules.files(inner or module)
    return found
