"""Whether what calls a method may be out of sight: objects that are handed on, bases of which nothing is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.names import key_of
from forgewright.code.javascript.refactor.functions import function_of
from forgewright.code.javascript.refactor.mentions import Carrier, Escape, Module, of_value, use_at, value_at
from forgewright.code.javascript.search import Search
from forgewright.code.javascript.types import Instance
from forgewright.code.scopes.words import kinds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    if holder.type in ("object", "class_body") and not name.text.startswith("#"):
        dispatched = _dispatched(holder)
        if dispatched is not None:
            return Escape(
                dispatched, dispatched, "may be one of those called by a name put together at run time"
            )
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
    unit = resolver.program.unit(name.path)
    own = unit.decl.get(name) if unit is not None else None
    itself = (
        expected is not None
        and own is not None
        and own.real in {root.real for root in expected.entity.flat()}
    )
    if expected is not None and expected.entity.flat() and not itself:
        if all(root.unit.path[:1] != "\0" for root in expected.entity.flat()):
            return None
        return Escape(name, name, "is called by the language's own library")
    return _whole(resolver, literal, name)


def _whole(resolver: JavaScriptResolver, value: Node, name: Node) -> Escape | None:
    """Follows an object until it is handed on."""
    use = of_value(value, value)
    statement = value.up
    if isinstance(use, Escape):
        return Escape(use.node, value, "is a member of an object that is handed on")
    if isinstance(use, Carrier):
        return _names(resolver, [use.name], name)
    if isinstance(use, Module):
        statement = use.node
    elif statement.type != "export_statement":
        return None
    for node in required(resolver.program, statement):
        found = _required_whole(resolver, node, name)
        if found is not None:
            return found
    return None


def _required_whole(resolver: JavaScriptResolver, node: Node, name: Node) -> Escape | None:
    """Follows what `require(…)` gives, or what an import names."""
    if node.type == "identifier":
        return _names(resolver, [node], name)
    if node.up.type == "await_expression" or node.has("import"):
        return None
    use = of_value(node, node)
    if isinstance(use, Escape):
        return Escape(node, node, "is a member of an object that is handed on")
    return _names(resolver, [use.name], name) if isinstance(use, Carrier) else None


def _names(resolver: JavaScriptResolver, todo: list[Node], name: Node) -> Escape | None:
    """Follows an object under its names until it is handed on."""
    seen: set[Node] = set()
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
            if computed(value_at(node)):
                return Escape(node, node, "is a member of an object whose members are named at run time")
            if isinstance(found, Carrier):
                todo.append(found.name)
    return None


def computed(value: Node) -> bool:
    """Whether a member of an object is taken by a name that is put together at run time: `handlers[kind]`."""
    access = value.up
    index = access.get("index") if access.type == "subscript_expression" and value.field == "object" else None
    return index is not None and index.type not in ("string", "number")


def _dispatched(holder: Node) -> Node | None:
    """A call by `this[name](…)` inside of a class or an object."""
    for node in holder.walk():
        if node.type == "this" and computed(node):
            call = node.up.up
            if call.type == "call_expression" and node.up.field == "function":
                return node
    return None


def modules_handed_on(resolver: JavaScriptResolver, functions: Sequence[Node]) -> Iterator[Escape]:
    """Modules whose exports are taken as a whole and handed on: `register(m)` after `import * as m`."""
    for function in functions:
        unit = resolver.program.unit(function.path)
        module = unit.module if unit is not None else None
        targets = (
            [resolver.program.resolve(one) for one in module.exports.values()] if module is not None else []
        )
        names = [name for one in targets if one is not None for name in one.names]
        name = next((name for name in names if function_of(name) is function), None)
        if unit is None or name is None:
            continue
        for node in required(resolver.program, unit.root, whole=True):
            found = _required_whole(resolver, node, name)
            if found is not None:
                yield found


def required(program: Program, statement: Node, *, whole: bool = False) -> Iterator[Node]:
    """Where a file is required, or its default (`whole`: all of it) is imported."""
    unit = program.unit(statement.path)
    if unit is None:
        return
    stem = statement.path.rpartition("/")[2].split(".")[0]
    paths = set(program.naming(stem))
    if stem == "index":
        paths |= {
            *program.naming(statement.path.rpartition("/")[0].rpartition("/")[2] or "."),
            *program.naming("."),
        }
    for path in sorted(paths):
        other = program.unit(path)
        for kind, source, node in other.edges if other is not None else ():
            text = source.text[1:-1]
            if program.modules.resolve(path, text) != statement.path:
                continue
            clause = node.first("import_clause")
            if kind in ("require", "call") and node.type == "call_expression":
                yield node
            elif clause is not None and whole:
                yield from (
                    item.items[0] for item in clause.items if item.type == "namespace_import" and item.items
                )
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
