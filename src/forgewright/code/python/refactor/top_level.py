"""A function that stands in another one, or in a class, becomes one of the module's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.refactor.frames import check_names
from forgewright.code.python.refactor.imports import remove_statement
from forgewright.code.python.refactor.mentions import listed
from forgewright.code.python.refactor.text import check_movable, indent_at, line_end, newline, reindent
from forgewright.code.python.scopes import FileIndex, Scope
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver

PLAIN = ("integer", "float", "string", "none", "true", "false", "tuple", "unary_operator")


def make_top_level(resolver: PythonResolver, file: FileIndex, node: Node) -> list[Splice]:
    """A function in a function or class goes to the top of the module."""
    inner = node.child_by_field_name("definition") or node
    scope = next((s for s in file.scopes if s.node == inner and s.kind == "function"), None)
    if scope is None or scope.outer is None or scope.outer.kind == "module":
        raise EditRefused(
            "the selection is no function within another definition", hint="select a nested function"
        )
    if scope.name in file.module.bindings:
        raise EditRefused(f"{scope.name} is already defined at the top", hint="rename one of them first")
    for name, refs in file.names.items():
        for ref in refs:
            if inner.start_byte <= ref.start < inner.end_byte:
                found = file.lookup(ref.scope, name, ref.start)
                if found is None or found.scope.kind == "module":
                    continue
                if not (
                    inner.start_byte <= found.scope.node.start_byte
                    and found.scope.node.end_byte <= inner.end_byte
                ):
                    if found.scope is not scope.outer or name != scope.name:
                        raise EditRefused(
                            f"{scope.name} uses {name} of its surroundings", hint="pass it as a parameter"
                        )
    check_movable(file, [inner], scope.name)
    check_top_level(resolver, scope, node)
    data, end = file.data, newline(file.data)
    old = indent_at(data, node.start_byte)
    owner = scope.method_of
    top: Node = node
    while top.parent is not None and top.parent.type != "module":
        top = top.parent
    names = [resolver.types.decorator_name(scope, d) for d in scope.decorators]
    if owner is not None:
        if [n for n in names if n not in ("classmethod", "staticmethod")]:
            raise EditRefused(f"{scope.name} is decorated", hint="take the decorators off first")
        wrapper = f"{names[0]}({scope.name})" if names else scope.name
        text = reindent(file, inner.start_byte, inner.end_byte, old, b"")
        return [
            Splice(file.path, top.start_byte, top.start_byte, text + end * 3),
            Splice(file.path, node.start_byte, node.end_byte, f"{scope.name} = {wrapper}".encode()),
        ]
    text = reindent(file, node.start_byte, node.end_byte, old, b"")
    at = line_end(data, top.end_byte)
    lead = end if not data[:at].endswith(b"\n") else b""
    return [
        Splice(file.path, at, at, lead + end * 2 + text + end),
        remove_statement(file, node),
    ]


def check_top_level(resolver: PythonResolver, function: Scope, node: Node) -> None:
    """Refuse to make one function of one that is made anew each time, where somebody would notice."""
    file, outer = function.file, function.outer
    assert outer is not None
    seen = listed(resolver, resolver.modules.module_of(file.path))
    if seen is not None:
        raise EditRefused(f"{seen} goes through the names of {file.path}", hint="leave it where it is")
    if function.method_of is not None:
        return
    check_names(file, outer.node, outer.name)
    if node.type == "decorated_definition":
        raise EditRefused(
            f"{function.name} is decorated anew at each call", hint="take the decorators off first"
        )
    for parameter in function.parameters:
        if parameter.default is not None and parameter.default.type not in PLAIN:
            raise EditRefused(
                f"the default of {parameter.name} is made anew at each call",
                hint="make it in the body instead",
            )
    binding = outer.bindings[function.name]
    if len(binding.sites) > 1:
        raise EditRefused(f"{function.name} is bound more than once", hint="give it a name of its own first")
    for ref in file.names.get(function.name, ()):
        if file.lookup(ref.scope, function.name, ref.start) is not binding:
            continue
        place = file.root.descendant_for_byte_range(ref.start, ref.end)
        parent = place.parent if place is not None else None
        called = (
            parent is not None and parent.type == "call" and parent.child_by_field_name("function") == place
        )
        attribute = parent is not None and parent.type == "attribute"
        handed = (
            parent is not None and parent.type == "argument_list" and parent.named_children[:1] == [place]
        )
        word = parent.parent.child_by_field_name("function") if handed and parent and parent.parent else None
        changed = word is not None and (word.text or b"").endswith((b"update_wrapper", b"setattr", b"wraps"))
        if not called and (attribute or changed):
            row = file.data.count(b"\n", 0, ref.start) + 1
            raise EditRefused(
                f"{file.path}:{row} has to do with what is kept at {function.name}",
                hint="leave it where it is",
            )
