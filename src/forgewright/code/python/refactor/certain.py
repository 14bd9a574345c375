"""Whether a local name is sure to be bound when a place is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.python.refactor.text import BLOCKS, ancestors, walk

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.scopes import Binding, FileIndex, Scope

LEAVING = ("return_statement", "raise_statement", "continue_statement", "break_statement")
BODIES = ("function_definition", "class_definition", "lambda")


def certainly_bound(file: FileIndex, host: Scope, binding: Binding, at: Node) -> bool:
    """Whether `binding` of the function `host` is bound whenever the node `at` in it is reached."""
    if any(site.kind == "parameter" for site in binding.sites):
        return not any(site.kind == "del" for site in binding.sites)
    if any(site.kind in ("del", "except") for site in binding.sites):
        return _in_handler(binding, at)
    spots = [site.start for site in binding.sites if site.kind != "augmented" and _binds(file, site.start)]
    inner = at
    for parent in ancestors(at):
        if parent.type in BLOCKS:
            for sibling in parent.named_children:
                if sibling.start_byte >= inner.start_byte:
                    break
                if _definite(sibling, spots):
                    return True
        elif _enters(parent, inner, spots):
            return True
        if parent == host.node or parent.type in ("function_definition", "class_definition"):
            break
        inner = parent
    return False


def surely_binds(statements: list[Node], binding: Binding, file: FileIndex) -> bool:
    """Whether some statements, one after the other, bind the name before their end is reached."""
    if any(site.kind == "del" for site in binding.sites):
        return False
    spots = [site.start for site in binding.sites if site.kind != "augmented" and _binds(file, site.start)]
    return any(_definite(statement, spots) for statement in statements) or _closing(statements)


def _closing(statements: list[Node]) -> bool:
    return any(statement.type in LEAVING for statement in statements)


def _binds(file: FileIndex, start: int) -> bool:
    """Whether a site really gives a value: not a bare annotation."""
    node = file.root.descendant_for_byte_range(start, start + 1)
    parent = node.parent if node is not None else None
    if parent is not None and parent.type == "assignment":
        return parent.child_by_field_name("right") is not None
    return True


def _in_handler(binding: Binding, at: Node) -> bool:
    """The name of an exception, in its handler."""
    if len(binding.sites) != 1 or binding.sites[0].kind != "except":
        return False
    spot = binding.sites[0].start
    return any(p.type == "except_clause" and p.start_byte <= spot < p.end_byte for p in ancestors(at))


def _within(node: Node | None, spots: list[int]) -> bool:
    return node is not None and any(node.start_byte <= spot < node.end_byte for spot in spots)


def _enters(parent: Node, child: Node, spots: list[int]) -> bool:
    """Whether going from the head of `parent` to its part `child` binds the name."""
    if parent.type in ("for_statement", "with_statement", "while_statement", "if_statement", "elif_clause"):
        if child.type != "block":
            return False
        if parent.type == "for_statement":
            head = [parent.child_by_field_name("left"), parent.child_by_field_name("right")]
            return any(_within(part, spots) for part in head)
        condition = parent.child_by_field_name("condition")
        if condition is None:
            condition = next((c for c in parent.named_children if c.type == "with_clause"), None)
        return condition is not None and _expression(condition, spots)
    if parent.type in ("elif_clause", "else_clause") or parent.type == "if_statement":
        return False
    if parent.type == "try_statement":
        body = parent.child_by_field_name("body")
        return child.type == "else_clause" and body is not None and body != child and _block(body, spots)
    return False


def _block(node: Node | None, spots: list[int]) -> bool:
    return node is not None and any(_definite(child, spots) for child in node.named_children)


def _leaves(node: Node | None) -> bool:
    """Whether a block never ends by reaching its last line."""
    if node is None:
        return False
    for child in node.named_children:
        if child.type in LEAVING:
            return True
        if child.type == "if_statement":
            ways = [child.child_by_field_name("consequence")]
            other = None
            for part in child.named_children:
                if part.type == "elif_clause":
                    ways.append(part.child_by_field_name("consequence"))
                elif part.type == "else_clause":
                    other = part.child_by_field_name("body")
            if other is not None and all(_leaves(way) for way in [*ways, other]):
                return True
    return False


def _either(node: Node | None, spots: list[int]) -> bool:
    return _block(node, spots) or _leaves(node)


def _expression(node: Node, spots: list[int]) -> bool:
    """Whether an expression (or simple statement) binds the name whatever its values are."""
    for spot in spots:
        if not node.start_byte <= spot < node.end_byte:
            continue
        found = node.descendant_for_byte_range(spot, spot + 1)
        sure = True
        while found is not None and found != node:
            parent = found.parent
            if parent is None or (parent.type in BODIES and found == parent.child_by_field_name("body")):
                sure = False
                break
            if (
                parent.type in ("boolean_operator", "conditional_expression")
                and found != parent.named_children[0]
            ):
                sure = False
                break
            if "comprehension" in parent.type or parent.type == "generator_expression":
                sure = False
                break
            found = parent
        if sure:
            return True
    return False


def _definite(node: Node, spots: list[int]) -> bool:
    if not _within(node, spots):
        return False
    kind = node.type
    if kind == "if_statement":
        condition = node.child_by_field_name("condition")
        if condition is not None and _expression(condition, spots):
            return True
        ways = [node.child_by_field_name("consequence")]
        other: Node | None = None
        for child in node.named_children:
            if child.type == "elif_clause":
                ways.append(child.child_by_field_name("consequence"))
            elif child.type == "else_clause":
                other = child.child_by_field_name("body")
        return other is not None and all(_either(way, spots) for way in [*ways, other])
    if kind == "try_statement":
        ways, last = [], None
        body = node.child_by_field_name("body")
        done = _block(body, spots)
        for child in node.named_children:
            inner = next((c for c in child.named_children if c.type == "block"), None)
            if child.type == "else_clause":
                done = done or _block(inner, spots)
            elif child.type.startswith("except"):
                ways.append(inner)
            elif child.type == "finally_clause":
                last = inner
        return _block(last, spots) or ((done or _leaves(body)) and all(_either(way, spots) for way in ways))
    if kind == "with_statement":
        head = next((c for c in node.named_children if c.type == "with_clause"), None)
        return (head is not None and _within(head, spots)) or _block(node.child_by_field_name("body"), spots)
    if kind == "while_statement":
        condition = node.child_by_field_name("condition")
        if condition is None:
            return False
        endless = condition.type == "true" and not any(n.type == "break_statement" for n in walk(node))
        return _expression(condition, spots) or (endless and _block(node.child_by_field_name("body"), spots))
    if kind == "for_statement":
        right = node.child_by_field_name("right")
        return right is not None and _expression(right, spots)
    if kind == "match_statement":
        subject = node.child_by_field_name("subject")
        return subject is not None and _expression(subject, spots)
    if kind in ("function_definition", "class_definition", "decorated_definition"):
        inner = node.child_by_field_name("definition") if kind == "decorated_definition" else node
        name = inner.child_by_field_name("name") if inner is not None else None
        return _within(name, spots)
    return _expression(node, spots)
