"""The arguments of one call, written anew for a changed list of parameters."""

from __future__ import annotations

from typing import Literal

import msgspec

from forgewright.code.project import Splice
from forgewright.code.python.refactor.calls import Argument, Call, match
from forgewright.code.python.refactor.effects import acts, moves_past
from forgewright.code.python.scopes import Parameter
from forgewright.core.errors import EditRefused

Style = Literal["keep", "positional", "keywords"]


class Slot(msgspec.Struct, frozen=True):
    """One parameter of the new signature."""

    name: str
    kind: str
    """`positional`, `normal`, `star`, `keyword` or `kwargs`."""
    text: str
    """As written in the definition, with annotation and default."""
    has_default: bool = False
    value: str | None = None
    """Of a new parameter: what calls pass."""
    new: bool = False


Slots = list[Slot]
ORDER = {"positional": 0, "normal": 1, "star": 2, "keyword": 3, "kwargs": 4}


def rewrite(
    call: Call, old: list[Parameter], slots: Slots, style: Style, *, give: bool = True, receiver: str = ""
) -> Splice | None:
    """The splice of one call's arguments; None if they stay."""
    parameters = list(old)
    wanted = list(slots)
    if call.bound and parameters:
        first = parameters.pop(0)
        wanted = [slot for slot in wanted if slot.name != first.name]
    given, extra = match(parameters, call.arguments)
    unpacked = [argument for argument in extra if argument.star]
    values: dict[str, str] = {name: argument.text for name, argument in given.items()}
    added = [slot for slot in wanted if slot.new and slot.value is not None and give]
    for slot in added:
        values[slot.name] = slot.value or ""
    if any(
        slot.new and slot.value is None and not slot.has_default
        for slot in wanted
        if slot.kind not in ("star", "kwargs")
    ):
        raise EditRefused(
            "the new parameter has neither a default nor a value, and there are calls",
            hint="give default: or value:",
        )
    new_names = [slot.name for slot in wanted]
    star = next((index for index, slot in enumerate(wanted) if slot.kind == "star"), 0)
    if any(not a.name and not a.star for a in extra) and any(
        slot.new and slot.name not in values for slot in wanted[:star]
    ):
        raise EditRefused(
            f"a call in {call.file.path} passes more arguments than there are names, which the new one would take",
            hint="make it keyword_only: true, or give value: too",
        )
    if unpacked:
        before = [p.name for p in parameters]
        if [n for n in new_names if n in before] != before or (
            added and any(a.star == "*" for a in unpacked)
        ):
            raise EditRefused(
                f"a call in {call.file.path} unpacks its arguments", hint="write its arguments out first"
            )
    text = written(wanted, given, values, extra, style, receiver)
    arguments = call.argument_list()
    now = ", ".join(argument.written() for argument in call.arguments)
    if text == now:
        return None
    text = _in_order(call, parameters, wanted, values, extra, text)
    for name, argument in given.items():
        if name not in new_names and argument.text not in text:
            _check_dropped(call, argument, name)
    if arguments.type != "argument_list":
        return Splice(call.file.path, arguments.start_byte, arguments.end_byte, f"({text})".encode())
    return Splice(call.file.path, arguments.start_byte + 1, arguments.end_byte - 1, text.encode())


def _check_dropped(call: Call, argument: Argument, name: str) -> None:
    """Refuse to take an argument away that does something."""
    if acts(call.file, argument.value):
        raise EditRefused(
            f"a call in {call.file.path} computes {argument.text[:40]} for {name}, which may do something",
            hint="take that out of the call first",
        )


def _in_order(
    call: Call,
    parameters: list[Parameter],
    slots: Slots,
    values: dict[str, str],
    extra: list[Argument],
    text: str,
) -> str:
    """The arguments such that what does something is computed in the order in which it was."""
    file = call.file
    before = [argument for argument in call.arguments if argument.written() in text or argument.text in text]
    for index, first in enumerate(before):
        for second in before[index + 1 :]:
            if moves_past(file, first.value, second.value) is None or first.text == second.text:
                continue
            if text.rfind(second.text) < text.find(first.text):
                return _named(call, parameters, slots, values, extra)
    return text


def _named(
    call: Call, parameters: list[Parameter], slots: Slots, values: dict[str, str], extra: list[Argument]
) -> str:
    """All arguments by name, in the order in which they stand at the call."""
    given, _ = match(parameters, call.arguments)
    order = {
        name: index
        for index, argument in enumerate(call.arguments)
        for name, a in given.items()
        if a is argument
    }
    kinds = {slot.name: slot.kind for slot in slots}
    values = {name: value for name, value in values.items() if name in kinds}
    if extra or any(kinds[name] not in ("normal", "keyword") for name in values):
        raise EditRefused(
            f"a call in {call.file.path} computes its arguments in an order that would change",
            hint="give them names before the call first",
        )
    names = sorted(values, key=lambda name: order.get(name, len(order)))
    return ", ".join(f"{name}={values[name]}" for name in names)


def written(
    slots: Slots,
    given: dict[str, Argument],
    values: dict[str, str],
    extra: list[Argument],
    style: Style,
    receiver: str = "",
) -> str:
    """The arguments of a call in the new signature."""
    kept_extra = list(extra)
    stars = {slot.kind for slot in slots}
    if "star" not in stars:
        kept_extra = [a for a in kept_extra if a.name or a.star]
    if "kwargs" not in stars:
        kept_extra = [a for a in kept_extra if not a.name]
    loose = [a for a in kept_extra if not a.name and a.star != "**"]
    positional: list[str] = []
    keywords: list[tuple[int, str]] = []
    gap = style == "keywords"
    order = {name: index for index, name in enumerate(given)}
    for index, slot in enumerate(slots):
        if slot.kind in ("star", "kwargs"):
            continue
        if slot.name not in values:
            gap = True
            continue
        if receiver and index == 0 and slot.name == receiver:
            positional.append(values[slot.name])
            continue
        argument = given.get(slot.name)
        named = argument is not None and bool(argument.name)
        keep = style == "keep" and named
        behind = named and any(a.star for a in loose)
        if slot.kind == "keyword" or behind or (slot.kind == "normal" and (gap or keep) and not loose):
            position = order.get(slot.name, index) if style == "keep" else index
            keywords.append((position, f"{slot.name}={values[slot.name]}"))
            gap = True
        else:
            positional.append(values[slot.name])
    parts = positional + [a.written() for a in loose]
    rest = [(order.get(a.name, 1000), a.written()) for a in kept_extra if a.name]
    if style == "keep":
        new = [(1000 + i, t) for i, (_, t) in enumerate(keywords) if t.partition("=")[0] not in given]
        old = [(p, t) for p, t in keywords if t.partition("=")[0] in given]
        parts += [text for _, text in sorted(old)] + [t for _, t in rest] + [t for _, t in new]
    else:
        parts += [text for _, text in keywords] + [t for _, t in rest]
    parts += [a.written() for a in kept_extra if a.star == "**"]
    return ", ".join(parts)
