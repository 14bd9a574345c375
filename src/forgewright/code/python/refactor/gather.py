"""Several definitions to another module in one step: moved together, modules merged, a module split."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from forgewright.code.binding import Occurrence
from forgewright.code.project import Splice
from forgewright.code.python.keys import Key
from forgewright.code.python.refactor.imports import STATEMENTS, Imports
from forgewright.code.python.refactor.move import MoveOptions, SymbolMove
from forgewright.code.python.refactor.organise import dynamic_exports
from forgewright.code.python.refactor.staged import Staged
from forgewright.code.python.refactor.text import definition_of
from forgewright.code.python.scopes import FileIndex
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.project import Project

SYMBOLS_MAX = 500
"""Definitions that one operation moves."""


def move_all(
    staged: Staged, origin: str, names: Sequence[str], to: str, options: MoveOptions, *, cycle: bool
) -> None:
    """Move definitions of `origin` to `to`, in the order in which they stand there.

    `cycle` permits that the two modules import each other in the end; while some have moved and
    others have not, they may.
    """
    if len(names) > SYMBOLS_MAX:
        raise EditRefused(
            f"expected at most {SYMBOLS_MAX} definitions, found {len(names)}", hint="move them in parts"
        )
    before = imports_of(staged, origin, to)
    between = msgspec.structs.replace(options, allow_cycle=True, together=tuple(names))
    for name in ordered(staged.file(origin), names):
        resolver = staged.resolver
        binding = resolver.file(origin).module.bindings[name]
        splices, created = SymbolMove(
            resolver, resolver.identity.of_binding(binding), name, to, between
        ).plan()
        staged.apply(splices)
        staged.create(created)
    trim(staged, origin)
    if cycle or not staged.overlay.exists(origin):
        return
    there, back = imports_of(staged, origin, to)
    if there and back and (there, back) != before:
        raise EditRefused(
            f"{origin} and {to} would import each other",
            hint="move what they share too, or allow_cycle: true",
        )


def trim(staged: Staged, path: str) -> None:
    """Take away the blank lines that the removal of its beginning left at the top of a file."""
    data = staged.file(path).data
    blank = len(data) - len(data.lstrip(b"\r\n"))
    had = staged.base.exists(path) and staged.base.source(path).data.startswith((b"\r", b"\n"))
    if blank and not had:
        staged.apply([Splice(path, 0, blank, b"")])


def ordered(file: FileIndex, names: Sequence[str]) -> list[str]:
    """The names in the order in which the file defines them. Raises `EditRefused` for one it does not."""
    found: dict[str, int] = {}
    for name in names:
        binding = file.module.bindings.get(name)
        sites = [site for site in binding.sites if site.role == "definition"] if binding is not None else []
        if not sites:
            own = ", ".join(definitions(file)[:20])
            raise EditRefused(f"{file.path} defines no {name}", hint=f"it defines: {own}" if own else "")
        found[name] = sites[0].start
    return sorted(found, key=lambda name: found[name])


def definitions(file: FileIndex) -> list[str]:
    """The functions, classes and variables that a module defines itself, in order."""
    found = [
        (binding.sites[0].start, name)
        for name, binding in file.module.bindings.items()
        if name != "__all__"
        and any(site.kind in ("function", "class", "variable", "type") for site in binding.sites)
    ]
    return [name for _, name in sorted(found)]


def imports_of(staged: Staged, one: str, other: str) -> tuple[bool, bool]:
    """Whether `one` imports from `other` when it is imported itself, and the other way round."""

    def takes(path: str, of: str) -> bool:
        if not staged.overlay.exists(path) or not staged.overlay.exists(of):
            return False
        file, modules = staged.file(path), staged.resolver.modules
        wanted = modules.module_of(of)
        for item in Imports(file).items:
            if item.statement.parent != file.root:
                continue
            module = modules.find(path, item.level, tuple(item.module.split(".")) if item.module else ())
            inner = modules.submodule(module, item.name) if module is not None and item.name else None
            if wanted in (module, inner):
                return True
        return False

    return takes(one, other), takes(other, one)


# merging --------------------------------------------------------------------------------------


def merge_module(staged: Staged, origin: str, to: str) -> list[str]:
    """Move all that `origin` defines to `to` and delete it. Returns the names that moved."""
    file = staged.file(origin)
    refuse_running_code(file)
    module = staged.resolver.modules.module_of(origin)
    if staged.resolver.modules.is_package(module):
        raise EditRefused(f"{origin} is a package", hint="merge a module that is one file")
    names = definitions(file)
    exported = take_exports(staged, origin)
    move_all(staged, origin, names, to, MoveOptions(), cycle=True)
    if names:
        give_exports(staged, to, exported)
    drop_imports(staged, origin)
    if names:
        trim(staged, to)
    key = frozenset({Key(module, -1, "")})
    _, places = staged.resolver.finder.find(key, module.rpartition("/")[2], hierarchy=False)
    for place in places:
        if place.certain and place.path != origin and place.role in ("import", "reference", "write"):
            row = staged.file(place.path).data.count(b"\n", 0, place.start) + 1
            raise EditRefused(
                f"{place.path}:{row} still uses the module {module}", hint="change that place first"
            )
    staged.delete(origin)
    return names


def mentions(project: Project, dotted: str) -> list[Occurrence]:
    """Where a module's dotted name still stands in Python files: in strings and comments, then."""
    wanted = re.compile(rb"(?<![\w.])" + re.escape(dotted.encode()) + rb"(?!\w)")
    return [
        Occurrence(path, found.start(), found.end(), "string", certain=False, note="names the old module")
        for path in project.containing(dotted.rpartition(".")[2].encode(), "python")
        for found in wanted.finditer(project.source(path).data)
    ]


def refuse_running_code(file: FileIndex) -> None:
    """What runs when a module is imported has an order; it is not moved by guess."""
    for node in file.root.named_children:
        if node.type in (*STATEMENTS, "comment", "function_definition", "class_definition", "pass_statement"):
            continue
        if node.type in ("decorated_definition", "type_alias_statement"):
            continue
        inner = node.named_children[0] if node.type == "expression_statement" else None
        if inner is not None and inner.type in ("assignment", "string", "concatenated_string"):
            continue
        if node.type == "if_statement" and _only_imports(node):
            continue
        raise EditRefused(
            f"{file.path}:{node.start_point[0] + 1} runs when the module is imported: "
            f"{file.text(node).splitlines()[0][:60]}",
            hint="move it into a function, or to its place in the other module, first",
        )


def _only_imports(node: Node) -> bool:
    """Whether an `if` holds imports only, as under `TYPE_CHECKING`."""
    body = node.child_by_field_name("consequence")
    return (
        node.child_by_field_name("alternative") is None
        and body is not None
        and all(child.type in STATEMENTS for child in body.named_children)
    )


def take_exports(staged: Staged, path: str) -> list[str]:
    """Take `__all__` out of a file; returns what it named."""
    file = staged.file(path)
    names = file.exports()
    if names is None:
        return []
    sites = file.module.bindings["__all__"].sites
    if dynamic_exports(file) or len(sites) != 1 or sites[0].node is None:
        raise EditRefused(f"the __all__ of {path} is more than one literal list", hint="write it out first")
    node = sites[0].node
    while node.parent is not None and node.parent.type != "module":
        node = node.parent
    from forgewright.code.python.refactor.inline_function import removal

    staged.apply([removal(file, definition_of(node))])
    order = {name: min(text.start for text in file.texts[name]) for name in names}
    return sorted(names, key=lambda name: order[name])


def give_exports(staged: Staged, path: str, names: Sequence[str]) -> None:
    """Name these in the file's `__all__` too, if it has one."""
    file = staged.file(path)
    had = file.exports()
    new = [name for name in names if had is not None and name not in had]
    if had is None or not new:
        return
    site = file.module.bindings["__all__"].sites[-1]
    value = site.value
    if dynamic_exports(file) or value is None or value.type not in ("list", "tuple"):
        raise EditRefused(f"the __all__ of {path} is more than one literal list", hint="write it out first")
    items = [child for child in value.named_children if child.type != "comment"]
    quote = file.text(items[-1])[-1] if items else '"'
    texts = [f"{quote}{name}{quote}" for name in new]
    at = items[-1].end_byte if items else value.start_byte + 1
    rows = {item.start_point[0] for item in items}
    if items and len(rows) > 1:
        from forgewright.code.python.refactor.text import indent_at, newline

        gap = b"," + newline(file.data) + indent_at(file.data, items[-1].start_byte)
        text = b"".join(gap + one.encode() for one in texts)
    else:
        text = ((", " if items else "") + ", ".join(texts)).encode()
    staged.apply([Splice(path, at, at, text)])


def drop_imports(staged: Staged, origin: str) -> None:
    """Take out the imports of a module that is emptied: what they were for is imported from elsewhere."""
    resolver = staged.resolver
    module = resolver.modules.module_of(origin)
    last = module.rpartition("/")[2]
    found: list[Splice] = []
    for path in resolver.project.containing(last.encode(), "python"):
        if path == origin:
            continue
        file = resolver.file(path)
        imports = Imports(file)
        gone = []
        for item in imports.items:
            base = resolver.modules.find(
                path, item.level, tuple(item.module.split(".")) if item.module else ()
            )
            if item.name is None or item.name == "*":
                meant = base
            else:
                meant = resolver.modules.submodule(base, item.name) if base is not None else None
                if base == module:
                    meant = module
            if meant == module:
                gone.append(item)
        used = [item for item in gone if item.name not in ("*",) and _used(file, item.bound)]
        found += imports.remove([item for item in gone if item not in used])
    staged.apply(found)


def _used(file: FileIndex, name: str) -> bool:
    from forgewright.code.python.refactor.organise import uses

    return bool(uses(file, name))
