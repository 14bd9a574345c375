"""From an offset to the name that is meant there: the name itself, or the one that a keyword declares."""

from __future__ import annotations

from forgewright.code.javascript.entities import Unit
from forgewright.code.javascript.jsdoc import doc_of, is_doc
from forgewright.code.javascript.names import CLASSES, FUNCTIONS, NAMES, STRINGS, bare, name_of, pattern_of
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds

_DECLARING = (
    FUNCTIONS
    | CLASSES
    | kinds(
        "interface_declaration type_alias_declaration enum_declaration internal_module module "
        "public_field_definition field_definition property_signature variable_declarator type_parameter "
        "required_parameter optional_parameter pair import_alias"
    )
)
_STATEMENTS = kinds(
    "export_statement ambient_declaration lexical_declaration variable_declaration expression_statement"
)
_OPERATORS = kinds("new typeof void delete await yield keyof infer throw return")


def name_at(unit: Unit, offset: int) -> Node | None:
    """The node of the name at `offset` (or ending there); None if no name is meant there."""
    for place in (offset, offset - 1):
        node = unit.root.at(place) if 0 <= place < len(unit.data) else None
        if node is None:
            continue
        found = _name(unit, node, place)
        if found is not None:
            return found
    return None


def _name(unit: Unit, node: Node, offset: int) -> Node | None:
    if node.type in ("string_fragment", "escape_sequence", '"', "'", "`"):
        node = node.up
    if node.type in STRINGS and not node.first("template_substitution"):
        return node
    if node.type in NAMES or node.type == "number":
        return node
    if node.type == "comment" and is_doc(node):
        for root in doc_of(unit, node).nodes():
            for inner in root.walk():
                if inner.start <= offset < inner.end and not inner.children and inner.type in NAMES:
                    return inner
        return None
    if node.named and node.type not in ("accessibility_modifier", "override_modifier"):
        return None
    return _declared_by(node)


def _declared_by(keyword: Node) -> Node | None:
    parent = keyword.up
    if parent.type in ("accessibility_modifier", "override_modifier"):
        parent = parent.up
    text = keyword.text
    if parent.type == "class_heritage" or parent.type in (
        "extends_clause",
        "implements_clause",
        "extends_type_clause",
    ):
        types = [c for c in parent.items if c.type != "type_arguments"]
        return _last_name(types[0]) if len(types) == 1 else None
    if text in _OPERATORS:
        operand = next((c for c in parent.items if c.start >= keyword.end), None)
        return _last_name(operand) if operand is not None else None
    if text in ("=", ":", ";", ",", "(", ")", "{", "}", "[", "]", "=>", "?", "."):
        return None
    if parent.type in _DECLARING:
        return _leaf(name_of(parent) or (pattern_of(parent) if "parameter" in parent.type else None))
    if parent.type in _STATEMENTS and keyword.start <= parent.start + 40:
        inner = parent
        while inner.type in _STATEMENTS:
            children = [c for c in inner.items if c.field != "decorator"]
            declared = [c for c in children if c.type in _STATEMENTS or c.type in _DECLARING]
            if len(declared) != 1:
                return None
            inner = declared[0]
        return _leaf(name_of(inner))
    return None


def _leaf(node: Node | None) -> Node | None:
    if node is not None and node.type == "computed_property_name" and node.items:
        node = node.items[0]
    return node if node is not None and (node.type in NAMES or node.type in STRINGS) else None


def _last_name(node: Node) -> Node | None:
    """The name that an expression or type ends in: `b` of `a.b`."""
    node = bare(node)
    while node.type not in NAMES:
        inner = node.get("property") or node.get("name") or node.get("function") or node.get("constructor")
        if inner is None:
            return None
        node = bare(inner)
    return node
