"""Expressions that are the same whenever they are computed: those may be computed once, when a module is imported."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.python.known import BUILTINS
from forgewright.code.python.refactor.effects import MAKING, fixed, now
from forgewright.code.python.values import ClassValue, Instance
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver
    from forgewright.code.python.scopes import Binding, FileIndex

PURE = frozenset(
    ("Decimal", "Fraction", "Path", "PurePath", "UUID", "bool", "bytes", "chr", "compile", "float", "frozenset",
     "int", "len", "max", "min", "object", "ord", "range", "round", "str", "timedelta", "tuple")
)  # fmt: skip
"""Functions that give an equal and unchangeable thing for equal arguments."""
STEADY = re.compile(r"_*[A-Z]\w*|ascii_\w+|digits|hexdigits|punctuation|maxsize|maxunicode|pi|sep|linesep")
"""Attributes that are classes and constants by their name."""


def check_once(file: FileIndex, node: Node) -> None:
    """Refuse what gives another thing each time, where it would be computed once and for all."""
    fixed_here = node.parent is not None and node.parent.type in (
        "comparison_operator",
        "for_statement",
        "for_in_clause",
    )
    made = [n for n in now(node) if n.type in MAKING and not (n == node and fixed_here)]
    for call in now(node):
        function = call.child_by_field_name("function") if call.type == "call" else None
        if call.type in ("await", "yield") or (
            function is not None and file.text(function).rpartition(".")[2] not in PURE
        ):
            made.append(call)
    if made:
        raise EditRefused(
            f"{file.text(made[0])[:40]} is computed each time, and would be once only",
            hint="extract a variable or a function instead",
        )


def check_constant(resolver: PythonResolver, file: FileIndex, node: Node) -> None:
    """Refuse what may be another thing later, or fail, when it is computed once at the start."""
    check_once(file, node)
    for inner in now(node):
        why = _changing(resolver, file, inner)
        if why:
            raise EditRefused(
                f"{file.text(inner)[:40]} {why}, and would be computed once at the start",
                hint="extract a variable or a function instead",
            )


def _changing(resolver: PythonResolver, file: FileIndex, node: Node) -> str:
    if node.type == "attribute":
        call = node.parent
        if call is not None and call.type == "call" and node == call.child_by_field_name("function"):
            return ""
        name = node.child_by_field_name("attribute")
        if name is None or not (STEADY.fullmatch(file.text(name)) or _settled(resolver, file, node)):
            return "may be another later"
        obj = node.child_by_field_name("object")
        if obj is None or obj.type not in ("identifier", "attribute"):
            return "may be another later"
    elif node.type == "subscript":
        value = node.child_by_field_name("value")
        word = file.text(value).rpartition(".")[2] if value is not None else ""
        if not (word[:1].isupper() and not word.isupper()) and word not in BUILTINS and not fixed(file, node):
            return "may be another later"
        if value is not None and value.type not in ("identifier", "attribute"):
            return "may be another later"
    elif node.type == "call":
        arguments = node.child_by_field_name("arguments")
        for inner in now(arguments) if arguments is not None else ():
            if inner.type == "identifier" and _is_read(file, inner) and not _named_once(file, inner):
                return "may be another later"
    elif node.type == "binary_operator":
        operator, right = node.child_by_field_name("operator"), node.child_by_field_name("right")
        if operator is not None and operator.type in ("/", "//", "%") and right is not None:
            if file.text(right).strip("0.") == "":
                return "fails"
    elif node.type == "identifier" and _is_read(file, node):
        return _rebound(resolver, file, node)
    return ""


def _settled(resolver: PythonResolver, file: FileIndex, node: Node) -> bool:
    """Whether an attribute is of an object of the project, and assigned at one place only."""
    obj, name = node.child_by_field_name("object"), node.child_by_field_name("attribute")
    if obj is None or name is None:
        return False
    word = file.text(name)
    values = resolver.types.infer(obj, file.scope_at(node.start_byte))
    if len(values) != 1 or not isinstance(values[0], Instance | ClassValue):
        return False
    owner = resolver.types.owner(values[0].scope, word)
    if owner is None or len(resolver.types.sites(owner, word)) != 1:
        return False
    return not any(
        entry.kind == "store"
        for path in resolver.project.containing(word.encode(), "python")
        for entry in resolver.file(path).attributes.get(word, ())
    )


def _is_read(file: FileIndex, node: Node) -> bool:
    return any(ref.start == node.start_byte for ref in file.names.get(file.text(node), ()))


def _named_once(file: FileIndex, node: Node) -> bool:
    """Whether a name is a constant, a class or a module, by how it is bound or written."""
    name = file.text(node)
    binding = file.lookup(file.scope_at(node.start_byte), name, node.start_byte)
    kinds = {site.kind for site in binding.sites} if binding is not None else set()
    return name.strip("_").isupper() or (bool(kinds) and kinds <= {"import", "from", "class"})


def _rebound(resolver: PythonResolver, file: FileIndex, node: Node) -> str:
    name = file.text(node)
    binding: Binding | None = file.lookup(file.scope_at(node.start_byte), name, node.start_byte)
    if binding is None:
        known = name in BUILTINS or resolver.types.starred(file, name) is not None
        return "" if known else "is not defined"
    if binding.scope is file.module and len(binding.sites) > 1:
        if any(site.kind not in ("import", "from", "function", "class") for site in binding.sites):
            return "is bound more than once"
    word = re.escape(name.encode())
    put = re.compile(rb"""\b(?:setattr|patch(?:\.object)?)\([^\n]*["'](?:[\w.]*\.)?""" + word + rb"""["']""")
    for path in resolver.project.containing(name.encode(), "python"):
        if put.search(resolver.project.source(path).data):
            return f"is replaced by name in {path}"
    return ""
