"""Change a function's parameters in JavaScript or TypeScript, and every call of it with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from forgewright.code.javascript.bindings import nearest
from forgewright.code.javascript.hazards import place
from forgewright.code.javascript.names import FUNCTIONS, name_of
from forgewright.code.javascript.refactor import docs
from forgewright.code.javascript.refactor.arguments import rewritten
from forgewright.code.javascript.refactor.calls import Family, refused, unsure
from forgewright.code.javascript.refactor.commas import Listed
from forgewright.code.javascript.refactor.mentions import Call, Escape
from forgewright.code.javascript.refactor.parameters import (
    Fresh,
    Order,
    Slot,
    check_order,
    slots_of,
    this_of,
    written,
)
from forgewright.code.javascript.search import Search
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.scopes.tree import Node

Chosen = Callable[[Call], bool]
HANDED = ("is handed on", "is used as a value", "is kept in a variable")


class Changed:
    """What a change of the parameters comes to."""

    def __init__(self) -> None:
        self.splices: list[Splice] = []
        """None inside another."""
        self.notes: list[str] = []
        self.uncertain: list[Node] = []

    def text(self, node: Node) -> str:
        """A node's text as changed so far."""
        return self.between(node.path, node.data, node.start, node.end)

    def between(self, path: str, data: bytes, start: int, end: int) -> str:
        inside = [s for s in self.splices if s.path == path and start <= s.start and s.end <= end]
        out, at = [], start
        for splice in sorted(inside):
            out += [data[at : splice.start], splice.text]
            at = splice.end
        return b"".join([*out, data[at:end]]).decode()

    def add(self, splice: Splice) -> None:
        """A splice whose text has what was changed inside of it already. Raises `EditRefused` for one across others."""
        kept = []
        for other in self.splices:
            if other.path != splice.path or other.end <= splice.start or splice.end <= other.start:
                kept.append(other)
            elif not (splice.start <= other.start and other.end <= splice.end):
                raise EditRefused(f"two changes meet in {splice.path}", hint="make them one after the other")
        self.splices = [*kept, splice]


def change_signature(
    resolver: JavaScriptResolver,
    family: Family,
    order: Order,
    *,
    chosen: Chosen | None = None,
    replaced: int | None = None,
) -> Changed:
    """Put the parameters of all of `family` into `order`; calls follow. Raises `EditRefused`.

    `chosen` limits the calls that pass a new value; the uses of the parameter at `replaced` are replaced by the caller.
    """
    before = slots_of(family.first)
    done = Changed()
    if not any(function.get("body") is not None for function in family.functions):
        raise EditRefused(
            f"{family.name} is only declared at {place(family.first)}: what implements it is not known",
            hint="point at what implements it, or change the declaration as text",
        )
    for function in family.functions:
        _check_function(resolver, function, order, before, family, replaced)
    _check_unseen(resolver, family, order, before, done)
    for call in sorted(family.calls, key=lambda call: call.node.end - call.node.start):
        splice = rewritten(call, order, before, done, give=chosen is None or chosen(call))
        if splice is not None:
            done.add(splice)
    for function in sorted(family.functions, key=lambda node: node.end - node.start):
        for splice in definition(resolver, function, order, len(before), family, done):
            done.add(splice)
    if family.decorated:
        done.notes.append(
            f"the class is constructed by {family.decorated.splitlines()[0]}, which was not looked at"
        )
    return done


# what is not seen ------------------------------------------------------------------------------


def appended(order: Order, before: Sequence[Slot]) -> bool:
    """Whether all keep their places, and what is new stands behind them and may be left out."""
    count = len(before)
    return list(order[:count]) == list(range(count)) and all(
        isinstance(one, Fresh) and one.default is not None for one in order[count:]
    )


def shortened(order: Order, before: Sequence[Slot]) -> bool:
    """Whether only the last ones are gone."""
    return list(order) == list(range(len(order))) and len(order) < len(before)


def _check_unseen(
    resolver: JavaScriptResolver, family: Family, order: Order, before: Sequence[Slot], done: Changed
) -> None:
    fine = appended(order, before)
    for escape in family.escapes:
        passed = passed_to(resolver, escape)
        if passed is None or not ((fine and passed <= len(before)) or shortened(order, before)):
            raise refused(escape, family.name)
    for node in family.uncertain:
        call = node.up.up
        arguments = call.get("arguments") if call.type == "call_expression" else None
        given = arguments.items if arguments is not None else []
        spread = any(one.type == "spread_element" for one in given)
        if not fine or arguments is None or spread or len(given) > len(before):
            raise unsure(node, family.name)
        done.uncertain.append(node)


def passed_to(resolver: JavaScriptResolver, escape: Escape) -> int | None:
    """How many arguments a function is called with where it is handed on; None where that is not known."""
    if escape.why not in HANDED:
        return None
    context = resolver.checker.context(escape.value)
    found = resolver.checker.signatures(context) if context is not None else []
    counts = []
    for node, _ in found:
        listed = slots_of(node)
        if any(slot.rest for slot in listed):
            return None
        counts.append(len(listed))
    return max(counts) if counts else None


# definitions -----------------------------------------------------------------------------------


def definition(
    resolver: JavaScriptResolver, function: Node, order: Order, count: int, family: Family, done: Changed
) -> Iterator[Splice]:
    """The splices of one declaration's parameters and of its comment."""
    slots = slots_of(function)
    own = fitting(function, slots, order, count, family)
    check_order(function, own, slots)
    entries: list[Node | str] = [
        slots[one].node if isinstance(one, int) else written(function, one, last=_last(own[at:], slots))
        for at, one in enumerate(own)
    ]
    this = this_of(function)
    if this is not None:
        entries.insert(0, this)
    listed = function.get("parameters")
    if listed is not None:
        splice = Listed(listed, done.between).splice(entries)
    else:
        only = function.get("parameter")
        assert only is not None
        if entries == [only]:
            splice = None
        else:
            text = ", ".join(one if isinstance(one, str) else one.text for one in entries)
            splice = Splice(only.path, only.start, only.end, f"({text})".encode())
    if splice is not None:
        yield splice
    comment = docs.follow(resolver.program, function, slots, own)
    if comment is not None:
        yield comment


def _last(rest: Order, slots: Sequence[Slot]) -> bool:
    """Whether nothing that is required follows the first of these."""
    return all(
        slots[one].optional or slots[one].rest or slots[one].default is not None
        if isinstance(one, int)
        else one.default is not None
        for one in rest[1:]
    )


def fitting(
    function: Node, slots: Sequence[Slot], order: Order, count: int, family: Family
) -> list[int | Fresh]:
    """The order for a declaration that may take fewer or more parameters than the one pointed at."""
    if len(slots) > count:
        if count and slots_of(family.first)[-1].rest:
            raise EditRefused(
                f"{family.name} takes more parameters at {place(function)}", hint="change that one first"
            )
        return [*order, *range(count, len(slots))]
    missing = False
    own: list[int | Fresh] = []
    for entry in order:
        if isinstance(entry, int) and entry >= len(slots):
            missing = True
            continue
        if isinstance(entry, Fresh) and entry.packs:
            if not any(index < len(slots) for index, _ in entry.packs):
                missing = True
                continue
        elif missing:
            if isinstance(entry, Fresh) and function.get("body") is not None:
                continue
            raise EditRefused(
                f"{family.name} takes fewer parameters at {place(function)}", hint="change that one first"
            )
        rest = isinstance(entry, int) and slots[entry].rest and entry < count - 1
        if rest and list(order) != list(range(len(order))):
            raise EditRefused(
                f"{family.name} takes any number of arguments at {place(function)}",
                hint="change that one first",
            )
        own.append(entry)
    return own


def _check_function(
    resolver: JavaScriptResolver,
    function: Node,
    order: Order,
    before: Sequence[Slot],
    family: Family,
    gone: int | None,
) -> None:
    if function.has("get") or function.has("set"):
        raise EditRefused(f"{family.name} at {place(function)} is an accessor", hint="name a method")
    slots = slots_of(function)
    kept = {one for one in order if isinstance(one, int)}
    packed = {index for one in order if isinstance(one, Fresh) for index, _ in one.packs}
    for index, slot in enumerate(slots[: len(before)]):
        if index not in kept and index not in packed and index != gone:
            check_unused(resolver, function, slot)
    body = function.get("body")
    values = any(isinstance(one, Fresh) and (one.value is not None or one.packs) for one in order)
    moved = values or not appended(order, before)
    if body is not None and function.type != "arrow_function" and moved:
        for node in _own(body):
            if node.type == "identifier" and node.text == "arguments":
                raise EditRefused(
                    f"{family.name} reads `arguments` at {place(node)}",
                    hint="give it parameters for these first",
                )
    for one in order:
        if isinstance(one, Fresh):
            if not one.packs:
                _check_free(resolver, function, one.name)
            _check_strict(function, one, family)


def _check_strict(function: Node, fresh: Fresh, family: Family) -> None:
    """ECMAScript 15.2.1: no "use strict" of its own in a function whose parameters are more than names."""
    body = function.get("body")
    first = body.items[0] if body is not None and body.type == "statement_block" and body.items else None
    if first is not None and "use strict" in first.text[:14] and (fresh.default is not None or fresh.packs):
        raise EditRefused(
            f'{family.name} says "use strict" itself, so it can have no defaults',
            hint="say it for the whole file",
        )


def _own(body: Node) -> Iterator[Node]:
    """The nodes of a function's body that see its own `arguments` and `this`."""
    stack = [body]
    while stack:
        node = stack.pop()
        yield node
        if node.type not in FUNCTIONS or node.type == "arrow_function":
            stack.extend(reversed(node.children))


def bound(slot: Slot) -> list[Node]:
    """The names that a parameter declares."""
    inner = slot.pattern
    kinds = ("identifier", "shorthand_property_identifier_pattern")
    return [node for node in inner.walk() if node.type in kinds]


def check_unused(resolver: JavaScriptResolver, function: Node, slot: Slot) -> None:
    """Refuse to take away a parameter that the function uses."""
    unit = resolver.program.unit(function.path)
    assert unit is not None
    for name in bound(slot):
        entity = unit.decl.get(name)
        if entity is None:
            continue
        for node in used(resolver, function, slot, name):
            raise EditRefused(f"{name.text} is used in {place(node)}", hint="remove the uses first")
        held = resolver.meanings.parameter_property(entity)
        if held is not None:
            search = Search(resolver.meanings, renaming=False, shorthand=False, keep=False)
            search.run(name, held)
            for node in (*search.hits, *search.unknown):
                if node is not name:
                    raise EditRefused(
                        f"{name.text} is a field too, used in {place(node)}", hint="remove the uses first"
                    )


def used(resolver: JavaScriptResolver, function: Node, slot: Slot, name: Node) -> Iterator[Node]:
    """Where a parameter's name is used inside its function."""
    unit = resolver.program.unit(function.path)
    assert unit is not None
    entity = unit.decl.get(name)
    kinds = (
        "identifier",
        "shorthand_property_identifier",
        "shorthand_property_identifier_pattern",
        "type_identifier",
    )
    for node in function.walk():
        if node.type not in kinds or node.text != name.text or node is name:
            continue
        declares = node in unit.decl and node.type != "shorthand_property_identifier"
        if declares and (unit.decl[node] is not entity or node.within(slot.node)):
            continue
        found = nearest(unit, node)
        if found is not None and entity is not None and found is entity.real:
            yield node


def _check_free(resolver: JavaScriptResolver, function: Node, name: str) -> None:
    """Refuse a new name that the function declares itself, or uses for something from outside."""
    unit = resolver.program.unit(function.path)
    scope = unit.scopes.get(function) if unit is not None else None
    if unit is None or scope is None:
        return
    other = scope.table.get(name)
    if other is not None:
        raise EditRefused(
            f"{name} is already declared in the function at {place(other.names[0])}",
            hint="choose another name",
        )
    for node in function.walk():
        if node.type not in ("identifier", "shorthand_property_identifier") or node.text != name:
            continue
        if name_of(function) is node or (node in unit.decl and node.type == "identifier"):
            continue
        found = nearest(unit, node)
        if found is None or found.scope is None or not _below(found.scope.node, function):
            raise EditRefused(
                f"{name} at {place(node)} would mean the new parameter", hint="choose another name"
            )


def _below(node: Node, function: Node) -> bool:
    return node is not function and node.within(function)
