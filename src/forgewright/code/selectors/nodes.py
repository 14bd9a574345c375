"""What a node is: its language-neutral kind, its names, its body, the whole of a definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from forgewright.code.selectors import kinds
from forgewright.code.selectors.naming import is_assigned, names, text

if TYPE_CHECKING:
    from tree_sitter import Node

SCOPES = frozenset(
    (
        "function_definition",
        "class_definition",
        "lambda",
        "function_declaration",
        "generator_function_declaration",
        "function_expression",
        "arrow_function",
        "method_definition",
        "class_declaration",
        "abstract_class_declaration",
        "class",
        "function_item",
        "impl_item",
        "trait_item",
        "method_declaration",
        "func_literal",
    )
)
_NAMED_AROUND = frozenset(
    ("interface_declaration", "enum_declaration", "record_declaration", "internal_module", "type_spec")
)
"""No scopes in the table above, but what their members are named after."""
CLASSES = frozenset(("class_definition", "impl_item", "trait_item", "class_declaration", "class"))
PARAMETER_LISTS = frozenset(("parameters", "lambda_parameters", "formal_parameters"))
ARGUMENT_LISTS = frozenset(("argument_list", "arguments"))
LITERALS = frozenset(
    ("list", "tuple", "set", "array", "array_expression", "tuple_expression", "literal_value")
)
BODIES = frozenset(
    (
        "module",
        "program",
        "source_file",
        "block",
        "statement_block",
        "class_body",
        "interface_body",
        "object_type",
        "enum_body",
        "switch_body",
        "declaration_list",
        "field_declaration_list",
        "constructor_body",
        "statement_list",
    )
)
WRAPPERS = frozenset(("decorated_definition", "export_statement", "ambient_declaration"))
"""What stands around a definition and belongs to it."""

_NO_STATEMENT = frozenset(("comment", "line_comment", "block_comment", "{", "}", ";"))


def enclosing(node: Node, types: frozenset[str]) -> Node | None:
    """The nearest ancestor of one of `types`."""
    up = node.parent
    while up is not None and up.type not in types:
        up = up.parent
    return up


def in_class(node: Node) -> bool:
    scope = enclosing(node, SCOPES)
    return scope is not None and scope.type in CLASSES


def is_parameter(node: Node) -> bool:
    parent = node.parent
    return parent is not None and (
        parent.type in PARAMETER_LISTS
        or (parent.type == "arrow_function" and parent.child_by_field_name("parameter") == node)
    )


def is_docstring(node: Node) -> bool:
    parent = node.parent
    if parent is None or parent.type != "expression_statement" or parent.named_child_count != 1:
        return False
    body = parent.parent
    if body is None:
        return False
    first = next((child for child in body.named_children if child.type != "comment"), None)
    if first != parent:
        return False
    return body.type == "module" or (
        body.type == "block"
        and body.parent is not None
        and body.parent.type in ("function_definition", "class_definition")
    )


def is_statement(node: Node) -> bool:
    parent = node.parent
    if parent is None or node.type in _NO_STATEMENT or not node.is_named:
        return False
    if parent.type in BODIES and parent.type not in ("object_type", "field_declaration_list", "enum_body"):
        return node.type not in ("block", "statement_list")
    return parent.type in WRAPPERS and node.type.endswith(("definition", "declaration"))


def is_expression(node: Node) -> bool:
    if not node.is_named or is_statement(node) or node.parent is None:
        return False
    return node.type in EXPRESSIONS or node.type.endswith("_expression")


EXPRESSIONS = frozenset(
    (
        *(
            [
                "identifier",
                "attribute",
                "call",
                "subscript",
                "binary_operator",
                "boolean_operator",
                "comparison_operator",
            ]
        ),
        *(
            [
                "unary_operator",
                "not_operator",
                "conditional_expression",
                "lambda",
                "list",
                "tuple",
                "set",
                "dictionary",
                "string",
            ]
        ),
        *(
            [
                "concatenated_string",
                "integer",
                "float",
                "true",
                "false",
                "none",
                "await",
                "named_expression",
                "list_comprehension",
            ]
        ),
        *(
            [
                "dictionary_comprehension",
                "set_comprehension",
                "generator_expression",
                "parenthesized_expression",
            ]
        ),
        *(
            [
                "ellipsis",
                "arrow_function",
                "function_expression",
                "array",
                "object",
                "template_string",
                "number",
                "null",
            ]
        ),
        *(
            [
                "undefined",
                "regex",
                "this",
                "super",
                "jsx_element",
                "jsx_self_closing_element",
                "class",
                "composite_literal",
            ]
        ),
        *(
            [
                "interpreted_string_literal",
                "raw_string_literal",
                "int_literal",
                "float_literal",
                "nil",
                "func_literal",
            ]
        ),
        *(["string_literal", "integer_literal", "boolean_literal", "macro_invocation", "method_invocation"]),
        *(["decimal_integer_literal", "null_literal", "field_access", "array_access"]),
    )
)


def _pattern_is_name(node: Node) -> bool:
    left = node.child_by_field_name("left")
    return left is not None and left.type in ("identifier", "pattern_list", "tuple_pattern", "list_pattern")


def _struct(node: Node, wanted: str) -> bool:
    kind = node.child_by_field_name("type")
    found = kind.type.removesuffix("_type") if kind is not None else ""
    return found == wanted if wanted else found not in ("struct", "interface")


def _in_class_body(node: Node) -> bool:
    up = node.parent
    while up is not None and up.type in ("expression_statement", "block", "assignment"):
        up = up.parent
    return up is not None and up.type == "class_definition"


CONDITIONS: dict[str, Callable[[Node], bool]] = {
    "": lambda node: True,
    "in_class": in_class,
    "not_in_class": lambda node: not in_class(node),
    "parameter": is_parameter,
    "docstring": is_docstring,
    "variable": lambda node: _pattern_is_name(node) and not _in_class_body(node),
    "field": lambda node: _pattern_is_name(node) and _in_class_body(node),
    "named": is_assigned,
    "valued": lambda node: node.child_by_field_name("value") is not None,
    "struct": lambda node: _struct(node, "struct"),
    "interface": lambda node: _struct(node, "interface"),
    "other": lambda node: _struct(node, ""),
    "statement": is_statement,
    "expression": is_expression,
    "argument": lambda node: (
        node.is_named
        and node.parent is not None
        and node.parent.type in ARGUMENT_LISTS
        and node.type != "comment"
    ),
    "item": lambda node: (
        node.is_named
        and node.parent is not None
        and node.parent.type in LITERALS
        and node.type not in _NO_STATEMENT
    ),
}


def is_kind(node: Node, kind: str, language: str) -> bool:
    """Whether a node is of a language-neutral kind, or of the grammar's type of that name."""
    if kind in kinds.BY_CONDITION:
        return CONDITIONS[kinds.BY_CONDITION[kind]](node)
    if kind in kinds.KINDS:
        return any(
            node.type == node_type and node.is_named and CONDITIONS[condition](node)
            for node_type, condition in kinds.entries(language, kind)
        )
    return node.type == kind


def kind_of(node: Node, language: str) -> str:
    """The first kind of the table that a node is of; else the grammar's type."""
    if node.is_named:
        for kind, condition in kinds.by_type(language).get(node.type, ()):
            if CONDITIONS[condition](node):
                return kind
    return node.type


def whole(node: Node) -> Node:
    """A definition with what belongs to it: decorators, `export`, the statement of a lone declarator."""
    while True:
        parent = node.parent
        if parent is None or node.type in ("decorator", "comment"):
            return node
        lone = (
            parent.type
            in ("lexical_declaration", "variable_declaration", "expression_statement", "type_declaration")
            and parent.named_child_count == 1
        )
        function = parent.type == "variable_declarator" and node.type in (
            "arrow_function",
            "function_expression",
        )
        if not (parent.type in WRAPPERS or lone or function):
            return node
        node = parent


def body_of(node: Node) -> Node | None:
    """The block that holds a node's statements or members; the node itself if it is one."""
    if node.type in BODIES:
        return node
    if node.type in ("decorated_definition", "export_statement"):
        inner = node.child_by_field_name("definition") or node.child_by_field_name("declaration")
        return body_of(inner) if inner is not None else None
    for field in ("body", "consequence", "alternative"):
        found = node.child_by_field_name(field)
        if found is not None:
            return found
    if node.type in ("variable_declarator", "lexical_declaration", "variable_declaration", "pair"):
        value = node.child_by_field_name("value")
        children = [value] if value is not None else node.named_children
        return next((body for child in children if (body := body_of(child)) is not None), None)
    return next((child for child in node.named_children if child.type in BODIES), None)


def qualified(node: Node, language: str) -> str:
    """Dotted name of a definition: the names of the definitions around it and its own."""
    parts = [names(node)[0]]
    up = node.parent
    while up is not None:
        if up.type in SCOPES or up.type in _NAMED_AROUND:
            own = _impl_name(up) if up.type == "impl_item" else names(up)[0]
            if own:
                parts.append(own)
        up = up.parent
    if node.type == "method_declaration" and language == "go":
        parts.append(_receiver(node))
    return ".".join(reversed([part for part in parts if part]))


def _impl_name(node: Node) -> str:
    return text(node.child_by_field_name("type")).partition("<")[0]


def _receiver(node: Node) -> str:
    receiver = node.child_by_field_name("receiver")
    return text(receiver).strip("()").split(" ")[-1].strip("*").partition("[")[0]


__all__ = ["CONDITIONS", "body_of", "enclosing", "is_kind", "kind_of", "names", "qualified", "text", "whole"]
