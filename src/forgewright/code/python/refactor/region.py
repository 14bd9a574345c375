"""A selected piece of code: what it is, what it reads and writes, and what is needed of it afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.python.refactor.text import BLOCKS, ancestors, line_start
from forgewright.code.python.scopes import FileIndex, Scope
from forgewright.code.selection import trimmed
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

EXPRESSIONS = frozenset(
    [
        "identifier",
        "attribute",
        "call",
        "subscript",
        "binary_operator",
        "boolean_operator",
        "comparison_operator",
        "not_operator",
        "unary_operator",
        "conditional_expression",
        "lambda",
        "list",
        "tuple",
        "set",
        "dictionary",
        "list_comprehension",
        "set_comprehension",
        "dictionary_comprehension",
        "generator_expression",
        "string",
        "concatenated_string",
        "integer",
        "float",
        "true",
        "false",
        "none",
        "parenthesized_expression",
        "await",
        "named_expression",
        "expression_list",
        "ellipsis",
    ]
)
LOOPS = ("for_statement", "while_statement")
DEFINITIONS = ("function_definition", "class_definition", "lambda")
TARGETS = ("left", "alias", "name")


class Region:
    """Statements of one block, or one expression."""

    def __init__(self, file: FileIndex, start: int, end: int, what: str = "auto") -> None:
        self.file = file
        data = file.data
        start, end = trimmed(data, start, end)
        self.expression: Node | None = None
        self.statements: list[Node] = []
        if what != "statements":
            self.expression = self._find_expression(start, end, what)
        if self.expression is None:
            if what == "expression":
                raise EditRefused(
                    "the selection is no complete expression", hint="select exactly one expression"
                )
            self.statements = self._find_statements(start, end)
            start = min(start, self.statements[0].start_byte)
            end = max(end, self.statements[-1].end_byte)
        else:
            start, end = self.expression.start_byte, self.expression.end_byte
        self.start = start
        self.end = end
        first = self.expression if self.expression is not None else self.statements[0]
        self.first = first
        self.host = host_of(file, first)

    def _find_expression(self, start: int, end: int, what: str) -> Node | None:
        node = self.file.root.named_descendant_for_byte_range(start, end)
        if node is None:
            return None
        inner = node
        if node.type == "generator_expression" and (start, end) != (node.start_byte, node.end_byte):
            text = self.file.data[node.start_byte + 1 : node.end_byte - 1]
            begin = node.start_byte + 1 + len(text) - len(text.lstrip())
            return node if (begin, begin + len(text.strip())) == (start, end) else None
        while inner.parent is not None and (inner.parent.start_byte, inner.parent.end_byte) == (start, end):
            if inner.parent.type in ("expression_statement", "block", "module", "as_pattern_target"):
                break
            inner = inner.parent
        if (inner.start_byte, inner.end_byte) != (start, end):
            return None
        while inner.type not in EXPRESSIONS and inner.named_child_count == 1:
            child = inner.named_children[0]
            if (child.start_byte, child.end_byte) != (start, end):
                break
            inner = child
        if inner.type not in EXPRESSIONS:
            if inner.type == "expression_statement" and what == "expression":
                return tuple_of(inner)
            return None
        parent = inner.parent
        if parent is not None and parent.type == "expression_statement" and what == "auto":
            return None
        self._check_value(inner)
        return inner

    def _check_value(self, node: Node) -> None:
        if node.type == "identifier":
            name = self.file.text(node)
            if not any(ref.start == node.start_byte for ref in self.file.names.get(name, ())):
                raise EditRefused(f"{name} is defined here, not used", hint="select a value")
        parent = node.parent
        if parent is not None and node == parent.child_by_field_name("left"):
            if parent.type in ("assignment", "augmented_assignment", "for_statement", "for_in_clause"):
                raise EditRefused("the selection is assigned to", hint="select a value")
        if parent is not None and parent.type in ("string", "concatenated_string") and node.type == "string":
            raise EditRefused("the selection is part of a string", hint="select the whole string")

    def _find_statements(self, start: int, end: int) -> list[Node]:
        bad = EditRefused(
            "the selection is neither one expression nor whole statements of one block",
            hint="select from the beginning of the first statement to the end of the last",
        )
        outside = self._skip_comments(start, end)
        node: Node | None = self.file.root.descendant_for_byte_range(outside, end)
        if (node is not None and node.type not in BLOCKS) or (node is not None and node.start_byte > start):
            start = outside
        while node is not None and node.type not in BLOCKS:
            node = node.parent
        if node is None:
            raise bad
        chosen = [c for c in node.named_children if c.end_byte > start and c.start_byte < end]
        statements = [c for c in chosen if c.type != "comment"]
        if not statements:
            raise EditRefused("no statement is selected", hint="select an expression or whole statements")
        if any(c.start_byte < start or c.end_byte > end for c in chosen):
            raise bad
        if any(c.type == "ERROR" for c in chosen):
            raise EditRefused("the selection does not parse", hint="repair the syntax first")
        return chosen

    def _skip_comments(self, start: int, end: int) -> int:
        """Past comments at the beginning: those before a block's first statement are outside of the block."""
        while True:
            node = self.file.root.descendant_for_byte_range(start, start + 1)
            if node is None or node.type != "comment" or node.end_byte >= end:
                return start
            start = node.end_byte
            while start < end and self.file.data[start : start + 1].isspace():
                start += 1

    def contains(self, at: int) -> bool:
        return self.start <= at < self.end

    def nodes(self) -> list[Node]:
        return [self.expression] if self.expression is not None else self.statements


def tuple_of(node: Node) -> Node | None:
    """`a, b` as a statement: the statement itself stands for the tuple."""
    return node if len(node.named_children) > 1 else None


def host_of(file: FileIndex, node: Node) -> Scope:
    """The function, class or module in whose body the node stands."""
    best = file.module
    for scope in file.scopes:
        if scope.kind not in ("function", "class"):
            continue
        body = scope.node.child_by_field_name("body")
        if body is not None and body.start_byte <= node.start_byte and node.end_byte <= body.end_byte:
            best = scope
    return best


def check_control(region: Region) -> bool:
    """Refuse what cannot be taken out; returns whether the region ends with `return`."""
    returns: list[Node] = []
    for top in region.nodes():
        for node in walk_here(top):
            if node.type == "yield":
                raise EditRefused("the selection contains yield", hint="extract the parts without yield")
            if node.type == "return_statement":
                returns.append(node)
            if node.type in ("break_statement", "continue_statement") and not _loop_within(node, top):
                word = node.type.removesuffix("_statement")
                raise EditRefused(
                    f"the selection contains {word}, but not its loop",
                    hint="select the loop, or leave it out",
                )
    if not returns:
        return False
    last = [node for node in region.statements if node.type != "comment"][-1]
    if len(returns) > 1 or returns[0] != last:
        raise EditRefused(
            "the selection contains a return that is not its end",
            hint="select up to a single return at the end, or nothing that returns",
        )
    return True


def walk_here(top: Node) -> list[Node]:
    """The nodes of a statement without those of functions and classes in it."""
    found: list[Node] = []
    stack = [top]
    while stack:
        node = stack.pop()
        found.append(node)
        if node.type in DEFINITIONS:
            continue
        stack.extend(node.named_children)
    return found


def _loop_within(node: Node, top: Node) -> bool:
    for parent in (node, *ancestors(node)):
        if parent.type in LOOPS:
            return True
        if parent == top:
            return False
    return False


def has_await(region: Region) -> bool:
    for top in region.nodes():
        for node in walk_here(top):
            if node.type == "await":
                return True
            if (
                node.type in ("with_statement", "for_statement", "for_in_clause")
                and node.children[0].type == "async"
            ):
                return True
    return False


def leading(data: bytes, start: int) -> int:
    """The beginning of the line, if only white space stands before `start`; else `start`."""
    begin = line_start(data, start)
    return begin if not data[begin:start].strip() else start
