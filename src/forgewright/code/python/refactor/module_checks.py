"""When a module may lie elsewhere: nothing asks where it is, finds it by its path, or runs it as a script."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.refactor.frames import row, sees_module
from forgewright.code.python.refactor.import_shapes import GUARD
from forgewright.code.python.refactor.mentions import place, spoken
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forgewright.code.python.resolver import PythonResolver
    from forgewright.code.python.scopes import FileIndex

_FOUND = re.compile(
    rb"""\b(?:import_module|__import__|iter_modules|walk_packages|find_spec|find_loader)\(\s*(?!["'][\w.]*["']\s*\))"""
)
"""A module that is looked for by a computed name."""
_ASKED = re.compile(rb"""(?:import_module|__import__|run_module|patch|setattr)\(\s*[rRuU]?["']$""")
_RELATIVE = re.compile(rb"""(["'])(\.+\w[\w.]*)\1""")


def check_place(file: FileIndex, *words: str) -> None:
    """Refuse where a module asks where it is."""
    found = sees_module(file.root, words)
    if found is not None and (file.text(found) in words):
        raise EditRefused(
            f"{file.path} asks where it is: {file.text(found)} in {row(file, found)}",
            hint="change that first",
        )


def check_script(resolver: PythonResolver, file: FileIndex) -> None:
    """Refuse where a file is run, or spoken of, by its path."""
    if file.data.startswith(b"#!") or GUARD.search(file.data):
        raise EditRefused(
            f"{file.path} is run as a script, too, by its path", hint="move that part out first"
        )
    name = file.path.rpartition("/")[2].encode()
    quoted = re.compile(rb"""["'][\w./-]*(?<![\w-])""" + re.escape(name) + rb"""["']""")
    for path in resolver.project.containing(name, "python"):
        found = quoted.search(resolver.project.source(path).data)
        if found is not None and path != file.path:
            raise EditRefused(
                f"{place(resolver.file(path), found.start())} speaks of the file {file.path}",
                hint="change that first",
            )


def check_found(resolver: PythonResolver, module: str, target: str) -> None:
    """Refuse where a module is found by a computed name, or by one that starts at its package."""
    folders = {module.rpartition("/")[0], target.rpartition("/")[0]}
    last = module.rpartition("/")[2]
    for path in resolver.project.paths(language="python"):
        folder = path.rpartition("/")[0]
        if folder not in folders:
            continue
        data = resolver.project.source(path).data
        found = next((one for one in _FOUND.finditer(data) if _own(data, one.end())), None)
        if found is not None:
            raise EditRefused(
                f"{place(resolver.file(path), found.start())} looks for modules by computed names",
                hint="move it by hand",
            )
        for text in _RELATIVE.finditer(data):
            if text[2].decode().lstrip(".").split(".")[0] == last:
                raise EditRefused(
                    f"{place(resolver.file(path), text.start())} speaks of {text[2].decode()}",
                    hint="change that first",
                )


def check_asked(resolver: PythonResolver, module: str, *words: str) -> None:
    """Refuse where another module asks this one what it is: `module.__package__`."""
    last = module.rpartition("/")[2].encode()
    asked = re.compile(rb"\b" + re.escape(last) + rb"\s*\.\s*(?:" + "|".join(words).encode() + rb")\b")
    for path in resolver.project.containing(last, "python"):
        found = asked.search(resolver.project.source(path).data)
        if found is not None:
            raise EditRefused(
                f"{place(resolver.file(path), found.start())} asks for {found[0].decode()}",
                hint="change that first",
            )


def _own(data: bytes, at: int) -> bool:
    """Whether what follows speaks of the package itself: `__name__`, its path, or a name that begins with a dot."""
    line = data[at : data.find(b"\n", at) % (len(data) + 1)]
    return any(
        word in line for word in (b"__name__", b"__package__", b"__path__", b"__file__", b'"."', b"'.'")
    )


def check_new_name(resolver: PythonResolver, new: str) -> None:
    """Refuse a name at the top that the standard library, or another distribution in use, has."""
    if "." in new:
        return
    if new in sys.stdlib_module_names:
        raise EditRefused(f"{new} is a module of the standard library", hint="choose a folder in a package")
    imported = re.compile(rb"^\s*(?:import|from)\s[^\n]*\b" + re.escape(new.encode()) + rb"\b", re.M)
    for path in resolver.project.containing(new.encode(), "python"):
        if imported.search(resolver.project.source(path).data) is None:
            continue
        for segment in resolver.file(path).segments.get(new, ()):
            if not segment.level and segment.module == (new,):
                if resolver.modules.find(path, 0, (new,)) is None:
                    raise EditRefused(
                        f"{path} imports another {new} from outside", hint="choose another folder"
                    )


def respoken(resolver: PythonResolver, module: str, old: str, new: str) -> Iterator[Splice]:
    """The module's dotted name at the beginning of texts, as the new one; of one without dots only where it is meant."""
    for path, start, end in spoken(resolver, module):
        data = resolver.project.source(path).data
        before = data[max(0, start - 40) : start]
        meant = "." in old or data[end : end + 1] in (b".", b":")
        asked = _ASKED.search(before)
        if meant or asked is not None:
            yield Splice(path, start, end, new.encode())
