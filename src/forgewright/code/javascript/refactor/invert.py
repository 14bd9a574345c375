"""A boolean variable or function turned round: what it is given is negated, and so is what is read of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.binding import RenameOptions
from forgewright.code.javascript.expressions import returns
from forgewright.code.javascript.hazards import place
from forgewright.code.javascript.names import annotation, bare
from forgewright.code.javascript.refactor.calls import family_at
from forgewright.code.javascript.refactor.functions import function_of, name_node
from forgewright.code.javascript.refactor.precedence import UNARY, rank
from forgewright.code.javascript.search import Search
from forgewright.code.javascript.types import Primitive
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.scopes.tree import Node

_OPPOSITE = {"===": "!==", "!==": "===", "==": "!=", "!=": "=="}
_COMPARES = frozenset((*_OPPOSITE, "<", ">", "<=", ">=", "in", "instanceof"))


def invert_boolean(
    resolver: JavaScriptResolver, path: str, offset: int, new: str
) -> tuple[list[Splice], str]:
    """The splices, and the old name. Raises `EditRefused`."""
    name, entity = name_node(resolver, path, offset)
    if any(function_of(one) is not None for one in (name, *entity.names)):
        return _function(resolver, path, offset, new)
    if (
        entity.kind not in ("const", "let", "var")
        or len(entity.names) != 1
        or name.up.type != "variable_declarator"
    ):
        raise EditRefused(
            f"{name.text} at {place(name)} is no variable or function",
            hint="name one that its own statement declares",
        )
    if entity.container is not None:
        raise EditRefused(f"{name.text} is exported", hint="take the export off first")
    texts = _renamed(resolver, name, new)
    value = name.up.get("value")
    if value is None:
        raise EditRefused(
            f"{name.text} is undefined at first", hint="give it true or false where it is declared"
        )
    search = Search(resolver.meanings, renaming=False, shorthand=True, keep=False)
    search.run(name, entity)
    found: list[Splice] = [_named(name, texts)]
    edits = [*_negated(resolver, name.up, value)]
    for node in search.hits:
        if node is name:
            continue
        parent = node.up
        if parent.type == "assignment_expression" and node.field == "left":
            right = parent.get("right")
            assert right is not None
            if parent.up.type != "expression_statement":
                raise EditRefused(
                    f"the assignment at {place(node)} is a value too", hint="make it a statement"
                )
            found.append(_named(node, texts))
            edits += _negated(resolver, None, right)
            continue
        found += _read(node, node, texts)
    return _joined([*edits, *found]), name.text


def _renamed(resolver: JavaScriptResolver, name: Node, new: str) -> dict[tuple[str, int], str]:
    """What stands in the place of each name: the new one, or the old."""
    if not new or new == name.text:
        return {}
    symbol = resolver.symbol_here(name.path, name.start)
    assert symbol is not None
    renaming = resolver.rename(symbol, new, options=RenameOptions())
    if renaming.uncertain:
        raise EditRefused(f"some uses of {name.text} are not certain", hint="rename it first")
    return {(splice.path, splice.start): splice.text.decode() for splice in renaming.splices}


def _named(node: Node, texts: dict[tuple[str, int], str]) -> Splice:
    return Splice(node.path, node.start, node.end, texts.get((node.path, node.start), node.text).encode())


def _negated(resolver: JavaScriptResolver, declarator: Node | None, value: Node) -> list[Splice]:
    """The splices that negate an expression which is known to be true or false."""
    written = annotation(declarator) if declarator is not None else None
    boolean = written is not None and written.text == "boolean"
    if not boolean and not _boolean(resolver, value):
        raise EditRefused(
            f"{value.text} at {place(value)} may be no boolean", hint="write !! before it first"
        )
    return negation(value)


def negation(value: Node) -> list[Splice]:
    """The splices that negate an expression."""
    inner = bare(value)
    path = value.path
    if inner.type in ("true", "false"):
        return [Splice(path, inner.start, inner.end, b"false" if inner.type == "true" else b"true")]
    operator = inner.get("operator")
    if inner.type == "binary_expression" and operator is not None and operator.type in _OPPOSITE:
        return [Splice(path, operator.start, operator.end, _OPPOSITE[operator.type].encode())]
    if inner.type == "unary_expression" and operator is not None and operator.type == "!":
        under = inner.items[0]
        held = bare(under)
        sure = held.type in ("true", "false") or (
            held.type == "unary_expression" and held.text.startswith("!")
        )
        compared = held.type == "binary_expression" and (o := held.get("operator")) is not None
        if sure or (compared and o is not None and o.type in _COMPARES):
            return [Splice(path, operator.start, under.start, b"")]
        return [Splice(path, operator.start, operator.start, b"!")]
    if rank(value) < UNARY:
        return [Splice(path, value.start, value.start, b"!("), Splice(path, value.end, value.end, b")")]
    return [Splice(path, value.start, value.start, b"!")]


def _boolean(resolver: JavaScriptResolver, value: Node) -> bool:
    """Whether an expression is sure to be true or false."""
    inner = bare(value)
    if inner.type in ("true", "false"):
        return True
    operator = inner.get("operator")
    word = operator.type if operator is not None else ""
    if inner.type == "unary_expression":
        return word in ("!", "delete")
    if inner.type == "binary_expression":
        left, right = inner.get("left"), inner.get("right")
        if word in ("&&", "||") and left is not None and right is not None:
            return _boolean(resolver, left) and _boolean(resolver, right)
        return word in _COMPARES
    if inner.type == "ternary_expression":
        ends = (inner.get("consequence"), inner.get("alternative"))
        return all(one is not None and _boolean(resolver, one) for one in ends)
    if inner.type == "call_expression" and (called := inner.get("function")) is not None:
        if called.text in ("Boolean", "Array.isArray", "Number.isNaN", "Number.isInteger", "Object.is"):
            return True
    found = resolver.checker.expression(inner)
    return isinstance(found, Primitive) and found.name == "boolean"


def _read(node: Node, value: Node, texts: dict[tuple[str, int], str]) -> list[Splice]:
    """What reads it: `!x` loses its `!`, all else gets one."""
    parent = value.up
    path = node.path
    if node.type == "shorthand_property_identifier":
        text = texts.get((path, node.start), node.text).rpartition(": ")[2]
        return [Splice(path, node.start, node.end, f"{node.text}: !{text}".encode())]
    written = parent.type in ("augmented_assignment_expression", "for_in_statement") and value.field == "left"
    if written or parent.type in ("update_expression", "type_query", "export_specifier", "pair_pattern"):
        raise EditRefused(f"{node.text} at {place(node)} is more than read", hint="change that place first")
    if node.type != "identifier" and node.type != "property_identifier":
        raise EditRefused(f"{node.text} at {place(node)} is more than read", hint="change that place first")
    if any(
        above.type in ("array_pattern", "object_pattern") for above in value.above() if above.end == value.end
    ):
        raise EditRefused(f"{node.text} at {place(node)} is more than read", hint="change that place first")
    named = [_named(node, texts)]
    outer = value
    while outer.up.type == "parenthesized_expression" and outer.up.up.type in (
        "parenthesized_expression",
        "unary_expression",
    ):
        outer = outer.up
    operator = outer.up.get("operator")
    if outer.up.type == "unary_expression" and operator is not None and operator.type == "!":
        return [Splice(path, operator.start, operator.end, b""), *named]
    tight = parent.type in (
        "member_expression",
        "subscript_expression",
        "call_expression",
        "non_null_expression",
    )
    power = parent.type == "binary_expression" and parent.has("**")
    if (tight and value.field in ("object", "function", None)) or power:
        return [
            Splice(path, value.start, value.start, b"(!"),
            *named,
            Splice(path, value.end, value.end, b")"),
        ]
    return [Splice(path, value.start, value.start, b"!"), *named]


def _function(resolver: JavaScriptResolver, path: str, offset: int, new: str) -> tuple[list[Splice], str]:
    name, _ = name_node(resolver, path, offset)
    family = family_at(resolver, path, offset)
    calls = family.only_calls()
    texts = _renamed(resolver, name, new)
    edits: list[Splice] = []
    for function in family.functions:
        body = function.get("body")
        if function.has("async") or function.has("*") or function.has("get"):
            raise EditRefused(
                f"{family.name} returns no plain boolean", hint="invert what it returns by hand"
            )
        if body is None:
            continue
        if body.type != "statement_block":
            edits += _result(resolver, function, body)
            continue
        last = body.items[-1] if body.items else None
        if last is None or last.type not in ("return_statement", "throw_statement"):
            raise EditRefused(
                f"{family.name} may end without a return at {place(function)}",
                hint="let it end with a return",
            )
        for value in returns(body):
            edits += _result(resolver, function, value)
        _check_bare(body, family.name)
    for call in calls:
        if call.node.type != "call_expression" or call.skip:
            raise EditRefused(
                f"{family.name} is called otherwise at {place(call.node)}", hint="call it plainly"
            )
        read = _read(call.name, call.node, {})
        edits += [splice for splice in read if splice.start != call.name.start or splice.end != call.name.end]
    named = [
        Splice(p, start, start + len(name.text.encode()), text.encode()) for (p, start), text in texts.items()
    ]
    return _joined([*edits, *named]), name.text


def _check_bare(body: Node, name: str) -> None:
    from forgewright.code.javascript.names import CLASSES, FUNCTIONS

    stack = [body]
    while stack:
        node = stack.pop()
        if node.type == "return_statement" and not node.items:
            raise EditRefused(
                f"{name} returns nothing at {place(node)}", hint="let it return true or false there"
            )
        if node.type not in FUNCTIONS and node.type not in CLASSES:
            stack.extend(node.children)


def _result(resolver: JavaScriptResolver, function: Node, value: Node) -> list[Splice]:
    written = annotation(function, "return_type")
    if (written is None or written.text != "boolean") and not _boolean(resolver, value):
        raise EditRefused(
            f"{value.text} at {place(value)} may be no boolean", hint="write !! before it first"
        )
    if written is not None and written.text != "boolean":
        raise EditRefused(f"it returns {written.text}", hint="only a plain boolean can be turned round")
    return negation(value)


def _joined(splices: list[Splice]) -> list[Splice]:
    """Splices in order: what is put in at one place is one splice, and the rest has no doubles."""
    added: dict[tuple[str, int], bytes] = {}
    for splice in splices:
        if splice.start == splice.end:
            at = (splice.path, splice.start)
            added[at] = added.get(at, b"") + splice.text
    plain = dict.fromkeys(splice for splice in splices if splice.start != splice.end)
    return sorted([*plain, *(Splice(path, at, at, text) for (path, at), text in added.items())])
