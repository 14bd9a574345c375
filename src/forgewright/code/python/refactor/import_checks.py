"""What an import does beside binding a name: what it starts, whom it overrides, and who reaches it from elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.python.refactor.frames import sees_module
from forgewright.code.python.refactor.imports import STATEMENTS, items_of
from forgewright.code.python.refactor.mentions import doctested, listed, place, put_elsewhere, spoken
from forgewright.code.python.refactor.registering import acts
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node

    from forgewright.code.python.refactor.imports import Item
    from forgewright.code.python.resolver import PythonResolver
    from forgewright.code.python.scopes import FileIndex

STARTING = frozenset(("readline", "rlcompleter", "antigravity", "this", "sitecustomize", "usercustomize"))
"""Modules of the standard library that are imported for what they do."""


def module_of(resolver: PythonResolver, file: FileIndex, item: Item) -> str | None:
    """The module of the project from which an item takes, or that it is."""
    path = tuple(item.module.split(".")) if item.module else ()
    found = resolver.modules.find(file.path, item.level, path)
    if found is None or item.name in (None, "*"):
        return found
    inner = resolver.modules.submodule(found, item.name or "")
    if inner is None or found == resolver.modules.module_of(file.path):
        return inner or found
    return inner if names_module(resolver, found, item.name or "") else found


def names_module(resolver: PythonResolver, package: str, name: str) -> bool:
    """Whether what a package has under the name of one of its modules is that module, as far as it says."""
    binding = resolver.types.module_binding(package, name)
    if binding is None:
        return True
    inner, path = resolver.modules.submodule(package, name), binding.scope.file.path
    if any(key.is_module and key.path == inner for key in resolver.identity.of_binding(binding)):
        return True
    links = [site.link for site in binding.sites]
    return all(
        link is not None
        and link.name == name
        and resolver.modules.find(path, link.level, link.module) == package
        for link in links
    )


def open_to_texts(resolver: PythonResolver, file: FileIndex) -> str | None:
    """`path:line` where a file's names are asked for by texts: `eval`, `globals()`, `getattr(module, computed)`."""
    found = sees_module(file.root, ())
    if found is not None:
        return place(file, found.start_byte)
    return listed(resolver, resolver.modules.module_of(file.path))


def wanted_elsewhere(resolver: PythonResolver, file: FileIndex, item: Item) -> bool:
    """Whether an import that no code of the file uses is there for something else."""
    module, name = resolver.modules.module_of(file.path), item.bound
    if doctested(file, name) is not None or spoken(resolver, module, name):
        return True
    if not item.level and item.module in STARTING:
        return True
    target = module_of(resolver, file, item)
    if target is None:
        return False
    return acts(resolver, target) is not None or _loaded_for_others(resolver, file, item, target)


def _loaded_for_others(resolver: PythonResolver, file: FileIndex, item: Item, target: str) -> bool:
    """Whether others reach a module through its package, without an import of their own."""
    last = target.rpartition("/")[2]
    if "/" not in target or (item.name is None and "." not in item.module):
        return False
    package = target.rpartition("/")[0].rpartition("/")[2]
    reached = re.compile(
        rb"\b" + re.escape(package.encode()) + rb"\." + re.escape(last.encode()) + rb"\b(?! import)"
    )
    for path in resolver.project.containing(f"{package}.{last}".encode(), "python"):
        if path == file.path or reached.search(resolver.project.source(path).data) is None:
            continue
        other = resolver.file(path)
        entries = other.attributes.get(last, ())
        if any(
            target == resolver.modules.find(path, s.level, s.module) for s in other.segments.get(last, ())
        ):
            continue
        for entry in entries:
            keys = resolver.identity.of_attribute(entry, last)[0]
            if any(key.is_module and key.path == target for key in keys):
                return True
    return False


def same_between(file: FileIndex, first: Node, second: Node, names: set[str]) -> bool:
    """Whether nothing but other imports stands between two statements at the top, and none binds these names."""
    inside = False
    for node in file.root.named_children:
        if node == first:
            inside = True
            continue
        if node == second:
            return inside
        if not inside or node.type == "comment":
            continue
        if node.type not in STATEMENTS:
            return False
        if any(item.name == "*" or item.bound in names for item in items_of(file, node)):
            return False
    return False


def bound_between(file: FileIndex, first: Node, second: Node, name: str) -> bool:
    """Whether a name that two imports bind is bound, or taken away, by something else at the top."""
    binding = file.module.bindings.get(name)
    sites = binding.sites if binding is not None else ()
    spans = [(node.start_byte, node.end_byte) for node in (first, second)]
    stars = any(first.end_byte <= node.start_byte < second.start_byte for node in _stars(file))
    return stars or any(
        first.end_byte <= site.start < second.start_byte
        and not any(start <= site.start < end for start, end in spans)
        for site in sites
    )


def _stars(file: FileIndex) -> list[Node]:
    return [
        node
        for node in file.root.named_children
        if node.type == "import_from_statement"
        and any(c.type == "wildcard_import" for c in node.named_children)
    ]


def check_order(
    resolver: PythonResolver, file: FileIndex, before: Sequence[Node], after: Sequence[Node]
) -> None:
    """Refuse an order in which another import wins a name, or one that does something comes at another time."""
    rank = {node.start_byte: number for number, node in enumerate(after)}
    names = {node.start_byte: _bound(resolver, file, node) for node in before}
    does: dict[int, str | None] = {}

    def doing(node: Node) -> str | None:
        if node.start_byte not in does:
            modules = (module_of(resolver, file, item) for item in items_of(file, node))
            found = (acts(resolver, module) for module in dict.fromkeys(modules) if module is not None)
            does[node.start_byte] = next((place for place in found if place is not None), None)
        return does[node.start_byte]

    for index, one in enumerate(before):
        for other in before[index + 1 :]:
            if rank[one.start_byte] < rank[other.start_byte]:
                continue
            mine, theirs = names[one.start_byte], names[other.start_byte]
            both = sorted(mine & theirs - {""}) if mine is not None and theirs is not None else ["a name"]
            if (mine is None and theirs == frozenset()) or (theirs is None and mine == frozenset()):
                both = []
            if both and not _same_text(file, one, other):
                raise EditRefused(
                    f"{file.path}:{other.start_point[0] + 1} may bind {both[0]} anew, and would come first",
                    hint="take out the import that is not meant",
                )
            started = doing(one) or doing(other)
            if started is not None:
                raise EditRefused(
                    f"{started} runs when it is imported, and would do so at another time",
                    hint="what other imports rely on is not known; leave the order",
                )


def _same_text(file: FileIndex, one: Node, other: Node) -> bool:
    texts = {item.text() for item in items_of(file, one)}
    return any(item.text() in texts for item in items_of(file, other)) or _same_package(file, one, other)


def _same_package(file: FileIndex, one: Node, other: Node) -> bool:
    """`import a.b` and `import a.c` bind the same `a`."""
    items = [*items_of(file, one), *items_of(file, other)]
    return all(item.name is None and item.alias is None for item in items)


def _bound(resolver: PythonResolver, file: FileIndex, node: Node) -> frozenset[str] | None:
    """The names that a statement binds; None where a star does not tell."""
    from forgewright.code.python.refactor.import_shapes import public_names
    from forgewright.code.python.refactor.organise import dynamic_exports

    found: set[str] = set()
    for item in items_of(file, node):
        if item.name != "*":
            found.add(item.bound)
            continue
        module = module_of(resolver, file, item)
        files = resolver.modules.files(module) if module is not None else []
        if module is None or not files:
            return None
        other = resolver.file(files[0])
        if dynamic_exports(other) or other.stars:
            return None
        found |= set(public_names(resolver, module))
    return frozenset(found)


def check_named(resolver: PythonResolver, file: FileIndex, item: Item, name: str) -> None:
    """Refuse to take a name out of a module that others reach there, or that gets another value there."""
    module = resolver.modules.module_of(file.path)
    texts = spoken(resolver, module, name)
    put = put_elsewhere(resolver, module, name)
    if texts or put is not None:
        where = put or place(resolver.file(texts[0][0]), texts[0][1])
        raise EditRefused(f"{where} speaks of {name} in {file.path}", hint="leave this import")
    tested = doctested(file, name)
    if tested is not None:
        raise EditRefused(f"the doctest at {place(file, tested)} uses {name}", hint="change it first")
    binding = file.module.bindings.get(name)
    for site in binding.sites if binding is not None else ():
        if site.kind not in ("import", "from"):
            raise EditRefused(
                f"{name} is bound anew at {place(file, site.start)}", hint="give that another name first"
            )
    if item.name is None or item.name == "*":
        return
    if item.module == "sys" and item.name in (
        "stdin", "stdout", "stderr", "argv", "path", "displayhook", "excepthook", "ps1", "ps2", "last_traceback"
    ):  # fmt: skip
        raise EditRefused(f"sys.{item.name} may be another one later", hint="leave this import")
    path = tuple(item.module.split(".")) if item.module else ()
    origin = resolver.modules.find(file.path, item.level, path)
    if origin is not None and resolver.modules.files(origin):
        put = put_elsewhere(resolver, origin, item.name)
        if put is not None:
            raise EditRefused(
                f"{item.name} gets another value at {put}, which is not seen here", hint="leave this import"
            )
