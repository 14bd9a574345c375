"""The names that nodes go by: what `[name=…]` compares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node


def text(node: Node | None) -> str:
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


def names(node: Node) -> tuple[str, ...]:
    """The names that a node goes by, the primary one first: what `[name=…]` compares."""
    found = tuple(_names(node))
    return found or (("",) if node.child_count else (text(node),) if node.is_named else ("",))


def _names(node: Node) -> Iterator[str]:
    kind = node.type
    if kind in (
        "call",
        "call_expression",
        "new_expression",
        "method_invocation",
        "macro_invocation",
        "decorator",
    ):
        yield from _call_names(node)
    elif kind in ("import_statement", "import_from_statement", "import_declaration", "use_declaration"):
        yield from _import_names(node)
    elif kind in ("assignment", "augmented_assignment", "short_var_declaration", "assignment_expression"):
        yield from _bound(node.child_by_field_name("left"))
    elif kind in ("export_statement", "decorated_definition"):
        for child in node.named_children:
            if child.type != "decorator":
                yield from _names(child)
    elif kind in (
        "lexical_declaration",
        "variable_declaration",
        "local_variable_declaration",
        "field_declaration",
    ):
        for child in node.named_children:
            if child.type == "variable_declarator":
                yield from _names(child)
        yield from (text(child) for child in node.children_by_field_name("name"))
    elif kind == "expression_statement" and node.named_child_count == 1:
        yield from _names(node.named_children[0])
    elif (
        kind in ("arrow_function", "function_expression", "class")
        and node.child_by_field_name("name") is None
    ):
        if node.parent is not None and is_assigned(node):
            yield from _names(node.parent)
    elif kind in ("identifier", "property_identifier", "type_identifier", "field_identifier"):
        yield text(node)
    else:
        yield from _field_names(node)


def _field_names(node: Node) -> Iterator[str]:
    for field in ("name", "key", "pattern", "attribute", "property", "field", "alias"):
        children = node.children_by_field_name(field)
        if children:
            for child in children:
                yield from _bound(child)
            return
    if node.type in ("typed_parameter", "list_splat_pattern", "dictionary_splat_pattern", "rest_pattern"):
        for child in node.named_children[:1]:
            yield from _bound(child)
    elif node.type in ("assignment_pattern", "assignment_expression") or node.type == "type_alias_statement":
        yield from _bound(node.child_by_field_name("left"))


def _bound(node: Node | None) -> Iterator[str]:
    """The names in a target: `a`, `a, b`, `*rest`, `self.x`."""
    if node is None:
        return
    if node.type in (
        "pattern_list",
        "tuple_pattern",
        "list_pattern",
        "expression_list",
        "list_splat_pattern",
    ):
        for child in node.named_children:
            yield from _bound(child)
    elif node.type == "string":
        yield text(node)
        yield text(node)[1:-1]
    else:
        yield text(node)


def _call_names(node: Node) -> Iterator[str]:
    if node.type == "decorator":
        target = node.named_children[0] if node.named_child_count else None
        if target is not None and target.type in ("call", "call_expression"):
            target = target.child_by_field_name("function")
    else:
        target = next(
            filter(
                None,
                (node.child_by_field_name(f) for f in ("function", "constructor", "name", "macro", "type")),
            ),
            None,
        )
    full = text(target)
    yield full.rpartition(".")[2].rpartition("::")[2]
    yield full


def _import_names(node: Node) -> Iterator[str]:
    stack = list(node.named_children)
    while stack:
        child = stack.pop(0)
        if child.type in (
            "dotted_name",
            "identifier",
            "relative_import",
            "scoped_identifier",
            "package_identifier",
        ):
            yield text(child)
        elif child.type in ("string", "interpreted_string_literal"):
            yield text(child)[1:-1]
        elif child.type == "wildcard_import":
            yield "*"
        else:
            stack[:0] = child.named_children


def is_assigned(node: Node) -> bool:
    """Whether a function or class is the value of a variable or field, and so goes by its name."""
    parent = node.parent
    return parent is not None and parent.type in (
        "variable_declarator",
        "field_definition",
        "public_field_definition",
    )
