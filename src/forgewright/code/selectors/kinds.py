"""The language-neutral kinds of nodes, as node types of each grammar with a condition where one is needed.

An entry is `type` or `type?condition`; conditions are the functions of `conditions`.
"""

from __future__ import annotations

from functools import cache

KINDS: dict[str, str] = {
    "function": "a function that is no method, with its body",
    "method": "a function in a class",
    "callable": "a function or a method",
    "class": "a class (Go and Rust: struct)",
    "interface": "an interface or trait",
    "enum": "an enumeration",
    "type": "a type alias",
    "definition": "a function, method, class, interface, enum or type alias",
    "variable": "an assignment or declaration of a variable outside a class body",
    "field": "a variable in a class body",
    "parameter": "a parameter of a function",
    "argument": "an argument of a call",
    "call": "a call",
    "attribute": "an access to a member, as a.b",
    "decorator": "a decorator or annotation",
    "import": "an import statement",
    "export": "an export statement",
    "statement": "any statement, definitions among them",
    "expression": "any expression",
    "assignment": "an assignment, plain, annotated or augmented",
    "return": "a return statement",
    "raise": "a raise or throw statement",
    "if": "an if statement",
    "loop": "a for or while loop",
    "for": "a for loop",
    "while": "a while loop",
    "try": "a try statement",
    "with": "a with statement",
    "switch": "a match or switch statement",
    "assert": "an assert statement",
    "lambda": "a lambda or arrow function",
    "block": "the body of a definition or statement",
    "comment": "a comment",
    "docstring": "the string that documents a module, class or function (Python)",
    "string": "a string literal",
    "number": "a number literal",
    "literal": "a string, number, boolean or null literal",
    "list": "a list, tuple, set or array literal",
    "dict": "a dictionary or object literal",
    "pair": "a key with its value in a dictionary or object",
    "item": "an element of a list, tuple, set or array literal",
    "name": "an identifier",
    "module": "the whole file",
}

PYTHON: dict[str, tuple[str, ...]] = {
    "function": ("function_definition?not_in_class",),
    "method": ("function_definition?in_class",),
    "class": ("class_definition",),
    "type": ("type_alias_statement",),
    "variable": ("assignment?variable", "augmented_assignment?variable", "named_expression"),
    "field": ("assignment?field",),
    "parameter": (
        "identifier?parameter",
        "typed_parameter",
        "default_parameter",
        "typed_default_parameter",
        "list_splat_pattern?parameter",
        "dictionary_splat_pattern?parameter",
    ),
    "call": ("call",),
    "attribute": ("attribute",),
    "decorator": ("decorator",),
    "import": ("import_statement", "import_from_statement", "future_import_statement"),
    "assignment": ("assignment", "augmented_assignment"),
    "return": ("return_statement",),
    "raise": ("raise_statement",),
    "if": ("if_statement",),
    "for": ("for_statement",),
    "while": ("while_statement",),
    "try": ("try_statement",),
    "with": ("with_statement",),
    "switch": ("match_statement",),
    "assert": ("assert_statement",),
    "lambda": ("lambda",),
    "block": ("block",),
    "comment": ("comment",),
    "docstring": ("string?docstring", "concatenated_string?docstring"),
    "string": ("string",),
    "number": ("integer", "float"),
    "literal": ("string", "integer", "float", "true", "false", "none"),
    "list": ("list", "tuple", "set"),
    "dict": ("dictionary",),
    "pair": ("pair",),
    "name": ("identifier",),
    "module": ("module",),
}

JAVASCRIPT: dict[str, tuple[str, ...]] = {
    "function": (
        "function_declaration",
        "generator_function_declaration",
        "function_expression",
        "generator_function",
        "arrow_function?named",
    ),
    "method": ("method_definition",),
    "class": ("class_declaration", "class"),
    "variable": ("variable_declarator",),
    "field": ("field_definition",),
    "parameter": (
        "identifier?parameter",
        "assignment_pattern?parameter",
        "rest_pattern?parameter",
        "object_pattern?parameter",
        "array_pattern?parameter",
    ),
    "call": ("call_expression", "new_expression"),
    "attribute": ("member_expression",),
    "decorator": ("decorator",),
    "import": ("import_statement",),
    "export": ("export_statement",),
    "assignment": ("assignment_expression", "augmented_assignment_expression", "variable_declarator?valued"),
    "return": ("return_statement",),
    "raise": ("throw_statement",),
    "if": ("if_statement",),
    "for": ("for_statement", "for_in_statement"),
    "while": ("while_statement", "do_statement"),
    "try": ("try_statement",),
    "with": ("with_statement",),
    "switch": ("switch_statement",),
    "lambda": ("arrow_function",),
    "block": ("statement_block", "class_body"),
    "comment": ("comment",),
    "string": ("string", "template_string"),
    "number": ("number",),
    "literal": ("string", "number", "true", "false", "null", "undefined", "template_string", "regex"),
    "list": ("array",),
    "dict": ("object",),
    "pair": ("pair",),
    "name": ("identifier", "property_identifier", "shorthand_property_identifier"),
    "module": ("program",),
}

TYPESCRIPT: dict[str, tuple[str, ...]] = {
    **JAVASCRIPT,
    "method": ("method_definition", "method_signature", "abstract_method_signature"),
    "function": (*JAVASCRIPT["function"], "function_signature"),
    "class": ("class_declaration", "class", "abstract_class_declaration"),
    "interface": ("interface_declaration",),
    "enum": ("enum_declaration",),
    "type": ("type_alias_declaration",),
    "field": ("public_field_definition", "property_signature"),
    "parameter": ("required_parameter", "optional_parameter", "identifier?parameter"),
    "name": (*JAVASCRIPT["name"], "type_identifier"),
    "block": (*JAVASCRIPT["block"], "interface_body", "enum_body"),
}

GO: dict[str, tuple[str, ...]] = {
    "function": ("function_declaration",),
    "method": ("method_declaration", "method_elem"),
    "class": ("type_spec?struct",),
    "interface": ("type_spec?interface",),
    "type": ("type_spec?other", "type_alias"),
    "variable": ("var_spec", "short_var_declaration", "const_spec"),
    "field": ("field_declaration",),
    "parameter": ("parameter_declaration", "variadic_parameter_declaration"),
    "call": ("call_expression",),
    "attribute": ("selector_expression",),
    "import": ("import_declaration",),
    "assignment": ("assignment_statement", "short_var_declaration"),
    "return": ("return_statement",),
    "if": ("if_statement",),
    "for": ("for_statement",),
    "switch": ("expression_switch_statement", "type_switch_statement", "select_statement"),
    "lambda": ("func_literal",),
    "block": ("block",),
    "comment": ("comment",),
    "string": ("interpreted_string_literal", "raw_string_literal"),
    "number": ("int_literal", "float_literal"),
    "literal": (
        "interpreted_string_literal",
        "raw_string_literal",
        "int_literal",
        "float_literal",
        "true",
        "false",
        "nil",
    ),
    "list": ("literal_value",),
    "pair": ("keyed_element",),
    "name": ("identifier", "field_identifier", "type_identifier", "package_identifier"),
    "module": ("source_file",),
}

RUST: dict[str, tuple[str, ...]] = {
    "function": ("function_item?not_in_class",),
    "method": ("function_item?in_class", "function_signature_item"),
    "class": ("struct_item", "union_item"),
    "interface": ("trait_item",),
    "enum": ("enum_item",),
    "type": ("type_item",),
    "variable": ("let_declaration", "const_item", "static_item"),
    "field": ("field_declaration",),
    "parameter": ("parameter", "self_parameter"),
    "call": ("call_expression", "macro_invocation"),
    "attribute": ("field_expression",),
    "decorator": ("attribute_item",),
    "import": ("use_declaration",),
    "assignment": ("assignment_expression", "compound_assignment_expr"),
    "return": ("return_expression",),
    "if": ("if_expression",),
    "for": ("for_expression",),
    "while": ("while_expression", "loop_expression"),
    "switch": ("match_expression",),
    "lambda": ("closure_expression",),
    "block": ("block", "declaration_list"),
    "comment": ("line_comment", "block_comment"),
    "string": ("string_literal", "raw_string_literal", "char_literal"),
    "number": ("integer_literal", "float_literal"),
    "literal": (
        "string_literal",
        "raw_string_literal",
        "char_literal",
        "integer_literal",
        "float_literal",
        "boolean_literal",
    ),
    "list": ("array_expression", "tuple_expression"),
    "pair": ("field_initializer",),
    "name": ("identifier", "field_identifier", "type_identifier"),
    "module": ("source_file",),
}

JAVA: dict[str, tuple[str, ...]] = {
    "method": ("method_declaration", "constructor_declaration"),
    "class": ("class_declaration", "record_declaration"),
    "interface": ("interface_declaration", "annotation_type_declaration"),
    "enum": ("enum_declaration",),
    "variable": ("local_variable_declaration",),
    "field": ("field_declaration",),
    "parameter": ("formal_parameter", "spread_parameter"),
    "call": ("method_invocation", "object_creation_expression"),
    "attribute": ("field_access",),
    "decorator": ("marker_annotation", "annotation"),
    "import": ("import_declaration",),
    "assignment": ("assignment_expression",),
    "return": ("return_statement",),
    "raise": ("throw_statement",),
    "if": ("if_statement",),
    "for": ("for_statement", "enhanced_for_statement"),
    "while": ("while_statement", "do_statement"),
    "try": ("try_statement", "try_with_resources_statement"),
    "switch": ("switch_expression",),
    "assert": ("assert_statement",),
    "lambda": ("lambda_expression",),
    "block": ("block", "class_body", "interface_body", "enum_body"),
    "comment": ("line_comment", "block_comment"),
    "string": ("string_literal",),
    "number": ("decimal_integer_literal", "hex_integer_literal", "decimal_floating_point_literal"),
    "literal": (
        "string_literal",
        "decimal_integer_literal",
        "decimal_floating_point_literal",
        "true",
        "false",
        "null_literal",
    ),
    "list": ("array_initializer",),
    "name": ("identifier", "type_identifier"),
    "module": ("program",),
}

TABLES: dict[str, dict[str, tuple[str, ...]]] = {
    "python": PYTHON,
    "javascript": JAVASCRIPT,
    "typescript": TYPESCRIPT,
    "tsx": TYPESCRIPT,
    "go": GO,
    "rust": RUST,
    "java": JAVA,
}

UNIONS: dict[str, tuple[str, ...]] = {
    "callable": ("function", "method"),
    "definition": ("function", "method", "class", "interface", "enum", "type"),
    "loop": ("for", "while"),
}

BY_CONDITION: dict[str, str] = {
    "statement": "statement",
    "expression": "expression",
    "argument": "argument",
    "item": "item",
}
"""Kinds that are told by place and not by type: every named node is tried."""


@cache
def entries(language: str, kind: str) -> tuple[tuple[str, str], ...]:
    """(node type, condition or "") of a kind in a language; empty if it has none there."""
    table = TABLES.get(language, {})
    if kind in UNIONS:
        return tuple(entry for part in UNIONS[kind] for entry in entries(language, part))
    found = []
    for entry in table.get(kind, ()):
        node_type, _, condition = entry.partition("?")
        found.append((node_type, condition))
    return tuple(found)


@cache
def by_type(language: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """Node type → (kind, condition) in the table's order: the kinds that a node may be of."""
    found: dict[str, list[tuple[str, str]]] = {}
    for kind, rows in TABLES.get(language, {}).items():
        for entry in rows:
            node_type, _, condition = entry.partition("?")
            found.setdefault(node_type, []).append((kind, condition))
    return {node_type: tuple(rows) for node_type, rows in found.items()}
