"""Fields of classes: behind getters and setters, from a local variable, from an expression; booleans turned round."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.binding import Occurrence
from forgewright.code.project import Splice
from forgewright.code.python.keys import Key, Keys
from forgewright.code.python.refactor.constant import check_constant
from forgewright.code.python.refactor.extract_variable import docstring
from forgewright.code.python.refactor.field_checks import check_encapsulated, check_field, check_inverted
from forgewright.code.python.refactor.flow import Flow
from forgewright.code.python.refactor.fresh import check_member
from forgewright.code.python.refactor.imports import remove_statement
from forgewright.code.python.refactor.inline import enclosing
from forgewright.code.python.refactor.listed import borrowed, check_class, listed_class
from forgewright.code.python.refactor.order import Place
from forgewright.code.python.refactor.precedence import needs_parentheses
from forgewright.code.python.refactor.region import Region
from forgewright.code.python.refactor.text import (
    check_movable,
    has_docstring,
    hides,
    indent_at,
    newline,
    one_line,
    unit,
)
from forgewright.code.python.rename import check_name
from forgewright.code.python.scopes import FileIndex, Scope
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver


def class_of(resolver: PythonResolver, keys: Keys, name: str) -> tuple[Key, Scope]:
    """The class that a member belongs to. Raises `EditRefused` for what is no member."""
    own = [key for key in keys if not key.is_module and resolver.identity.scope(key).kind == "class"]
    if len(own) != 1:
        raise EditRefused(f"{name} is no member of one class", hint="point at an attribute of a class")
    return own[0], resolver.identity.scope(own[0])


def append_to_class(cls: Scope, code: list[str]) -> Splice:
    """Code lines at the end of a class body (or in the place of its only `pass`)."""
    data = cls.file.data
    body = cls.node.child_by_field_name("body")
    assert body is not None
    indent = indent_at(data, cls.node.start_byte) + unit(data)
    end = newline(data)
    text = (end + indent).join(line.encode() for line in code)
    text = text.replace(end + indent + end, end + end)
    kinds = [c.type for c in body.named_children if c.type != "comment"]
    if kinds == ["pass_statement"]:
        return Splice(cls.file.path, body.start_byte, body.end_byte, text)
    return Splice(cls.file.path, body.end_byte, body.end_byte, end * 2 + indent + text)


# encapsulate ----------------------------------------------------------------------------------


def encapsulate_field(
    resolver: PythonResolver, keys: Keys, name: str, getter: str, setter: str
) -> tuple[list[Splice], list[Occurrence]]:
    """A getter and a setter; outside of the class they are used. Also the uncertain places."""
    key, cls = class_of(resolver, keys, name)
    if not resolver.identity.is_data(cls, name):
        raise EditRefused(f"{name} is a method", hint="encapsulate a data attribute")
    for method in (getter, setter):
        check_name(method)
        if resolver.types.owner(cls, method) is not None:
            raise EditRefused(f"{cls.name} already has a {method}", hint="give getter: and setter:")
    receiver, step = "self", unit(cls.file.data).decode()
    code = [
        f"def {getter}({receiver}):",
        f"{step}return {receiver}.{name}",
        "",
        f"def {setter}({receiver}, value):",
        f"{step}{receiver}.{name} = value",
    ]
    found = [append_to_class(cls, code)]
    _, places = resolver.finder.find(frozenset({key}), name, hierarchy=False)
    check_encapsulated(resolver, cls, name, (getter, setter), places)
    for place in places:
        inside = place.path == cls.file.path and cls.node.start_byte <= place.start < cls.node.end_byte
        if place.certain and not inside:
            found += _through(resolver.file(place.path), place, getter, setter)
    return found, [place for place in places if not place.certain]


def _through(file: FileIndex, place: Occurrence, getter: str, setter: str) -> list[Splice]:
    node = file.root.descendant_for_byte_range(place.start, place.end)
    outer = node.parent if node is not None else None
    if node is None or outer is None or outer.type != "attribute":
        raise EditRefused(f"a use in {file.path} is no attribute access", hint="change that first")
    parent = outer.parent
    path = file.path
    if place.role != "write":
        return [Splice(path, node.start_byte, node.end_byte, f"{getter}()".encode())]
    right = parent.child_by_field_name("right") if parent is not None else None
    statement = parent.parent if parent is not None else None
    if (
        parent is None
        or right is None
        or outer != parent.child_by_field_name("left")
        or statement is None
        or statement.type != "expression_statement"
        or right.type == "assignment"
    ):
        row = file.data.count(b"\n", 0, place.start) + 1
        raise EditRefused(f"{path}:{row} assigns it together with others", hint="split the assignment first")
    if parent.type == "augmented_assignment":
        operator = parent.child_by_field_name("operator")
        sign = file.text(operator).removesuffix("=") if operator is not None else "+"
        obj = outer.child_by_field_name("object")
        assert obj is not None
        head = f"{setter}({file.text(obj)}.{getter}() {sign} "
        wrap = right.type in (
            "binary_operator",
            "boolean_operator",
            "conditional_expression",
            "comparison_operator",
            "lambda",
        )
        return [
            Splice(path, node.start_byte, right.start_byte, (head + ("(" if wrap else "")).encode()),
            Splice(path, right.end_byte, right.end_byte, b"))" if wrap else b")"),
        ]
    wrap = right.type in ("expression_list", "yield")
    return [
        Splice(path, node.start_byte, right.start_byte, f"{setter}({'(' if wrap else ''}".encode()),
        Splice(path, right.end_byte, right.end_byte, b"))" if wrap else b")"),
    ]


# local variable → field -----------------------------------------------------------------------


def local_to_field(resolver: PythonResolver, keys: Keys, name: str) -> list[Splice]:
    """A local variable of a method becomes an attribute of its object."""
    own = [key for key in keys if not key.is_module]
    scope = resolver.identity.scope(own[0]) if len(own) == 1 else None
    if scope is None or scope.kind != "function" or scope.method_of is None or not scope.self_name:
        raise EditRefused(f"{name} is no local variable of a method", hint="point at a variable in a method")
    names = {resolver.types.decorator_name(scope, d) for d in scope.decorators}
    if "classmethod" in names:
        raise EditRefused(f"{scope.name} is a class method", hint="use a method that takes self")
    binding = scope.bindings[name]
    bad = [s for s in binding.sites if s.kind not in ("variable", "augmented", "for", "with", "del")]
    if bad:
        raise EditRefused(
            f"{name} is bound by a {bad[0].kind}", hint="choose a variable that is only assigned"
        )
    if resolver.types.owner(scope.method_of, name) is not None:
        raise EditRefused(f"{scope.method_of.name} already has a {name}", hint="rename the variable first")
    check_field(resolver, scope, name)
    if hides(scope, scope.self_name):
        raise EditRefused(
            f"{scope.self_name} means something else within {scope.name}", hint="rename that first"
        )
    _, places = resolver.finder.find(keys, name, hierarchy=False)
    found: list[Splice] = []
    for place in places:
        node = scope.file.root.descendant_for_byte_range(place.start, place.end)
        if node is not None and node.parent is not None and node.parent.type == "nonlocal_statement":
            raise EditRefused(f"{name} is declared nonlocal", hint="take that out first")
        found.append(Splice(place.path, place.start, place.start, f"{scope.self_name}.".encode()))
    return found


# expression → field ---------------------------------------------------------------------------


def extract_field(resolver: PythonResolver, file: FileIndex, start: int, end: int, name: str) -> list[Splice]:
    """An expression of a method becomes an attribute of the class."""
    check_name(name)
    region = Region(file, start, end, "expression")
    method = region.host
    cls = method.method_of
    if cls is None or region.expression is None:
        raise EditRefused("the selection is not in a method", hint="extract a variable or constant instead")
    flow = Flow(resolver.types, region)
    for used in flow.reads:
        scope = flow.bindings[used].scope
        if scope.kind != "module":
            raise EditRefused(
                f"{used} is not known in the class body", hint="select an expression without it"
            )
    if resolver.types.owner(cls, name) is not None:
        raise EditRefused(f"{cls.name} already has a {name}", hint="choose another name")
    place = Place(region.expression)
    if place.target or place.typed or docstring(file, region.expression):
        raise EditRefused("the selection is no value that is computed there", hint="select a value")
    check_constant(resolver, file, region.expression)
    check_movable(file, [region.expression], "the selection")
    _check_field(resolver, cls, method, region, name)
    body = cls.node.child_by_field_name("body")
    assert body is not None
    docs = has_docstring(body)
    data, eol = file.data, newline(file.data)
    indent = indent_at(data, cls.node.start_byte) + unit(data)
    line = f"{name} = {one_line(file, region.expression)}".encode()
    if docs is not None:
        insert = Splice(file.path, docs.end_byte, docs.end_byte, eol + indent + line)
    else:
        first = body.named_children[0]
        insert = Splice(file.path, first.start_byte, first.start_byte, line + eol + indent)
    receiver = method.self_name or cls.name
    return [insert, Splice(file.path, region.start, region.end, f"{receiver}.{name}".encode())]


def _check_field(resolver: PythonResolver, cls: Scope, method: Scope, region: Region, name: str) -> None:
    """Refuse where an attribute more is noticed, or is not found through what the method calls itself."""
    check_class(resolver.types, cls)
    check_member(resolver, cls, name)
    listed = listed_class(resolver, cls)
    if listed is not None:
        raise EditRefused(f"{listed} goes through the names of {cls.name}", hint="extract a constant instead")
    taken = borrowed(resolver, method)
    if taken is not None:
        raise EditRefused(
            f"{cls.name}.{method.name} is used for another class at {taken}",
            hint="extract a constant instead",
        )
    word = method.self_name
    if word:
        meant = region.file.lookup(region.file.scope_at(region.start), word, region.start)
        if meant is None or meant.scope is not method or len(meant.sites) > 1:
            raise EditRefused(f"{word} means something else there", hint="extract a constant instead")


# booleans -------------------------------------------------------------------------------------


def invert_boolean(resolver: PythonResolver, keys: Keys, name: str) -> list[Splice]:
    """What is assigned is negated, and what is read is `not` it."""
    own = [key for key in keys if not key.is_module]
    if len(own) != 1:
        raise EditRefused(f"{name} is no variable of this project", hint="point at a variable")
    key = own[0]
    check_inverted(resolver, resolver.identity.scope(key), name)
    _, places = resolver.finder.find(keys, name, hierarchy=False)
    if any(not place.certain for place in places):
        raise EditRefused(f"some uses of {name} are not certain", hint="make their types known first")
    if any(site.kind not in ("variable", "self") or site.unpack for site in resolver.identity.sites(key)):
        raise EditRefused(f"{name} is bound other than by an assignment", hint="choose a plain variable")
    found: list[Splice] = []
    for place in places:
        file = resolver.file(place.path)
        node = file.root.descendant_for_byte_range(place.start, place.end)
        if node is None or place.role in ("import", "export", "string", "keyword"):
            raise EditRefused(
                f"{name} is used by import or by name in {place.path}", hint="invert it by hand"
            )
        above = node.parent
        member = (
            above is not None and above.type == "attribute" and above.child_by_field_name("attribute") == node
        )
        outer = above if member and above is not None else node
        parent = outer.parent
        if parent is not None and parent.type == "assignment" and outer == parent.child_by_field_name("left"):
            right = parent.child_by_field_name("right")
            statement = parent.parent
            if right is None:
                continue
            if right.type == "assignment" or statement is None or statement.type != "expression_statement":
                raise EditRefused(
                    f"{name} is assigned together with another", hint="split the assignment first"
                )
            if not is_boolean(right):
                raise EditRefused(
                    f"{name} is not known to be boolean: {file.text(right)[:60]}",
                    hint="invert what is True or False, a comparison, or a not",
                )
            found.append(Splice(place.path, right.start_byte, right.end_byte, negated(file, right).encode()))
        elif place.role == "reference":
            whole = file.text(outer)
            if parent is not None and parent.type == "not_operator":
                found.append(Splice(place.path, parent.start_byte, parent.end_byte, whole.encode()))
            else:
                found.append(Splice(place.path, outer.start_byte, outer.end_byte, f"(not {whole})".encode()))
        else:
            raise EditRefused(f"{name} is assigned in a way that cannot be negated", hint="invert it by hand")
    return found


OPPOSITE = {"==": "!=", "!=": "==", "is": "is not", "is not": "is", "in": "not in", "not in": "in"}


def is_boolean(node: Node) -> bool:
    """Whether an expression gives True or False, as far as its form tells."""
    while node.type == "parenthesized_expression" and node.named_children:
        node = node.named_children[0]
    if node.type == "boolean_operator":
        return all(is_boolean(child) for child in node.named_children)
    if node.type == "call":
        function = node.child_by_field_name("function")
        return function is not None and function.text in (b"bool", b"isinstance", b"callable", b"any", b"all")
    return node.type in ("true", "false", "not_operator", "comparison_operator")


def negated(file: FileIndex, node: Node) -> str:
    """The negation of an expression."""
    text = file.text(node)
    if node.type == "true":
        return "False"
    if node.type == "false":
        return "True"
    if node.type == "not_operator":
        argument = node.child_by_field_name("argument")
        return file.text(argument) if argument is not None else text
    if node.type == "comparison_operator" and len(node.named_children) == 2:
        operators = [c for c in node.children if not c.is_named]
        sign = file.data[operators[0].start_byte : operators[-1].end_byte].decode()
        if sign in OPPOSITE:
            left, right = node.named_children
            return f"{file.text(left)} {OPPOSITE[sign]} {file.text(right)}"
    if node.type in (
        "boolean_operator",
        "conditional_expression",
        "lambda",
        "named_expression",
        "expression_list",
    ):
        return f"not ({text})"
    return f"not {text}"


__all__ = [
    "append_to_class",
    "class_of",
    "encapsulate_field",
    "enclosing",
    "extract_field",
    "invert_boolean",
    "local_to_field",
    "needs_parentheses",
    "remove_statement",
]
