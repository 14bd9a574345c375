"""What annotations allow, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.python.known import WRAPPERS
from forgewright.code.python.parse import parse_span
from forgewright.code.python.values import (
    NOTHING,
    UNKNOWN,
    UNSURE,
    ClassValue,
    External,
    ExternalInstance,
    Instance,
    Value,
    Values,
    union,
)

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.infer import Inference
    from forgewright.code.python.scopes import Scope


def instances(types: Inference, values: Values) -> Values:
    """Of classes: their instances."""
    found: list[Value] = []
    for value in values:
        if isinstance(value, ClassValue):
            found.append(Instance(value.scope))
        elif isinstance(value, External):
            name = value.name.removeprefix("builtins.")
            unknown = name.rpartition(".")[2] in ("Any", "TypeVar", "object")
            found.append(UNKNOWN if unknown else ExternalInstance(name))
        else:
            found.append(UNKNOWN)
    return tuple(dict.fromkeys(found))


def annotation(types: Inference, node: Node, scope: Scope, owner: Scope | None = None) -> Values:
    """What an annotation allows, as values."""
    kind = node.type
    if kind in ("type", "parenthesized_expression", "module", "expression_statement"):
        children = node.named_children
        return types.annotation(children[0], scope, owner) if children else UNSURE
    if kind == "none":
        return NOTHING
    if kind == "string":
        content = [c for c in node.named_children if c.type == "string_content"]
        if len(content) != 1:
            return UNSURE
        return types.annotation(
            parse_span(scope.file.data, content[0].start_byte, content[0].end_byte), scope, owner
        )
    if kind in ("binary_operator", "union_type"):
        return union(*(types.annotation(child, scope, owner) for child in node.named_children))
    if kind in ("generic_type", "subscript"):
        return types.generic(node, scope, owner)
    if kind == "member_type":
        return types.instances(types.infer_dotted(node, len(node.named_children), scope))
    if kind in ("identifier", "attribute"):
        text = scope.file.text(node).rpartition(".")[2]
        if text == "Self" and (found := owner or _class_around(scope)) is not None:
            return (Instance(found),)
        if kind == "identifier":
            alias = types.alias(scope, text, owner)
            if alias is not None:
                return alias
        return types.instances(types.infer(node, scope))
    return UNSURE


def alias(types: Inference, scope: Scope, name: str, owner: Scope | None) -> Values | None:
    """A name that stands for a type expression, or a type variable."""
    binding = types.lookup(scope, name)
    if binding is None or len(binding.sites) != 1:
        return None
    site = binding.sites[0]
    if site.kind == "typeparam":
        return UNSURE
    if site.kind not in ("variable", "type") or site.value is None or site in types._active:
        return None
    if site.value.type in ("subscript", "generic_type", "binary_operator", "type", "string"):
        types._active.add(site)
        try:
            return types.annotation(site.value, site.where, owner)
        finally:
            types._active.discard(site)
    return None


def generic(types: Inference, node: Node, scope: Scope, owner: Scope | None) -> Values:
    children = node.named_children
    arguments = children[1:]
    if node.type == "generic_type" and len(children) > 1 and children[1].type == "type_parameter":
        arguments = children[1].named_children
    head = scope.file.text(children[0]).rpartition(".")[2]
    if head in WRAPPERS or head == "Annotated":
        one = arguments[-1] if head == "Coroutine" else arguments[0] if arguments else None
        return types.annotation(one, scope, owner) if one is not None else UNSURE
    if head == "Union":
        return union(*(types.annotation(one, scope, owner) for one in arguments))
    if head in ("Type", "type"):
        inner = types.annotation(arguments[0], scope, owner) if arguments else UNSURE
        return tuple(ClassValue(v.scope) if isinstance(v, Instance) else UNKNOWN for v in inner)
    if head in ("Callable", "Literal", "TypeGuard", "TypeIs"):
        return (ExternalInstance(head),)
    base = types.instances(types.infer(children[0], scope))
    if any(isinstance(value, ExternalInstance) for value in base):
        parts = tuple(
            types.annotation(one, scope, owner) for one in arguments if scope.file.text(one) != "..."
        )
        short = head[:1].lower() + head[1:] if head in ("List", "Dict", "Set", "Tuple", "FrozenSet") else head
        return (ExternalInstance(short, parts),)
    return base


def _class_around(scope: Scope) -> Scope | None:
    current: Scope | None = scope
    while current is not None and current.kind != "class":
        current = current.parent
    return current
