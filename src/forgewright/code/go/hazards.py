"""What a rename would break in Go: conflicts in a block, shadowing, visibility across packages."""

from __future__ import annotations

import re

from forgewright.code.go.search import Search
from forgewright.code.go.things import KEYWORDS, UNIVERSE, Scope, Thing
from forgewright.code.scopes.tree import Node
from forgewright.core.errors import EditRefused

_IDENTIFIER = re.compile(r"[^\W\d]\w*")


def refuse(message: str, hint: str = "choose another name") -> EditRefused:
    return EditRefused(message, hint=hint)


def check_name(new_name: str) -> None:
    if _IDENTIFIER.fullmatch(new_name) is None or new_name in KEYWORDS:
        raise refuse(f"expected a Go identifier as the new name, found {new_name!r}")


def check_target(node: Node, thing: Thing | None) -> None:
    """Refuse what cannot be renamed at all."""
    name = node.text
    if name == "_":
        raise refuse("can't rename '_': the blank identifier names nothing", "point at a name")
    if thing is None:
        if name in UNIVERSE:
            raise refuse(
                f"{name!r} is built in and cannot be renamed", "only what the project defines can be renamed"
            )
        raise refuse(f"{name!r} is not known in this project", "only what the project defines can be renamed")
    if thing.kind == "function" and name in ("main", "init"):
        raise refuse(
            f"the function {name!r} is called by the Go runtime under this name", "leave it as it is"
        )
    broken = [file.path for file in thing.package.files if file.broken]
    if broken:
        raise refuse(f"not possible because {broken[0]} has syntax errors", "mend the file first")


def check(search: Search, things: list[Thing], new_name: str) -> None:
    """Refuse a rename after which any name would mean something else, or not compile."""
    for thing in things:
        if thing.kind in ("field", "method"):
            _members(search, thing, new_name)
        elif thing.kind == "label":
            _labels(search, thing, new_name)
        else:
            _same_block(search, thing, new_name)
            _captures(search, thing, new_name)
    _shadowed(search, things, new_name)
    first = things[0]
    if first.exported and not new_name[:1].isupper() and first.scope is None and first.kind != "import":
        for node in search.hits:
            file = search.packages.file(node.path)
            if file is not None and file.package is not first.package:
                raise refuse(
                    f"renaming {first.name!r} to {new_name!r} would make it unexported, "
                    f"breaking references from packages such as {file.package.name!r} ({place(node)})",
                    "choose a name with a capital letter",
                )


def _members(search: Search, thing: Thing, new_name: str) -> None:
    if thing.owner is not None:
        file = search.packages.file(thing.owner.path)
        other = file.members.get(thing.owner, {}).get(new_name) if file is not None else None
    else:
        type = search.types.receiver_type(thing)
        found = search.types.member(search.types.thing_type(type), new_name) if type is not None else None
        other = (
            found[0]
            if found is not None and (found[0].owner is None or _own(search, type, found[0]))
            else None
        )
    if other is None and thing.owner is not None and thing.owner.type == "struct_type":
        spec = thing.owner.up
        named = search.packages.file(spec.path)
        name = spec.get("name") if spec.type == "type_spec" else None
        type = named.decl.get(name) if named is not None and name is not None else None
        methods = search.types.methods(type) if type is not None else []
        other = next((method for method in methods if method.name == new_name), None)
    if other is not None and other is not thing:
        raise refuse(
            f"{thing.name!r} cannot become {new_name!r}: the type has one already, at {where(other)}"
        )


def _own(search: Search, type: Thing | None, member: Thing) -> bool:
    return type is not None and member.owner is not None and member.owner.up is type.node


def _labels(search: Search, thing: Thing, new_name: str) -> None:
    function = next(a for a in thing.names[0].above() if a.type.startswith(("function", "method", "func")))
    file = search.packages.file(thing.names[0].path)
    for name, other in file.decl.items() if file is not None else ():
        if other.kind == "label" and other.name == new_name and name.within(function):
            raise refuse(f"the label {new_name!r} is already declared, at {where(other)}")


def _same_block(search: Search, thing: Thing, new_name: str) -> None:
    package = thing.package
    others: list[Thing] = []
    if thing.kind == "import":
        others = [*_imports(search, thing.names[0].path, new_name), *package.table.get(new_name, ())]
    elif thing.scope is None:
        others = list(package.table.get(new_name, ()))
        for file in package.files:
            others += _imports(search, file.path, new_name)
    else:
        others = thing.scope.table.get(new_name, [])
    for other in others:
        if other is not thing:
            raise refuse(f"{new_name!r} conflicts with its declaration in the same block, at {where(other)}")


def _imports(search: Search, path: str, name: str) -> list[Thing]:
    """The imports of a file that are known there as `name`."""
    file = search.packages.file(path)
    found = []
    for thing in [t for things in file.imports.table.values() for t in things] if file is not None else []:
        spec_name, spec_path = thing.node.get("name"), thing.node.get("path")
        package = search.packages.imported(spec_path) if spec_path is not None and spec_name is None else None
        if (package.name if package is not None else thing.name) == name:
            found.append(thing)
    return found


def _captures(search: Search, thing: Thing, new_name: str) -> None:
    """Uses of the new name that mean something further out, where the renamed thing will be seen."""
    files = [search.packages.file(thing.names[0].path)]
    if thing.scope is None:
        files = list(thing.package.files)
    for file in files:
        for node in search.nodes(file, new_name) if file is not None else ():
            if node.up.type == "package_clause":
                continue
            if node.type in ("field_identifier", "label_name") or (file is not None and node in file.decl):
                continue
            if thing.scope is not None and (node.start < thing.since or not node.within(thing.scope.node)):
                continue
            if node.up.type == "qualified_type" and node.field == "name":
                continue
            if node.up.type == "literal_element" and search.meanings.at(node) not in (
                None,
                search.types.lookup(node),
            ):
                continue
            found = search.types.lookup(node)
            if found is None or _outside(found, thing):
                raise refuse(
                    f"renaming {thing.name!r} to {new_name!r} would shadow the {new_name!r} "
                    f"that is used at {place(node)}" + (f", declared at {where(found)}" if found else "")
                )


def free(search: Search, thing: Thing, new_name: str) -> bool:
    """Whether a local thing can get the new name without conflict."""
    try:
        _same_block(search, thing, new_name)
        _captures(search, thing, new_name)
    except EditRefused:
        return False
    return True


def _outside(found: Thing, thing: Thing) -> bool:
    """Whether `found` is declared further out than `thing`."""
    if thing.scope is None:
        return found.scope is None and found.package is not thing.package
    if found.scope is None or found.kind == "import":
        return True
    return found.scope is not thing.scope and thing.scope.node.within(found.scope.node)


def _shadowed(search: Search, things: list[Thing], new_name: str) -> None:
    """Uses of the renamed thing that would find a nearer declaration of the new name."""
    for node in search.hits:
        if node.type == "field_identifier" or (node.up.type == "qualified_type" and node.field == "name"):
            continue
        if node.up.type == "selector_expression" and node.field == "field":
            continue
        file = search.packages.file(node.path)
        thing = search.meanings.at(node)
        if file is None or thing is None or node in file.decl:
            continue
        scope: Scope | None = file.scope_at(node)
        while scope is not None and scope is not thing.scope:
            other = scope.find(new_name, node.start)
            if other is not None and other not in things:
                raise refuse(
                    f"the use of {node.text!r} at {place(node)} would be shadowed by the {new_name!r} "
                    f"declared at {where(other)}"
                )
            scope = scope.parent


def where(thing: Thing) -> str:
    return place(thing.names[0])


def place(node: Node) -> str:
    line = node.data.count(b"\n", 0, node.start) + 1
    column = node.start - (node.data.rfind(b"\n", 0, node.start) + 1) + 1
    return f"{node.path}:{line}:{column}"
