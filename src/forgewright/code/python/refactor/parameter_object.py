"""Several parameters of a function become one object: a frozen data class that the calls make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from forgewright.code.project import Splice
from forgewright.code.python.refactor.arguments import Slot, rewrite
from forgewright.code.python.refactor.calls import Call, calls_of, match
from forgewright.code.python.refactor.imports import Imports
from forgewright.code.python.refactor.merging import merge
from forgewright.code.python.refactor.signature import check, definition, family, slots_of
from forgewright.code.python.refactor.text import definition_of, gap_above, newline, unit, walk, with_comments
from forgewright.code.python.rename import check_name
from forgewright.code.python.scopes import FileIndex, Parameter, Scope
from forgewright.code.python.values import ModuleValue
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver

MUTABLE = ("list", "dictionary", "set", "list_comprehension", "dictionary_comprehension", "set_comprehension")


def introduce_parameter_object(
    resolver: PythonResolver, function: Scope, names: Sequence[str], class_name: str, name: str
) -> list[Splice]:
    """The parameters `names` go into a new class `class_name`; the function takes it as `name`."""
    check_name(class_name)
    check_name(name)
    chosen = _chosen(resolver, function, names, name)
    file = function.file
    if class_name in file.module.bindings:
        raise EditRefused(f"{class_name} is already defined in {file.path}", hint="choose another name")
    required = [p for p in chosen if p.default is None]
    fields = required + [p for p in chosen if p.default is not None]
    additions: dict[str, list[str]] = {file.path: ["from dataclasses import dataclass"]}
    found = [_class(function, fields, class_name, additions[file.path])]
    slots, new = _slots(function, chosen, class_name, name, optional=not required)
    check(function.name, slots)
    found += definition(function, slots)
    found += _body(function, chosen, name)
    calls, others = calls_of(resolver, function)
    if others:
        row = resolver.file(others[0].path).data.count(b"\n", 0, others[0].start) + 1
        raise EditRefused(
            f"{function.name} is used other than by a call in {others[0].path}:{row}",
            hint="change that place first: it could not pass the object",
        )
    for call in calls:
        splice = _call(resolver, call, function, fields, slots, new, class_name, additions)
        if splice is not None:
            found.append(splice)
    for path, texts in additions.items():
        found += Imports(resolver.file(path)).add(texts)
    return merge(found)


def _chosen(resolver: PythonResolver, function: Scope, names: Sequence[str], name: str) -> list[Parameter]:
    """The parameters, in their order. Raises `EditRefused` where an object could not stand for them."""
    if len(family(resolver, function)) > 1:
        raise EditRefused(
            f"{function.dotted()} overrides or is overridden", hint="change a function that stands alone"
        )
    own = {p.name: p for p in function.parameters}
    missing = [one for one in names if one not in own]
    if missing or not names:
        raise EditRefused(
            f"there is no parameter {', '.join(missing)}" if missing else "expected some parameters",
            hint=f"the parameters are {', '.join(own)}",
        )
    for one in names:
        if own[one].kind in ("star", "kwargs") or one == function.self_name:
            raise EditRefused(f"{one} is no plain parameter", hint="leave it out")
        if len(function.bindings[one].sites) > 1:
            raise EditRefused(
                f"{one} is assigned in {function.name}", hint="leave it out, or use another name there"
            )
        default = own[one].default
        if default is not None:
            _check_default(function, one, default)
    taken = name in function.bindings and name not in names
    for scope in function.file.scopes:
        inside = function.node.start_byte <= scope.node.start_byte < function.node.end_byte
        taken |= inside and scope is not function and name in scope.bindings
    for ref in function.file.names.get(name, ()):
        inside = function.node.start_byte <= ref.start < function.node.end_byte
        taken |= inside and name not in names
    if taken:
        raise EditRefused(
            f"{name} means something in {function.name} already", hint="give another parameter:"
        )
    return [p for p in function.parameters if p.name in names]


def _check_default(function: Scope, name: str, default: Node) -> None:
    if any(node.type in MUTABLE or node.type == "call" for node in walk(default)):
        raise EditRefused(
            f"the default of {name} is made anew or shared in ways that a field is not", hint="leave it out"
        )
    for node in walk(default):
        if node.type == "identifier" and function.outer is not None:
            binding = function.file.lookup(function.outer, function.file.text(node), node.start_byte)
            if binding is not None and binding.scope.kind != "module":
                raise EditRefused(
                    f"the default of {name} belongs to a class or function", hint="leave it out"
                )


def _class(function: Scope, fields: Sequence[Parameter], class_name: str, imports: list[str]) -> Splice:
    """The data class, above the top-level definition that the function is in."""
    file = function.file
    end, step = newline(file.data).decode(), unit(file.data).decode()
    lines = ["@dataclass(frozen=True)", f"class {class_name}:"]
    for field in fields:
        annotation = file.text(field.annotation) if field.annotation is not None else ""
        if not annotation:
            annotation = "Any"
            if "from typing import Any" not in imports:
                imports.append("from typing import Any")
        default = f" = {file.text(field.default)}" if field.default is not None else ""
        lines.append(f"{step}{field.name}: {annotation}{default}")
    top = definition_of(function.node)
    while top.parent is not None and top.parent.type != "module":
        top = top.parent
    at = with_comments(file, top)
    return Splice(file.path, at, at, gap_above(file.data, at) + (end.join(lines) + end * 3).encode())


def _slots(
    function: Scope, chosen: Sequence[Parameter], class_name: str, name: str, *, optional: bool
) -> tuple[list[Slot], Slot]:
    gone = {p.name for p in chosen}
    before = slots_of(function)
    left = [slot for slot in before if slot.name not in gone]
    keyword = all(p.kind == "keyword" for p in chosen)
    text = f"{name}: {class_name}" + (f" = {class_name}()" if optional else "")
    new = Slot(name, "keyword" if keyword else "normal", text, optional, None, True)
    at = next(index for index, slot in enumerate(before) if slot.name in gone)
    if not optional and not keyword:
        first = next((i for i, slot in enumerate(left) if slot.has_default), len(left))
        at = min(at, first)
    if any(slot.kind == "positional" for slot in left[at:]):
        new = msgspec.structs.replace(new, kind="positional")
    return [*left[:at], new, *left[at:]], new


def _body(function: Scope, chosen: Sequence[Parameter], name: str) -> list[Splice]:
    file = function.file
    found: list[Splice] = []
    for parameter in chosen:
        binding = function.bindings[parameter.name]
        for ref in file.names.get(parameter.name, ()):
            if file.lookup(ref.scope, parameter.name, ref.start) is not binding:
                continue
            if file.data[ref.end : ref.end + 8].lstrip().startswith((b"=}", b"=!", b"=:")):
                raise EditRefused(
                    f"{parameter.name} names itself in an f-string", hint="write its name out there first"
                )
            found.append(Splice(file.path, ref.start, ref.end, f"{name}.{parameter.name}".encode()))
    return found


def _call(
    resolver: PythonResolver,
    call: Call,
    function: Scope,
    fields: Sequence[Parameter],
    slots: list[Slot],
    new: Slot,
    class_name: str,
    additions: dict[str, list[str]],
) -> Splice | None:
    """The arguments of one call, with those of the object in one."""
    own = list(function.parameters)
    if call.bound:
        own = own[1:]
    given, extra = match(own, call.arguments)
    if any(argument.star for argument in extra):
        raise EditRefused(
            f"a call in {call.file.path} unpacks its arguments", hint="write its arguments out first"
        )
    passed = [argument for argument in given if argument in {field.name for field in fields}]
    value: str | None = None
    if passed or not new.has_default:
        parts = ", ".join(f"{one}={given[one].text}" for one in passed)
        value = f"{_named(resolver, call, function, class_name, additions)}({parts})"
    wanted = [msgspec.structs.replace(slot, value=value) if slot is new else slot for slot in slots]
    return rewrite(call, function.parameters, wanted, "keep", receiver=function.self_name)


def _named(
    resolver: PythonResolver, call: Call, function: Scope, class_name: str, additions: dict[str, list[str]]
) -> str:
    """How the class is named where the call stands; imported there if it must be."""
    file, home = call.file, function.file
    _check_free(file, call, class_name)
    if file is home:
        return class_name
    node = call.node.child_by_field_name("function")
    outer = node.child_by_field_name("object") if node is not None else None
    module = resolver.modules.module_of(home.path)
    if outer is not None and resolver.types.infer(outer, call.scope) == (ModuleValue(module),):
        return f"{file.text(outer)}.{class_name}"
    text = f"from {resolver.modules.dotted(module)} import {class_name}"
    wanted = additions.setdefault(file.path, [])
    if text not in wanted:
        wanted.append(text)
    return class_name


def _check_free(file: FileIndex, call: Call, class_name: str) -> None:
    if file.lookup(call.scope, class_name, call.node.start_byte) is not None:
        raise EditRefused(f"{class_name} means something in {file.path} already", hint="choose another name")
