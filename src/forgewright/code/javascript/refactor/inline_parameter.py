"""Defaults that the calls pass themselves, and parameters that are the same constant in every call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.bindings import nearest
from forgewright.code.javascript.hazards import place
from forgewright.code.javascript.refactor.commas import Listed
from forgewright.code.javascript.refactor.parameters import literal_type, place_of, slots_of, typed
from forgewright.code.javascript.refactor.precedence import fitted
from forgewright.code.javascript.refactor.signature import Changed, change_signature, used
from forgewright.code.project import Splice
from forgewright.code.scopes.words import kinds
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.refactor.calls import Family
    from forgewright.code.javascript.refactor.mentions import Call
    from forgewright.code.javascript.refactor.parameters import Slot
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.scopes.tree import Node

_CONSTANTS = kinds("number string true false null undefined")
_DEFINED = _CONSTANTS - {"undefined"} | kinds(
    "object array arrow_function function_expression template_string new_expression regex class"
)


def inline_default(
    resolver: JavaScriptResolver, family: Family, which: str | int, *, remove: bool
) -> Changed:
    """Calls that leave a parameter to its default pass it; `remove` takes the default off."""
    slots = slots_of(family.first)
    at = place_of(slots, which, family.name)
    slot = slots[at]
    if slot.default is None or slot.rest:
        raise EditRefused(f"{slot.name or which} of {family.name} has no default", hint="name one that has")
    default = slot.default
    for function in family.functions:
        others = slots_of(function)
        other = others[at].default if at < len(others) else None
        if function.get("body") is not None and (other is None or other.text != default.text):
            raise EditRefused(f"{place(function)} has another default", hint="make them the same first")
    if remove:
        family.only_calls()
    done = Changed()
    for call in sorted(family.calls, key=lambda call: call.node.end - call.node.start):
        splice = _passed(resolver, call, at, default, done, remove=remove)
        if splice is not None:
            done.add(splice)
    if remove:
        for function in family.functions:
            own = slots_of(function)
            if at < len(own):
                done.add(_without(own[at]))
    return done


def _passed(
    resolver: JavaScriptResolver, call: Call, at: int, default: Node, done: Changed, *, remove: bool
) -> Splice | None:
    """The call with the default as its argument; None if it passes one."""
    if call.spread is not None and call.spread <= at:
        raise EditRefused(
            f"the call at {place(call.node)} spreads its arguments", hint="write them out first"
        )
    given = call.given
    if at < len(given) and given[at].type != "undefined":
        if remove and given[at].type not in _DEFINED:
            raise EditRefused(
                f"{given[at].text} at {place(given[at])} may be undefined, and be replaced by the default",
                hint="leave remove: out",
            )
        return None
    _check_visible(resolver, call, default)
    filler: list[Node | str] = [*given[:at], *(["undefined"] * (at - len(given)))]
    entries = [*filler, default.text, *given[at + 1 :]]
    if call.arguments is None:
        return Splice(call.path, call.node.end, call.node.end, f"({', '.join(map(str, entries))})".encode())
    return Listed(call.arguments, done.between).splice([*call.arguments.items[: call.skip], *entries])


def _check_visible(resolver: JavaScriptResolver, call: Call, default: Node) -> None:
    """The names of a default mean the same where it is called."""
    here, there = resolver.program.unit(default.path), resolver.program.unit(call.path)
    for node in default.walk():
        if node.type in ("this", "super", "await_expression", "yield_expression", "meta_property"):
            raise EditRefused(f"the default at {place(default)} says {node.text}", hint="pass it by hand")
        if node.type not in ("identifier", "shorthand_property_identifier") or here is None or there is None:
            continue
        if node in here.decl:
            continue
        meant = nearest(here, node)
        local = meant is not None and meant.scope is not None and meant.scope.node.type in kinds("program")
        found = None
        for scope in there.scope_at(call.node).chain():
            found = scope.table.get(node.text) or (
                scope.entity.real.exports.get(node.text) if scope.entity is not None else None
            )
            if found is not None:
                break
        fine = found is None if meant is None else local and found is not None and found.real is meant
        if not fine:
            raise EditRefused(
                f"{node.text} of the default at {place(default)} means something else at {place(call.node)}",
                hint="pass it by hand there",
            )


def _without(slot: Slot) -> Splice:
    """A parameter without its default; in TypeScript with the type that the default gave it."""
    end = slot.pattern.end
    kind = slot.node.get("type")
    if kind is not None:
        end = kind.end
    guessed = literal_type(slot.default.text) if slot.default is not None and typed(slot.node) else ""
    text = f": {guessed}" if kind is None and guessed else ""
    return Splice(slot.node.path, end, slot.node.end, text.encode())


def inline_parameter(resolver: JavaScriptResolver, family: Family, name: str) -> Changed:
    """A parameter that every call gives the same constant is replaced by it, and removed."""
    function = family.first
    slots = slots_of(function)
    at = place_of(slots, name, family.name)
    slot = slots[at]
    calls = family.only_calls()
    if not slot.name or slot.rest or len(family.functions) > 1 or function.get("body") is None:
        raise EditRefused(
            f"{name} of {family.name} is no plain parameter of one function", hint="inline it by hand"
        )
    if not calls:
        raise EditRefused(f"there are no calls of {family.name}", hint="use (replace-node …)")
    values: dict[str, Node | None] = {}
    for call in calls:
        value = _constant(call, at, slot)
        values[value.text if value is not None else "undefined"] = value
    if len(values) != 1:
        raise EditRefused(
            f"the calls pass different values for {name}: {', '.join(sorted(values))}",
            hint="inline it by hand",
        )
    text, value = next(iter(values.items()))
    puts: list[Splice] = []
    for node in used(resolver, function, slot, slot.pattern):
        puts.append(_put(node, value, text))
    order = [index for index in range(len(slots)) if index != at]
    done = change_signature(resolver, family, order, replaced=at)
    for splice in puts:
        done.add(splice)
    return done


def _constant(call: Call, at: int, slot: Slot) -> Node | None:
    """The constant that a call passes; None for `undefined`. Raises `EditRefused`."""
    if call.spread is not None and call.spread <= at:
        raise EditRefused(
            f"the call at {place(call.node)} spreads its arguments", hint="write them out first"
        )
    value = call.given[at] if at < len(call.given) else None
    if value is None or value.type == "undefined":
        value = slot.default
    inner = value
    if inner is not None and inner.type == "unary_expression" and inner.text[:1] in "-+":
        inner = inner.items[0]
    if inner is not None and inner.type not in _CONSTANTS:
        raise EditRefused(f"{inner.text} at {place(inner)} is no constant", hint="inline it by hand")
    return value


def _put(node: Node, value: Node | None, text: str) -> Splice:
    parent = node.up
    if node.type == "shorthand_property_identifier":
        return Splice(node.path, node.start, node.end, f"{node.text}: {text}".encode())
    target = parent.type in ("assignment_expression", "augmented_assignment_expression", "for_in_statement")
    written = (target and node.field == "left") or parent.type in (
        "update_expression",
        "type_query",
        "type_predicate",
    )
    if written or node.type != "identifier" or parent.type in ("asserts", "array_pattern", "object_pattern"):
        raise EditRefused(f"{node.text} at {place(node)} is more than read", hint="inline what is only read")
    if any(above.type in ("array_pattern", "object_pattern") for above in node.above()):
        raise EditRefused(f"{node.text} at {place(node)} stands in a pattern", hint="inline it by hand")
    shown = fitted(value, node) if value is not None else text
    return Splice(node.path, node.start, node.end, shown.encode())
