"""A chain of if that compares one value, as a switch, and back. Refused where it would not decide the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code import layout
from forgewright.code.javascript.names import FUNCTIONS
from forgewright.code.javascript.refactor.leaving import completes
from forgewright.code.javascript.refactor.precedence import operator_of, rank
from forgewright.code.javascript.refactor.purity import Effect, effect
from forgewright.code.javascript.refactor.region import line_of
from forgewright.code.javascript.refactor.text import reindented, semicolons
from forgewright.code.javascript.refactor.uses import LOOPS, host_of
from forgewright.code.scopes.words import kinds
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.refactor.uses import Uses
    from forgewright.code.project import Source
    from forgewright.code.scopes.tree import Node

_LITERALS = kinds("string number true false null undefined")
_DECLARING = kinds(
    "lexical_declaration class_declaration function_declaration generator_function_declaration"
)
EQUALITY = 9


def to_switch(uses: Uses, source: Source, node: Node) -> str:
    """The switch that decides as a chain of if. Raises `EditRefused`."""
    if node.type != "if_statement":
        raise EditRefused(f"line {line_of(node)} is no if statement")
    branches: list[tuple[list[Node], Node]] = []
    subject = ""
    here: Node | None = node
    while here is not None:
        _no_comments(here)
        if here.type == "if_statement":
            found, values = _compared(uses, here.get("condition"), subject)
            if subject and found != subject:
                raise EditRefused(
                    f"the branches compare {subject!r} and {found!r}", hint="all must compare one value"
                )
            subject = found
            branches.append((values, _part(here, "consequence")))
            here = here.get("alternative")
        elif here.type == "else_clause" and here.items[-1].type == "if_statement":
            here = here.items[-1]
        else:
            branches.append(([], here.items[-1]))
            here = None
    end, indent, unit = _style(source, node)
    stop = ";" if semicolons(uses.unit) else ""
    out = [f"switch ({subject}) {{"]
    for values, body in branches:
        statements = body.items if body.type == "statement_block" else [body]
        _check_breaks(body)
        inner = indent + unit
        heads = [f"{inner}case {value.text}:" for value in values] or [f"{inner}default:"]
        scoped = any(s.type in _DECLARING for s in statements)
        out += heads[:-1]
        out.append(heads[-1] + (" {" if scoped else ""))
        out += _moved(body, inner + unit)
        if all(completes(s) for s in statements):
            out.append(f"{inner}{unit}break{stop}")
        if scoped:
            out.append(inner + "}")
    return end.join([*out, indent + "}"])


def _part(node: Node, field: str) -> Node:
    found = node.get(field)
    if found is None:
        raise EditRefused(f"line {line_of(node)} does not parse", hint="repair the syntax first")
    return found


def _style(source: Source, node: Node) -> tuple[str, str, str]:
    """(line end, the node's indentation, one level of it)."""
    data = source.data
    return (
        layout.line_end(data).decode(),
        layout.indentation(data, node.start).decode(),
        layout.indent_unit(source).decode(),
    )


def _no_comments(node: Node) -> None:
    if any(child.type == "comment" for child in node.children):
        raise EditRefused("a comment stands between the branches", hint="put it into a branch first")


def _compared(uses: Uses, condition: Node | None, subject: str) -> tuple[str, list[Node]]:
    """(subject, values) of `x === 1`, `x === 1 || x === 2`."""
    if condition is None:
        raise EditRefused("an if has no condition", hint="repair the syntax first")
    if condition.type == "parenthesized_expression":
        _no_comments(condition)
        return _compared(uses, condition.items[0], subject)
    left, right = condition.get("left"), condition.get("right")
    if condition.type != "binary_expression" or left is None or right is None:
        raise EditRefused(f"{condition.text[:60]!r} is no comparison with ===")
    if operator_of(condition) == "||":
        one, ones = _compared(uses, left, subject)
        other, others = _compared(uses, right, subject or one)
        if one != other:
            raise EditRefused(f"a branch compares {one!r} and {other!r}", hint="all must compare one value")
        return one, ones + others
    if operator_of(condition) != "===":
        raise EditRefused(
            f"{condition.text[:60]!r} is no comparison with ===", hint="a switch compares with ==="
        )
    if right.text == subject or (not subject and _literal(left)):
        left, right = right, left
    for part in (left, right):
        if effect(uses, part) >= Effect.MAKES:
            raise EditRefused(
                f"{part.text[:60]!r} does more than look", hint="give it a name first, with extract-variable"
            )
    if not _literal(right) and right.type not in ("identifier", "member_expression"):
        raise EditRefused(f"{right.text[:60]!r} is no literal or name")
    return left.text, [right]


def _literal(node: Node) -> bool:
    if node.type == "unary_expression":
        argument = node.get("argument")
        return operator_of(node) == "-" and argument is not None and argument.type == "number"
    return node.type in _LITERALS or (
        node.type == "template_string" and not node.first("template_substitution")
    )


def _check_breaks(body: Node) -> None:
    """Refuse a `break` that leaves a loop or switch around: it would leave the new switch."""
    for node in body.walk():
        if node.type == "break_statement" and node.get("label") is None:
            for above in node.above():
                if above.type in LOOPS or above.type == "switch_statement" or above.type in FUNCTIONS:
                    if not above.within(body):
                        raise EditRefused(
                            f"the break in line {line_of(node)} would leave the switch",
                            hint="give it a label first",
                        )
                    break


def _moved(body: Node, indent: str) -> list[str]:
    """A body's statements and comments at another indentation."""
    inside = [c for c in body.children if c.named] if body.type == "statement_block" else [body]
    return [_text(inside, inside[0].start, inside[-1].end, indent)] if inside else []


def _text(nodes: list[Node], start: int, end: int, indent: str) -> str:
    data = nodes[0].data
    old = layout.indentation(data, start).decode()
    if not layout.only_space(data[layout.line_start(data, start) : start]):
        old = layout.indentation(data, nodes[0].up.start).decode()
    text = data[start:end].decode("utf-8", "surrogateescape")
    return indent + reindented(nodes, text, old, indent)


def to_if(uses: Uses, source: Source, node: Node) -> str:
    """The chain of if that decides as a switch. Raises `EditRefused`."""
    if node.type != "switch_statement":
        raise EditRefused(f"line {line_of(node)} is no switch statement")
    value, body = node.get("value"), _part(node, "body")
    if value is None or value.type != "parenthesized_expression":
        raise EditRefused("the switch looks at nothing", hint="repair the syntax first")
    _no_comments(value)
    subject = value.items[0]
    if effect(uses, subject) >= Effect.MAKES:
        raise EditRefused(
            f"{subject.text[:60]!r} would be computed for each case",
            hint="give it a name first, with extract-variable",
        )
    groups = _groups(uses, body)
    left = f"({subject.text})" if rank(subject) < EQUALITY else subject.text
    end, indent, unit = _style(source, node)
    out = ""
    for values, nodes in sorted(groups, key=lambda group: not group[0]):
        tests = " || ".join(
            f"{left} === ({v.text})" if rank(v) <= EQUALITY else f"{left} === {v.text}" for v in values
        )
        if not values and not out:
            raise EditRefused("the switch has no case but default", hint="use (unwrap …)")
        head = f"if ({tests}) {{" if values else "{"
        lines = [_text(nodes, nodes[0].start, nodes[-1].end, indent + unit)] if nodes else []
        if not nodes and not values:
            continue
        out += f"{' else ' if out else ''}{end.join([head, *lines, indent + '}'])}"
    return out


def _groups(uses: Uses, body: Node) -> list[tuple[list[Node], list[Node]]]:
    """(values, statements) of each case with its body; no values for default."""
    groups: list[tuple[list[Node], list[Node]]] = []
    values: list[Node] = []
    default = False
    cases = body.items
    if any(child.type == "comment" for child in body.children):
        raise EditRefused("a comment stands between the cases", hint="put it into a case first")
    if not cases:
        raise EditRefused("the switch has no cases", hint="delete it")
    for number, case in enumerate(cases):
        if case.type == "switch_default":
            default = True
        else:
            value = _part(case, "value")
            if effect(uses, value) >= Effect.MAKES:
                raise EditRefused(f"the case {value.text[:40]!r} does more than look")
            values.append(value)
        colon = next(at for at, child in enumerate(case.children) if child.type == ":")
        inside = [child for child in case.children[colon + 1 :] if child.named]
        if not any(child.type != "comment" for child in inside) and number < len(cases) - 1:
            if inside:
                raise EditRefused("a comment stands between the cases", hint="put it into a case first")
            continue
        statements = _without_break(inside, last=number == len(cases) - 1)
        _check_names(uses, case, inside)
        groups.append(([] if default else values, statements))
        values, default = [], False
    if sum(1 for found, _ in groups if not found) > 1:
        raise EditRefused("the switch has two defaults", hint="repair it first")
    return groups


def _without_break(inside: list[Node], *, last: bool) -> list[Node]:
    """The statements of a case without the break at its end. Raises `EditRefused` for a fall-through."""
    block = next((n for n in inside if n.type != "comment"), None)
    alone = (
        block is not None
        and block.type == "statement_block"
        and sum(n.type != "comment" for n in inside) == 1
    )
    if block is not None and alone and len(inside) == 1:
        inside = [child for child in block.children if child.named]
    code = [n for n in inside if n.type != "comment"]
    found = inside
    if code and code[-1].type == "break_statement" and code[-1].get("label") is None:
        if any(n.start > code[-1].start for n in inside):
            raise EditRefused("a comment stands behind a break", hint="put it before the break first")
        found = [n for n in inside if n is not code[-1]]
    elif not last and all(completes(n) for n in code):
        where = line_of(code[-1]) if code else 0
        raise EditRefused(
            f"the case that ends in line {where} falls through to the next", hint="end it with break first"
        )
    for node in found:
        _check_inner(node)
    return found


def _check_inner(body: Node) -> None:
    """Refuse a `break` that leaves the switch from inside of a case."""
    for node in body.walk():
        if node.type == "break_statement" and node.get("label") is None:
            inside = any(
                (above.type in LOOPS or above.type == "switch_statement") and above.within(body)
                for above in node.above()
            )
            if not inside:
                raise EditRefused(
                    f"the break in line {line_of(node)} leaves the switch from the middle of a case",
                    hint="turn it around first, so that the case ends with its break",
                )


def _check_names(uses: Uses, case: Node, inside: list[Node]) -> None:
    """Refuse names that one case declares and another uses."""
    for statement in inside:
        if statement.type not in _DECLARING:
            continue
        for use in uses.within(statement.start, statement.end):
            if not use.declares or use.entity is None or host_of(use.node) is not host_of(case):
                continue
            if any(not other.node.within(case) for other in uses.of(use.entity)):
                raise EditRefused(
                    f"{use.node.text} is declared in one case and used in another",
                    hint="declare it before the switch",
                )
