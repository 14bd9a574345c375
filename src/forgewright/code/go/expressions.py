"""The types of Go expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.go.things import Thing
from forgewright.code.go.types import Env, Module, Named, Pointer, Sequence, Several, Structure, Type
from forgewright.code.scopes.tree import Node

if TYPE_CHECKING:
    from forgewright.code.go.types import Types


def type_of(t: Types, node: Node) -> Type | None:
    kind = node.type
    if kind in ("identifier", "type_identifier", "package_identifier"):
        thing = t.lookup(node)
        if thing is not None and thing.node.type == "type_switch_statement":
            return _switched(t, thing.node, node)
        return t.thing_type(thing) if thing is not None else None
    if kind in ("parenthesized_expression", "literal_element", "expression_list"):
        return t.expression(node.items[0]) if len(node.items) == 1 else None
    if kind == "selector_expression":
        operand, field = node.get("operand"), node.get("field")
        of = t.expression(operand) if operand is not None else None
        if isinstance(of, Module):
            thing = of.package.find(field.text) if field is not None else None
            return t.thing_type(thing) if thing is not None else None
        found = t.member(of, field.text) if field is not None else None
        return t.thing_type(*found) if found is not None else None
    if kind == "call_expression":
        return _call(t, node)
    if kind == "composite_literal":
        type = node.get("type")
        return t.written(type) if type is not None else None
    if kind == "type_conversion_expression":
        type = node.get("type")
        return t.written(type) if type is not None else None
    if kind == "literal_value":
        return expected(t, node)
    if kind == "unary_expression":
        return _unary(t, node)
    if kind in ("index_expression", "type_instantiation_expression"):
        operand = node.get("operand")
        of = t.expression(operand) if operand is not None else None
        under = t.underlying(of.of if isinstance(of, Pointer) else of)
        return under.of if isinstance(under, Sequence) else of if isinstance(under, Structure) else None
    if kind == "slice_expression":
        operand = node.get("operand")
        return t.expression(operand) if operand is not None else None
    if kind == "type_assertion_expression":
        type = node.get("type")
        return t.written(type) if type is not None else None
    if kind == "func_literal":
        return Structure(node)
    if kind == "binary_expression":
        operator, left = node.get("operator"), node.get("left")
        if operator is not None and left is not None and operator.type in "+-*/%&|^":
            return t.expression(left)
    return None


def _switched(t: Types, switch: Node, node: Node) -> Type | None:
    """The variable of `switch v := x.(type)`: in a case of one type it is that, else what `x` is."""
    for above in node.above():
        if above.up is switch:
            types = above.all("type")
            if len(types) == 1:
                return t.written(types[0])
            break
    value = switch.get("value")
    return t.expression(value) if value is not None else None


def _unary(t: Types, node: Node) -> Type | None:
    operator, operand = node.get("operator"), node.get("operand")
    of = t.expression(operand) if operand is not None else None
    sign = operator.type if operator is not None else ""
    if sign == "&":
        return Pointer(of)
    if sign == "*":
        return of.of if isinstance(of, Pointer) else of
    if sign == "<-":
        under = t.underlying(of)
        return under.of if isinstance(under, Sequence) else None
    return of


def _call(t: Types, node: Node) -> Type | None:
    function, arguments = node.get("function"), node.get("arguments")
    if function is None:
        return None
    given = arguments.items if arguments is not None else []
    if function.type == "identifier" and t.lookup(function) is None:
        if function.text in ("new", "make", "append") and given:
            found = t.written(given[0]) if function.text != "append" else t.expression(given[0])
            found = found or t.expression(given[0])
            return Pointer(found) if function.text == "new" else found
        return None
    thing = called(t, function)
    if thing is not None and thing.kind == "type":
        return Named(thing)
    of = t.expression(function)
    under = t.underlying(of)
    if not isinstance(under, Structure):
        return of if isinstance(of, Named) else None
    result = under.node.get("result")
    return t.written(result, _infer(t, under, given, node)) if result is not None else Several(())


def called(t: Types, function: Node) -> Thing | None:
    """The declared thing that is called, without looking at types of values."""
    if function.type in ("identifier", "type_identifier"):
        return t.lookup(function)
    if function.type == "parenthesized_expression" and function.items:
        return called(t, function.items[0])
    operand, field = function.get("operand"), function.get("field")
    if function.type == "selector_expression" and operand is not None and field is not None:
        of = t.expression(operand)
        return of.package.find(field.text) if isinstance(of, Module) else None
    return None


def _infer(t: Types, function: Structure, given: list[Node], call: Node) -> Env:
    """The type arguments of a call, from those written and from the arguments' types."""
    listed = function.node.get("type_parameters")
    file = t.packages.file(function.node.path)
    if listed is None or file is None:
        return function.env
    declared = [file.decl[n] for item in listed.items for n in item.all("name") if n in file.decl]
    found: dict[Thing, Type | None] = dict(function.env)
    explicit = call.get("type_arguments")
    for thing, argument in zip(declared, explicit.items if explicit is not None else [], strict=False):
        found[thing] = t.written(argument)
    parameters = function.node.get("parameters")
    types = []
    for item in parameters.items if parameters is not None else []:
        types += [item.get("type")] * max(1, len(item.all("name")))
    for written, argument in zip(types, given, strict=False):
        if written is not None:
            _unify(t, written, t.expression(argument), set(declared), found)
    return found


def _unify(
    t: Types, written: Node, type: Type | None, wanted: set[Thing], found: dict[Thing, Type | None]
) -> None:
    if type is None:
        return
    if written.type == "type_identifier":
        thing = t.lookup(written)
        if thing in wanted and thing is not None:
            found.setdefault(thing, type)
        return
    inner = written.get("element") or written.get("value") or (written.items[0] if written.items else None)
    of = t.underlying(type)
    if inner is not None and isinstance(of, Sequence | Pointer):
        _unify(t, inner, of.of, wanted, found)


def expected(t: Types, literal: Node) -> Type | None:
    """The type of a `{…}` inside a composite literal, whose own type is left out."""
    parent = literal.up
    if parent.type == "composite_literal":
        type = parent.get("type")
        found = t.written(type) if type is not None else None
        if type is not None and type.type == "implicit_length_array_type":
            element = type.get("element")
            return Sequence(t.written(element) if element is not None else None)
        return found
    element = parent
    keyed: Node | None = None
    while element.type in ("literal_element", "keyed_element"):
        keyed = element if element.type == "keyed_element" else keyed
        element = element.up
    if element.type != "literal_value":
        return None
    outer = t.underlying(expected(t, element))
    if isinstance(outer, Sequence):
        is_key = parent.field == "key" and keyed is not None
        found = outer.key if is_key else outer.of
        return found.of if isinstance(found, Pointer) else found
    return None
