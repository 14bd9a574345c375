"""From a node to the symbol that it defines or means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.binding import Resolver, Symbol
from forgewright.code.operations.base import Match
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

_NAME_FIELDS = ("name", "left", "pattern", "declarator", "attribute", "property", "function", "field")

_NAMELESS = ("arrow_function", "function_expression")
"""They go by the name of the variable or property that holds them."""


def name_node(node: Node) -> Node:
    """The identifier that stands for a node: a definition's name, a call's function, a parameter's name."""
    if node.type in _NAMELESS and node.parent is not None and node.child_by_field_name("name") is None:
        for field in ("name", "key", "property"):
            held = node.parent.child_by_field_name(field)
            if held is not None and not held.child_count:
                return held
    while node.child_count:
        if node.type in ("decorated_definition", "export_statement"):
            inner = node.child_by_field_name("definition") or node.child_by_field_name("declaration")
            if inner is not None:
                node = inner
                continue
        for field in _NAME_FIELDS:
            found = node.child_by_field_name(field)
            if found is not None:
                break
        else:
            found = next((child for child in node.named_children if "comment" not in child.type), None)
        if found is None:
            return node
        node = found
    return node


def symbol_of(resolver: Resolver, match: Match) -> Symbol:
    """The symbol of a match. Raises `EditRefused` if its name cannot be resolved."""
    name = name_node(match.node)
    symbol = resolver.symbol_at(match.path, name.start_byte)
    if symbol is None:
        raise EditRefused(
            f"it is not known what {(name.text or b'').decode('utf-8', 'replace')!r} means at "
            f"{match.path}:{name.start_point.row + 1}:{name.start_point.column + 1}",
            hint="name its definition, or use (find …) or (search …)",
        )
    return symbol
