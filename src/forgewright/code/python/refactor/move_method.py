"""Move a method to the class of one of its object's attributes; a call of it stays behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.refactor.families import below, gone_through, has
from forgewright.code.python.refactor.frames import check_depth, check_names
from forgewright.code.python.refactor.needed import Needs
from forgewright.code.python.refactor.registering import hook
from forgewright.code.python.refactor.text import (
    check_movable,
    definition_of,
    has_docstring,
    indent_at,
    newline,
    unit,
)
from forgewright.code.python.rename import check_name
from forgewright.code.python.scopes import Scope
from forgewright.code.python.values import Instance
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver


def move_method(resolver: PythonResolver, method: Scope, attribute: str, new_name: str) -> list[Splice]:
    """`a.method()` becomes `a.attribute.new_name()`, and the old method calls that."""
    check_name(new_name)
    owner = method.method_of
    if owner is None or not method.self_name or method.decorators:
        raise EditRefused(f"{method.name} is no plain method", hint="move a method that takes self")
    found = resolver.types.owner(owner, attribute)
    values = resolver.types.class_member(found, attribute, Instance(owner)) if found is not None else ()
    classes = [value.scope for value in values if isinstance(value, Instance)]
    if len(classes) != 1 or len(values) != 1:
        raise EditRefused(
            f"the class of {owner.name}.{attribute} is not known",
            hint="annotate the attribute, or choose another",
        )
    target = classes[0]
    if resolver.types.owner(target, new_name) is not None:
        raise EditRefused(f"{target.name} already has a {new_name}", hint="choose another name")
    check_movable(method.file, [definition_of(method.node)], method.name)
    _check_noticed(resolver, method, target, attribute, new_name)
    return [*_arrive(resolver, method, target, attribute, new_name), *_stay(method, attribute, new_name)]


def _check_noticed(
    resolver: PythonResolver, method: Scope, target: Scope, attribute: str, new_name: str
) -> None:
    """Refuse where the object of the attribute may be another one, or the new method would be noticed."""
    owner, file = method.method_of, method.file
    assert owner is not None
    check_names(file, method.node, method.name)
    check_depth(file, method.node, method.name)
    for other in below(resolver, target):
        if has(other, new_name):
            raise EditRefused(f"{other.name} already has a {new_name}", hint="choose another name")
    for other in below(resolver, owner):
        if has(other, attribute):
            raise EditRefused(f"{other.name} may have another {attribute}", hint="choose another attribute")
    heard = hook(resolver, target)
    seen = gone_through(resolver, resolver.types.mro(target)[0], objects=False)
    if heard is not None or seen is not None:
        raise EditRefused(f"{heard or seen} makes something of the members of {target.name}", hint="leave it")
    if any("__getattr__" in one.bindings for one in resolver.types.mro(target)[0]):
        raise EditRefused(
            f"{target.name} has __getattr__, which is asked for what is not there", hint="leave it"
        )
    through, plain = _uses_self(method, attribute)
    if plain and any("host" in s.bindings for s in file.scopes if _within(s.node, method.node)):
        raise EditRefused(f"{method.name} has a host of its own", hint="rename it first")
    for start, end in through:
        node = file.root.descendant_for_byte_range(start, end)
        parent = node.parent if node is not None else None
        read = parent is not None and parent.type in ("attribute", "call", "argument_list", "subscript")
        if not read and not (parent is not None and parent.type in ("return_statement", "binary_operator")):
            row = file.data.count(b"\n", 0, start) + 1
            raise EditRefused(
                f"{file.path}:{row} sets {attribute}, or asks whether it is there", hint="leave the method"
            )


def _within(inner: Node, outer: Node) -> bool:
    return outer.start_byte <= inner.start_byte and inner.end_byte <= outer.end_byte


def _uses_self(method: Scope, attribute: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Spans of `self.attribute`, and of `self` otherwise."""
    file = method.file
    through: list[tuple[int, int]] = []
    plain: list[tuple[int, int]] = []
    binding = method.bindings[method.self_name]
    for ref in file.names.get(method.self_name, ()):
        if file.lookup(ref.scope, method.self_name, ref.start) is not binding:
            continue
        node = file.root.descendant_for_byte_range(ref.start, ref.end)
        parent = node.parent if node is not None else None
        attr = (
            parent.child_by_field_name("attribute")
            if parent is not None and parent.type == "attribute"
            else None
        )
        if attr is not None and attr != node and file.text(attr) == attribute and parent is not None:
            through.append((parent.start_byte, parent.end_byte))
        else:
            plain.append((ref.start, ref.end))
    return through, plain


def _arrive(
    resolver: PythonResolver, method: Scope, target: Scope, attribute: str, new_name: str
) -> list[Splice]:
    file, other = method.file, target.file
    through, plain = _uses_self(method, attribute)
    needs = Needs(resolver, file, [method.node], moved={method.name})
    changes = {start: (end, text) for start, (end, text) in needs.for_file(other).items()}
    changes |= {start: (end, "self") for start, end in through}
    changes |= {start: (end, "host") for start, end in plain}
    if plain and any(p.name == "host" for p in method.parameters):
        raise EditRefused(f"{method.name} already has a parameter host", hint="rename it first")
    body = method.node.child_by_field_name("body")
    assert body is not None
    data = file.data
    text, at = bytearray(), body.start_byte
    for start, (end, new) in sorted(changes.items()):
        if start < body.start_byte:
            continue
        text += data[at:start] + new.encode()
        at = end
    text += data[at : body.end_byte]
    parameters = [file.text(p.node) for p in method.parameters[1:]]
    head = ", ".join(["self", *(["host"] if plain else []), *parameters])
    target_body = target.node.child_by_field_name("body")
    assert target_body is not None
    indent = indent_at(other.data, target.node.start_byte) + unit(other.data)
    old = indent_at(data, body.start_byte)
    lines = bytes(text).split(b"\n")
    inner = indent + unit(other.data)
    fitted = [lines[0]] + [inner + one[len(old) :] if one.startswith(old) else one for one in lines[1:]]
    eol = newline(other.data)
    word = b"async def" if method.is_async else b"def"
    code = indent + word + f" {new_name}({head}):".encode() + eol + inner + b"\n".join(fitted).rstrip()
    only_pass = [c.type for c in target_body.named_children if c.type != "comment"] == ["pass_statement"]
    if only_pass:
        splice = Splice(other.path, target_body.start_byte, target_body.end_byte, code.lstrip())
    else:
        splice = Splice(other.path, target_body.end_byte, target_body.end_byte, eol * 2 + code)
    return [splice, *needs.splices(other)]


def _stay(method: Scope, attribute: str, new_name: str) -> list[Splice]:
    file = method.file
    body = method.node.child_by_field_name("body")
    assert body is not None
    _, plain = _uses_self(method, attribute)
    arguments: list[str] = [method.self_name] if plain else []
    for parameter in method.parameters[1:]:
        if parameter.kind == "star":
            arguments.append(f"*{parameter.name}")
        elif parameter.kind == "kwargs":
            arguments.append(f"**{parameter.name}")
        elif parameter.kind == "keyword":
            arguments.append(f"{parameter.name}={parameter.name}")
        else:
            arguments.append(parameter.name)
    docs = has_docstring(body)
    start = body.start_byte
    first = next((c for c in body.named_children if c != docs), None)
    if docs is not None and first is not None:
        start = first.start_byte
    wait = "await " if method.is_async else ""
    text = f"return {wait}{method.self_name}.{attribute}.{new_name}({', '.join(arguments)})"
    return [Splice(file.path, start, body.end_byte, text.encode())]
