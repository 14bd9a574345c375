"""What a class extends and implements, and what an interface extends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.entities import ANY
from forgewright.code.javascript.hazards import place
from forgewright.code.javascript.names import CLASSES, FUNCTIONS
from forgewright.code.javascript.refactor.functions import own_constructors
from forgewright.code.javascript.refactor.parameters import check_type, typed
from forgewright.code.project import Splice
from forgewright.code.syntax.diagnostics import SelectorError
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.operations.base import Match
    from forgewright.code.scopes.tree import Node

_INTERFACES = ("interface", "type", "object type")


def add_base(resolver: JavaScriptResolver, match: Match, base: str) -> Splice:
    """`extends` or, for what is known as an interface, `implements`. Raises `EditRefused`."""
    cls = _class(resolver, match)
    word, _, name = (
        base.strip().rpartition(" ") if base.startswith(("extends ", "implements ")) else ("", "", base)
    )
    word, name = word.strip(), name.strip()
    if not name or name.split("<")[0].split("(")[0].strip() in {head(one) for one in bases(cls)}:
        raise EditRefused(f"{match.name} names {name} already", hint="name another base")
    if typed(cls):
        check_type(name, cls.path) if "(" not in name else None
    at = _after_name(cls)
    if cls.type == "interface_declaration":
        clause = cls.first("extends_type_clause")
        if clause is not None:
            return Splice(cls.path, clause.end, clause.end, f", {name}".encode())
        return Splice(cls.path, at, at, f" extends {name}".encode())
    heritage = cls.first("class_heritage")
    kind = word or ("implements" if _interface(resolver, cls, name) else "extends")
    if kind == "implements":
        if not typed(cls):
            raise EditRefused("JavaScript has no `implements`", hint="name a class")
        clause = heritage.first("implements_clause") if heritage is not None else None
        if clause is not None:
            return Splice(cls.path, clause.end, clause.end, f", {name}".encode())
        end = heritage.end if heritage is not None else at
        return Splice(cls.path, end, end, f" implements {name}".encode())
    if _extended(cls) is not None:
        extended = _extended(cls)
        assert extended is not None
        raise EditRefused(f"{match.name} extends {extended.text} already", hint="take that base off first")
    body = cls.get("body")
    for constructor in own_constructors([body]) if body is not None else []:
        if constructor.get("body") is not None:
            raise EditRefused(
                f"the constructor at {place(constructor)} does not call super(…)",
                hint="a class that extends another has to; take the constructor away or extend by (replace-node …)",
            )
    return Splice(cls.path, at, at, f" extends {name}".encode())


def remove_base(resolver: JavaScriptResolver, match: Match, base: str) -> Splice:
    """Takes a base off. Raises `EditRefused`, `SelectorError`."""
    cls = _class(resolver, match)
    base = base.removeprefix("extends ").removeprefix("implements ").strip()
    known = list(bases(cls))
    found = [one for one in known if base in (one.text, head(one))]
    if not found:
        raise SelectorError(
            f"{match.kind} {match.name!r} has no base {base!r}", candidates=[one.text for one in known]
        )
    one = found[0]
    if one is _extended(cls) and cls.type != "interface_declaration":
        _check_super(cls)
        clause = one.up
        start, end = clause.start, clause.end
        if clause.type == "class_heritage":
            return Splice(cls.path, _before(cls, start), end, b"")
        heritage = clause.up
        if heritage.items[-1] is clause:
            return Splice(cls.path, _before(cls, start), end, b"")
        return Splice(cls.path, start, heritage.items[1].start, b"")
    clause = one.up
    items = clause.items
    if len(items) == 1:
        return Splice(cls.path, _before(cls, clause.start), clause.end, b"")
    at = items.index(one)
    if at == 0:
        return Splice(cls.path, one.start, items[1].start, b"")
    return Splice(cls.path, items[at - 1].end, one.end, b"")


def _class(resolver: JavaScriptResolver, match: Match) -> Node:
    unit = resolver.program.unit(match.path)
    here = unit.root.at(match.start) if unit is not None else None
    around = [here, *here.above()] if here is not None else []
    for node in around:
        if node.type in CLASSES or node.type == "interface_declaration":
            if node.start <= match.start and node.end == match.end:
                return node
    raise EditRefused(f"{match.kind} {match.name!r} is no class or interface", hint="use (replace-node …)")


def bases(cls: Node) -> Iterator[Node]:
    """The nodes of all bases: the one extended first."""
    if cls.type == "interface_declaration":
        clause = cls.first("extends_type_clause")
        yield from clause.items if clause is not None else []
        return
    extended = _extended(cls)
    if extended is not None:
        yield extended
    heritage = cls.first("class_heritage")
    clause = heritage.first("implements_clause") if heritage is not None else None
    yield from clause.items if clause is not None else []


def _extended(cls: Node) -> Node | None:
    heritage = cls.first("class_heritage")
    if heritage is None:
        return None
    clause = heritage.first("extends_clause")
    if clause is not None:
        return clause.get("value")
    return heritage.items[0] if heritage.items and heritage.items[0].type != "implements_clause" else None


def head(base: Node) -> str:
    """A base without its type arguments."""
    named = base.get("name") if base.type == "generic_type" else None
    return (named or base).text


def _after_name(cls: Node) -> int:
    parameters = cls.get("type_parameters")
    name = cls.get("name")
    if parameters is not None:
        return parameters.end
    if name is not None:
        return name.end
    word = next(child for child in cls.children if child.type == "class")
    return word.end


def _before(cls: Node, start: int) -> int:
    """The end of what stands before a clause, without the space between."""
    data = cls.data
    while data[start - 1 : start] in (b" ", b"\t", b"\n", b"\r"):
        start -= 1
    return start


def _interface(resolver: JavaScriptResolver, cls: Node, name: str) -> bool:
    """Whether a name means an interface or a type where the class stands."""
    unit = resolver.program.unit(cls.path)
    if unit is None or not typed(cls):
        return False
    entity = resolver.program.visible(unit.scope_at(cls), name.split("<")[0].strip(), ANY)
    target = resolver.program.resolve(entity) if entity is not None else None
    return target is not None and target.kind in _INTERFACES


def _check_super(cls: Node) -> None:
    body = cls.get("body")
    stack = [body] if body is not None else []
    while stack:
        node = stack.pop()
        if node.type == "super":
            raise EditRefused(f"super is used at {place(node)}", hint="remove the uses first")
        if node.type not in CLASSES and not (node.type in FUNCTIONS and node.type == "function_expression"):
            stack.extend(node.children)
