"""Whether control can leave a selected piece of code, and how: what a function of its own could not do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from forgewright.code.javascript.names import FUNCTIONS
from forgewright.code.javascript.refactor.uses import LOOPS
from forgewright.code.scopes.words import kinds
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.refactor.region import Region
    from forgewright.code.scopes.tree import Node

Leave = Literal["", "value", "nothing"]
"""`value`: what the new function gives back is given back; `nothing`: it only ends, as its function does."""
_FIXED = kinds("import_statement export_statement internal_module module ambient_declaration import_alias")


def check(region: Region) -> Leave:
    """How the region ends its function. Raises `EditRefused` for what cannot be taken out."""
    returns: list[Node] = []
    for node in region.here():
        if node.type == "yield_expression":
            raise EditRefused("the selection contains yield", hint="extract the parts without yield")
        if node.type in ("break_statement", "continue_statement"):
            _check_jump(region, node)
        if node.type in _FIXED:
            raise EditRefused(
                f"the selection contains an {node.type.replace('_', ' ')}",
                hint="leave it at the top of the file",
            )
        if node.type == "return_statement":
            returns.append(node)
    for statement in region.statements:
        if statement.type == "expression_statement" and statement.items[0].type == "string":
            raise EditRefused("the selection contains a directive", hint="leave it where it stands")
    if not returns:
        return ""
    if any(node.items for node in returns):
        if completes(region.last) and not _ends_body(region):
            raise EditRefused(
                "the selection returns in one case and goes on in another",
                hint="select up to a return in every case, or nothing that returns",
            )
        return "value"
    if not completes(region.last):
        return "value"
    if not _ends_body(region):
        raise EditRefused(
            "the selection returns in one case and goes on in another",
            hint="select up to a return in every case, or nothing that returns",
        )
    return "nothing"


def _check_jump(region: Region, node: Node) -> None:
    label = node.get("label")
    for above in node.above():
        if not (region.start <= above.start and above.end <= region.end) or above.type in FUNCTIONS:
            break
        if label is not None:
            named = above.get("label") if above.type == "labeled_statement" else None
            if named is not None and named.text == label.text:
                return
        elif above.type in LOOPS or (above.type == "switch_statement" and node.type == "break_statement"):
            return
    word = node.type.removesuffix("_statement")
    raise EditRefused(
        f"the selection contains {word}, but not what it leaves",
        hint="select the whole of it, or leave it out",
    )


def completes(node: Node) -> bool:
    """Whether the code behind a statement may be reached."""
    kind = node.type
    if kind in ("return_statement", "throw_statement"):
        return False
    if kind in ("statement_block", "else_clause", "finally_clause", "catch_clause"):
        body = node.get("body") if kind in ("finally_clause", "catch_clause") else node
        return body is None or all(completes(child) for child in body.items)
    if kind == "if_statement":
        consequence, alternative = node.get("consequence"), node.get("alternative")
        if consequence is None or alternative is None:
            return True
        return completes(consequence) or completes(alternative)
    if kind == "try_statement":
        final, handler, body = node.get("finalizer"), node.get("handler"), node.get("body")
        if final is not None and not completes(final):
            return False
        return body is None or completes(body) or (handler is not None and completes(handler))
    return True


def _ends_body(region: Region) -> bool:
    """Whether the region is the end of its function's body, so that nothing can come behind it."""
    block = region.last.up
    if block.type != "statement_block" or block.up is not region.host:
        return False
    return block.items[-1] is region.last


def before_super(region: Region, host: Node) -> bool:
    """Whether `this` may not be used yet: before `super()` in the constructor of a derived class."""
    name = host.get("name")
    if name is None or name.text != "constructor" or host.up.up.first("class_heritage") is None:
        return False
    calls = [n for n in host.walk() if n.type == "super" and n.up.type == "call_expression"]
    return any(call.up.end > region.start for call in calls)
