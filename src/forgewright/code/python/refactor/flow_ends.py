"""Whether a block of statements can be left at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node


def always_returns(block: Node) -> bool:
    """Whether every way through a block returns a value or raises, as far as its syntax tells."""
    statements = [child for child in block.named_children if child.type != "comment"]
    if not statements:
        return False
    last = statements[-1]
    if last.type == "raise_statement":
        return True
    if last.type == "return_statement":
        return any(child.type != "comment" for child in last.named_children)
    if last.type == "with_statement":
        body = last.child_by_field_name("body")
        return body is not None and always_returns(body)
    if last.type == "if_statement":
        ways = [last.child_by_field_name("consequence")]
        other = False
        for child in last.named_children:
            if child.type == "elif_clause":
                ways.append(child.child_by_field_name("consequence"))
            elif child.type == "else_clause":
                ways.append(child.child_by_field_name("body"))
                other = True
        return other and all(way is not None and always_returns(way) for way in ways)
    if last.type == "try_statement":
        ways = [last.child_by_field_name("body")]
        for child in last.named_children:
            if child.type in ("except_clause", "else_clause"):
                ways.append(next((c for c in child.named_children if c.type == "block"), None))
        return all(way is not None and always_returns(way) for way in ways)
    return False
