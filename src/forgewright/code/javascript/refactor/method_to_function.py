"""A method becomes a function of its module that takes the object first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from forgewright.code import layout
from forgewright.code.javascript.entities import ANY
from forgewright.code.javascript.hazards import place
from forgewright.code.javascript.refactor.exports import is_es_module
from forgewright.code.javascript.refactor.imports import Wanted, edit, lines
from forgewright.code.javascript.refactor.invert import joined
from forgewright.code.javascript.refactor.methods import Method, spliced
from forgewright.code.javascript.refactor.parameters import check_name, this_of, typed
from forgewright.code.javascript.refactor.signature import check_free, own_nodes
from forgewright.code.javascript.refactor.specifiers import named_like
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.refactor.mentions import Call
    from forgewright.code.javascript.resolver import JavaScriptResolver


def method_to_function(
    resolver: JavaScriptResolver, path: str, offset: int, name: str
) -> tuple[list[Splice], str]:
    """`a.m(x)` becomes `name(a, x)`; the class loses `m`. Raises `EditRefused`."""
    method = Method(resolver, path, offset)
    name = name or method.name.text
    check_name(name)
    file = method.node.path
    unit = resolver.program.unit(file)
    assert unit is not None
    statement = method.cls
    if statement.up.type == "export_statement":
        statement = statement.up
    if statement.up.type != "program" or method.cls.type == "class":
        raise EditRefused(
            f"{method.class_name} is not at the top of its file", hint="move the class out first"
        )
    _check_module(resolver, file, name)
    taken = method.class_name[:1].lower() + method.class_name[1:]
    receiver = taken if taken not in (method.class_name, name) else "self"
    check_free(resolver, method.node, receiver)
    inner = list(_this_replaced(method, receiver))
    outside = sorted({call.path for call in method.calls} - {file})
    exported = statement.type == "export_statement" or bool(outside)
    if outside and not is_es_module(unit):
        raise EditRefused(
            f"{method.name.text} is called in {outside[0]}, and {file} is no ES module that could export it",
            hint="give it import and export first",
        )
    edits: list[Splice] = []
    for call in method.calls:
        if call.node.within(method.node):
            inner += list(_as_function(resolver, method, call, name))
        else:
            edits += list(_as_function(resolver, method, call, name))
    start, text = _function_text(resolver, method, joined(inner), name, receiver, exported=exported)
    edits.append(_cut(method, start))
    at = statement.end
    edits.append(Splice(file, at, at, text))
    for other in outside:
        target = resolver.program.unit(other)
        assert target is not None
        _check_module(resolver, other, name)
        listed = lines(target)
        models = [line.source for line in listed]
        source = next(
            (line.source for line in listed if resolver.program.modules.resolve(other, line.source) == file),
            None,
        )
        source = source or named_like(resolver.program.modules, other, file, models)
        edits += edit(target, wanted=[Wanted(source, name, name)])
    return joined(edits), method.name.text


def _check_module(resolver: JavaScriptResolver, path: str, name: str) -> None:
    unit = resolver.program.unit(path)
    assert unit is not None
    if name in unit.top.table or (unit.module is not None and name in unit.module.exports):
        raise EditRefused(f"{name} is already declared in {path}", hint="give another name:")


def _this_replaced(method: Method, receiver: str) -> Iterator[Splice]:
    """`this` of the method is its first parameter."""
    for node in own_nodes(method.node):
        if node.type == "super" or (node.type == "identifier" and node.text == "arguments"):
            raise EditRefused(
                f"{method.name.text} uses {node.text} at {place(node)}", hint="leave it in the class"
            )
        if node.type == "private_property_identifier":
            raise EditRefused(
                f"{node.text} at {place(node)} works in the class only", hint="leave it in the class"
            )
        if node.type == "this_type" or (node.type == "this" and node.up.type == "type_query"):
            raise EditRefused(f"the type at {place(node)} says this", hint="leave it in the class")
        if node.type != "this":
            continue
        access = node.up
        if access.type == "member_expression" and node.field == "object":
            entity = method.resolver.meanings.at(access.children[-1])
            hidden = [n.first("accessibility_modifier") for n in entity.nodes] if entity is not None else []
            if any(word is not None and word.text in ("private", "protected") for word in hidden):
                raise EditRefused(
                    f"{access.text} at {place(node)} is {next(w.text for w in hidden if w is not None)}",
                    hint="leave it in the class",
                )
        yield Splice(node.path, node.start, node.end, receiver.encode())


def _as_function(resolver: JavaScriptResolver, method: Method, call: Call, name: str) -> Iterator[Splice]:
    held = method.receiver(call)
    if call.node.get("type_arguments") is not None:
        raise EditRefused(f"the call at {place(call.node)} names types", hint="let them be inferred first")
    unit = resolver.program.unit(call.path)
    assert unit is not None
    assert call.arguments is not None
    if resolver.program.visible(unit.scope_at(call.node), name, ANY) is not None:
        raise EditRefused(f"{name} means something else at {place(call.node)}", hint="give another name:")
    path = call.path
    yield Splice(path, call.node.start, call.node.start, f"{name}(".encode())
    inner = call.arguments
    gap = b", " if inner.items else b""
    yield Splice(path, held.end, inner.start + 1, gap)


def _function_text(
    resolver: JavaScriptResolver,
    method: Method,
    inner: list[Splice],
    name: str,
    receiver: str,
    *,
    exported: bool,
) -> tuple[int, bytes]:
    """Where the method begins with its comment, and the text of the function."""
    node, data = method.node, method.node.data
    source = resolver.project.source(node.path)
    start = node.start
    siblings = node.up.children
    before = siblings[siblings.index(node) - 1]
    comment = ""
    if before.type == "comment" and not data[before.end : start].strip():
        comment = before.text
        start = before.start
    generic, arguments = _generics(method)
    own = node.get("type_parameters")
    declared = (
        (generic[:-1] + ", " + own.text[1:])
        if generic and own is not None
        else generic or (own.text if own else "")
    )
    listed = node.get("parameters")
    assert listed is not None
    first = receiver + (f": {method.class_name}{arguments}" if typed(node) else "")
    if this_of(node) is not None:
        raise EditRefused(f"{method.name.text} declares `this`", hint="leave it in the class")
    rest = spliced(data, listed.start + 1, node.end, inner)
    gap = ", " if listed.items else ""
    words = ("export " if exported else "") + ("async " if node.has("async") else "")
    star = "*" if node.has("*") else ""
    head = f"{words}function{star} {name}{declared}({first}{gap}"
    indent = layout.indentation(data, node.start).decode()
    code = indent + head + rest
    fitted = layout.fit(code, source, b"")
    end = layout.line_end(data)
    if comment:
        fitted = layout.fit(indent + comment, source, b"") + end + fitted
    return start, end * 2 + fitted


def _generics(method: Method) -> tuple[str, str]:
    listed = method.cls.get("type_parameters")
    if listed is None:
        return "", ""
    names = [named.text for one in listed.items if (named := one.get("name")) is not None]
    return listed.text, f"<{', '.join(names)}>"


def _cut(method: Method, start: int) -> Splice:
    """The method with its lines, and one of the blank lines around it."""
    data = method.node.data
    begin, stop = layout.line_start(data, start), layout.after_line(data, method.node.end)
    alone = layout.only_space(data[begin:start]) and data[method.node.end : stop].strip() in (b"", b";")
    if not alone:
        return Splice(method.node.path, start, method.node.end, b"")
    previous = layout.line_start(data, begin - 1) if begin else 0
    following = data[stop : layout.after_line(data, stop)].strip()
    if begin and layout.only_space(data[previous:begin]) and following in (b"", b"}"):
        begin = previous
    elif not following and data[previous:begin].strip().endswith(b"{"):
        stop = layout.after_line(data, stop)
    return Splice(method.node.path, begin, stop, b"")
