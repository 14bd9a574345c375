"""Which assignments reach a place, and what `isinstance` tells there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.python.values import UNKNOWN, Values, union

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.infer import Inference
    from forgewright.code.python.scopes import Binding, Scope, Site

BLOCKS = ("block", "module")
LOOPS = ("for_statement", "while_statement")


def narrowed(types: Inference, node: Node, scope: Scope) -> Values | None:
    """The classes that an enclosing `isinstance(node, …)` allows; None where there is none."""
    data = scope.file.data
    if b"isinstance(" not in data:
        return None
    wanted = scope.file.text(node)
    child, parent = node, node.parent
    steps = 0
    while parent is not None and parent.start_byte >= scope.node.start_byte and steps < 60:
        steps += 1
        test: Node | None = None
        kind = parent.type
        if kind in ("if_statement", "elif_clause", "while_statement"):
            if child == parent.child_by_field_name("consequence") or child == parent.child_by_field_name(
                "body"
            ):
                test = parent.child_by_field_name("condition")
        elif kind == "boolean_operator":
            if child == parent.child_by_field_name("right") and parent.children[1].type == "and":
                test = parent.child_by_field_name("left")
        elif kind == "conditional_expression":
            parts = parent.named_children
            if len(parts) == 3 and child == parts[0]:
                test = parts[1]
        elif kind in BLOCKS:
            found = _asserted(types, parent, child, wanted, scope)
            if found is not None:
                return found
        elif kind in ("function_definition", "class_definition", "lambda"):
            return None
        if test is not None:
            found = _told(types, test, wanted, scope)
            if found is not None:
                return found
        child, parent = parent, parent.parent
    return None


def _asserted(types: Inference, block: Node, before: Node, wanted: str, scope: Scope) -> Values | None:
    """`assert isinstance(x, C)` or `if not isinstance(x, C): return` earlier in the block."""
    span = scope.file.data[block.start_byte : before.start_byte]
    if b"isinstance(" not in span:
        return None
    for child in block.named_children:
        if child.start_byte >= before.start_byte:
            return None
        if child.type == "assert_statement" and child.named_children:
            found = _told(types, child.named_children[0], wanted, scope)
            if found is not None:
                return found
        if child.type == "if_statement" and child.child_by_field_name("alternative") is None:
            condition = child.child_by_field_name("condition")
            body = child.child_by_field_name("consequence")
            if (
                condition is None
                or body is None
                or condition.type != "not_operator"
                or not body.named_children
            ):
                continue
            if body.named_children[-1].type in ("return_statement", "raise_statement", "continue_statement"):
                inner = condition.child_by_field_name("argument")
                found = _told(types, inner, wanted, scope) if inner is not None else None
                if found is not None:
                    return found
    return None


def _told(types: Inference, test: Node, wanted: str, scope: Scope) -> Values | None:
    if test.type == "parenthesized_expression" and test.named_children:
        return _told(types, test.named_children[0], wanted, scope)
    if test.type == "boolean_operator" and test.children[1].type == "and":
        for child in test.named_children:
            found = _told(types, child, wanted, scope)
            if found is not None:
                return found
        return None
    if test.type != "call":
        return None
    function, arguments = test.child_by_field_name("function"), test.child_by_field_name("arguments")
    if function is None or arguments is None or scope.file.text(function) != "isinstance":
        return None
    args = arguments.named_children
    if len(args) != 2 or scope.file.text(args[0]) != wanted:
        return None
    classes = args[1].named_children if args[1].type in ("tuple", "binary_operator") else [args[1]]
    found = union(*(types.instances(types.infer(one, scope)) for one in classes))
    return None if UNKNOWN in found else found


def reaching(sites: list[Site], node: Node, scope: Scope, binding: Binding) -> list[Site]:
    """Of several bindings of one name, those that can reach `node` in the same scope."""
    if binding.scope is not _home(scope) or any(site.node is None for site in sites):
        return sites
    blocks = _chain(node)
    loop = next((b for b in blocks if b.type in LOOPS), None)
    before = [site for site in sites if site.start < node.start_byte and site.live <= node.start_byte]
    found: list[Site] = []
    if loop is not None:
        found += [s for s in sites if s not in before and loop.start_byte <= s.start < loop.end_byte]
    for site in reversed(before):
        found.append(site)
        home = site.node
        while home is not None and home.type not in BLOCKS:
            home = home.parent
        if home is not None and home in blocks:
            break
    return found or sites


def _home(scope: Scope) -> Scope:
    while scope.kind == "comprehension" and scope.parent is not None:
        scope = scope.parent
    return scope


def _chain(node: Node) -> list[Node]:
    found: list[Node] = []
    current = node.parent
    while current is not None:
        if current.type in BLOCKS or current.type in LOOPS:
            found.append(current)
        if current.type in ("function_definition", "class_definition"):
            break
        current = current.parent
    return found
