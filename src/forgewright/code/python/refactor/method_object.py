"""Replace a function by an object that is called: its parameters become the object's attributes."""

from __future__ import annotations

from forgewright.code.project import Splice
from forgewright.code.python.refactor.frames import check_depth, check_names
from forgewright.code.python.refactor.text import (
    check_movable,
    definition_of,
    has_docstring,
    hides,
    indent_at,
    line_end,
    newline,
    reindent,
    unit,
)
from forgewright.code.python.rename import check_name
from forgewright.code.python.scopes import Scope
from forgewright.core.errors import EditRefused


def method_object(function: Scope, name: str) -> list[Splice]:
    """`def f(x): …` becomes `return Name(x)()`, and the body the `__call__` of a class."""
    check_name(name)
    file = function.file
    if name in file.module.bindings:
        raise EditRefused(f"{name} is already defined in {file.path}", hint="choose another name")
    if function.yields or function.is_async:
        raise EditRefused(f"{function.name} is a generator or async", hint="use a plain function")
    check_movable(file, [function.node], function.name)
    check_names(file, function.node, function.name)
    check_depth(file, function.node, function.name)
    if hides(function, "self"):
        raise EditRefused(
            f"a function within {function.name} has a self of its own", hint="rename that first"
        )
    data, end, step = file.data, newline(file.data), unit(file.data)
    body = function.node.child_by_field_name("body")
    assert body is not None
    docs = has_docstring(body)
    inside = [child for child in body.named_children if docs is None or child.start_byte > docs.start_byte]
    if docs is not None and not inside:
        raise EditRefused(f"{function.name} does nothing", hint="use a function with a body")
    begin = body.start_byte if docs is None else inside[0].start_byte
    edits: list[tuple[int, int, bytes]] = []
    fields: list[tuple[str, str]] = []
    for parameter in function.parameters:
        given = "host" if parameter.name == "self" else parameter.name
        fields.append((parameter.name, given))
        binding = function.bindings[parameter.name]
        for site in binding.sites:
            if site.kind not in ("parameter", "variable", "augmented", "for", "with", "del"):
                raise EditRefused(
                    f"{parameter.name} is bound by a {site.kind}, too", hint="give that another name first"
                )
        places = [(s.start, s.end) for s in binding.sites if s.start >= body.start_byte]
        for ref in file.names.get(parameter.name, ()):
            if file.lookup(ref.scope, parameter.name, ref.start) is binding and ref.start >= body.start_byte:
                places.append((ref.start, ref.end))
        edits += [(start, stop, f"self.{parameter.name}".encode()) for start, stop in places]
    inner = step * 2
    old = indent_at(data, body.start_byte)
    text = reindent(file, begin, body.end_byte, old, inner)
    if edits:
        raw, at = bytearray(), begin
        for start, stop, new in sorted(edits):
            raw += data[at:start] + new
            at = stop
        raw += data[at : body.end_byte]
        lines = bytes(raw).split(b"\n")
        text = b"\n".join([lines[0], *(inner + x[len(old) :] if x.startswith(old) else x for x in lines[1:])])
    lines = [f"class {name}(object):".encode(), b""]
    if fields:
        lines.append(step + f"def __init__(self, {', '.join(given for _, given in fields)}):".encode())
        lines += [step * 2 + f"self.{field} = {given}".encode() for field, given in fields]
        lines.append(b"")
    lines += [step + b"def __call__(self):", inner + text]
    outer = function.method_of or function
    top = definition_of(outer.node)
    while top.parent is not None and top.parent.type != "module":
        top = top.parent
    at = line_end(data, top.end_byte)
    lead = b"" if data[:at].endswith(b"\n") else end
    arguments = []
    for parameter in function.parameters:
        star = {"star": "*", "kwargs": "**"}.get(parameter.kind, "")
        if star:
            raise EditRefused(
                f"{function.name} takes any number of arguments", hint="give it plain parameters"
            )
        arguments.append(parameter.name)
    return [
        Splice(file.path, begin, body.end_byte, f"return {name}({', '.join(arguments)})()".encode()),
        Splice(file.path, at, at, lead + end * 2 + end.join(lines) + end),
    ]
