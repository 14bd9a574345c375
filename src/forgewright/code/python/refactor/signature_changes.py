"""The changes that a signature can have: each turns a list of slots into another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from forgewright.code.python.refactor.arguments import Slot, Slots
from forgewright.code.python.refactor.signature import Change
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    pass


def adding(
    name: str,
    index: int | None,
    *,
    default: str | None,
    value: str | None,
    annotation: str | None,
    keyword_only: bool,
) -> Change:
    """A new parameter at `index` (None: last before `**kwargs` and keyword-only ones; after `*args` to be named)."""

    def change(slots: Slots) -> Slots:
        text = name + (f": {annotation}" if annotation else "")
        if default is not None:
            text += f" = {default}" if annotation else f"={default}"
        kind = "keyword" if keyword_only else "normal"
        slot = Slot(name, kind, text, default is not None, value, True)
        at = index
        if at is None:
            # Before `*args` it would take what the calls pass to that.
            starred = any(s.kind == "star" for s in slots)
            stop = ("kwargs",) if keyword_only or starred else ("keyword", "kwargs")
            at = next((i for i, s in enumerate(slots) if s.kind in stop), len(slots))
        if not 0 <= at <= len(slots):
            raise EditRefused(f"there is no place {at} among {len(slots)} parameters", hint="count from 0")
        if at < len(slots) and slots[at].kind == "positional":
            slot = Slot(name, "positional", text, default is not None, value, True)
        if at and slots[at - 1].kind in ("star", "keyword"):
            slot = Slot(name, "keyword", text, default is not None, value, True)
        return [*slots[:at], slot, *slots[at:]]

    return change


def removing(which: str | int) -> Change:
    def change(slots: Slots) -> Slots:
        left = [s for i, s in enumerate(slots) if which not in (i, s.name, s.text)]
        if len(left) == len(slots):
            raise EditRefused(
                f"there is no parameter {which}",
                hint=f"the parameters are {', '.join(s.name for s in slots)}",
            )
        return left

    return change


def reordering(order: list[int] | list[str], autodefault: str | None = None) -> Change:
    """The parameters in another order: indexes or names; those not named stay behind."""

    def change(slots: Slots) -> Slots:
        names = [slot.name for slot in slots]
        numbers = [
            (names.index(one) if one in names else -1) if isinstance(one, str) else one for one in order
        ]
        if any(not 0 <= i < len(slots) for i in numbers) or len(set(numbers)) != len(numbers):
            raise EditRefused(
                "the new order names other parameters", hint=f"the parameters are {', '.join(names)}"
            )
        rest = [i for i in range(len(slots)) if i not in numbers]
        new = [
            slots[i]
            for i in (
                numbers + rest
                if sorted(numbers) == list(range(len(numbers)))
                else _placed(numbers, len(slots))
            )
        ]
        default = False
        found: Slots = []
        for slot in new:
            if (
                default
                and slot.kind in ("positional", "normal")
                and not slot.has_default
                and autodefault is not None
            ):
                joint = " = " if ":" in slot.text else "="
                slot = msgspec.structs.replace(
                    slot, text=f"{slot.text}{joint}{autodefault}", has_default=True
                )
            default = default or (slot.has_default and slot.kind in ("positional", "normal"))
            found.append(slot)
        return found

    return change


def _placed(order: list[int], count: int) -> list[int]:
    """The named ones in their new order at the places that they took before."""
    places = iter(order)
    wanted = set(order)
    return [next(places) if i in wanted else i for i in range(count)]


def keyword_only(names: list[str]) -> Change:
    def change(slots: Slots) -> Slots:
        wanted = set(names)
        missing = wanted - {s.name for s in slots if s.kind in ("normal", "keyword")}
        if missing:
            raise EditRefused(
                f"there is no parameter {', '.join(sorted(missing))}", hint="name plain parameters"
            )
        front = [s for s in slots if s.name not in wanted and s.kind in ("positional", "normal", "star")]
        moved = [msgspec.structs.replace(s, kind="keyword") for s in slots if s.name in wanted]
        rest = [s for s in slots if s.name not in wanted and s.kind in ("keyword", "kwargs")]
        tail = [s for s in rest if s.kind == "kwargs"]
        return [*front, *moved, *(s for s in rest if s.kind == "keyword"), *tail]

    return change
