"""A function becomes a method of the class of its first parameter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from forgewright.code import layout
from forgewright.code.javascript.entities import Entity
from forgewright.code.javascript.hazards import place
from forgewright.code.javascript.names import CLASSES, FUNCTIONS, annotation, bare, name_of
from forgewright.code.javascript.refactor.calls import Family, family_at
from forgewright.code.javascript.refactor.imports import edit, lines
from forgewright.code.javascript.refactor.invert import joined
from forgewright.code.javascript.refactor.methods import spliced
from forgewright.code.javascript.refactor.parameters import check_name, slots_of
from forgewright.code.javascript.refactor.precedence import CALL, rank
from forgewright.code.javascript.refactor.signature import own_nodes, used
from forgewright.code.javascript.types import Instance
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.refactor.mentions import Call
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.scopes.tree import Node


def function_to_method(
    resolver: JavaScriptResolver, path: str, offset: int, parameter: str, into: Entity | None, name: str
) -> tuple[list[Splice], str]:
    """`f(a, x)` becomes `a.name(x)`. Raises `EditRefused`."""
    family = family_at(resolver, path, offset)
    function = family.first
    name = name or family.name
    check_name(name)
    statement = function.up if function.up.type == "export_statement" else function
    plain = function.type in ("function_declaration", "generator_function_declaration")
    if not plain or statement.up.type != "program" or len(family.functions) > 1 or statement.has("default"):
        raise EditRefused(
            f"{family.name} is no plain function at the top of its file", hint="name one that is"
        )
    slots = slots_of(function)
    if not slots or (parameter and slots[0].name != parameter) or not slots[0].name or slots[0].rest:
        raise EditRefused(
            f"the parameter that becomes this has to be the first of {family.name}",
            hint="reorder its parameters first",
        )
    if slots[0].optional or slots[0].default is not None:
        raise EditRefused(f"{slots[0].name} may be left out", hint="make it required first")
    owner = into or _class_of(resolver, slots[0].node)
    cls = next((node for node in owner.nodes if node.type in CLASSES), None) if owner is not None else None
    if owner is None or cls is None:
        raise EditRefused(f"the class of {slots[0].name} is not known", hint="say it with into:")
    if cls.path != function.path or cls.up.type not in ("program", "export_statement"):
        raise EditRefused(
            f"{owner.declared_name} is not at the top of {function.path}", hint="move one of them first"
        )
    _check_member(resolver, owner, name)
    inner = list(_parameter_replaced(resolver, function, slots[0].pattern))
    edits: list[Splice] = []
    for call in family.only_calls():
        changed = list(_as_method(call, name, cls))
        if call.node.within(function):
            inner += changed
        else:
            edits += changed
    edits += _imports_without(resolver, family, function)
    start, text = _method_text(resolver, function, statement, cls, joined(inner), name)
    edits.append(text)
    edits.append(_without_statement(function, statement, start))
    return joined(edits), family.name


def _class_of(resolver: JavaScriptResolver, parameter: Node) -> Entity | None:
    written = annotation(parameter)
    found = resolver.checker.annotation(written) if written is not None else None
    found = found or resolver.checker.pattern(parameter.get("pattern") or parameter)
    return found.entity.real if isinstance(found, Instance) and found.entity.kind == "class" else None


def _check_member(resolver: JavaScriptResolver, owner: Entity, name: str) -> None:
    """No member of that name in the class, its bases, or a class that extends it."""
    if resolver.checker.property(Instance(owner), name) is not None:
        raise EditRefused(f"{owner.declared_name} has a member {name}", hint="give another name:")
    for path in resolver.program.containing(name):
        unit = resolver.program.unit(path)
        for node, entity in list(unit.decl.items()) if unit is not None else ():
            held = entity.container
            if node.text != name or held is None or held.kind != "class":
                continue
            todo, seen = [held.real], set()
            while todo:
                current = todo.pop()
                if current is owner.real:
                    raise EditRefused(
                        f"{held.name} has a member {name}, at {place(node)}", hint="give another name:"
                    )
                if current not in seen:
                    seen.add(current)
                    bases = resolver.checker.supers(current)
                    todo += [base.entity.real for base in bases if isinstance(base, Instance)]


def _parameter_replaced(resolver: JavaScriptResolver, function: Node, pattern: Node) -> Iterator[Splice]:
    for node in own_nodes(function):
        if node.type == "this" or (node.type == "identifier" and node.text == "arguments"):
            raise EditRefused(f"the function uses {node.text} at {place(node)}", hint="leave it a function")
    slot = slots_of(function)[0]
    for node in used(resolver, function, slot, pattern):
        inner = next(
            (above for above in node.above() if above.type in FUNCTIONS and above.type != "arrow_function"),
            None,
        )
        target = (
            node.up.type in ("assignment_expression", "augmented_assignment_expression")
            and node.field == "left"
        )
        if (
            inner is not function
            or target
            or node.up.type in ("update_expression", "type_query", "type_predicate")
        ):
            raise EditRefused(f"{node.text} at {place(node)} cannot be this", hint="change that place first")
        if any(above.type in CLASSES for above in node.above()) or node.type.endswith("pattern"):
            raise EditRefused(f"{node.text} at {place(node)} cannot be this", hint="change that place first")
        text = f"{node.text}: this" if node.type == "shorthand_property_identifier" else "this"
        yield Splice(node.path, node.start, node.end, text.encode())


def _as_method(call: Call, name: str, cls: Node) -> Iterator[Splice]:
    given = call.given
    if call.node.type != "call_expression" or call.skip or not given or given[0].type == "spread_element":
        raise EditRefused(
            f"the call at {place(call.node)} passes no object first", hint="change that call first"
        )
    if call.node.get("type_arguments") is not None or call.node.first("optional_chain") is not None:
        raise EditRefused(
            f"the call at {place(call.node)} is more than a plain call", hint="change that call first"
        )
    first, path = given[0], call.path
    if bare(first).type in ("null", "undefined", "object") or call.arguments is None:
        raise EditRefused(f"{first.text} at {place(first)} has no methods", hint="change that call first")
    wrap = rank(first) < CALL or first.type in ("number", "function_expression", "class")
    wrap = wrap or (first.type == "new_expression" and first.get("arguments") is None)
    stop = given[1].start if len(given) > 1 else call.arguments.end - 1
    yield Splice(path, call.node.start, first.start, b"(" if wrap else b"")
    yield Splice(path, first.end, stop, f"{')' if wrap else ''}.{name}(".encode())


def _imports_without(resolver: JavaScriptResolver, family: Family, function: Node) -> list[Splice]:
    """Imports and exports by name go with the function."""
    found: list[Splice] = []
    entity = resolver.program.unit(function.path)
    assert entity is not None
    name = name_of(function)
    assert name is not None
    own = entity.decl[name].real
    for path in resolver.program.containing(name.text):
        unit = resolver.program.unit(path)
        if unit is None:
            continue
        for node in unit.root.walk():
            if node.type == "export_specifier":
                inner = node.get("alias") or node.get("name")
                meant = unit.decl.get(inner) if inner is not None else None
                if meant is not None and resolver.program.resolve(meant) is own:
                    raise EditRefused(
                        f"{family.name} is exported on at {place(node)}", hint="take that out first"
                    )
        gone = [
            brought
            for line in lines(unit)
            for brought in line.brought
            if (meant := unit.decl.get(brought.name)) is not None and resolver.program.resolve(meant) is own
        ]
        found += edit(unit, gone=gone) if gone else []
    return found


def _method_text(
    resolver: JavaScriptResolver, function: Node, statement: Node, cls: Node, inner: list[Splice], name: str
) -> tuple[int, Splice]:
    data = function.data
    source = resolver.project.source(function.path)
    listed, body = function.get("parameters"), cls.get("body")
    assert listed is not None
    assert body is not None
    items = listed.items
    cut_at = items[1].start if len(items) > 1 else listed.end - 1
    own = function.get("type_parameters")
    head = ("async " if function.has("async") else "") + ("*" if function.has("*") else "") + name
    rest = spliced(data, cut_at, function.end, inner)
    text = f"{head}{own.text if own is not None else ''}({rest}"
    end = layout.line_end(data)
    step = layout.indent_unit(source)
    outer = layout.indentation(data, cls.start)
    first = body.items[0] if body.items else None
    stacked = first is not None and b"\n" in data[body.start : first.start]
    indent = layout.indentation(data, first.start) if first is not None and stacked else outer + step
    start = statement.start
    siblings = statement.up.children
    at = siblings.index(statement)
    comment = b""
    if at and siblings[at - 1].type == "comment" and siblings[at - 1].text.startswith("/**"):
        held = siblings[at - 1]
        start, comment = held.start, layout.fit(held.text, source, indent) + end
    code = comment + layout.fit(text, source, indent)
    if first is None:
        return start, Splice(cls.path, body.start + 1, body.end - 1, end + code + end + outer)
    last = body.items[-1]
    stop = last.end + (1 if data[last.end : last.end + 1] == b";" else 0)
    tail = b"" if stacked else end + outer
    return start, Splice(cls.path, stop, stop, end * 2 + code + tail)


def _without_statement(function: Node, statement: Node, start: int) -> Splice:
    data = function.data
    begin, stop = layout.line_start(data, start), layout.after_line(data, statement.end)
    if not layout.only_space(data[begin:start]) or not layout.only_space(data[statement.end : stop]):
        return Splice(function.path, start, statement.end, b"")
    previous = layout.line_start(data, begin - 1) if begin else 0
    if begin and layout.only_space(data[previous:begin]):
        begin = previous
    elif layout.only_space(data[stop : layout.after_line(data, stop)]):
        stop = layout.after_line(data, stop)
    return Splice(function.path, begin, stop, b"")
