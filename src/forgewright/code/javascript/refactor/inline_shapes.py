"""The shapes of functions and of calls that inlining asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.names import FUNCTIONS
from forgewright.code.javascript.refactor.uses import LOOPS

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Entity
    from forgewright.code.scopes.tree import Node


def function_of(entity: Entity) -> Node | None:
    """The function that an entity names: a declaration, a method, or the value of a variable."""
    for node in entity.nodes:
        if node.type in ("function_declaration", "generator_function_declaration", "method_definition"):
            return node
        value = node.get("value") if node.type == "variable_declarator" else None
        if value is not None and value.type in (
            "arrow_function",
            "function_expression",
            "generator_function",
        ):
            return value
    return None


def statement_of(call: Node) -> Node | None:
    """The statement that a call is all of, or the value of."""
    parent = call.up
    if parent.type == "expression_statement" or parent.type == "return_statement":
        return parent
    if parent.type == "variable_declarator" and call.field == "value":
        return parent.up if len(parent.up.items) == 1 and parent.up.up.type != "for_statement" else None
    left = parent.get("left") if parent.type == "assignment_expression" else None
    if left is not None and call.field == "right" and left.type == "identifier":
        return parent.up if parent.up.type == "expression_statement" else None
    return None


def defined(node: Node) -> bool:
    """Whether an expression cannot be `undefined`."""
    return node.type in (
        "number",
        "string",
        "template_string",
        "object",
        "array",
        "true",
        "false",
        "regex",
    ) or (node.type in FUNCTIONS)


def in_loop(node: Node, top: Node) -> bool:
    for above in node.above():
        if above is top:
            return False
        if above.type in LOOPS:
            return True
    return False
