"""The words of the language: which nodes are names, and what a property's key is called."""

from __future__ import annotations

import re

from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds

FUNCTIONS = kinds(
    "function_declaration function_expression arrow_function method_definition generator_function "
    "generator_function_declaration function_signature method_signature abstract_method_signature "
    "construct_signature call_signature function_type constructor_type"
)
CLASSES = kinds("class_declaration class abstract_class_declaration")
STRINGS = frozenset(("string", "template_string", "template_literal_type"))
NAMES = kinds(
    "identifier type_identifier property_identifier private_property_identifier statement_identifier "
    "shorthand_property_identifier shorthand_property_identifier_pattern jsdoc_name this undefined"
)
PATTERNS = frozenset(("object_pattern", "array_pattern"))
WRAPPERS = frozenset(("parenthesized_expression", "non_null_expression"))

IDENTIFIER = re.compile(r"#?[^\W\d][\w$]*|#?\$[\w$]*")
RESERVED = kinds(
    "break case catch class const continue debugger default delete do else enum export extends false finally "
    "for function if import in instanceof new null return super switch this throw true try typeof var void "
    "while with yield let static implements interface package private protected public await"
)


def is_identifier(name: str) -> bool:
    return IDENTIFIER.fullmatch(name) is not None and name not in RESERVED


def string_text(node: Node) -> str | None:
    """What a string literal without escapes or substitutions says."""
    if node.type == "string" or (
        node.type in STRINGS and not node.first("template_substitution", "template_type")
    ):
        return node.text[1:-1]
    return None


def key_of(node: Node | None) -> tuple[str, Node] | None:
    """A property's name and the node that carries it; None for a computed name."""
    if node is None:
        return None
    if node.type == "computed_property_name":
        inner = node.items
        return key_of(inner[0]) if inner and (inner[0].type in STRINGS or inner[0].type == "number") else None
    if node.type in STRINGS:
        text = string_text(node)
        return None if text is None else (text, node)
    if node.type in NAMES or node.type in (
        "number",
        "default",
    ):  # `default` is a keyword in `{ default as a }`
        return node.text, node
    return None


def name_of(node: Node) -> Node | None:
    """The name (or key) child of a declaration or member, in either grammar."""
    return node.get("name") or node.get("property") or node.get("key")


def parameters(function: Node) -> list[Node]:
    """The parameters' nodes: `required_parameter`, or a bare pattern in JavaScript."""
    listed = function.get("parameters")
    if listed is not None:
        return [p for p in listed.items if p.type != "decorator"]
    single = function.get("parameter")
    return [single] if single is not None else []


def pattern_of(parameter: Node) -> Node:
    """What a parameter binds: an identifier or a pattern."""
    return parameter.get("pattern") or parameter.get("name") or parameter.get("left") or parameter


def annotation(node: Node, field: str = "type") -> Node | None:
    """The type that an annotation holds (`: T` without the colon)."""
    found = node.get(field)
    if found is None:
        return None
    if found.type in (
        "type_annotation",
        "opting_type_annotation",
        "omitting_type_annotation",
        "constraint",
        "default_type",
    ):
        return found.items[0] if found.items else None
    return found


def bare(node: Node) -> Node:
    """An expression without parentheses and `!`."""
    while node.type in WRAPPERS and node.items:
        node = node.items[0]
    return node
