"""What computing an expression does, can fail at, and depends on, as far as its syntax tells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from forgewright.code.python.refactor.text import walk
from forgewright.code.python.scopes import FileIndex

if TYPE_CHECKING:
    from tree_sitter import Node

QUIET = frozenset(
    ("len", "isinstance", "issubclass", "type", "id", "callable", "bool", "hasattr", "getattr", "str", "repr", "ord",
     "chr", "int", "float", "abs", "min", "max", "sum", "range", "tuple", "list", "dict", "set", "frozenset",
     "sorted", "zip", "enumerate", "reversed", "bytes", "round", "any", "all", "slice", "cast")
)  # fmt: skip
"""Functions that change nothing (of what is not an iterator)."""
ASKING = frozenset(
    ("lower", "upper", "strip", "lstrip", "rstrip", "startswith", "endswith", "split", "rsplit", "join", "encode",
     "decode", "splitlines", "partition", "rpartition", "title", "casefold", "isdigit", "isalpha", "isidentifier")
)  # fmt: skip
"""Methods, of texts above all, that change nothing."""
MAKING = frozenset(
    ("list", "dictionary", "set", "list_comprehension", "dictionary_comprehension", "set_comprehension",
     "generator_expression")
)  # fmt: skip
"""Each time they are computed they give another object."""
LATER = ("lambda", "function_definition", "class_definition")
LITERALS = frozenset(("integer", "float", "true", "false", "none", "ellipsis"))
WRITING = ("assignment", "augmented_assignment", "delete_statement", "for_statement", "for_in_clause")
ACTING = frozenset(
    ("with_statement", "import_statement", "import_from_statement", "raise_statement", "class_definition",
     "exec_statement", "decorated_definition")
)  # fmt: skip


def now(node: Node) -> Iterable[Node]:
    """The nodes that are computed when `node` is: not the bodies of functions and lambdas in it."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        if current.type in LATER:
            body = current.child_by_field_name("body")
            stack.extend(child for child in current.children if child != body or current.type[0] == "c")
        else:
            stack.extend(current.children)


def quiet(file: FileIndex, call: Node) -> bool:
    """Whether a call is of something that changes nothing."""
    function = call.child_by_field_name("function")
    if function is None:
        return False
    if function.type == "attribute":
        name = function.child_by_field_name("attribute")
        return name is not None and file.text(name) in ASKING
    return function.type == "identifier" and file.text(function) in QUIET


def acts(file: FileIndex, node: Node) -> bool:
    """Whether computing it may change something, or be noticed."""
    for inner in now(node):
        if inner.type in ("await", "yield", "named_expression") or inner.type in ACTING:
            return True
        if inner.type == "call" and not quiet(file, inner):
            return True
        if inner.type == "generator_expression" and inner is not node and _consumed(file, inner):
            continue
    return False


def _consumed(file: FileIndex, node: Node) -> bool:
    return node.parent is not None and node.parent.type == "call" and quiet(file, node.parent)


def makes(node: Node) -> bool:
    """Whether it gives another object each time, which may be changed."""
    return any(inner.type in MAKING for inner in now(node))


def fixed(file: FileIndex, node: Node) -> bool:
    """Whether it is made of literals and operators only."""
    return not any(
        inner.type in MAKING
        or inner.type in ("identifier", "call", "lambda", "await", "yield", "subscript", "attribute")
        for inner in walk(node)
    )


def deep(node: Node) -> bool:
    """Whether it depends on what others can change: attributes, items, what calls say."""
    return any(inner.type in ("attribute", "subscript", "call", "await", "yield") for inner in now(node))


def looks_into(node: Node) -> bool:
    """Whether it depends on more than which objects its names stand for."""
    plain = (
        "identifier", "string", "string_start", "string_content", "string_end", "escape_sequence", "tuple", "(", ")",
        ",", "parenthesized_expression", "lambda", "not_operator", "not", "concatenated_string", "-", "unary_operator",
    )  # fmt: skip
    return any(
        inner.type not in plain and inner.type not in LITERALS for inner in now(node) if inner.is_named
    )


def can_fail(file: FileIndex, node: Node) -> bool:
    """Whether computing it may raise, or take long; names count as bound."""
    for inner in now(node):
        if inner.type in (
            "attribute",
            "subscript",
            "call",
            "await",
            "yield",
            "list_splat",
            "dictionary_splat",
        ):
            return True
        if "comprehension" in inner.type or inner.type == "generator_expression":
            return True
        if inner.type in ("binary_operator", "unary_operator") and not fixed(file, inner):
            return True
        if inner.type == "comparison_operator":
            signs = {child.type for child in inner.children if not child.is_named}
            if signs & {"<", ">", "<=", ">=", "in", "not in"} and not fixed(file, inner):
                return True
        if inner.type in ("format_specifier", "type_conversion"):
            return True
    return False


def names(file: FileIndex, node: Node) -> set[str]:
    """The names that stand in it, attributes left out."""
    return {
        file.text(inner)
        for inner in walk(node)
        if inner.type == "identifier"
        and not (
            inner.parent is not None
            and (
                (inner.parent.type == "attribute" and inner == inner.parent.child_by_field_name("attribute"))
                or (
                    inner.parent.type == "keyword_argument"
                    and inner == inner.parent.child_by_field_name("name")
                )
            )
        )
    }


def writes(file: FileIndex, node: Node) -> tuple[set[str], bool]:
    """The names that it binds, and whether it sets attributes or items."""
    bound: set[str] = set()
    inside = False
    for inner in now(node):
        targets: list[Node | None] = []
        if inner.type in ("assignment", "augmented_assignment", "for_statement", "for_in_clause"):
            targets = [inner.child_by_field_name("left")]
        elif inner.type == "named_expression":
            targets = [inner.child_by_field_name("name")]
        elif inner.type == "delete_statement":
            targets = list(inner.named_children)
        elif inner.type == "as_pattern_target":
            targets = [inner]
        elif inner.type in ("function_definition", "class_definition"):
            targets = [inner.child_by_field_name("name")]
        for target in targets:
            if target is None:
                continue
            inside = inside or inner.type == "augmented_assignment"
            for part in _targets(target):
                if part.type == "identifier":
                    bound.add(file.text(part))
                else:
                    inside = True
    return bound, inside


def _targets(node: Node) -> Iterable[Node]:
    """The names, attributes and items that a target consists of."""
    if node.type in ("identifier", "attribute", "subscript"):
        yield node
        return
    for child in node.named_children:
        yield from _targets(child)


CONSUMING = frozenset(
    ("list", "tuple", "set", "frozenset", "dict", "sorted", "sum", "min", "max", "any", "all", "zip", "enumerate",
     "next", "map", "filter", "join", "deque", "iter", "reversed", "extend", "update")
)  # fmt: skip
"""Functions that use an iterator up."""


def consumed(file: FileIndex, node: Node) -> set[str]:
    """The names whose iterators, if they are some, it uses up."""
    found: set[str] = set()
    for inner in now(node):
        used: list[Node | None] = []
        if inner.type == "call":
            function, arguments = (
                inner.child_by_field_name("function"),
                inner.child_by_field_name("arguments"),
            )
            word = file.text(function).rpartition(".")[2] if function is not None else ""
            used = list(arguments.named_children) if arguments is not None and word in CONSUMING else []
        elif inner.type in ("for_statement", "for_in_clause"):
            used = [inner.child_by_field_name("right")]
        elif inner.type == "list_splat":
            used = list(inner.named_children)
        found |= {file.text(one) for one in used if one is not None and one.type == "identifier"}
    return found


def moves_past(file: FileIndex, value: Node, other: Node) -> str | None:
    """Why `value` may not be computed before instead of after `other`, or the other way round; None if it may."""
    bound, inside = writes(file, other)
    mine = names(file, value)
    if bound & mine:
        return f"{min(bound & mine)} is bound in between"
    used = consumed(file, value) & consumed(file, other)
    if used:
        return f"{min(used)} may be used up in between"
    busy = acts(file, other)
    if acts(file, value):
        if busy:
            return "other things are called in between"
        if deep(other) or inside or other.type == "raise_statement":
            return "what it does may be seen in between"
        return None
    if deep(value) and (busy or inside):
        return "what it reads may be changed in between"
    if looks_into(value) and (busy or inside) and mine & names(file, other):
        return f"{min(mine & names(file, other))} may be changed in between"
    return None
