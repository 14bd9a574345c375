"""What a place does with the function that it names: calls it, hands it on, or neither."""

from __future__ import annotations

import msgspec

from forgewright.code.javascript.names import STRINGS, WRAPPERS
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds

CASTS = frozenset(("as_expression", "satisfies_expression"))
_LINKS = kinds(
    "import_specifier import_clause namespace_import export_specifier namespace_export import_require_clause"
)
_COMPARED = frozenset(("===", "!==", "==", "!=", "instanceof", "in"))
_TESTED = kinds("if_statement while_statement do_statement for_statement")
_RETURN_ONLY = ("ReturnType", "Awaited")
_TAGS = kinds("jsx_opening_element jsx_self_closing_element")


class Call(msgspec.Struct, frozen=True, eq=False):
    """One call that is known: `f(…)`, `new C(…)`, `super(…)`, `f.call(this, …)`."""

    node: Node
    name: Node
    """Where the function is named."""
    arguments: Node | None
    """The list in parentheses; None for `new C`."""
    skip: int = 0
    """Arguments in front that are not the function's: the `this` of `.call`."""

    @property
    def path(self) -> str:
        return self.node.path

    @property
    def given(self) -> list[Node]:
        """What the function is given."""
        return self.arguments.items[self.skip :] if self.arguments is not None else []

    @property
    def spread(self) -> int | None:
        """The index of the first `...x` among them."""
        return next((i for i, one in enumerate(self.given) if one.type == "spread_element"), None)


class Carrier(msgspec.Struct, frozen=True, eq=False):
    """A place where a function gets another name, whose uses are its uses: `const g = f`, `{ g: f }`."""

    name: Node


class Module(msgspec.Struct, frozen=True, eq=False):
    """`module.exports = f`: what requires the file gets the function."""

    node: Node


class Escape(msgspec.Struct, frozen=True, eq=False):
    """A place from which the function may be called with arguments that nobody here sees."""

    node: Node
    value: Node
    """The expression that denotes the function."""
    why: str


Use = Call | Carrier | Module | Escape | None


def value_at(name: Node) -> Node:
    """The expression that a name stands for: itself, or the access that ends in it; in its parentheses."""
    node = name
    if (
        node.field in ("property", "index")
        and node.up.type in ("member_expression", "subscript_expression", "nested_identifier")
        and node.up.get("object") is not node
    ):
        node = node.up
    while node.up.type in WRAPPERS or (node.up.type in CASTS and node.up.items[0] is node):
        node = node.up
    return node


def use_at(name: Node) -> Use:
    """How the function (or class) that is named here is used; None if nothing about its parameters matters."""
    if name.type == "comment" or name.type == "jsdoc_name" or name.up.type in _LINKS:
        return None
    if any(above.type == "comment" for above in name.above()):
        return None
    if name.type == "shorthand_property_identifier":
        return Carrier(name)
    if name.up.type in ("jsx_closing_element",):
        return None
    value = value_at(name)
    return of_value(value, name)


def of_value(value: Node, name: Node) -> Use:
    """The same for an expression whose value the function is."""
    parent = value.up
    kind, field = parent.type, value.field
    if kind == "call_expression" and field == "function":
        arguments = parent.get("arguments")
        if arguments is None or arguments.type != "arguments":
            return Escape(name, value, "is called by a template")
        return Call(parent, name, arguments)
    if kind == "new_expression" and field == "constructor":
        return Call(parent, name, parent.get("arguments"))
    if kind == "member_expression" and field == "object":
        return _member(parent, value, name)
    if kind in _TAGS or (kind == "member_expression" and parent.up.type in _TAGS):
        return Escape(name, value, "is a component, whose attributes are its parameter,")
    if kind == "variable_declarator" and field == "value":
        return _declared(parent, value, name)
    if kind == "pair" and field == "value":
        key = parent.get("key")
        return (
            Carrier(key)
            if key is not None and key.type in ("property_identifier", "string")
            else Escape(name, value, "is handed on")
        )
    if kind == "pair_pattern":
        inner = parent.get("value")
        named = inner is not None and inner.type == "identifier" and field == "key"
        return (
            Carrier(inner)
            if named and inner is not None
            else Escape(name, value, "is taken out under a pattern")
        )
    if kind == "assignment_expression":
        return _assigned(parent, value, name)
    if kind == "export_statement":
        return Module(parent) if parent.has("=") else None
    if kind == "type_query":
        return _queried(parent, value, name)
    return None if _harmless(parent, value) else Escape(name, value, _why(parent))


def _why(parent: Node) -> str:
    if parent.type == "decorator":
        return "is a decorator"
    return "is handed on" if parent.type == "arguments" else "is used as a value"


def _member(access: Node, value: Node, name: Node) -> Use:
    """`f.call(…)`, `f.bind(…)`, `f.displayName`."""
    called = access.get("property")
    word = called.text if called is not None else ""
    if word == "call" and access.field == "function" and access.up.type == "call_expression":
        arguments = access.up.get("arguments")
        if arguments is not None and arguments.type == "arguments" and arguments.items:
            if arguments.items[0].type != "spread_element":
                return Call(access.up, name, arguments, 1)
    if word == "bind" and access.up.type == "call_expression" and access.field == "function":
        bound = access.up.get("arguments")
        if bound is not None and len(bound.items) == 1 and bound.items[0].type != "spread_element":
            return of_value(access.up, name)
    if word in ("call", "apply", "bind"):
        return Escape(name, value, f"is called by {word}")
    return Escape(name, value, "is asked for its length") if word == "length" else None


def _declared(declarator: Node, value: Node, name: Node) -> Use:
    target = declarator.get("name")
    keyword = declarator.up.children[0].type if declarator.up.children else ""
    if target is None or target.type in ("object_pattern", "array_pattern"):
        return None
    if declarator.get("type") is not None or keyword != "const":
        return Escape(name, value, "is kept in a variable")
    return Carrier(target)


def _assigned(assignment: Node, value: Node, name: Node) -> Use:
    left = assignment.get("left")
    right = assignment.get("right")
    if left is not None and right is not None and right.text == f"{left.text}.bind(this)":
        return None
    if value is left:
        return Escape(name, value, "is assigned something else")
    if left is not None and left.text in ("module.exports", "exports"):
        return Module(assignment)
    if left is not None and left.type == "member_expression":
        target = left.get("property")
        if target is not None:
            return Carrier(target)
    return Escape(name, value, "is kept in a variable")


def _queried(query: Node, value: Node, name: Node) -> Use:
    """`typeof f` in a type: what it returns may be asked for, its parameters may not."""
    holder = query.up.up
    named = holder.get("name") if holder.type == "generic_type" else None
    if named is not None and named.text in _RETURN_ONLY:
        return None
    return Escape(name, value, "has its type taken")


def _harmless(parent: Node, value: Node) -> bool:
    kind = parent.type
    if kind == "binary_expression":
        operator = parent.get("operator")
        word = operator.type if operator is not None else ""
        return word in _COMPARED or (word == "&&" and value.field == "left")
    if kind == "unary_expression" or kind == "expression_statement":
        return True
    if kind == "ternary_expression":
        return value.field == "condition"
    if kind == "subscript_expression":
        return value.field == "object"
    if kind == "parenthesized_expression":
        return parent.up.type in _TESTED
    if value.type in STRINGS or value.type in ("type_identifier", "number"):
        return True
    return kind in _TESTED or kind in ("nested_type_identifier", "nested_identifier", "type_annotation")
