"""Takes a definition out that nothing uses, or says what does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from forgewright.code import deletion, layout
from forgewright.code.binding import Occurrence
from forgewright.code.javascript.locate import name_at
from forgewright.code.javascript.refactor import exports
from forgewright.code.javascript.refactor.imports import cut, edit, entity_of, lines
from forgewright.code.javascript.refactor.pieces import row
from forgewright.code.project import Splice
from forgewright.code.scopes.words import kinds
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Entity, Unit
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.project import Source
    from forgewright.code.scopes.tree import Node

_MEMBERS = kinds(
    "method_definition public_field_definition field_definition abstract_method_signature property_signature "
    "method_signature"
)
_STATEMENTS = kinds(
    "function_declaration generator_function_declaration class_declaration abstract_class_declaration "
    "interface_declaration type_alias_declaration function_signature enum_declaration internal_module"
)
_PURE = kinds(
    "identifier number string true false null undefined regex template_string string_fragment escape_sequence "
    "template_substitution arrow_function function_expression generator_function object array pair method_definition "
    "property_identifier shorthand_property_identifier parenthesized_expression this unary_expression "
    "binary_expression ternary_expression as_expression satisfies_expression non_null_expression"
)
"""Expressions whose evaluation does nothing else (a property may have a getter, and a call may do anything)."""
_LAZY = kinds("arrow_function function_expression generator_function method_definition")


class Removal(msgspec.Struct, frozen=True):
    """What taking a definition out comes to."""

    name: str
    splices: tuple[Splice, ...]
    used: tuple[Occurrence, ...]


def removal(resolver: JavaScriptResolver, path: str, offset: int) -> Removal:
    """The definition that is meant at a place. Raises `EditRefused` for what cannot be left out."""
    program = resolver.program
    unit = program.unit(path)
    node = name_at(unit, offset) if unit is not None else None
    entity = resolver.meanings.at(node) if node is not None else None
    if unit is None or node is None or entity is None:
        raise EditRefused("no symbol of this project is named there", hint="point at a definition")
    brought = next((b for line in lines(unit) for b in line.brought if entity_of(unit, b) is entity), None)
    if brought is not None and node is brought.name:
        symbol = resolver.symbol_here(path, offset)
        places = resolver.occurrences(symbol) if symbol is not None else ()
        here = [o for o in places if o.path == path and not _in(o, brought.node)]
        return Removal(brought.local, tuple(edit(unit, gone=[brought])), tuple(here))
    entity = program.resolve(entity) or entity
    if entity.roots or not entity.names or entity.unit.path[:1] == "\0":
        raise EditRefused(f"{node.text} has no definition of its own", hint="point at a definition")
    home = entity.unit
    source = resolver.project.source(home.path)
    nodes = [_whole(home, entity, one) for one in entity.nodes]
    splices = [_cut(source, home, one) for one in nodes]
    own = entity.names[0]
    symbol = resolver.symbol_here(own.path, own.start)
    places = resolver.occurrences(symbol) if symbol is not None else ()
    listed = _listed(home, entity, resolver)
    used = [
        place
        for place in places
        if place.role != "definition"
        and not (place.path == home.path and any(_in(place, one) for one in [*nodes, *listed]))
    ]
    splices += exports.retract(home, listed)
    return Removal(entity.declared_name, tuple(splices), tuple(used))


def _in(place: Occurrence, node: Node) -> bool:
    return place.path == node.path and node.start <= place.start < node.end


def _listed(unit: Unit, entity: Entity, resolver: JavaScriptResolver) -> list[Node]:
    """Where the file lists it among its exports."""
    if unit.module is None or entity.scope is not unit.top:
        return []
    found = exports.publics(resolver.program, unit, entity).values()
    return [node for node in found if node is not None]


def _whole(unit: Unit, entity: Entity, node: Node) -> Node:
    """The statement or member that is taken out with a declaration."""
    if node.type == "variable_declarator":
        value, name = node.get("value"), node.get("name")
        if name is None or name.type != "identifier":
            raise EditRefused(
                f"{unit.path}:{row(node)} {entity.declared_name} is taken out of something",
                hint="change the pattern by hand",
            )
        acts = effect(value) if value is not None else None
        if acts is not None:
            raise EditRefused(
                f"{unit.path}:{row(acts)} the value of {entity.declared_name} is computed by "
                f"{acts.text.partition(chr(10))[0][:40]}, which may do something",
                hint="delete-node takes it out nevertheless",
            )
        return node
    if node.type in _MEMBERS:
        value = node.get("value")
        acts = effect(value) if value is not None and node.type.endswith("field_definition") else None
        if acts is not None:
            raise EditRefused(
                f"{unit.path}:{row(acts)} the value of {entity.declared_name} is computed, which may do something",
                hint="delete-node takes it out nevertheless",
            )
        return node
    if node.type in _STATEMENTS:
        return node
    raise EditRefused(
        f"{unit.path}:{row(node)} {entity.declared_name} is a {entity.kind}, which is not taken out like this",
        hint="functions, classes, variables, types, members and imports are",
    )


def effect(value: Node) -> Node | None:
    """A part of an expression that may do something when it is evaluated."""
    if value.type in _LAZY:
        return None
    if value.named and value.type not in _PURE and "comment" not in value.type and "type" not in value.type:
        return value
    return next((found for child in value.children if (found := effect(child)) is not None), None)


def _cut(source: Source, unit: Unit, node: Node) -> Splice:
    if node.type == "variable_declarator":
        declared = [child for child in node.up.children if child.type == "variable_declarator"]
        if len(declared) > 1:
            index = declared.index(node)
            if index:
                return Splice(unit.path, declared[index - 1].end, node.end, b"")
            return Splice(unit.path, node.start, declared[1].start, b"")
        node = node.up
    if node.up.type == "ambient_declaration":
        node = node.up
    if node.up.type == "export_statement" or (
        node.type == "internal_module" and node.up.type == "expression_statement"
    ):
        node = node.up
    siblings = node.up.children
    index = siblings.index(node) - 1
    start = node.start
    while index >= 0 and siblings[index].type == "decorator":
        start = siblings[index].start
        index -= 1
    if start < node.start:
        return _decorated(unit, siblings[: index + 1], start, node.end)
    found = source.tree.root_node.descendant_for_byte_range(node.start, node.end)
    while found is not None and found.type != node.type:
        found = found.parent
    assert found is not None
    return deletion.delete(source, found)


def _decorated(unit: Unit, above: list[Node], start: int, stop: int) -> Splice:
    """A member with its decorators, which stand beside it, and the comments above these."""
    data = unit.data
    while above and above[-1].type == "comment" and data[above[-1].end : start].count(b"\n") == 1:
        start = above.pop().start
    if data[stop : stop + 1] == b";":
        stop += 1
    found = cut(unit, start, stop)
    end = found.end
    if data[: found.start].rstrip().endswith(b"{"):
        for _ in range(layout.blank_lines_after(data, end)):
            end = layout.after_line(data, end)
    return Splice(unit.path, found.start, end, b"")
