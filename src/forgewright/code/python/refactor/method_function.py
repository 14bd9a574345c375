"""A method becomes a function of its module that takes the object, and a function becomes a method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.refactor.calls import Argument, Call, calls_of, match
from forgewright.code.python.refactor.imports import Imports, Item, remove_statement
from forgewright.code.python.refactor.inline_function import removal
from forgewright.code.python.refactor.merging import merge
from forgewright.code.python.refactor.organise import uses
from forgewright.code.python.refactor.signature import family
from forgewright.code.python.refactor.staged import Staged, spliced
from forgewright.code.python.refactor.text import (
    CLOSED,
    definition_of,
    indent_at,
    line_end,
    line_start,
    newline,
    reindent,
    unit,
    walk,
    with_comments,
)
from forgewright.code.python.rename import check_name
from forgewright.code.python.scopes import FileIndex, Scope
from forgewright.code.python.values import ClassValue, Instance
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.python.resolver import PythonResolver


def method_to_function(resolver: PythonResolver, method: Scope, name: str) -> list[Splice]:
    """`a.m(x)` becomes `name(a, x)`; the class loses `m`."""
    check_name(name)
    file, cls = method.file, method.method_of
    if cls is None or not method.self_name or method.decorators or method.name.startswith("__"):
        raise EditRefused(f"{method.name} is no plain method", hint="name a method that takes self")
    if cls.outer is not file.module:
        raise EditRefused(f"{cls.name} is not at the top of its module", hint="move the class out first")
    if len(family(resolver, method)) > 1:
        raise EditRefused(f"{method.dotted()} overrides or is overridden", hint="rename the others first")
    if name in file.module.bindings:
        raise EditRefused(f"{name} is already defined in {file.path}", hint="give another name:")
    for node in walk(method.node):
        text = file.text(node) if node.type == "identifier" else ""
        if text in ("super", "__class__") or (text.startswith("__") and not text.endswith("__")):
            raise EditRefused(
                f"{method.name} uses {text}, which works in a class only", hint="leave it there"
            )
    found: list[Splice] = []
    inner: list[Splice] = []
    for call in _calls(resolver, method):
        named = call.node.child_by_field_name("function")
        arguments = call.argument_list()
        assert named is not None
        _check_free(call.file, call.scope, name, call.node.start_byte)
        splices = [Splice(call.file.path, named.start_byte, named.end_byte, name.encode())]
        if call.bound:
            joint = ", " if call.arguments else ""
            at = arguments.start_byte + 1
            splices.append(Splice(call.file.path, at, at, (call.receiver + joint).encode()))
        inside = call.file is file and method.node.start_byte <= call.node.start_byte < method.node.end_byte
        (inner if inside else found).extend(splices)
        if call.file is not file:
            module = resolver.modules.dotted(resolver.modules.module_of(file.path))
            found += Imports(call.file).add([f"from {module} import {name}"])
    data, end = file.data, newline(file.data)
    inner.append(_named(method, name))
    start = with_comments(file, method.node)
    apart = _apart(file, start, method.node.end_byte, inner)
    code = reindent_text(file, apart, indent_at(data, start), b"")
    whole = definition_of(cls.node)
    found += [
        remove_statement(file, method.node) if _alone(cls) else removal_in_class(file, method, start),
        Splice(file.path, whole.end_byte, whole.end_byte, end * 3 + code.rstrip()),
    ]
    return settled(resolver, found, file.path)


def settled(resolver: PythonResolver, splices: list[Splice], path: str) -> list[Splice]:
    """The splices, with the end of the file at `path` as it was."""
    staged = Staged(resolver.project)
    staged.apply(merge(splices))
    staged.settle(path)
    return staged.splices()


def function_to_method(
    resolver: PythonResolver, function: Scope, parameter: str, cls: Scope | None, name: str
) -> list[Splice]:
    """`f(a, x)` becomes `a.name(x)`; the module loses `f`."""
    check_name(name)
    file = function.file
    own = {p.name: p for p in function.parameters}
    if function.outer is not file.module or function.decorators or not own:
        raise EditRefused(
            f"{function.name} is no plain function with a parameter", hint="name a function of a module"
        )
    parameter = parameter or function.parameters[0].name
    if parameter not in own or own[parameter].kind in ("star", "kwargs", "keyword"):
        raise EditRefused(
            f"there is no plain parameter {parameter}", hint=f"the parameters are {', '.join(own)}"
        )
    target = cls or _class_of(resolver, function, parameter)
    if target.file is not file:
        raise EditRefused(
            f"{target.name} is in {target.file.path}, {function.name} in {file.path}",
            hint=f"first (move-symbol symbol: 'function#{function.name}' to: '{target.file.path}')",
        )
    if resolver.types.owner(target, name) is not None:
        raise EditRefused(f"{target.name} already has a {name}", hint="give another name:")
    if len(function.bindings[parameter].sites) > 1:
        raise EditRefused(f"{parameter} is assigned in {function.name}", hint="use another name there first")
    if parameter != "self" and ("self" in function.bindings or _reads(function, "self")):
        raise EditRefused(f"self means something in {function.name}", hint="rename it first")
    found: list[Splice] = []
    inner: list[Splice] = [_named(function, name), *_take_self(function, parameter)]
    for call in _calls(resolver, function):
        given, extra = match(list(function.parameters), call.arguments)
        if parameter not in given or any(argument.star for argument in extra):
            raise EditRefused(
                f"a call in {call.file.path} does not say its {parameter}", hint="write it out first"
            )
        inside = (
            call.file is file and function.node.start_byte <= call.node.start_byte < function.node.end_byte
        )
        (inner if inside else found).extend(_as_method(call, given[parameter], name, function, parameter))
    for path in resolver.project.containing(function.name.encode(), "python"):
        other = resolver.file(path)
        if other is not file:
            found += _forget(resolver, other, function, found)
    start = with_comments(file, function.node)
    whole = removal(file, function.node)
    begin = min(whole.start, line_start(file.data, start))
    found += [Splice(whole.path, begin, whole.end, b""), _into(function, start, target, inner)]
    return settled(resolver, found, file.path)


# calls ----------------------------------------------------------------------------------------


def _calls(resolver: PythonResolver, function: Scope) -> list[Call]:
    calls, others = calls_of(resolver, function)
    for place in others:
        other = resolver.file(place.path)
        row = other.data.count(b"\n", 0, place.start) + 1
        what = "may be used" if not place.certain else "is used other than by a call"
        raise EditRefused(f"{function.name} {what} in {place.path}:{row}", hint="change that place first")
    return calls


def _as_method(call: Call, receiver: Argument, name: str, function: Scope, parameter: str) -> list[Splice]:
    """`f(a, x)` as `a.name(x)`."""
    node = call.node.child_by_field_name("function")
    assert node is not None
    text = receiver.text
    if receiver.value.type == "identifier" and text == parameter:
        binding = call.file.lookup(call.scope, parameter, receiver.value.start_byte)
        text = "self" if binding is function.bindings.get(parameter) else text
    elif receiver.value.type not in CLOSED or receiver.value.type == "integer":
        text = f"({text})"
    found = [Splice(call.file.path, node.start_byte, node.end_byte, f"{text}.{name}".encode())]
    index = call.arguments.index(receiver)
    start, end = receiver.node.start_byte, receiver.node.end_byte
    if index + 1 < len(call.arguments):
        end = call.arguments[index + 1].node.start_byte
    elif index:
        start = call.arguments[index - 1].node.end_byte
    found.append(Splice(call.file.path, start, end, b""))
    return found


def _forget(
    resolver: PythonResolver, file: FileIndex, function: Scope, changed: list[Splice]
) -> list[Splice]:
    """Take out the imports of a function that is no more. Raises `EditRefused` where something else uses them."""
    home = resolver.modules.module_of(function.file.path)
    done = {splice.start for splice in changed if splice.path == file.path}
    gone: list[Item] = []
    for item in Imports(file).items:
        base = resolver.modules.find(
            file.path, item.level, tuple(item.module.split(".")) if item.module else ()
        )
        if item.name == function.name and base == home:
            if any(ref.start not in done for ref in uses(file, item.bound)):
                raise EditRefused(
                    f"{function.name} is used in {file.path} other than by a call", hint="change it"
                )
            gone.append(item)
        elif item.name is None and base == home:
            here = uses(file, item.bound)
            if here and all(ref.start in done for ref in here):
                gone.append(item)
    return Imports(file).remove(gone)


# text -----------------------------------------------------------------------------------------


def _named(function: Scope, name: str) -> Splice:
    node = function.node.child_by_field_name("name")
    assert node is not None
    return Splice(function.file.path, node.start_byte, node.end_byte, name.encode())


def _take_self(function: Scope, parameter: str) -> list[Splice]:
    """The parameter goes to the front as `self`; its uses follow (those in calls that change are left to them)."""
    file = function.file
    found: list[Splice] = []
    index = next(i for i, p in enumerate(function.parameters) if p.name == parameter)
    declared = function.parameters[index]
    if index:
        previous = function.parameters[index - 1]
        found.append(Splice(file.path, previous.node.end_byte, declared.node.end_byte, b""))
        first = function.parameters[0].node.start_byte
        found.append(Splice(file.path, first, first, b"self, "))
    else:
        found.append(Splice(file.path, declared.node.start_byte, declared.node.end_byte, b"self"))
    binding = function.bindings[parameter]
    for ref in file.names.get(parameter, ()):
        if file.lookup(ref.scope, parameter, ref.start) is binding:
            found.append(Splice(file.path, ref.start, ref.end, b"self"))
    return found


def _apart(file: FileIndex, start: int, end: int, edits: list[Splice]) -> bytes:
    """The text of a function with its edits."""
    kept: list[Splice] = []
    for edit in sorted(set(edits), key=lambda s: (s.start, -s.end)):
        if kept and edit.start < kept[-1].end:
            continue  # within what another edit takes away or writes anew
        kept.append(edit)
    return spliced(
        file.data[start:end], [Splice(s.path, s.start - start, s.end - start, s.text) for s in kept]
    )


def reindent_text(file: FileIndex, text: bytes, old: bytes, new: bytes) -> bytes:
    """A function's text at another depth; lines within strings stay."""
    from forgewright.code.python.build import build
    from forgewright.code.sources import SourceFile

    alone = build(SourceFile(file.path, text, "python"))
    return reindent(alone, 0, len(text), old, new)


def _into(function: Scope, start: int, target: Scope, inner: list[Splice]) -> Splice:
    """The function at the end of the class (or in the place of its only `pass`)."""
    file = function.file
    body = target.node.child_by_field_name("body")
    assert body is not None
    indent = indent_at(file.data, target.node.start_byte) + unit(file.data)
    text = reindent_text(file, _apart(file, start, function.node.end_byte, inner), b"", indent).rstrip()
    kinds = [c.type for c in body.named_children if c.type != "comment"]
    if kinds == ["pass_statement"]:
        return Splice(file.path, body.start_byte, body.end_byte, text)
    end = newline(file.data)
    return Splice(file.path, body.end_byte, body.end_byte, end * 2 + indent + text)


def removal_in_class(file: FileIndex, method: Scope, start: int) -> Splice:
    """Take a method out, with its comments from `start` on, and the blank lines on one side of it."""
    data = file.data
    begin, stop = line_start(data, start), line_end(data, method.node.end_byte)
    body = method.node.parent
    assert body is not None
    if body.named_children[-1] == method.node:
        return Splice(file.path, len(data[:begin].rstrip()), stop - 1 if stop < len(data) else stop, b"")
    while data[stop : stop + 1] in (b"\n", b"\r"):
        stop += 1
    return Splice(file.path, begin, stop, b"")


def _alone(cls: Scope) -> bool:
    body = cls.node.child_by_field_name("body")
    return body is not None and len([c for c in body.named_children if c.type != "comment"]) == 1


# names ----------------------------------------------------------------------------------------


def _check_free(file: FileIndex, scope: Scope, name: str, at: int) -> None:
    if file.lookup(scope, name, at) is not None:
        raise EditRefused(f"{name} means something in {file.path} already", hint="give another name:")


def _reads(function: Scope, name: str) -> bool:
    return any(
        function.node.start_byte <= ref.start < function.node.end_byte
        for ref in function.file.names.get(name, ())
    )


def _class_of(resolver: PythonResolver, function: Scope, parameter: str) -> Scope:
    declared = next(p for p in function.parameters if p.name == parameter)
    if declared.annotation is not None:
        node = declared.annotation
        while node.type == "type" and node.named_children:
            node = node.named_children[0]
        values = resolver.types.infer(node, function.file.module)
        classes = [value.scope for value in values if isinstance(value, (ClassValue, Instance))]
        quoted = function.file.text(node).strip("\"'") if node.type == "string" else ""
        if quoted.isidentifier() and (
            binding := resolver.types.lookup(function.file.module, quoted, 1 << 60)
        ):
            classes = [
                site.scope for site in binding.sites if site.kind == "class" and site.scope is not None
            ]
        if len(classes) == 1:
            return classes[0]
    raise EditRefused(f"the class of {parameter} is not known", hint="annotate the parameter, or give into:")
