"""When a local name may live in its object, and when a field may hide behind methods."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.python.refactor.closed import check_open, is_made
from forgewright.code.python.refactor.dispatch import from_outside
from forgewright.code.python.refactor.families import below, gone_through, has
from forgewright.code.python.refactor.frames import check_names
from forgewright.code.python.refactor.registering import SPECIAL
from forgewright.code.python.values import ClassValue, External
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.binding import Occurrence
    from forgewright.code.python.resolver import PythonResolver
    from forgewright.code.python.scopes import Scope

HOOKS = ("__getattr__", "__getattribute__", "__setattr__", "__delattr__")
REACHED_MAX = 200


def check_field(resolver: PythonResolver, function: Scope, name: str) -> None:
    """Refuse where one call's value would be another call's too, or where the object's new attribute is noticed."""
    cls = function.method_of
    assert cls is not None
    if function.yields or function.is_async:
        raise EditRefused(
            f"{function.name} is a generator or async: several calls of it run at a time",
            hint="use a plain method",
        )
    check_names(function.file, function.node, function.name)
    binding = function.bindings[name]
    for ref in function.file.names.get(name, ()):
        if function.file.lookup(ref.scope, name, ref.start) is binding and ref.scope.kind not in (
            "function", "comprehension"
        ):  # fmt: skip
            raise EditRefused(f"a function within {function.name} keeps {name}", hint="leave it a variable")
        if ref.scope is not function and function.file.lookup(ref.scope, name, ref.start) is binding:
            if ref.scope.kind == "function" or ref.scope.node.type == "generator_expression":
                raise EditRefused(
                    f"a function within {function.name} keeps {name}", hint="leave it a variable"
                )
    if len(function.bindings[function.self_name].sites) > 1:
        raise EditRefused(f"{function.self_name} is set anew in {function.name}", hint="rename that first")
    again = _comes_back(resolver, function)
    if again is not None:
        raise EditRefused(
            f"{function.name} may be called again before it ends, by {again}", hint="leave it a variable"
        )
    order, _ = resolver.types.mro(cls)
    family = [*order, *below(resolver, cls)]
    for one in family:
        check_open(one)
        if has(one, name):
            raise EditRefused(f"{one.name} has another {name}", hint="rename the variable first")
        for hook in HOOKS:
            if hook in one.bindings:
                raise EditRefused(f"{one.name} has {hook}, which would notice it", hint="leave it a variable")
        for base in one.bases:
            values = resolver.types.infer(base, one.parent or one)
            if not values or any(_may_have(value, name) for value in values):
                raise EditRefused(
                    f"{one.file.text(base)} may have a {name} of its own",
                    hint="choose a class whose bases are known",
                )
    seen = gone_through(resolver, family, objects=True)
    if seen is not None:
        raise EditRefused(f"{seen} goes through an object's attributes", hint="leave it a variable")
    word = re.escape(name.encode())
    stored = re.compile(rb"\." + word + rb"\b[^\n]*=|[\"']" + word + rb"[\"']|\b(?:del|for)\b[^\n]*\." + word)
    for path in resolver.project.containing(name.encode(), "python"):
        if stored.search(resolver.project.source(path).data) is None:
            continue
        file = resolver.file(path)
        for entry in file.attributes.get(name, ()):
            if entry.kind not in ("store", "getattr"):
                continue
            values = resolver.types.infer(entry.object, entry.scope)
            ours = [value for value in values if getattr(value, "scope", None) in family]
            if ours:
                row = file.data.count(b"\n", 0, entry.start) + 1
                raise EditRefused(
                    f"{path}:{row} has to do with such an attribute", hint="rename the variable first"
                )


def _may_have(value: object, name: str) -> bool:
    """Whether a base from elsewhere may have an attribute of that name."""
    import builtins

    if isinstance(value, ClassValue):
        return False
    if isinstance(value, External):
        first, _, rest = value.name.partition(".")
        known = getattr(builtins, rest if first == "builtins" else first, None)
        if isinstance(known, type) and (not rest or first == "builtins"):
            return hasattr(known, name)
        return value.name not in ("abc.ABC", "typing.Generic", "typing.Protocol")
    return True


def _comes_back(resolver: PythonResolver, function: Scope) -> str | None:
    """The name of a method by which a method may reach itself, as far as the names in its classes tell."""
    outside = from_outside(resolver, function)
    if outside is not None and "put together" in outside:
        return outside
    assert function.method_of is not None
    family = [*resolver.types.mro(function.method_of)[0], *below(resolver, function.method_of)]
    by_name: dict[str, list[Scope]] = {}
    for scope in {s for cls in family for s in cls.file.scopes}:
        if scope.kind == "function":
            by_name.setdefault(scope.name, []).append(scope)
    todo, seen = [function], {function}
    while todo and len(seen) < REACHED_MAX:
        scope = todo.pop()
        for called in _called(scope):
            if called == function.name:
                return scope.name
            for inner in by_name.get(called, ()):
                if inner not in seen:
                    seen.add(inner)
                    todo.append(inner)
    return None


def _called(scope: Scope) -> set[str]:
    """The last names of all that a function mentions: what is mentioned may be called."""
    start, end = scope.node.start_byte, scope.node.end_byte
    file = scope.file
    found = {name for name, refs in file.names.items() if any(start <= r.start < end for r in refs)}
    return found | {
        name
        for name, refs in file.attributes.items()
        if any(start <= r.start < end and r.kind == "load" for r in refs)
    }


def check_encapsulated(
    resolver: PythonResolver, cls: Scope, name: str, methods: tuple[str, str], places: list[Occurrence]
) -> None:
    """Refuse where the field is the class's, not its objects', or a class below has one of the methods."""
    for base in cls.bases:
        last = cls.file.text(base).partition("[")[0].rpartition(".")[2]
        if last in SPECIAL and last != "Generic":
            raise EditRefused(
                f"{cls.name} is a {last}, which is more than its objects", hint="leave the field"
            )
    for other in below(resolver, cls):
        for method in methods:
            if has(other, method):
                raise EditRefused(f"{other.name} already has a {method}", hint="give getter: and setter:")
    for place in places:
        if not place.certain:
            continue
        file = resolver.file(place.path)
        for entry in file.attributes.get(name, ()):
            if entry.start != place.start:
                continue
            values = resolver.types.infer(entry.object, entry.scope)
            inside = place.path == cls.file.path and cls.node.start_byte <= place.start < cls.node.end_byte
            if not inside and any(isinstance(value, ClassValue) for value in values):
                row = file.data.count(b"\n", 0, place.start) + 1
                raise EditRefused(
                    f"{place.path}:{row} takes it from the class itself", hint="leave the field"
                )


def check_inverted(resolver: PythonResolver, owner: Scope, name: str) -> None:
    """Refuse to turn a name round that is reached other than by its name."""
    if owner.kind == "function":
        check_names(owner.file, owner.node, owner.name)
    if owner.kind != "class":
        return
    if is_made(owner):
        raise EditRefused(f"{owner.name} is made of its fields", hint="invert it by hand")
    seen = gone_through(resolver, [*resolver.types.mro(owner)[0], *below(resolver, owner)], objects=True)
    if seen is not None:
        raise EditRefused(f"{seen} may reach {name} by a text", hint="invert it by hand")
