"""What a definition loses or takes along when it goes to another module, beside its names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.known import BUILTINS
from forgewright.code.python.refactor.frames import MODULE, row, sees_module
from forgewright.code.python.refactor.imports import Imports
from forgewright.code.python.refactor.mentions import (
    imported_by_doctest,
    listed,
    place,
    put_elsewhere,
    spoken,
)
from forgewright.code.python.refactor.organise import exported, uses
from forgewright.code.python.refactor.registering import told
from forgewright.code.python.refactor.text import walk
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from forgewright.code.python.refactor.move import SymbolMove
    from forgewright.code.python.scopes import FileIndex

CONFIGURATION = ("pyproject.toml", "setup.cfg", "setup.py")


def check_leaves(move: SymbolMove, *, kept: bool) -> None:
    """Refuse where the definition would mean something else there. `kept`: the old module has the name, too."""
    _check_module_words(move)
    _check_rebound(move)
    heard = told(move.resolver, move.file, move.node)
    if heard is not None and (move.options.copy or not (kept or _imports(move))):
        also = "a second time" if move.options.copy else f"no longer when {move.file.path} is imported"
        raise EditRefused(
            f"{heard} would hear of {move.name} {also}",
            hint=f"import {move.target} in {move.file.path} first, or use reexport: true",
        )
    if move.options.copy:
        return
    if kept and not move.options.reexport:
        put = put_elsewhere(move.resolver, move.home_module, move.name)
        if put is not None and not any(
            move.resolver.project.source(path).data.count(b"\n", 0, start) + 1 == int(put.rpartition(":")[2])
            for path, start, _ in spoken(move.resolver, move.home_module, move.name)
            if path == put.rpartition(":")[0]
        ):
            raise EditRefused(
                f"{put} puts something else in the place of {move.name}, which {move.file.path} uses itself",
                hint="change that place first",
            )
    if not kept:
        tested = imported_by_doctest(move.resolver, move.home_module, move.name)
        if tested is not None:
            raise EditRefused(
                f"the doctest at {tested} imports {move.name} from {move.home}", hint="change it first"
            )
    _check_order(move)


def check_arrives(move: SymbolMove) -> None:
    """Refuse where the new name would be taken for another one in the new module, or by who takes all of it."""
    if move.new_file:
        return
    other, resolver, name = move.resolver.file(move.to), move.resolver, move.name
    seen = listed(resolver, move.here)
    if seen is not None:
        raise EditRefused(f"{seen} goes through the names of {move.to}", hint="choose another module")
    there = resolver.types.starred(other, name)
    if there is not None and not resolver.identity.of_binding(there) & move.keys:
        raise EditRefused(f"{move.to} has another {name} by a star import", hint="rename one of them first")
    exports = other.exports()
    if (exports is not None and name not in exports) or (exports is None and name.startswith("_")):
        return
    for path in resolver.project.containing(move.here.rpartition("/")[2].encode(), "python"):
        if b"import *" not in resolver.project.source(path).data:
            continue
        file = resolver.file(path)
        if not any(resolver.modules.find(path, k.level, k.module) == move.here for k, _ in file.stars):
            continue
        had = resolver.types.starred(file, name)
        alien = had is not None and not resolver.identity.of_binding(had) & move.keys
        if alien or (had is None and name in BUILTINS) or name in file.module.bindings:
            own = file.module.bindings.get(name)
            if own is not None and resolver.identity.of_binding(own) & move.keys:
                continue
            raise EditRefused(
                f"{path} takes all names of {move.to} and has another {name}", hint="rename one of them first"
            )


def _check_module_words(move: SymbolMove) -> None:
    beside = move.to.rpartition("/")[0] == move.file.path.rpartition("/")[0]
    words = tuple(w for w in MODULE if not (beside and w in ("__file__", "__package__", "__path__")))
    if move.options.together:
        words = tuple(word for word in words if word != "__name__")
    found = sees_module(move.node, words)
    while found is not None and _names_logger(found):
        return
    if found is not None:
        raise EditRefused(
            f"{move.name} speaks of its own module: {move.file.text(found)} in {row(move.file, found)}",
            hint="write out what it means there first",
        )


def _names_logger(node: Node) -> bool:
    call = node.parent.parent if node.parent is not None else None
    function = call.child_by_field_name("function") if call is not None and call.type == "call" else None
    return function is not None and (function.text or b"").lower().endswith((b"getlogger", b"get_logger"))


def _check_rebound(move: SymbolMove) -> None:
    """Names of the old module that get another value: those that are imported keep the one of that moment."""
    inside = (move.node.start_byte, move.node.end_byte)
    for scope in move.file.scopes:
        if not inside[0] <= scope.node.start_byte < inside[1]:
            continue
        for name in sorted(scope.globals):
            binding = move.file.module.bindings.get(name)
            sites = binding.sites if binding is not None else []
            if any(site.where is scope for site in sites) and name not in move.options.together:
                raise EditRefused(
                    f"{move.name} sets {name} of {move.file.path} anew",
                    hint="move both together, or not at all",
                )
    if move.options.copy:
        return
    for name, (binding, _) in move.needs.used.items():
        if binding.scope.file is not move.file or name in move.options.together:
            continue
        imported = all(site.kind in ("import", "from") for site in binding.sites)
        if imported:
            texts = spoken(move.resolver, move.home_module, name)
            if not texts:
                continue
            own = uses(move.file, name)
            path, start, _ = texts[0]
            if not all(move.inside(ref.start) for ref in own):
                where = place(move.resolver.file(path), start)
                raise EditRefused(
                    f"{where} speaks of {move.home}.{name}, which {move.name} would not use any more",
                    hint="change that place first",
                )
            move.splices += [Splice(p, s, s + len(move.home), move.target.encode()) for p, s, _ in texts]
            continue
        put = put_elsewhere(move.resolver, move.home_module, name)
        if put is not None:
            raise EditRefused(
                f"{name} gets another value at {put}, and {move.name} would keep the first one",
                hint=f"move {name} too, or let {move.name} read it as an attribute of {move.home}",
            )


def _imports(move: SymbolMove) -> bool:
    """Whether the old module imports the new one when it is imported."""
    modules = move.resolver.modules
    for item in Imports(move.file).items:
        if item.statement.parent != move.file.root:
            continue
        found = modules.find(move.file.path, item.level, tuple(item.module.split(".")) if item.module else ())
        inner = modules.submodule(found, item.name) if found is not None and item.name else None
        if move.here in (found, inner):
            return True
    return False


def _check_order(move: SymbolMove) -> None:
    """What is computed at import is computed with what the module has at that moment."""
    names = [move.name] if move.options.style == "keep" else []
    for name, (binding, _) in move.needs.used.items():
        eager = any(
            move.inside(ref.start) and ref.scope.kind in ("module", "class")
            for ref in move.file.names.get(name, ())
        )
        if eager and binding.scope.file is move.file and any(s.kind == "variable" for s in binding.sites):
            names.append(name)
    if not names:
        return
    for node in move.file.root.named_children:
        if node.start_byte < move.node.end_byte:
            continue
        for name in names:
            if _changes(node, name.encode()):
                raise EditRefused(
                    f"{name} is changed at {row(move.file, node)}, when {move.file.path} is imported",
                    hint="the other module may be imported without that; take that statement along by hand",
                )


def _changes(node: Node, name: bytes) -> bool:
    """Whether a statement at the top of a module changes what a name stands for."""
    if node.type == "expression_statement" and node.named_children:
        inner = node.named_children[0]
        target = inner.child_by_field_name("left" if "assignment" in inner.type else "function")
        direct = inner.type == "assignment" and target is not None and target.type == "identifier"
        while target is not None and target.type in ("attribute", "subscript"):
            direct = True
            target = target.child_by_field_name("object") or target.child_by_field_name("value")
        augmented = inner.type == "augmented_assignment"
        return target is not None and target.text == name and (direct or augmented)
    if node.type in ("if_statement", "for_statement", "try_statement", "with_statement", "while_statement"):
        return any(
            _changes(child, name)
            for block in walk(node)
            if block.type == "block"
            for child in block.named_children
        )
    if node.type == "decorated_definition":
        return any(
            (d.text or b"").startswith(b"@" + name + b".") for d in node.children if d.type == "decorator"
        )
    return node.type == "delete_statement" and any(c.text == name for c in walk(node))


def star_importers(move: SymbolMove) -> Iterator[FileIndex]:
    """Files that get the name by a star and hand it on."""
    resolver, home = move.resolver, move.file
    exports = home.exports()
    if (exports is not None and move.name not in exports) or (exports is None and move.name.startswith("_")):
        return
    for path in resolver.project.containing(move.home_module.rpartition("/")[2].encode(), "python"):
        if path in (home.path, move.to) or b"import *" not in resolver.project.source(path).data:
            continue
        file = resolver.file(path)
        for link, _ in file.stars:
            if resolver.modules.find(path, link.level, link.module) != move.home_module:
                continue
            package = path.rpartition("/")[2].startswith("__init__.")
            if move.name not in file.module.bindings and (package or exported(resolver, file, move.name)):
                yield file
                break


def respoken(move: SymbolMove) -> Iterator[Splice]:
    """The old dotted name in texts, as the new one."""
    length = len(move.home)
    done: set[str] = set()
    for path, start, _ in spoken(move.resolver, move.home_module, move.name):
        done.add(path)
        if not (path == move.file.path and move.inside(start)):
            yield Splice(path, start, start + length, move.target.encode())
    pattern = re.compile(
        rb"(?<![\w.])"
        + re.escape(move.home.encode())
        + rb"(?=:"
        + re.escape(move.name.encode())
        + rb"(?!\w))"
    )
    for path in CONFIGURATION:
        if path in done or not move.resolver.project.exists(path):
            continue
        for found in pattern.finditer(move.resolver.project.source(path).data):
            yield Splice(path, found.start(), found.end(), move.target.encode())
