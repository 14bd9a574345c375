"""A selected piece of a script: one expression or whole statements of one block, and the function it stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.names import FUNCTIONS
from forgewright.code.javascript.refactor.uses import LOOPS, Uses, host_of, this_of, written
from forgewright.code.scopes.words import kinds
from forgewright.code.selection import trimmed
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.scopes.tree import Node

BLOCKS = kinds("program statement_block switch_case switch_default class_static_block")
EXPRESSIONS = kinds(
    "identifier member_expression call_expression new_expression subscript_expression binary_expression "
    "unary_expression update_expression assignment_expression augmented_assignment_expression ternary_expression "
    "arrow_function function_expression generator_function class object array string template_string number regex "
    "true false null undefined this parenthesized_expression await_expression yield_expression as_expression "
    "satisfies_expression non_null_expression type_assertion jsx_element jsx_self_closing_element jsx_fragment "
    "sequence_expression meta_property instantiation_expression"
)
_CONDITIONAL = kinds("if_statement while_statement do_statement switch_statement with_statement")
"""Their parentheses belong to the statement, not to the expression in them."""
_VALUES = kinds(
    "call_expression member_expression binary_expression variable_declarator assignment_expression arguments array "
    "pair return_statement"
)


def uses_of(resolver: JavaScriptResolver, path: str) -> Uses:
    """The uses of names in a file. Raises `EditRefused` for a file that is no script, or does not parse."""
    unit = resolver.program.unit(path)
    if unit is None:
        raise EditRefused(f"{path} is no file of JavaScript or TypeScript that is in the project")
    return Uses(resolver.program, unit)


class Region:
    """Statements of one block (comments between them included), or one expression."""

    def __init__(self, uses: Uses, start: int, end: int, what: str = "auto") -> None:
        self.uses = uses
        self.unit = uses.unit
        data = self.data = uses.unit.data
        start, end = trimmed(data, start, end)
        self.expression: Node | None = None
        self.statements: list[Node] = []
        if what != "statements":
            self.expression = self._expression(start, end, what)
        if self.expression is None:
            if what == "expression":
                raise EditRefused(
                    "the selection is no complete expression", hint="select exactly one expression"
                )
            self.statements = self._statements(start, end)
        parts = self.nodes()
        self.start, self.end = parts[0].start, _end(parts[-1])
        self.first = next((n for n in parts if n.type != "comment"), parts[0])
        self.last = next((n for n in reversed(parts) if n.type != "comment"), parts[-1])
        self.host = host_of(self.first)
        if any(n.type in ("ERROR", "MISSING") for n in self.walk()):
            raise EditRefused("the selection does not parse", hint="repair the syntax first")

    @property
    def path(self) -> str:
        return self.unit.path

    def nodes(self) -> list[Node]:
        return [self.expression] if self.expression is not None else self.statements

    def contains(self, node: Node) -> bool:
        return self.start <= node.start and node.end <= self.end

    def walk(self) -> Iterator[Node]:
        for node in self.nodes():
            yield from node.walk()

    def here(self, *, arrows: bool = False) -> Iterator[Node]:
        """Its nodes without those of functions and classes in it (`arrows`: those of arrow functions, too)."""
        stack = list(reversed(self.nodes()))
        while stack:
            node = stack.pop()
            yield node
            inner = node.type in FUNCTIONS and not (arrows and node.type == "arrow_function")
            if inner or node.type in ("class_body", "class_static_block"):
                continue
            stack.extend(reversed(node.children))

    def uses_this(self) -> Node | None:
        """A place that needs the `this`, `super`, `arguments` or `new.target` of the code around."""
        for node in self.here(arrows=True):
            special = node.type in ("this", "super", "meta_property")
            if special or (node.type == "identifier" and node.text == "arguments"):
                if node.type != "meta_property" or node.text == "new.target":
                    return node
        return None

    @property
    def this_host(self) -> Node:
        return this_of(self.first)

    # what is selected -------------------------------------------------------------------------

    def _expression(self, start: int, end: int, what: str) -> Node | None:
        node: Node | None = self.unit.root.at(start)
        while node is not None and node.end < end:
            node = node.parent
        if node is None or (node.start, node.end) != (start, end):
            return None
        while node.parent is not None and (node.up.start, node.up.end) == (start, end):
            if node.up.type not in EXPRESSIONS:
                break
            node = node.up
        if node.type not in EXPRESSIONS:
            return None
        if node.type == "parenthesized_expression" and node.up.type in _CONDITIONAL and node.items:
            node = node.items[0]
        if node.up.type == "expression_statement" and what == "auto":
            return None
        check_value(node)
        return node

    def _statements(self, start: int, end: int) -> list[Node]:
        block: Node | None = self.unit.root.at(start)
        while block is not None and not (block.type in BLOCKS and block.start <= start and end <= block.end):
            block = block.parent
        if block is None:
            block = self.unit.root
        chosen = [
            c for c in block.children if c.named and c.end > start and c.start < end and c.field != "value"
        ]
        if not any(c.type != "comment" for c in chosen):
            raise EditRefused("no statement is selected", hint="select an expression or whole statements")
        for child in chosen:
            if child.start < start or _end(child, bare=True) > end:
                raise EditRefused(
                    "the selection is neither one expression nor whole statements of one block",
                    hint="select from the beginning of the first statement to the end of the last",
                )
        return chosen


def _end(node: Node, *, bare: bool = False) -> int:
    """Where a statement ends, without a semicolon that stands before the next one (`bare`: without any)."""
    if node.data[node.end - 1 : node.end] != b";":
        return node.end
    stop = node.start + len(node.data[node.start : node.end - 1].rstrip())
    return stop if bare or b"\n" in node.data[stop : node.end] else node.end


def check_value(node: Node) -> None:
    """Refuse an expression that is no value of its own: a target, a part of a name, a directive."""
    parent = node.up
    if node.type in ("identifier", "member_expression", "subscript_expression") and written(node)[0]:
        raise EditRefused("the selection is assigned to", hint="select a value")
    if node.type == "identifier" and node.field in ("name", "pattern", "alias", "parameter"):
        raise EditRefused(f"{node.text} is a name here, not a value", hint="select a value")
    if node.type == "identifier" and parent.type in (
        "formal_parameters",
        "import_clause",
        "namespace_import",
        "rest_pattern",
        "array_pattern",
        "catch_clause",
    ):
        raise EditRefused(f"{node.text} is defined here, not used", hint="select a value")
    looking = operator(parent) if parent.type == "unary_expression" else ""
    if looking == "delete" or (looking == "typeof" and node.type == "identifier"):
        raise EditRefused(f"{looking} looks at the place, not at its value", hint="select the whole of it")
    if node.type == "string":
        _check_string(node, parent)
    above = [a.type for a in node.above()]
    if any(kind in _TYPES for kind in above[:4]) and parent.type not in _VALUES:
        raise EditRefused("the selection is part of a type", hint="select a value")


_TYPES = kinds("literal_type type_query lookup_type type_arguments type_annotation generic_type")


def _check_string(node: Node, parent: Node) -> None:
    named = node.field in ("source", "key", "name") or parent.type in (
        "import_attribute",
        "module",
        "computed_property_name",
        "export_specifier",
        "import_specifier",
    )
    if named:
        raise EditRefused("this string is a name, not a value", hint="select a value")
    if parent.type == "expression_statement":
        raise EditRefused("this string is a directive", hint="select a value")


def operator(node: Node) -> str:
    found = node.get("operator")
    return found.type if found is not None else ""


def loop_around(node: Node) -> Node | None:
    """The innermost loop of its own function around a node."""
    host = host_of(node)
    for above in node.above():
        if above is host:
            return None
        if above.type in LOOPS:
            return above
    return None


def line_of(node: Node) -> int:
    """The number of a node's first line."""
    return node.data.count(b"\n", 0, node.start) + 1
