"""When an expression is computed within its statement: after what, how often, and whether at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.python.refactor.text import BLOCKS

if TYPE_CHECKING:
    from tree_sitter import Node

COMPREHENSIONS = (
    "list_comprehension",
    "set_comprehension",
    "dictionary_comprehension",
    "generator_expression",
)


class Place:
    """Where an expression stands, seen from the statement around it."""

    def __init__(self, node: Node, stop: Node | None = None) -> None:
        self.node = node
        self.lazy = ""
        """Why it may not be computed at all; empty if it is."""
        self.repeated = ""
        """Why it may be computed more than once; empty if it is not."""
        self.typed = False
        """Whether it is (in) an annotation."""
        self.target = False
        """Whether it is bound, deleted or matched, not read."""
        self.entered = False
        """Whether it is computed within a `with` that the statement enters first."""
        self.before: list[Node] = []
        """What the statement computes before it."""
        self._climb(stop)
        self._no_value()

    def _climb(self, stop: Node | None) -> None:
        child = self.node
        while child.parent is not None and child != stop and child.parent.type not in BLOCKS:
            parent = child.parent
            self._step(parent, child)
            child = parent
        self.statement = child

    def _step(self, parent: Node, child: Node) -> None:
        kind = parent.type
        children = [c for c in parent.named_children if c.type != "comment"]
        index = next((i for i, c in enumerate(children) if c == child), 0)
        earlier = children[:index]
        if kind == "boolean_operator" and index:
            self.lazy = f"the right side of {parent.children[1].type}"
        elif kind == "conditional_expression":
            if index != 1:
                self.lazy = "one side of a conditional expression"
                earlier = [children[1]]
            else:
                earlier = []
        elif kind == "comparison_operator" and index > 1:
            self.lazy = "a later part of a chained comparison"
        elif kind == "lambda" and child == parent.child_by_field_name("body"):
            self.lazy, self.repeated, earlier = "the body of a lambda", "the body of a lambda", []
        elif kind in COMPREHENSIONS:
            clause = child.type == "for_in_clause"
            if not clause or index > 1:
                self.lazy, self.repeated = "part of a comprehension", "part of a comprehension"
            earlier = children[1:index] if index else children[1:]
        elif kind == "for_in_clause":
            self.target = self.target or child == parent.child_by_field_name("left")
            earlier = []
        elif kind == "assert_statement" and index:
            self.lazy = "the message of an assert"
        elif kind == "elif_clause":
            self.lazy = "the condition of an elif"
            above = parent.parent.named_children if parent.parent is not None else []
            earlier = [c for c in above if c.end_byte <= parent.start_byte and c.type != "block"]
        elif kind in ("except_clause", "except_group_clause"):
            self.lazy = "the clause of an except"
            earlier = []
        elif kind == "while_statement":
            self.lazy = self.repeated = "the condition of a loop"
            earlier = []
        elif kind == "case_clause":
            self.lazy = "part of a case"
            self.target = self.target or child.type == "case_pattern"
            earlier = []
        elif kind == "match_statement":
            earlier = []
        elif kind in ("assignment", "augmented_assignment"):
            if child == parent.child_by_field_name("type"):
                self.typed = True
            right = parent.child_by_field_name("right")
            if kind == "assignment":
                earlier = [right] if child == parent.child_by_field_name("left") and right is not None else []
        elif kind in ("typed_parameter", "typed_default_parameter"):
            self.typed = self.typed or child == parent.child_by_field_name("type")
        elif kind == "function_definition":
            self.typed = self.typed or child == parent.child_by_field_name("return_type")
        elif kind in ("with_item", "as_pattern"):
            pass
        elif kind == "with_clause":
            self.entered = bool(earlier)
        elif kind == "call" and index and earlier[0].type in ("identifier", "attribute"):
            function = earlier[0]
            earlier = [function] if _calls(function) else []
        elif kind in ("type_alias_statement", "type"):
            self.typed = True
        self.before = [*earlier, *self.before]

    def _no_value(self) -> None:
        node, parent = self.node, self.node.parent
        while parent is not None and parent.type in ("parenthesized_expression", "tuple", "list", "pattern_list",
                                                     "tuple_pattern", "list_pattern", "expression_list"):  # fmt: skip
            node, parent = parent, parent.parent
        if parent is None:
            return
        if (
            parent.type in ("delete_statement", "as_pattern_target", "case_pattern")
            or "pattern" in parent.type
        ):
            self.target = self.target or parent.type != "as_pattern" or node != parent.named_children[0]
        if parent.type in ("for_statement", "for_in_clause", "assignment", "augmented_assignment"):
            self.target = self.target or node == parent.child_by_field_name("left")


def _calls(node: Node) -> bool:
    stack = [node]
    while stack:
        current = stack.pop()
        if current.type in ("call", "await", "yield", "named_expression"):
            return True
        stack.extend(current.children)
    return False
