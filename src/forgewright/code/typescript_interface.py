"""The public face of a TypeScript class as an interface that it implements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from forgewright.code import layout
from forgewright.code.project import Source, Splice
from forgewright.code.selectors import nodes
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

HIDDEN = ("private", "protected", "static")


def extract_interface(source: Source, cls: Node, name: str, members: Sequence[str]) -> list[Splice]:
    """`interface name` above the class, with the signatures; the class implements it."""
    body = cls.child_by_field_name("body")
    if body is None or cls.type not in ("class_declaration", "abstract_class_declaration"):
        raise EditRefused("expected a class declaration", hint="name a class of a TypeScript file")
    lines: dict[str, str] = {}
    for member in body.named_children:
        named = member.child_by_field_name("name")
        key = nodes.text(named) if named is not None else ""
        line = _line(source, member)
        if key and line and (key in members or not members):
            lines.setdefault(key, line)
    missing = [one for one in members if one not in lines]
    if missing or not lines:
        raise EditRefused(
            f"{nodes.text(cls.child_by_field_name('name'))} has no public member {', '.join(missing)}".rstrip(),
            hint="private, protected and static members are no part of an interface",
        )
    data = source.data
    whole = cls
    if cls.parent is not None and cls.parent.type == "export_statement":
        whole = cls.parent
    export = "export " if whole is not cls else ""
    end = layout.line_end(data).decode()
    indent = layout.indentation(data, whole.start_byte).decode()
    first = body.named_children[0]
    step = layout.indentation(data, first.start_byte).decode()[len(indent) :] or "  "
    parameters = cls.child_by_field_name("type_parameters")
    generic = nodes.text(parameters) if parameters is not None else ""
    text = [
        f"{export}interface {name}{generic} {{",
        *(f"{indent}{step}{line}" for line in lines.values()),
        indent + "}",
    ]
    found = [
        Splice(source.path, whole.start_byte, whole.start_byte, (end.join(text) + end * 2 + indent).encode())
    ]
    arguments = f"<{', '.join(_parameter_names(parameters))}>" if parameters is not None else ""
    return [*found, _implement(source, cls, body, name + arguments)]


def _parameter_names(parameters: Node | None) -> list[str]:
    return (
        [nodes.text(child.child_by_field_name("name")) for child in parameters.named_children]
        if parameters
        else []
    )


def _line(source: Source, member: Node) -> str:
    """A member's declaration in an interface; empty for what has no place there."""
    words = [child.type for child in member.children if not child.is_named]
    words += [nodes.text(child) for child in member.children if child.type == "accessibility_modifier"]
    if any(word in HIDDEN for word in words):
        return ""
    named = member.child_by_field_name("name")
    if named is None or named.type == "private_property_identifier" or nodes.text(named) == "constructor":
        return ""
    if member.type == "public_field_definition":
        readonly = "readonly " if "readonly" in words else ""
        optional = "?" if "?" in words else ""
        kind = member.child_by_field_name("type")
        return (
            f"{readonly}{nodes.text(named)}{optional}{nodes.text(kind) if kind is not None else ': unknown'};"
        )
    if member.type in ("method_definition", "abstract_method_signature", "method_signature"):
        kind = member.child_by_field_name("return_type")
        if "get" in words:
            return f"readonly {nodes.text(named)}{nodes.text(kind) if kind is not None else ': unknown'};"
        if "set" in words:
            return ""
        body = member.child_by_field_name("body")
        stop = body.start_byte if body is not None else member.end_byte
        text = " ".join(source.data[named.start_byte : stop].decode("utf-8", "replace").split())
        text = _without_defaults(source, member, text)
        if kind is None:
            text += ": Promise<unknown>" if "async" in words else ": unknown"
        return text.rstrip(";") + ";"
    return ""


def _without_defaults(source: Source, member: Node, text: str) -> str:
    """A parameter with a default is an optional one in an interface."""
    parameters = member.child_by_field_name("parameters")
    for parameter in parameters.named_children if parameters is not None else ():
        value = parameter.child_by_field_name("value")
        pattern = parameter.child_by_field_name("pattern")
        if value is None or pattern is None:
            continue
        kind = parameter.child_by_field_name("type")
        old = " ".join(nodes.text(parameter).split())
        text = text.replace(
            old, f"{nodes.text(pattern)}?{nodes.text(kind) if kind is not None else ': unknown'}", 1
        )
    return text


def _implement(source: Source, cls: Node, body: Node, name: str) -> Splice:
    for child in cls.named_children:
        if child.type == "class_heritage":
            for clause in child.named_children:
                if clause.type == "implements_clause":
                    return Splice(source.path, clause.end_byte, clause.end_byte, f", {name}".encode())
            return Splice(source.path, child.end_byte, child.end_byte, f" implements {name}".encode())
    at = body.start_byte
    gap = source.data[at - 1 : at] == b" "
    return Splice(source.path, at, at, f"{'' if gap else ' '}implements {name} ".encode())
