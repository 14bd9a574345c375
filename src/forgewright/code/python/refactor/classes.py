"""Classes: factories, superclasses, members up and down, functions out of them, and safe deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.binding import Occurrence
from forgewright.code.project import Splice
from forgewright.code.python.keys import Keys
from forgewright.code.python.refactor.calls import call_at, scope_around
from forgewright.code.python.refactor.class_checks import (
    check_factory,
    check_members,
    check_pull,
    check_push,
    check_superclass,
)
from forgewright.code.python.refactor.delete_checks import check_unneeded, kept_value
from forgewright.code.python.refactor.fields import append_to_class
from forgewright.code.python.refactor.imports import Imports
from forgewright.code.python.refactor.inline_function import removal
from forgewright.code.python.refactor.needed import Needs
from forgewright.code.python.refactor.text import (
    BLOCKS,
    check_movable,
    definition_of,
    has_docstring,
    indent_at,
    line_end,
    line_start,
    newline,
    reindent,
    unit,
)
from forgewright.code.python.rename import check_name
from forgewright.code.python.scopes import FileIndex, Scope
from forgewright.code.python.values import ClassValue
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver


def class_keys(resolver: PythonResolver, cls: Scope) -> Keys:
    """The keys of a class's own name."""
    assert cls.site is not None
    return resolver.identity.of_binding(cls.site.where.bindings[cls.name])


def class_at(resolver: PythonResolver, keys: Keys, name: str, place: tuple[str, int]) -> Scope:
    """The class that a name means, directly or as a variable. Raises `EditRefused` for other things."""
    for key in keys:
        if key.is_module:
            continue
        for site in resolver.identity.sites(key):
            if site.kind == "class" and site.scope is not None:
                return site.scope
    file = resolver.file(place[0])
    node = file.root.descendant_for_byte_range(place[1], place[1])
    values = resolver.types.infer(node, file.scope_at(place[1])) if node is not None else ()
    if len(values) == 1 and isinstance(values[0], ClassValue):
        return values[0].scope
    raise EditRefused(f"{name or 'this place'} names no class of the project", hint="point at a class")


# factory --------------------------------------------------------------------------------------


def introduce_factory(
    resolver: PythonResolver,
    keys: Keys,
    name: str,
    factory: str,
    start: tuple[str, int],
    *,
    module_level: bool,
) -> list[Splice]:
    """A function that makes the instances; direct constructions call it."""
    check_name(factory)
    cls = class_at(resolver, keys, name, start)
    check_factory(resolver, cls, factory, module_level=module_level)
    name = cls.name
    keys = class_keys(resolver, cls)
    file = cls.file
    step = unit(file.data).decode()
    found: list[Splice] = []
    if module_level:
        if cls.outer is not file.module:
            raise EditRefused(
                f"{name} is not at the top of its module", hint="make it a static method instead"
            )
        if factory in file.module.bindings:
            raise EditRefused(f"{factory} is already defined in {file.path}", hint="choose another name")
        end = newline(file.data)
        code = [f"def {factory}(*args, **kwds):", f"{step}return {name}(*args, **kwds)"]
        node = definition_of(cls.node)
        text = end * 3 + end.join(line.encode() for line in code)
        found.append(Splice(file.path, node.end_byte, node.end_byte, text))
    else:
        if resolver.types.owner(cls, factory) is not None:
            raise EditRefused(f"{name} already has a {factory}", hint="choose another name")
        code = ["@staticmethod", f"def {factory}(*args, **kwds):", f"{step}return {name}(*args, **kwds)"]
        found.append(append_to_class(cls, code))
    _, places = resolver.finder.find(keys, name, hierarchy=False)
    for place in places:
        if place.role != "reference" or not place.certain:
            continue
        other = resolver.file(place.path)
        call = call_at(resolver, place, cls)
        if call is None:
            continue
        if not module_level:
            found.append(Splice(place.path, place.end, place.end, f".{factory}".encode()))
            continue
        found.append(Splice(place.path, place.start, place.end, factory.encode()))
        function = call.node.child_by_field_name("function")
        if other is not file and function is not None and function.type == "identifier":
            for item in Imports(other).items:
                if item.bound == name and item.name == name:
                    head = "." * item.level + item.module
                    found += Imports(other).add([f"from {head} import {factory}"])
    return list(dict.fromkeys(found))


# members --------------------------------------------------------------------------------------


def members_in(resolver: PythonResolver, file: FileIndex, start: int, end: int) -> tuple[Scope, list[Node]]:
    """The class and the members of it that lie in a range."""
    best: tuple[Scope, list[Node]] | None = None
    for scope in file.scopes:
        if scope.kind != "class":
            continue
        body = scope.node.child_by_field_name("body")
        if body is None or not body.start_byte <= max(start, body.start_byte) < end:
            continue
        chosen = [
            c
            for c in body.named_children
            if c.type != "comment" and c.start_byte >= start and c.end_byte <= end
        ]
        if chosen:
            best = (scope, chosen)
    if best is None:
        raise EditRefused("no member of a class is selected", hint="select whole methods or fields")
    return best


def remove_members(cls: Scope, nodes: list[Node]) -> list[Splice]:
    """Take members out; `pass` where nothing but a docstring is left."""
    body = cls.node.child_by_field_name("body")
    assert body is not None
    docs = has_docstring(body)
    left = [c for c in body.named_children if c.type != "comment" and c not in nodes and c != docs]
    found: list[Splice] = []
    for index, node in enumerate(nodes):
        if not left and index == 0:
            found.append(Splice(cls.file.path, node.start_byte, node.end_byte, b"pass"))
        else:
            start, end = line_start(cls.file.data, node.start_byte), line_end(cls.file.data, node.end_byte)
            while not cls.file.data[end : line_end(cls.file.data, end)].strip() and end < len(cls.file.data):
                if index + 1 == len(nodes) and not left:
                    break
                stop = line_end(cls.file.data, end)
                if stop == end:
                    break
                end = stop
            if index + 1 == len(nodes) and node.next_named_sibling is None:
                end = line_end(cls.file.data, node.end_byte)
            found.append(Splice(cls.file.path, start, end, b""))
    return found


def code_of(file: FileIndex, nodes: list[Node], indent: bytes) -> bytes:
    """Members as text with another indentation (the first line without)."""
    end = newline(file.data)
    parts: list[bytes] = []
    for index, node in enumerate(nodes):
        old = indent_at(file.data, node.start_byte)
        text = reindent(file, node.start_byte, node.end_byte, old, indent)
        if index:
            between = file.data[nodes[index - 1].end_byte : node.start_byte].count(b"\n")
            parts.append(end * max(1, min(between, 2)) + indent)
        parts.append(text)
    return b"".join(parts)


def put_members(target: Scope, code: bytes) -> Splice:
    """Members at the end of a class, or for its `pass`."""
    data = target.file.data
    body = target.node.child_by_field_name("body")
    assert body is not None
    indent = indent_at(data, target.node.start_byte) + unit(data)
    for child in body.named_children:
        if child.type == "pass_statement":
            return Splice(target.file.path, child.start_byte, child.end_byte, code)
    end = newline(data)
    return Splice(target.file.path, body.end_byte, body.end_byte, end * 2 + indent + code)


def names_of(file: FileIndex, nodes: list[Node]) -> list[str]:
    found: list[str] = []
    for node in nodes:
        inner = node.child_by_field_name("definition") or node
        name = inner.child_by_field_name("name")
        if name is None and inner.type == "expression_statement" and inner.named_children:
            name = inner.named_children[0].child_by_field_name("left")
        if name is not None:
            found.append(file.text(name))
    return found


def move_members(
    resolver: PythonResolver, cls: Scope, nodes: list[Node], targets: list[Scope]
) -> list[Splice]:
    """Take members from one class and put them into others."""
    for target in targets:
        for name in names_of(cls.file, nodes):
            if name in target.bindings or name in target.self_sites:
                raise EditRefused(
                    f"{target.name} already has a {name}", hint="remove or rename one of them first"
                )
    check_movable(cls.file, nodes, "a member")
    check_members(resolver, cls, names_of(cls.file, nodes), nodes)
    found = remove_members(cls, nodes)
    for target in targets:
        indent = indent_at(target.file.data, target.node.start_byte) + unit(target.file.data)
        found.append(put_members(target, code_of(cls.file, nodes, indent)))
        if target.file is not cls.file:
            needs = Needs(resolver, cls.file, nodes)
            if needs.for_file(target.file):
                raise EditRefused("a member names a module that changes there", hint="move it by hand")
            found += needs.splices(target.file)
    return found


def pull_up(resolver: PythonResolver, cls: Scope, nodes: list[Node], base: str = "") -> list[Splice]:
    """Members go to the class that this one inherits from."""
    values = [v for b in cls.bases for v in resolver.types.infer(b, cls.parent or cls)]
    bases = [v.scope for v in values if isinstance(v, ClassValue) and base in ("", v.scope.name)]
    if len(bases) != 1:
        raise EditRefused(
            f"{cls.name} has {len(bases)} bases in this project", hint="say which one with base:"
        )
    for name in names_of(cls.file, nodes):
        special = name.startswith("__") and name.endswith("__")
        if special or resolver.types.owner(bases[0], name) is not None:
            raise EditRefused(
                f"{bases[0].name} inherits another {name}, which its other users would lose",
                hint="pull up members that only this class has",
            )
    check_pull(resolver, cls, bases[0], names_of(cls.file, nodes), nodes)
    return move_members(resolver, cls, nodes, bases)


def push_down(resolver: PythonResolver, cls: Scope, nodes: list[Node]) -> list[Splice]:
    """Members go to every direct subclass."""
    targets: list[Scope] = []
    for path in resolver.project.containing(cls.name.encode(), "python"):
        for scope in resolver.file(path).scopes:
            if scope.kind != "class":
                continue
            for base in scope.bases:
                if ClassValue(cls) in resolver.types.infer(base, scope.parent or scope):
                    targets.append(scope)
    if not targets:
        raise EditRefused(f"{cls.name} has no subclass in this project", hint="delete the member instead")
    check_push(resolver, cls, targets, names_of(cls.file, nodes), nodes)
    return move_members(resolver, cls, nodes, targets)


def extract_superclass(resolver: PythonResolver, cls: Scope, nodes: list[Node], name: str) -> list[Splice]:
    """Members go to a new class, from which this one inherits."""
    check_name(name)
    file = cls.file
    check_movable(file, nodes, "a member", above=True)
    check_members(resolver, cls, names_of(file, nodes), nodes)
    check_superclass(resolver, cls)
    home = cls.outer or file.module
    if name in home.bindings:
        raise EditRefused(f"{name} is already defined in {file.path}", hint="choose another name")
    data, end = file.data, newline(file.data)
    anchor = definition_of(cls.node)
    indent = indent_at(data, anchor.start_byte)
    inner = indent + unit(data)
    bases = cls.node.child_by_field_name("superclasses")
    given = (
        data[bases.start_byte : bases.end_byte].decode() if bases is not None and bases.named_children else ""
    )
    head = f"class {name}{given}:".encode()
    slots = b"__slots__ = ()" + end * 2 + inner if "__slots__" in cls.bindings else b""
    text = head + end + inner + slots + code_of(file, nodes, inner) + end * 3 + indent
    found = [Splice(file.path, anchor.start_byte, anchor.start_byte, text)]
    title = cls.node.child_by_field_name("name")
    assert title is not None
    if bases is not None:
        keywords = [file.text(c) for c in bases.named_children if c.type == "keyword_argument"]
        found.append(
            Splice(file.path, bases.start_byte, bases.end_byte, f"({', '.join([name, *keywords])})".encode())
        )
    else:
        found.append(Splice(file.path, title.end_byte, title.end_byte, f"({name})".encode()))
    return found + remove_members(cls, nodes)


# deleting -------------------------------------------------------------------------------------


def safe_delete(resolver: PythonResolver, keys: Keys, name: str) -> tuple[list[Splice], list[Occurrence]]:
    """Delete a definition that nothing uses. Returns the splices and, if it is used, the uses instead."""
    own = [key for key in keys if not key.is_module]
    if len(own) != 1 or resolver.identity.is_external(own[0]):
        raise EditRefused(f"{name} is not one definition of this project", hint="point at a definition")
    key = own[0]
    _, places = resolver.finder.find(keys, name, hierarchy=True)
    sites = [site for site in resolver.identity.sites(key) if site.node is not None]
    if any(site.kind in ("parameter", "self", "for", "with", "except", "match", "walrus") for site in sites):
        raise EditRefused(
            f"{name} is bound by a {sites[0].kind}", hint="use remove-parameter, or edit it by hand"
        )
    spans: list[Node] = []
    for site in sites:
        node = site.node
        assert node is not None
        if site.kind in ("function", "class"):
            spans.append(definition_of(node))
            continue
        while node.parent is not None and node.parent.type not in BLOCKS:
            node = node.parent
        spans.append(node)
    outside = [
        place
        for place in places
        if not (place.path == key.path and any(s.start_byte <= place.start < s.end_byte for s in spans))
    ]
    if outside:
        return [], outside
    file = resolver.file(key.path)
    scope = resolver.identity.scope(key)
    check_unneeded(resolver, scope, name, sites, spans)
    values = [kept_value(file, span) for span in spans]
    if any(value is not None for value in values):
        if scope.kind == "class" or None in values:
            raise EditRefused(f"computing {name} does something", hint="keep what it calls by hand")
        return [value for value in values if value is not None], []
    if scope.kind == "class":
        return remove_members(scope, spans), []
    return [removal(file, node) for node in spans], []


__all__ = [
    "class_at",
    "extract_superclass",
    "introduce_factory",
    "members_in",
    "pull_up",
    "push_down",
    "safe_delete",
    "scope_around",
]
