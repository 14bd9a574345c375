"""Inline a variable: its value stands where its name stood, and the assignment goes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.binding import Occurrence
from forgewright.code.project import Splice
from forgewright.code.python.keys import Key, Keys
from forgewright.code.python.refactor.callers import PLAIN
from forgewright.code.python.refactor.imports import Imports, Item, remove_statement
from forgewright.code.python.refactor.inline_checks import check_order
from forgewright.code.python.refactor.listed import check_class
from forgewright.code.python.refactor.precedence import put
from forgewright.code.python.refactor.text import ancestors, statement_of, walk
from forgewright.code.python.rename import other_words, visible
from forgewright.code.python.scopes import FileIndex, Scope, Site
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver


def inline_variable(
    resolver: PythonResolver,
    keys: Keys,
    name: str,
    *,
    only: tuple[str, int] | None = None,
    remove: bool = True,
    strings: bool = False,
) -> list[Splice]:
    """Put the value where the name is read; `only` one place (path, byte), else everywhere."""
    key, site = definition(resolver, keys, name)
    file = resolver.file(key.path)
    value = site.value
    assert value is not None
    text = file.text(value)
    statement = statement_of(value)
    _, places = resolver.finder.find(keys, name, hierarchy=False)
    if remove and only is None:
        check_exported(places, name)
    _check_overridden(resolver, keys, key, name)
    unsure = [place for place in places if not place.certain]
    if unsure and remove:
        raise EditRefused(
            f"{len(unsure)} uses of {name} are not certain, as in {unsure[0].path}",
            hint="inline single places with only_here",
        )
    if remove and only is None:
        check_kept(resolver, key, name)
    reads = [
        p
        for p in places
        if p.certain and p.role in ("reference", "string") and (p.path, p.start) != (key.path, site.start)
    ]
    if only is not None:
        word = [p for p in reads if p.path == only[0] and p.start <= only[1] <= p.end]
        if not word and not strings:
            raise EditRefused(f"{name} is not read there", hint="point at a place where the value is used")
        reads = word
    elif not reads:
        raise EditRefused(f"nothing reads {name}", hint="delete the assignment instead")
    check_order(resolver, file, name, site, value, statement, reads)
    found: list[Splice] = []
    for place in reads:
        found.append(use(resolver, file, key, site, value, text, place))
    if strings:
        for place in other_words(resolver, keys, name, {(s.path, s.start) for s in found}):
            other = resolver.file(place.path)
            if place.role not in ("string", "comment") or not visible(
                resolver, other, keys, name, place.start
            ):
                continue
            if only is None or (place.path == only[0] and place.start <= only[1] <= place.end):
                found.append(Splice(place.path, place.start, place.end, text.encode()))
    if remove and only is None:
        found.append(remove_statement(file, statement))
        found += import_removals(resolver, keys, places)
    return found


def _check_overridden(resolver: PythonResolver, keys: Keys, key: Key, name: str) -> None:
    """Refuse where an attribute is another one in a class that inherits it."""
    if resolver.identity.scope(key).kind != "class":
        return
    if len(resolver.finder.family(keys, name, lambda: None)) > 1:
        raise EditRefused(f"{name} is another one in a class below or above", hint="inline single places")


def check_kept(resolver: PythonResolver, key: Key, name: str) -> None:
    """Refuse to take away what is reached otherwise than by its name: by a text, by what a class is made of."""
    scope = resolver.identity.scope(key)
    if scope.kind == "class":
        check_class(resolver.types, scope)
        for one in resolver.types.mro(scope)[0]:
            outside = [
                b
                for b in map(one.file.text, one.bases)
                if b.partition("[")[0].rpartition(".")[2] not in PLAIN
            ]
            known = len(resolver.types.mro(one)[0]) > 1
            text = one.file.text(one.node)
            if one.decorators or "setattr(" in text or "__dict__" in text or (outside and not known):
                raise EditRefused(f"{one.name} may use {name} by its name", hint="inline single places")
    if scope.kind not in ("module", "class"):
        return
    word = re.compile(rb"""["']""" + re.escape(name.encode()) + rb"""["']""")
    stem = key.path.rpartition("/")[2].removesuffix(".py").encode()
    for path in resolver.project.containing(name.encode(), "python"):
        data = resolver.project.source(path).data
        if word.search(data) and (path == key.path or stem in data):
            raise EditRefused(f"{name} stands in a text in {path}", hint="inline single places, and keep it")


def check_exported(places: list[Occurrence], name: str) -> None:
    """Refuse to take away what `__all__` promises."""
    for place in places:
        if place.role == "export":
            raise EditRefused(
                f"{name} stands in __all__ of {place.path}", hint="take it out of __all__ first"
            )


def definition(resolver: PythonResolver, keys: Keys, name: str) -> tuple[Key, Site]:
    """The one assignment of a variable. Raises `EditRefused` where there is none, or several."""
    own = [key for key in keys if not key.is_module]
    if len(own) != 1 or len(keys) != 1:
        raise EditRefused(
            f"{name} is a module or several things", hint="inline a variable with one assignment"
        )
    key = own[0]
    sites = resolver.identity.sites(key)
    scope = resolver.identity.scope(key)
    if scope.kind == "class":
        extra = [
            entry
            for path in resolver.project.containing(name.encode(), "python")
            for entry in resolver.file(path).attributes.get(name, ())
            if entry.kind == "store" and key in resolver.identity.of_attribute(entry, name)[0]
        ]
        if len({entry.start for entry in extra} | {s.start for s in sites}) > 1:
            raise EditRefused(
                f"{name} is assigned more than once", hint="inline a variable with one assignment"
            )
    if resolver.identity.is_external(key):
        raise EditRefused(f"{name} is defined outside the project", hint="inline a variable of this project")
    if len(sites) != 1:
        raise EditRefused(f"{name} is bound more than once", hint="inline a variable with one assignment")
    site = sites[0]
    if site.kind not in ("variable", "self"):
        raise EditRefused(
            f"{name} is no variable but a {site.kind}", hint="inline a variable with one assignment"
        )
    if site.value is None or site.unpack:
        raise EditRefused(f"{name} has no value of its own", hint="inline a variable with one assignment")
    assignment = site.value.parent
    if assignment is None or assignment.type != "assignment" or assignment.parent is None:
        raise EditRefused(f"{name} has no value of its own", hint="inline a variable with one assignment")
    if assignment.parent.type != "expression_statement":
        raise EditRefused(f"{name} is assigned together with another", hint="split the assignment first")
    if any(node.type in ("yield", "await", "named_expression") for node in walk(site.value)):
        raise EditRefused(f"the value of {name} does more than compute", hint="leave it in its own statement")
    return key, site


def use(
    resolver: PythonResolver, file: FileIndex, key: Key, site: Site, value: Node, text: str, place: Occurrence
) -> Splice:
    """The splice at one use; checks that the value means the same there."""
    other = resolver.file(place.path)
    node = other.root.descendant_for_byte_range(place.start, place.end)
    if node is None or node.type != "identifier":
        raise EditRefused(f"{key.name} is named in a string in {place.path}", hint="change that first")
    parent = node.parent
    if parent is not None and parent.type == "attribute" and node == parent.child_by_field_name("attribute"):
        node = parent
    if node.parent is not None and node.parent.type in (
        "global_statement",
        "nonlocal_statement",
        "delete_statement",
    ):
        raise EditRefused(
            f"{key.name} is declared {node.parent.type.split('_')[0]}", hint="take that out first"
        )
    if node.parent is not None and node.parent.type == "interpolation":
        if any(child.type == "=" for child in node.parent.children):
            raise EditRefused(f"{key.name} is shown by its name in an f-string", hint="change that first")
    check_same(resolver, file, site, value, other, other.scope_at(node.start_byte), node.start_byte)
    return Splice(place.path, node.start_byte, node.end_byte, put(text, value, node).encode())


def check_same(
    resolver: PythonResolver,
    file: FileIndex,
    site: Site,
    value: Node,
    other: FileIndex,
    scope: Scope,
    at: int,
) -> None:
    """Refuse if a name in `value` means something else at its new place."""
    for ref_name, refs in file.names.items():
        for ref in refs:
            if not value.start_byte <= ref.start < value.end_byte:
                continue
            binding = file.lookup(ref.scope, ref_name, ref.start)
            if binding is None:
                continue
            if value.start_byte <= binding.scope.node.start_byte and binding.scope.kind not in ("module",):
                if binding.scope.node.end_byte <= value.end_byte:
                    continue
            if other is file:
                there = other.lookup(scope, ref_name, at)
                if there is not binding:
                    raise EditRefused(
                        f"{ref_name} means something else where it is used", hint="rename it first"
                    )
                later = [
                    s for s in binding.sites if s.start > value.end_byte and s.start < at and s is not site
                ]
                if later and binding.scope is not file.module:
                    raise EditRefused(f"{ref_name} is assigned again before the use", hint="inline by hand")
                if later and other.scope_at(at) is file.module:
                    raise EditRefused(f"{ref_name} is assigned again before the use", hint="inline by hand")
                continue
            there = resolver.types.lookup(scope, ref_name, at)
            if there is None or not resolver.identity.of_binding(there) & resolver.identity.of_binding(
                binding
            ):
                raise EditRefused(
                    f"{ref_name} is not known in {other.path}",
                    hint="import it there first, or inline single places",
                )


def import_removals(resolver: PythonResolver, keys: Keys, places: list[Occurrence]) -> list[Splice]:
    """Take out the imports of a symbol that is gone."""
    found: list[Splice] = []
    for path in sorted({place.path for place in places if place.role == "import"}):
        file = resolver.file(path)
        imports = Imports(file)
        starts = {place.start for place in places if place.path == path and place.role == "import"}
        gone: list[Item] = []
        for item in imports.items:
            name = item.node.child_by_field_name("name") or item.node
            if item.name is not None and name.start_byte in starts:
                gone.append(item)
                if item.alias:
                    raise EditRefused(f"{path} imports it as {item.alias}", hint="rename the alias first")
        found += imports.remove(gone)
    return found


def enclosing(node: Node, *types: str) -> Node | None:
    return next((parent for parent in ancestors(node) if parent.type in types), None)
