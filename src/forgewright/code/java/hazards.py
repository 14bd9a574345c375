"""What a rename would break in Java: clashes, captures, overrides of what the project does not define."""

from __future__ import annotations

import re

from forgewright.code.java.search import Search, classes_of, same_signature
from forgewright.code.java.things import KEYWORDS, OBJECT_METHODS, Class, Thing
from forgewright.code.java.values import parameters_of
from forgewright.code.scopes.tree import Node
from forgewright.core.errors import EditRefused

_IDENTIFIER = re.compile(r"[^\W\d][\w$]*|[$][\w$]*")


def refuse(message: str, hint: str = "choose another name") -> EditRefused:
    return EditRefused(message, hint=hint)


def check_name(new_name: str) -> None:
    if _IDENTIFIER.fullmatch(new_name) is None or new_name in KEYWORDS:
        raise refuse(f"expected a Java identifier as the new name, found {new_name!r}")


def check_target(search: Search, things: list[Thing]) -> None:
    """Refuse what cannot be renamed at all."""
    first = things[0]
    if first.file.broken:
        raise refuse(f"not possible because {first.file.path} has syntax errors", "mend the file first")
    if first.kind != "method":
        return
    if first.name in OBJECT_METHODS and len(parameters_of(first)) <= 1:
        raise refuse(f"{first.name} is a method of every object", "leave it as it is")
    if first.name == "main" and first.static:
        raise refuse("main is called by this name from outside", "leave it as it is")
    for thing in things:
        modifiers = thing.node.first("modifiers")
        marked = modifiers is not None and any(
            a.type == "marker_annotation" and a.items[-1].text == "Override"
            for a in modifiers.children
            if a.items
        )
        if marked and isinstance(thing.owner, Class) and not search.types.linear(thing.owner)[1]:
            above = [one for one, _ in search.types.linear(thing.owner)[0][1:]]
            if not any(same_signature(m, thing) for one in above for m in one.methods.get(thing.name, ())):
                raise refuse(
                    f"{thing.owner.name or 'a class'}.{thing.name} overrides a method that is defined outside of "
                    f"the project ({where(thing)})",
                    "leave it as it is",
                )


def check(search: Search, things: list[Thing], new_name: str) -> None:
    """Refuse a rename after which any name would mean something else, or not compile."""
    for thing in things:
        if thing.kind in ("field", "constant", "component"):
            _field(search, thing, new_name)
        elif thing.kind == "method":
            _method(search, thing, new_name)
        elif thing.is_type:
            _type(search, thing, new_name)
        else:
            _local(search, thing, new_name)
    for node in search.hits:
        _captured_here(search, things, node, new_name)
    _captures(search, things, new_name)


def _field(search: Search, thing: Thing, new_name: str) -> None:
    for cls in _kin(search, thing):
        other = cls.fields.get(new_name)
        if other is not None:
            raise refuse(f"{cls.name} already has a field {new_name} ({where(other)})")
        if thing.kind == "component" and cls is thing.owner and new_name in cls.methods:
            raise refuse(f"{cls.name} already has a method {new_name}")


def _method(search: Search, thing: Thing, new_name: str) -> None:
    for cls in _kin(search, thing):
        for other in cls.methods.get(new_name, ()):
            if same_signature(other, thing) or other.kind == "component":
                raise refuse(f"{cls.name} already has a method {new_name} ({where(other)})")


def _kin(search: Search, thing: Thing) -> list[Class]:
    """The class, what it inherits from, and what inherits from it, in the project."""
    assert isinstance(thing.owner, Class)
    found = [one for one, _ in search.types.linear(thing.owner)[0]]
    name = thing.owner.name
    for path in search.program.project.containing(name.encode(), "java") if name else ():
        for cls in classes_of(search.program.file(path)):
            if cls not in found and search.types.is_a(cls, thing.owner):
                found.append(cls)
    return found


def _type(search: Search, thing: Thing, new_name: str) -> None:
    if isinstance(thing.owner, Class) and new_name in thing.owner.types:
        raise refuse(f"{thing.owner.name} already has a type {new_name}")
    top = thing.owner is None and thing.name in thing.file.types
    beside = search.program.in_package(thing.file.package, new_name) if top else None
    if beside is not None:
        raise refuse(
            f"package {thing.file.package or 'without a name'} already has a type {new_name} ({where(beside)})"
        )
    for node in search.hits:
        file = search.program.file(node.path)
        found = search.program.type_named(node, new_name)
        if found is not None and found is not thing:
            raise refuse(f"{new_name} means another type in {place(node)}")
        if new_name in file.single:
            raise refuse(f"{file.path} imports {file.single[new_name]}")


def _local(search: Search, thing: Thing, new_name: str) -> None:
    """Locals may not be declared twice within each other (JLS 6.4)."""
    mine = _scope_of(thing)
    for node, other in thing.file.decl.items():
        if other.name != new_name or other is thing or (other.kind != thing.kind and not other.is_local):
            continue
        if other.kind in ("parameter", "variable") and thing.kind in ("parameter", "variable"):
            theirs = _scope_of(other)
            if (mine.within(theirs) or theirs.within(mine)) and not _class_between(mine, theirs):
                raise refuse(f"{new_name} is already declared there ({place(node)})")
        if other.kind == thing.kind == "label" and (
            other.node.within(thing.node) or thing.node.within(other.node)
        ):
            raise refuse(f"the label {new_name} is already there ({place(node)})")


def _scope_of(thing: Thing) -> Node:
    for above in (thing.names[0], *thing.names[0].above()):
        scope = thing.file.scopes.get(above)
        if scope is not None and thing in scope.table.get(thing.name, ()):
            return above
    return thing.node


def _class_between(one: Node, other: Node) -> bool:
    inner, outer = (one, other) if one.within(other) else (other, one)
    for above in (inner, *inner.above()):
        if above is outer:
            return False
        if above.type.endswith("_body") and above.type != "constructor_body":
            return True
    return False


def _captured_here(search: Search, things: list[Thing], node: Node, new_name: str) -> None:
    """A use, under its new name, would mean something nearer."""
    first = things[0]
    file = search.program.file(node.path)
    if node in file.decl or not _simple(node):
        return
    if first.kind in ("field", "constant", "component", "variable", "parameter"):
        found, _ = search.meanings.expression_name(node, new_name)
        if found is None or found.is_type or found in things or (first.is_local and not found.is_local):
            return
        if not (first.is_local and _scope_of(first).within(_scope_of(found))):
            raise refuse(f"{new_name} means something else in {place(node)}")
    elif first.kind == "method":
        scope = file.scope_at(node)
        while scope is not None:
            if scope.cls is not None:
                if any(search.types.methods(scope.cls, t.name)[0] for t in things if t.owner is scope.cls):
                    break
                if search.types.methods(scope.cls, new_name)[0]:
                    raise refuse(
                        f"{scope.cls.name or 'an inner class'} has a method {new_name} in {place(node)}"
                    )
                if search.types.methods(scope.cls, first.name)[0]:
                    break
            scope = scope.parent


def _captures(search: Search, things: list[Thing], new_name: str) -> None:
    """Names that read `new_name` already would mean what is renamed."""
    first = things[0]
    if first.is_type or first.kind == "label":
        return
    paths = {first.file.path} if first.is_local else {node.path for node in search.hits}
    for path in sorted(paths):
        file = search.program.file(path)
        for node in search.names(file, new_name):
            if node in file.decl or not _simple(node):
                continue
            call = node.up.type == "method_invocation" and node.field == "name"
            if call != (first.kind == "method"):
                continue
            if first.is_local:
                scope = _scope_of(first)
                if node.within(scope) and node.start >= first.since:
                    raise refuse(f"{new_name} in {place(node)} would mean what is renamed")
            elif _inside(search, node, things):
                found, _ = search.meanings.expression_name(node, new_name)
                outer = found is None or not found.is_local
                if outer or first.kind == "method":
                    meaning = search.meanings.at(node)
                    if first.kind != "method" or not _own(search, node, meaning.things):
                        raise refuse(f"{new_name} in {place(node)} would mean what is renamed")


def _own(search: Search, node: Node, things: tuple[Thing, ...]) -> bool:
    """Whether a call of an overload of the class itself stays what it is."""
    cls = search.program.file(node.path).class_at(node)
    return cls is not None and any(
        isinstance(t.owner, Class) and search.types.is_a(cls, t.owner) for t in things
    )


def _inside(search: Search, node: Node, things: list[Thing]) -> bool:
    """Whether a simple name at `node` could mean a member of one of the things' classes."""
    scope = search.program.file(node.path).scope_at(node)
    owners = {thing.owner for thing in things}
    while scope is not None:
        if scope.cls is not None and any(one in owners for one, _ in search.types.linear(scope.cls)[0]):
            return True
        scope = scope.parent
    return False


def _simple(node: Node) -> bool:
    """Whether a name stands alone, with nothing before a dot."""
    up = node.up
    if up.type == "method_invocation":
        return node.field != "name" or up.get("object") is None
    if up.type in ("field_access", "scoped_identifier", "method_reference"):
        return up.items[0] is node
    return node.type == "identifier" and up.type not in ("element_value_pair", "switch_label")


def where(thing: Thing) -> str:
    return place(thing.names[0]) if thing.names else thing.file.path


def place(node: Node) -> str:
    line = node.data.count(b"\n", 0, node.start) + 1
    column = node.start - (node.data.rfind(b"\n", 0, node.start) + 1) + 1
    return f"{node.path}:{line}:{column}"
