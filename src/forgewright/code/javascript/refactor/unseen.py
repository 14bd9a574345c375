"""Whether what calls a method may be out of sight: objects that are handed on, bases of which nothing is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.names import key_of
from forgewright.code.javascript.refactor.mentions import Carrier, Escape, of_value, use_at
from forgewright.code.javascript.search import Search
from forgewright.code.javascript.types import Instance
from forgewright.code.scopes.words import kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forgewright.code.javascript.program import Program
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.scopes.tree import Node

PROTOCOL = kinds(
    "toString toLocaleString valueOf toJSON then next return throw handleEvent connectedCallback "
    "disconnectedCallback attributeChangedCallback adoptedCallback componentDidUpdate componentDidCatch "
    "shouldComponentUpdate getSnapshotBeforeUpdate getDerivedStateFromProps getDerivedStateFromError render"
)
"""Methods that the language, a browser or a framework calls by their names."""
STEPS_MAX = 30


def unseen_caller(resolver: JavaScriptResolver, name: Node) -> Escape | None:
    """Why a method or property that is declared here may be called from out of sight; None if nothing says so."""
    holder = name.up.up
    if name.type == "shorthand_property_identifier":
        return _object(resolver, name, name.up)
    if name.text in PROTOCOL and name.field in ("name", "property", "key"):
        return Escape(name, name, "is called by its name from outside")
    if name.up.type in ("pair", "method_definition") and holder.type == "object":
        return _object(resolver, name, holder)
    if name.type == "computed_property_name":
        return Escape(name, name, "has a computed name")
    if holder.type == "class_body" and not name.text.startswith("#"):
        return _based(resolver, name, holder.up)
    return None


def _based(resolver: JavaScriptResolver, name: Node, cls: Node) -> Escape | None:
    """A class over something that is not in the project: its methods may be called from there."""
    heritage = cls.first("class_heritage")
    access = name.up.first("accessibility_modifier")
    if heritage is None or (access is not None and access.text == "private"):
        return None
    entity = resolver.checker.own(cls)
    known = resolver.checker.supers(entity) if entity is not None else []
    named = sum(1 for clause in heritage.items for _ in _named(clause)) or 1
    todo, seen = list(known), set()
    if len(known) < named:
        return Escape(name, name, f"may override one of {heritage.text}, of which not all is known,")
    while todo:
        base = todo.pop()
        if not isinstance(base, Instance) or base.entity in seen:
            continue
        seen.add(base.entity)
        if base.entity.unit.path[:1] == "\0":
            return Escape(name, name, f"may override one of {base.entity.name}, which is the language's own,")
        for node in base.entity.nodes:
            inner = node.first("class_heritage", "extends_type_clause")
            if inner is not None:
                supers = resolver.checker.supers(base.entity)
                if not supers:
                    return Escape(name, name, f"may override one of {inner.text}, which is not known,")
                todo += supers
    return None


def _named(clause: Node) -> list[Node]:
    if clause.type == "implements_clause":
        return clause.items
    return [clause]


def _object(resolver: JavaScriptResolver, name: Node, literal: Node) -> Escape | None:
    """An object literal that goes where its type does not say what its methods are."""
    expected = resolver.meanings.expected_members(name)
    if expected is not None and expected.entity.flat():
        if all(root.unit.path[:1] != "\0" for root in expected.entity.flat()):
            return None
        return Escape(name, name, "is called by the language's own library")
    return _whole(resolver, literal, name, set())


def _whole(resolver: JavaScriptResolver, value: Node, name: Node, seen: set[Node]) -> Escape | None:
    """Follows an object under its names until it is handed on."""
    use = of_value(value, value)
    if isinstance(use, Escape):
        return Escape(use.node, value, "is a member of an object that is handed on")
    if not isinstance(use, Carrier):
        return None
    todo = [use.name]
    while todo:
        held = todo.pop()
        if held in seen:
            continue
        seen.add(held)
        if len(seen) > STEPS_MAX:
            return Escape(name, name, "is a member of an object with many names")
        unit = resolver.program.unit(held.path)
        entity = resolver.meanings.at(held)
        if unit is None or entity is None:
            return Escape(held, held, "is a member of an object that is kept somewhere")
        search = Search(resolver.meanings, renaming=False, shorthand=False, keep=False)
        search.run(held, entity)
        for node in search.hits:
            other = resolver.program.unit(node.path)
            if other is None or (node in other.decl and node.type != "shorthand_property_identifier"):
                continue
            found = use_at(node)
            if isinstance(found, Escape):
                return Escape(node, node, "is a member of an object that is handed on")
            if isinstance(found, Carrier):
                todo.append(found.name)
    return None


def required(program: Program, statement: Node) -> Iterator[Node]:
    """Where a file whose export is the function itself is required or imported as a whole."""
    unit = program.unit(statement.path)
    if unit is None:
        return
    stem = statement.path.rpartition("/")[2].split(".")[0]
    if stem == "index":
        stem = statement.path.rpartition("/")[0].rpartition("/")[2] or "."
    for path in {*program.naming(stem), *program.naming(".")}:
        other = program.unit(path)
        for kind, source, node in other.edges if other is not None else ():
            text = source.text[1:-1]
            if program.modules.resolve(path, text) != statement.path:
                continue
            clause = node.first("import_clause")
            if kind in ("require", "call") and node.type == "call_expression":
                yield node
            elif clause is not None:
                yield from (item for item in clause.items if item.type == "identifier")


def outside(program: Program, node: Node) -> bool:
    """Whether what has this member is known to be no part of the project: a package, a global."""
    holder = node.up.get("object")
    if holder is None or holder.type != "identifier":
        return node.up.type in ("import_specifier", "jsx_attribute")
    entity = program.lookup(holder, 7)
    if entity is None:
        return True
    if entity.unit.path[:1] == "\0":
        return True
    if entity.alias is None:
        return False
    source = entity.alias.source
    text = key_of(source)
    return text is not None and not text[0].startswith(".") and program.resolve(entity) is None
