"""Change a function's parameters, and every call of it with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from forgewright.code.binding import Occurrence
from forgewright.code.project import Splice
from forgewright.code.python.keys import Key
from forgewright.code.python.refactor.arguments import ORDER, Slot, Slots, Style, rewrite
from forgewright.code.python.refactor.callers import check_decorated, check_made, is_exception, made_elsewhere
from forgewright.code.python.refactor.calls import (
    CONSTRUCTORS,
    Call,
    call_at,
    function_keys,
    places_of,
)
from forgewright.code.python.refactor.dispatch import from_outside, replaced
from forgewright.code.python.refactor.listed import check_frames
from forgewright.code.python.refactor.text import indent_at, newline
from forgewright.code.python.scopes import Scope
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.python.resolver import PythonResolver


Change = Callable[[Slots], Slots]


def slots_of(function: Scope) -> Slots:
    """The parameters as they are."""
    found: Slots = []
    for parameter in function.parameters:
        text = function.file.text(parameter.node)
        found.append(Slot(parameter.name, parameter.kind, text, parameter.default is not None))
    return found


def function_at(resolver: PythonResolver, path: str, offset: int) -> Scope:
    """The function whose name (or, for a class, whose construction) is at a byte. Raises `EditRefused`."""
    keys, name = resolver.keys_at(path, offset)
    for key in keys:
        if key.is_module:
            continue
        for site in reversed(resolver.identity.sites(key)):
            if site.kind == "function" and site.scope is not None:
                return site.scope
            if site.kind == "class" and site.scope is not None:
                owner = resolver.types.owner(site.scope, "__init__")
                inner = owner.bindings["__init__"].sites[-1].scope if owner is not None else None
                if inner is not None:
                    return inner
    raise EditRefused(
        f"{name or 'this place'} names no function of the project", hint="point at a function's name"
    )


def family(resolver: PythonResolver, function: Scope) -> list[Scope]:
    """The function with all that override it or are overridden by it, and its overloads."""
    keys = function_keys(resolver, function)
    whole = keys
    if function.method_of is not None:
        release = resolver.release if function.name not in CONSTRUCTORS else lambda: None
        whole = resolver.finder.family(keys, function.name, release)
    found: list[Scope] = []
    for key in sorted(whole):
        for site in resolver.identity.sites(Key(*key)):
            if site.kind == "function" and site.scope is not None and site.scope not in found:
                found.append(site.scope)
    return found or [function]


def change_signature(
    resolver: PythonResolver,
    function: Scope,
    change: Change,
    *,
    style: Style = "keep",
    hierarchy: bool = True,
    chosen: Callable[[Call], bool] | None = None,
) -> list[Splice]:
    """Apply `change` to the parameters; calls follow. `chosen` limits the calls that get a new value."""
    double = replaced(resolver, function) if style != "keep" else None
    if double is not None:
        raise EditRefused(
            f"something else is put in the place of {function.name} at {double}, which may take other names",
            hint="leave the calls as they are",
        )
    if function.name in CONSTRUCTORS:
        return _changed(resolver, function, change, style, hierarchy, chosen)
    with resolver.focused(function.name, *(parameter.name for parameter in function.parameters)):
        return _changed(resolver, function, change, style, hierarchy, chosen)


def _changed(
    resolver: PythonResolver,
    function: Scope,
    change: Change,
    style: Style,
    hierarchy: bool,
    chosen: Callable[[Call], bool] | None,
) -> list[Splice]:
    """Scopes are held from one file to the next here, but never compared but by what they say."""
    members = family(resolver, function) if hierarchy else [function]
    found: list[Splice] = []
    before = slots_of(function)
    after = change(list(before))
    check(function.name, after)
    seen: set[tuple[str, int]] = set()
    for member in members:
        own = slots_of(member)
        _check_member(resolver, member, own, change, style)
        if member is not function and [s.name for s in own] != [s.name for s in before]:
            raise EditRefused(
                f"{member.dotted()} in {member.file.path} has other parameters",
                hint="change one of them first, or hierarchy: false",
            )
        renewed = after if member is function else change(list(own))
        check_unused(member, renewed)
        found += definition(member, renewed)
        failed: EditRefused | None = None
        for place in places_of(resolver, member):
            resolver.release()
            if place.role == "import":
                if _shifts(before, after):
                    _check_alias(resolver, place)
                continue
            call = call_at(resolver, place, member) if place.certain else None
            if call is None:
                if _shifts(before, after):
                    _check_other(resolver, member, place)
                    if member.name in CONSTRUCTORS and made_elsewhere(resolver.file(place.path), place):
                        raise _handed_away(resolver, member, place)
                continue
            at = (call.file.path, call.node.start_byte)
            if at in seen or failed is not None:
                continue
            seen.add(at)
            wanted = chosen is None or chosen(call)
            try:
                splice = rewrite(
                    call, member.parameters, renewed, style, give=wanted, receiver=member.self_name
                )
            except EditRefused as refused:
                failed = refused
                continue
            if splice is not None:
                found.append(splice)
        _check_dispatch(resolver, member, before, after)
        if failed is not None:
            raise failed
    return found


def _check_alias(resolver: PythonResolver, place: Occurrence) -> None:
    """Refuse where calls by another name would be left as they are."""
    file = resolver.file(place.path)
    for entry in file.imported.get(file.data[place.start : place.end].decode(), ()):
        if entry.start == place.start and entry.alias is not None:
            raise EditRefused(
                f"{file.text(entry.node)} in {place.path}:{_row(resolver, place)} gives it another name",
                hint="import it under its own name there first",
            )


def _check_other(resolver: PythonResolver, function: Scope, place: Occurrence) -> None:
    """Refuse where a function whose calls change is named otherwise than in a call that is known."""
    if not place.certain:
        raise EditRefused(
            f"a call in {place.path} may be of {function.name} ({place.note})",
            hint="make its type known first",
        )
    if _handed_on(function, place):
        raise _handed_away(resolver, function, place)


def _handed_away(resolver: PythonResolver, function: Scope, place: Occurrence) -> EditRefused:
    name = function.name if function.method_of is None else function.dotted()
    return EditRefused(
        f"{name} is handed on in {place.path}:{_row(resolver, place)}, and called from there",
        hint="give a new parameter a default and the last place, or change that place first",
    )


def _check_member(
    resolver: PythonResolver, function: Scope, before: Slots, change: Change, style: Style
) -> None:
    """Refuse what would not be noticed at the calls that are seen."""
    after = change(list(before))
    names = [slot.name for slot in after]
    word = function.self_name
    if word and before and before[0].name == word and names[:1] != [word]:
        raise EditRefused(f"{word} is what {function.name} is called on", hint="leave it in the first place")
    if names != [slot.name for slot in before]:
        check_frames(function.file, function, "its parameters")
    for slot in after:
        if slot.new:
            _check_read(function, slot.name)
    shifted = _shifts(before, after)
    if shifted or style != "keep":
        check_decorated(resolver, function)
        owner = function.method_of
        if owner is not None and _keeps_arguments(resolver, owner, function, shifted):
            raise EditRefused(
                f"{owner.name} is an exception: what it is made with by position stays in its args",
                hint="change it by hand",
            )
    if shifted:
        check_made(resolver, function)


def _keeps_arguments(resolver: PythonResolver, owner: Scope, function: Scope, shifted: bool) -> bool:
    """Whether an exception keeps what it was made with by position: to be shown, or copied with it."""
    body = function.node.child_by_field_name("body")
    says = body is not None and ".__init__(" in function.file.text(body)
    return function.name in CONSTRUCTORS and is_exception(resolver, owner) and (shifted or not says)


def _check_read(function: Scope, name: str) -> None:
    """Refuse a new parameter that would take the place of what the body means by its name."""
    file, node = function.file, function.node
    body = node.child_by_field_name("body")
    for ref in file.names.get(name, ()):
        if body is not None and body.start_byte <= ref.start < body.end_byte:
            found = file.lookup(ref.scope, name, ref.start)
            if found is None or not node.start_byte < found.scope.node.start_byte + 1 <= node.end_byte:
                raise EditRefused(
                    f"{function.name} already means something by {name}", hint="choose another name"
                )


def _handed_on(function: Scope, place: Occurrence) -> bool:
    """Whether a place uses a function as a value; a class's name is no use of its `__init__`."""
    return place.role == "reference" and function.name not in CONSTRUCTORS


def _row(resolver: PythonResolver, place: Occurrence) -> int:
    return resolver.file(place.path).data.count(b"\n", 0, place.start) + 1


def _check_dispatch(resolver: PythonResolver, function: Scope, before: Slots, after: Slots) -> None:
    """Refuse where the calls that are not seen, by a name put together at run time, would break."""
    if not _shifts(before, after):
        return
    caller = from_outside(resolver, function)
    if function.name == "__call__":
        caller = "whoever calls the object"
    if caller is not None:
        raise EditRefused(
            f"{function.name} is called by {caller}",
            hint="give a new parameter a default and the last place, or change that place first",
        )


def check_unused(function: Scope, slots: Slots) -> None:
    """Refuse to remove a parameter that the body uses."""
    left = {slot.name for slot in slots}
    for parameter in function.parameters:
        if parameter.name in left:
            continue
        binding = function.bindings[parameter.name]
        for ref in function.file.names.get(parameter.name, ()):
            if function.file.lookup(ref.scope, parameter.name, ref.start) is binding:
                row = function.file.data.count(b"\n", 0, ref.start) + 1
                raise EditRefused(
                    f"{parameter.name} is used in {function.file.path}:{row}", hint="remove the uses first"
                )


def _shifts(before: Slots, after: Slots) -> bool:
    """Whether calls that stay as they are would change their meaning."""
    kept = [(slot.name, slot.kind) for slot in after if not slot.new or not slot.has_default]
    if kept != [(slot.name, slot.kind) for slot in before]:
        return True
    for index, slot in enumerate(after):
        behind = [other for other in after[index + 1 :] if not other.new]
        if slot.new and slot.kind != "keyword" and any(o.kind not in ("keyword", "kwargs") for o in behind):
            return True
    return False


def check(name: str, slots: Slots) -> None:
    """Refuse a signature that Python would."""
    seen: set[str] = set()
    default = False
    ranks = [ORDER[slot.kind] for slot in slots]
    if ranks != sorted(ranks):
        raise EditRefused(
            f"{name} would have its parameters in an order that Python does not allow",
            hint="plain ones first, then *args, keyword-only ones, and **kwargs last",
        )
    for slot in slots:
        if slot.name in seen:
            raise EditRefused(f"{name} already has a parameter {slot.name}", hint="choose another name")
        seen.add(slot.name)
        if slot.kind in ("positional", "normal"):
            if default and not slot.has_default:
                raise EditRefused(
                    f"{slot.name} has no default, but follows one that has",
                    hint="give it a default, or another place",
                )
            default = default or slot.has_default


# the definition -------------------------------------------------------------------------------


def definition(function: Scope, slots: Slots) -> list[Splice]:
    """The splices of the parameter list."""
    node = function.node.child_by_field_name("parameters")
    assert node is not None
    file, data = function.file, function.file.data
    old = slots_of(function)
    if [(s.name, s.text, s.kind) for s in old] == [(s.name, s.text, s.kind) for s in slots]:
        return []
    if len(old) == len(slots) and [s.kind for s in old] == [s.kind for s in slots]:
        return [
            Splice(file.path, p.node.start_byte, p.node.end_byte, slot.text.encode())
            for p, slot in zip(function.parameters, slots, strict=True)
            if file.text(p.node) != slot.text
        ]
    parts: list[str] = []
    kinds = [slot.kind for slot in slots]
    starred = False
    for index, slot in enumerate(slots):
        if slot.kind == "keyword" and not starred:
            parts.append("*")
            starred = True
        starred |= slot.kind == "star"
        parts.append(slot.text)
        if slot.kind == "positional" and "positional" not in kinds[index + 1 :]:
            parts.append("/")
    inner = data[node.start_byte + 1 : node.end_byte - 1]
    rows = {p.node.start_point[0] for p in function.parameters}
    if b"\n" in inner and len(rows) == len(function.parameters) and len(rows) > 1 and inner[:1].isspace():
        indent = indent_at(data, function.parameters[0].node.start_byte).decode()
        end = newline(data).decode()
        comma = "," if inner.rstrip().endswith(b",") else ""
        tail = inner[len(inner.rstrip()) :].decode()
        text = f"({end}{indent}" + f",{end}{indent}".join(parts) + comma + (tail if tail else "") + ")"
    else:
        text = "(" + ", ".join(parts) + ")"
    return [Splice(file.path, node.start_byte, node.end_byte, text.encode())]
