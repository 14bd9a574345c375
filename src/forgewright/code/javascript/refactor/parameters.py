"""The parameters of a function by their places, and the orders into which they can be put."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from forgewright.code.javascript.hazards import place
from forgewright.code.javascript.names import is_identifier, parameters, pattern_of
from forgewright.code.languages import parse
from forgewright.code.scopes.tree import Node, mirror
from forgewright.core.errors import EditRefused

_NUMBER = re.compile(r"-?\d[\d_.eE]*")


class Slot(msgspec.Struct, frozen=True, eq=False):
    """One parameter as it is declared."""

    node: Node
    name: str
    """Empty for a pattern."""
    rest: bool
    optional: bool
    """Marked `?`."""
    default: Node | None

    @property
    def pattern(self) -> Node:
        return pattern_of(self.node)


class Fresh(msgspec.Struct, frozen=True):
    """A new parameter, at its place in the new order."""

    name: str
    type: str = ""
    default: str | None = None
    value: str | None = None
    """What calls pass."""
    packs: tuple[tuple[int, str], ...] = ()
    """Places of the old parameters whose arguments are packed into an object, with their keys."""


Order = Sequence[int | Fresh]
"""The new list: places in the old one, and new parameters."""


def this_of(function: Node) -> Node | None:
    """TypeScript's `this` parameter, which calls do not pass."""
    first = parameters(function)[:1]
    return first[0] if first and pattern_of(first[0]).type == "this" else None


def slots_of(function: Node) -> list[Slot]:
    """The parameters that calls pass, in order."""
    found = []
    for node in parameters(function):
        pattern = pattern_of(node)
        if pattern.type == "this":
            continue
        rest = pattern.type == "rest_pattern"
        inner = pattern.items[0] if rest and pattern.items else pattern
        default = node.get("value") or (node.get("right") if node.type == "assignment_pattern" else None)
        name = inner.text if inner.type in ("identifier", "undefined") else ""
        found.append(Slot(node, name, rest, node.type == "optional_parameter", default))
    return found


def place_of(slots: Sequence[Slot], which: str | int, function: str) -> int:
    """The index of a parameter by its name or its place. Raises `EditRefused`."""
    for index, slot in enumerate(slots):
        if which == index or (which and which in (slot.name, slot.pattern.text)):
            return index
    names = ", ".join(slot.name or slot.pattern.text for slot in slots) or "none"
    raise EditRefused(f"{function} has no parameter {which}", hint=f"the parameters are {names}")


def typed(node: Node) -> bool:
    """Whether a function stands in TypeScript."""
    return not node.path.endswith((".js", ".jsx", ".mjs", ".cjs"))


def written(function: Node, fresh: Fresh, *, last: bool = True) -> str:
    """A new parameter as this declaration writes it. `last`: no required one follows, so it may be marked `?`."""
    name = fresh.name
    if fresh.packs and (function.get("body") is not None or not typed(function)):
        name = pattern_text(slots_of(function), fresh)
    if not typed(function):
        return name + (f" = {fresh.default}" if fresh.default is not None else "")
    kind = fresh.type
    if function.get("body") is None:
        kind = kind or literal_type(fresh.default if fresh.default is not None else fresh.value)
        mark = "?" if fresh.default is not None and last else ""
        if fresh.default is not None and not last and kind:
            kind += " | undefined"
        return name + mark + (f": {kind}" if kind else "")
    text = name + (f": {kind}" if kind else "")
    if not kind and fresh.default is None:
        kind = literal_type(fresh.value)
        text = name + (f": {kind}" if kind else "")
    return text + (f" = {fresh.default}" if fresh.default is not None else "")


def pattern_text(slots: Sequence[Slot], fresh: Fresh) -> str:
    """An object pattern of the parameters that become one, with their own names and defaults."""
    parts = []
    for index, key in fresh.packs:
        if index >= len(slots):
            continue
        slot = slots[index]
        part = key if slot.name == key else f"{key}: {slot.pattern.text}"
        parts.append(part + (f" = {slot.default.text}" if slot.default is not None else ""))
    return "{ " + ", ".join(parts) + " }" if parts else "{}"


def literal_type(text: str | None) -> str:
    """The type of a literal; empty where it is none."""
    text = (text or "").strip()
    if text in ("true", "false"):
        return "boolean"
    if _NUMBER.fullmatch(text):
        return "number"
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\"`" and text[0] not in text[1:-1]
    return "string" if quoted else ""


def check_name(name: str) -> None:
    if not is_identifier(name) or name.startswith("#"):
        raise EditRefused(
            f"expected an identifier as the parameter's name, found {name!r}",
            hint="use letters, digits, _ and $",
        )


def expression(text: str, what: str, path: str) -> Node:
    """A piece of code as one expression that can stand between commas. Raises `EditRefused`."""
    language = "tsx" if path.endswith(("x", ".js")) else "typescript"
    data = f"f({text})".encode()
    root = mirror(parse(language, data), path, data)
    found = root.items[0].items[0] if root.items and root.items[0].items else root
    arguments = found.get("arguments")
    fine = found.type == "call_expression" and arguments is not None and len(arguments.items) == 1
    if not fine or arguments is None or root.items[1:] or any(n.type == "ERROR" for n in root.walk()):
        raise EditRefused(
            f"expected one expression as {what}, found {text!r}", hint="write it as an argument is"
        )
    one = arguments.items[0]
    if (
        one.type == "spread_element"
        or found.end != len(data)
        or any(n.type == "comment" for n in root.walk())
    ):
        raise EditRefused(
            f"expected one expression as {what}, found {text!r}", hint="write it as an argument is"
        )
    return one


def check_type(text: str, path: str) -> None:
    """Refuse what is no type."""
    data = f"type _ = {text};".encode()
    root = mirror(parse("typescript", data), path, data)
    fine = len(root.items) == 1 and root.items[0].type == "type_alias_declaration"
    if not fine or any(node.type == "ERROR" for node in root.walk()) or "//" in text:
        raise EditRefused(f"expected a type, found {text!r}", hint="write it as it stands behind the colon")


def adding(slots: Sequence[Slot], fresh: Fresh, index: int | None, function: str) -> list[int | Fresh]:
    """The order with a new parameter at `index` (None: last, before `...rest`)."""
    if any(slot.name == fresh.name for slot in slots):
        raise EditRefused(f"{function} already has a parameter {fresh.name}", hint="choose another name")
    last = len(slots) - (1 if slots and slots[-1].rest else 0)
    at = last if index is None else index
    if not 0 <= at <= len(slots):
        raise EditRefused(f"there is no place {at} among {len(slots)} parameters", hint="count from 0")
    if at > last:
        raise EditRefused(f"nothing can follow ...{slots[-1].name}", hint=f"give an index up to {last}")
    order: list[int | Fresh] = list(range(len(slots)))
    order.insert(at, fresh)
    return order


def reordering(slots: Sequence[Slot], names: Sequence[str], function: str) -> list[int | Fresh]:
    """The named parameters in their new order at the places that they took before."""
    wanted = [place_of(slots, name, function) for name in names]
    if len(set(wanted)) != len(wanted):
        raise EditRefused("the new order names a parameter twice", hint="name each once")
    places = sorted(wanted)
    order = list(range(len(slots)))
    for at, old in zip(places, wanted, strict=True):
        order[at] = old
    for at, old in enumerate(order):
        if slots[old].rest and at != len(slots) - 1:
            raise EditRefused(f"...{slots[old].name} has to stay last", hint="leave it out of the order")
    return list(order)


def check_order(function: Node, order: Order, slots: Sequence[Slot]) -> None:
    """Refuse a list in which a required parameter follows one marked `?`, or a default names a later one."""
    optional = ""
    for at, entry in enumerate(order):
        slot = slots[entry] if isinstance(entry, int) else None
        if slot is not None and slot.optional:
            optional = optional or slot.name
            continue
        required = slot.default is None and not slot.rest if slot is not None else _required(function, entry)
        if required and optional:
            name = (slot.name or slot.pattern.text) if slot is not None else getattr(entry, "name", "")
            raise EditRefused(
                f"{name} is required, but would follow {optional}?",
                hint="give it a default, or another place",
            )
        default = slot.default if slot is not None else None
        if default is None:
            continue
        later = {slots[one].name for one in order[at + 1 :] if isinstance(one, int)} - {""}
        for node in default.walk():
            if node.type in ("identifier", "shorthand_property_identifier") and node.text in later:
                raise EditRefused(
                    f"the default at {place(node)} reads {node.text}, which would come after it",
                    hint="choose another order",
                )


def _required(function: Node, entry: int | Fresh) -> bool:
    return isinstance(entry, Fresh) and entry.default is None
