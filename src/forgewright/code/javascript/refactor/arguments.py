"""The arguments of a call after the parameters were put into another order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from forgewright.code.javascript.hazards import place
from forgewright.code.javascript.names import FUNCTIONS
from forgewright.code.javascript.refactor.commas import Listed
from forgewright.code.javascript.refactor.parameters import Fresh, Order, Slot
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.refactor.mentions import Call
    from forgewright.code.javascript.refactor.signature import Changed
    from forgewright.code.scopes.tree import Node

_ACTS = frozenset(
    (
        *("assignment_expression", "augmented_assignment_expression", "update_expression"),
        *("await_expression", "yield_expression"),
    )
)
_CALLS = frozenset(("call_expression", "new_expression"))


def rewritten(
    call: Call, order: Order, before: Sequence[Slot], done: Changed, *, give: bool
) -> Splice | None:
    """The splice of one call's arguments; None if they stay."""
    given, spread = call.given, call.spread
    count = len(before)
    rest = bool(before) and before[-1].rest
    if spread is not None and spread < count:
        _check_spread(call, order, spread, count, give=give)
    pieces: list[list[Node | str] | None] = []
    for entry in order:
        if isinstance(entry, Fresh):
            if not give and entry.default is None and not entry.packs:
                raise EditRefused(
                    f"the call at {place(call.node)} has to pass {entry.name}", hint="give default: too"
                )
            text = _packed(entry, given, before, done) if entry.packs else entry.value if give else None
            if text is None and entry.default is None and not entry.packs:
                raise EditRefused(
                    "the new parameter has neither a default nor a value, and there are calls",
                    hint="give default: or value:",
                )
            pieces.append([text] if text is not None else None)
        elif spread is not None and entry > spread:
            continue
        elif (rest and entry == count - 1) or (spread is not None and entry == spread):
            tail = given[entry:]
            pieces.append([*tail] if tail else None)
        else:
            pieces.append([given[entry]] if entry < len(given) else None)
    taken = spread is not None and spread < count
    extra: list[Node] = [] if rest or taken else given[count:]
    while pieces and pieces[-1] is None and not extra:
        pieces.pop()
    entries: list[Node | str] = [
        one for piece in pieces for one in (piece if piece is not None else ["undefined"])
    ]
    entries += extra
    _check_effects(call, order, [*_flat(order, given), *extra], done)
    if call.arguments is None:
        text = ", ".join(str(one) for one in entries)
        return Splice(call.path, call.node.end, call.node.end, f"({text})".encode()) if entries else None
    return Listed(call.arguments, done.between).splice([*call.arguments.items[: call.skip], *entries])


def _packed(fresh: Fresh, given: Sequence[Node], before: Sequence[Slot], done: Changed) -> str | None:
    """An object literal of the arguments that become one."""
    parts = []
    for index, key in fresh.packs:
        if index < len(given):
            text = done.text(given[index])
            if text == "undefined" and before[index].default is not None:
                continue
            parts.append(key if text == key else f"{key}: {text}")
    if not parts:
        return None if fresh.default is not None else "{}"
    return "{ " + ", ".join(parts) + " }"


def _check_spread(call: Call, order: Order, spread: int, count: int, *, give: bool) -> None:
    """What an argument list spreads has to stay together, and last."""
    tail = list(range(spread, count))
    fine = len(order) >= len(tail) and list(order[len(order) - len(tail) :]) == tail
    packed = any(isinstance(one, Fresh) and any(i >= spread for i, _ in one.packs) for one in order)
    if not fine or packed:
        raise EditRefused(
            f"the call at {place(call.node)} spreads its arguments", hint="write them out first"
        )


def _flat(order: Order, given: Sequence[Node]) -> list[Node]:
    """The arguments that are kept, in the order in which they are computed."""
    places = [
        index
        for one in order
        for index in ([one] if isinstance(one, int) else [place for place, _ in one.packs])
    ]
    found = [given[index] for index in places if index < len(given)]
    spread = next((i for i, one in enumerate(given) if one.type == "spread_element"), len(given))
    return found + [one for one in given[spread:] if one not in found]


def _check_effects(call: Call, order: Order, kept: list[Node], done: Changed) -> None:
    """Arguments that act are not left out or put in another order unnoticed."""
    for node in call.given:
        if node in kept:
            continue
        if acts(node, _ACTS):
            raise EditRefused(
                f"the argument {node.text} at {place(node)} does something, and would be left out",
                hint="move that out of the call first",
            )
        if acts(node, _CALLS):
            done.notes.append(f"{node.text.splitlines()[0]} at {place(node)} is not called any more")
    ordered = [(node.start, node) for node in kept]
    for at, (start, node) in enumerate(ordered):
        for other_start, other in ordered[at + 1 :]:
            if other_start > start:
                continue
            if (acts(node, _ACTS) and _looks(other)) or (acts(other, _ACTS) and _looks(node)):
                raise EditRefused(
                    f"the arguments at {place(call.node)} would be computed in another order",
                    hint="move what they do out of the call first",
                )
            if acts(node, _CALLS) and acts(other, _CALLS):
                done.notes.append(f"the arguments at {place(call.node)} are computed in another order")


def acts(node: Node, kinds: frozenset[str]) -> bool:
    """Whether computing an expression does one of these things; what functions in it do does not count."""
    stack = [node]
    while stack:
        current = stack.pop()
        if current.type in kinds:
            return True
        if current.type not in FUNCTIONS:
            stack.extend(current.children)
    return False


def _looks(node: Node) -> bool:
    """Whether an expression is more than a constant or a function."""
    return (
        node.type not in ("number", "string", "true", "false", "null", "undefined")
        and node.type not in FUNCTIONS
    )
