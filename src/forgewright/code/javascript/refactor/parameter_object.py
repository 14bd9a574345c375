"""Several parameters become one that is taken apart where it arrives; the calls pass an object literal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from forgewright.code import layout
from forgewright.code.javascript.hazards import place
from forgewright.code.javascript.names import CLASSES, annotation, is_identifier
from forgewright.code.javascript.refactor.calls import Family
from forgewright.code.javascript.refactor.parameters import (
    Fresh,
    Slot,
    check_name,
    literal_type,
    place_of,
    slots_of,
    typed,
)
from forgewright.code.javascript.refactor.signature import Changed, change_signature
from forgewright.code.project import Splice
from forgewright.code.scopes.words import kinds
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.scopes.tree import Node

_LEVELS = kinds("program statement_block class_static_block switch_case switch_default")


def introduce_parameter_object(
    resolver: JavaScriptResolver, family: Family, names: Sequence[str], type_name: str, name: str
) -> Changed:
    """`f(a, { b, c }: Name)`: `names` are taken out of one parameter. Raises `EditRefused`."""
    check_name(type_name)
    slots = slots_of(family.first)
    chosen = [place_of(slots, one, family.name) for one in names]
    for index in chosen:
        _check_plain(slots[index])
    name = name or type_name[:1].lower() + type_name[1:]
    check_name(name)
    _check_defaults(family, slots, chosen)
    optional = all(slots[i].optional or slots[i].default is not None for i in chosen)
    declared, kind = _declared(resolver, family, slots, chosen, type_name)
    packs = tuple((index, slots[index].name) for index in chosen)
    fresh = Fresh(name, kind, "{}" if optional else None, packs=packs)
    first = min(chosen)
    order: list[int | Fresh] = []
    for index in range(len(slots)):
        if index == first:
            order.append(fresh)
        elif index not in chosen:
            order.append(index)
    done = change_signature(resolver, family, order)
    if declared is not None:
        done.add(declared)
    return done


def _check_plain(slot: Slot) -> None:
    plain = slot.node.first("accessibility_modifier", "decorator") is None and not slot.node.has("readonly")
    if not slot.name or slot.rest or not plain or not is_identifier(slot.name):
        raise EditRefused(
            f"{slot.node.text} at {place(slot.node)} is no plain parameter",
            hint="name parameters that are plain names",
        )


def _check_defaults(family: Family, slots: Sequence[Slot], chosen: Sequence[int]) -> None:
    """A default may read only what is there before it."""
    first = min(chosen)
    flat: list[int] = []
    for index in range(len(slots)):
        flat += list(chosen) if index == first else [] if index in chosen else [index]
    for function in family.functions:
        own = slots_of(function)
        for at, index in enumerate(flat):
            default = own[index].default if index < len(own) else None
            later = {own[i].name for i in flat[at + 1 :] if i < len(own)} - {""}
            for node in default.walk() if default is not None else ():
                if node.type in ("identifier", "shorthand_property_identifier") and node.text in later:
                    raise EditRefused(
                        f"the default at {place(node)} reads {node.text}, which would come after it",
                        hint="name the parameters in another order",
                    )


def _declared(
    resolver: JavaScriptResolver, family: Family, slots: Sequence[Slot], chosen: Sequence[int], name: str
) -> tuple[Splice | None, str]:
    """The interface above the function, and the type as the functions name it; for JavaScript neither."""
    function = family.first
    if not typed(function):
        return None, ""
    if any(other.path != function.path for other in family.functions):
        raise EditRefused(
            f"{family.name} is declared in several files", hint="change its declarations into one file first"
        )
    statement = _statement(function)
    unit = resolver.program.unit(function.path)
    assert unit is not None
    for node in unit.root.walk():
        if node.type in ("identifier", "type_identifier") and node.text == name:
            raise EditRefused(f"{name} is already used at {place(node)}", hint="choose another name")
    members: list[str] = []
    types: list[Node] = []
    for index in chosen:
        slot = slots[index]
        written = annotation(slot.node)
        kind = (
            written.text if written is not None else literal_type(slot.default.text if slot.default else "")
        )
        mark = "?" if slot.optional or slot.default is not None else ""
        members.append(f"{slot.name}{mark}{': ' + kind if kind else ''};")
        types += [written] if written is not None else []
    generic, arguments = _generic(function, types, statement)
    if generic and len(family.functions) > 1:
        raise EditRefused(
            f"the types of {family.name} have parameters, and it has several declarations",
            hint="change it by hand",
        )
    for kind_node in types:
        for node in kind_node.walk():
            if node.type == "this_type" or node.type == "this":
                raise EditRefused(f"the type at {place(node)} says `this`", hint="name the type first")
    source = resolver.project.source(function.path)
    end = layout.line_end(source.data).decode()
    step = layout.indent_unit(source).decode()
    indent = layout.indentation(source.data, statement.start).decode()
    export = "export " if statement.type == "export_statement" else ""
    lines = [
        f"{export}interface {name}{generic} {{",
        *(f"{indent}{step}{one}" for one in members),
        f"{indent}}}",
    ]
    text = end.join(lines) + end + end + indent
    at = _above(statement)
    return Splice(function.path, at, at, text.encode()), name + arguments


def _statement(function: Node) -> Node:
    """The statement that declares a function, or the class or object that it is a member of."""
    here = function
    for above in function.above():
        if above.type in _LEVELS:
            break
        here = above
    siblings = here.up.children
    at = siblings.index(here) if here.parent is not None else 0
    while at > 0 and (siblings[at - 1].type == "comment" or _overload(siblings[at - 1])):
        at -= 1
        here = siblings[at] if _overload(siblings[at]) else here
    return here


def _overload(statement: Node) -> bool:
    """Whether a statement is a function's signature without a body."""
    inner = statement.get("declaration") if statement.type == "export_statement" else statement
    return inner is not None and inner.type == "function_signature"


def _above(statement: Node) -> int:
    """Before the statement's own comment."""
    siblings = statement.up.children
    at = siblings.index(statement)
    start = statement.start
    while at > 0 and siblings[at - 1].type in ("comment", "decorator"):
        gap = statement.data[siblings[at - 1].end : start]
        if gap.count(b"\n") != 1 or not _first_of_line(siblings[at - 1]):
            break
        at -= 1
        start = siblings[at].start
    return start


def _first_of_line(node: Node) -> bool:
    begin = node.data.rfind(b"\n", 0, node.start) + 1
    return not node.data[begin : node.start].strip()


def _generic(function: Node, types: Sequence[Node], statement: Node) -> tuple[str, str]:
    """The type parameters of the function and its class that the types mention: declared, and as arguments."""
    known: dict[str, Node] = {}
    for holder in (function, *function.above()):
        listed = holder.get("type_parameters")
        for one in listed.items if listed is not None else ():
            named = one.get("name")
            if named is not None:
                known.setdefault(named.text, one)
        if holder is statement or (holder.type in CLASSES and holder is statement):
            break
    used: dict[str, None] = {}
    todo = list(types)
    while todo:
        for node in todo.pop().walk():
            if (
                node.type in ("type_identifier", "identifier")
                and node.text in known
                and node.text not in used
            ):
                used[node.text] = None
                todo.append(known[node.text])
    if not used:
        return "", ""
    ordered = [name for name in reversed(list(known)) if name in used]
    ordered.sort(key=lambda name: known[name].start)
    return f"<{', '.join(known[n].text for n in ordered)}>", f"<{', '.join(ordered)}>"
