"""Other ways to say the same: f-strings and guard clauses. Refused where it would not be the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from forgewright.code import bodies, layout
from forgewright.code.fstrings import f_string
from forgewright.code.operations.base import PYTHON, SCRIPTS, Example, Languages, Match, Outcome, Scene
from forgewright.code.operations.fields import Targeted
from forgewright.code.operations.targets import mirrored, script
from forgewright.code.project import Splice
from forgewright.code.selectors import nodes
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.javascript.resolver import JavaScriptResolver

_OPPOSITES = {"==": "!=", "!=": "==", "is": "is not", "is not": "is", "in": "not in", "not in": "in"}
_JS_OPPOSITES = {"===": "!==", "!==": "===", "==": "!=", "!=": "=="}


class ToFString(Targeted, frozen=True, kw_only=True):
    """Make an f-string of a call of format or a % on a string literal; in JavaScript a template of 'a' + b.

    `%s` becomes `{x}`, `+ x` becomes `${x}`: the same for all but values whose class formats itself otherwise.
    """

    single: Annotated[bool, Meta(description="What stands alone behind % is no tuple.")] = False

    group: ClassVar[str] = "conversions"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(to-f-string target: 'call[name=format]')",
            before={"a.py": "x = 'a {} {n!r:>5} {{}}'.format(b.c, n=f(1))\n"},
            after={"a.py": "x = f'a {b.c} {f(1)!r:>5} {{}}'\n"},
        ),
        Example(
            program="(to-f-string target: 'binary_operator')",
            before={"a.py": 'x = "%s: %.2f%%" % (name, {1: 2}[k])\n'},
            after={"a.py": 'x = f"{name}: { {1: 2}[k]:.2f}%"\n'},
        ),
        Example(
            program="(to-f-string target: 'call[name=format]')",
            before={"a.py": "x = '{}'.format(a['k'])\n"},
            refused="holds the quotes of the string",
        ),
        Example(
            program="(to-f-string target: 'binary_operator')",
            before={"a.py": "x = '%s' % name\n"},
            refused="may be a tuple",
        ),
        Example(
            program="(to-f-string target: 'a.js:1:11')",
            before={"a.js": "const s = a + b + ': `' + (c || d) + \"'s\\n\";\n"},
            after={"a.js": "const s = `${a + b}: \\`${c || d}'s\\n`;\n"},
        ),
        Example(
            program="(to-f-string target: 'binary_expression')",
            before={"a.ts": "const s: string = 'is ' + n;\n"},
            after={"a.ts": "const s: string = `is ${n}`;\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        splices = []
        for match in self.targets(scene):
            start, end = match.start, match.end
            if (scripts := script(scene, match.path)) is not None:
                if self.single:
                    raise EditRefused("single: is for Python only", hint="leave it out")
                start, end, text = concatenated(scripts, match)
            else:
                text = f_string(match.source, match.node, single=self.single)
            splices.append(Splice(match.path, start, end, text))
        return Outcome(splices=tuple(splices))


def concatenated(resolver: JavaScriptResolver, match: Match) -> tuple[int, int, bytes]:
    """(start, end, template literal) of the concatenation that a match is, or begins."""
    from forgewright.code.javascript.refactor.templates import concatenation, template_literal

    node = concatenation(mirrored(resolver, match))
    return node.start, node.end, template_literal(node).encode("utf-8", "surrogateescape")


class GuardClause(Targeted, frozen=True, kw_only=True):
    """Turn an if that ends a function or loop into a guard: the condition negated, an early exit, the body below."""

    group: ClassVar[str] = "conversions"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(guard-clause target: 'if')",
            before={"a.py": "def f(x):\n    y = 1\n    if x is not None:\n        go(x)\n        stop()\n"},
            after={
                "a.py": "def f(x):\n    y = 1\n    if x is None:\n        return\n    go(x)\n    stop()\n"
            },
        ),
        Example(
            program="(guard-clause target: 'if')",
            before={"a.js": "for (const x of xs) {\n  if (x > 1) {\n    go(x)\n  }\n}\n"},
            after={"a.js": "for (const x of xs) {\n  if (!(x > 1)) {\n    continue\n  }\n  go(x)\n}\n"},
        ),
        Example(
            program="(guard-clause target: 'if')",
            before={"a.py": "def f(x):\n    if x:\n        go(x)\n    stop()\n"},
            refused="is not the last statement",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        return Outcome(splices=tuple(_guard(match) for match in self.targets(scene)))


def _guard(match: Match) -> Splice:
    source, node = match.source, match.node
    where = f"the if at {source.path}:{node.start_point.row + 1}"
    if match.kind != "if" or source.language not in ("python", "javascript", "typescript", "tsx"):
        raise EditRefused(f"{match.kind} is no if statement of Python, JavaScript or TypeScript")
    if node.child_by_field_name("alternative") is not None:
        raise EditRefused(f"{where} has other branches")
    body = nodes.body_of(node)
    block = node.parent
    condition = node.child_by_field_name("condition")
    if body is None or block is None or condition is None or not bodies.statements(body):
        raise EditRefused(f"{where} has no body")
    if bodies.statements(block)[-1:] != [node]:
        raise EditRefused(
            f"{where} is not the last statement of its block", hint="what follows would be skipped too"
        )
    owner = block.parent
    kind = nodes.kind_of(owner, source.language) if owner is not None else ""
    if kind in ("function", "method", "lambda"):
        leave = "return"
    elif kind in ("for", "while") and owner is not None and owner.child_by_field_name("alternative") is None:
        leave = "continue"
    else:
        raise EditRefused(f"{where} stands in no function or loop directly")
    end = layout.line_end(source.data)
    indent = layout.indentation(source.data, node.start_byte)
    inside = body.named_children
    start = inside[0].start_byte
    line = layout.line_start(source.data, start)
    begin = line if layout.only_space(source.data[line:start]) else start
    inner = layout.fit(
        source.data[begin : inside[-1].end_byte].decode("utf-8", "surrogateescape"), source, indent
    )
    unit = layout.indent_unit(source)
    if source.language == "python":
        head = f"if {negated(condition)}:".encode() + end + indent + unit + leave.encode()
    else:
        plain = condition.named_children[0] if condition.type == "parenthesized_expression" else condition
        semicolon = ";" if b";" in source.data[node.start_byte : node.end_byte] else ""
        head = (
            f"if ({negated(plain)}) {{".encode()
            + end
            + indent
            + unit
            + f"{leave}{semicolon}".encode()
            + end
            + indent
            + b"}"
        )
    return Splice(source.path, node.start_byte, node.end_byte, head + end + inner)


def negated(node: Node) -> str:
    """The opposite of a condition, without a change of meaning (an order is not turned around: NaN)."""
    text = nodes.text(node)
    if node.type == "parenthesized_expression" and len(node.named_children) == 1:
        return negated(node.named_children[0])
    if node.type == "not_operator":
        inner = node.child_by_field_name("argument")
        return nodes.text(inner)
    if node.type == "unary_expression" and text.startswith("!"):
        inner = node.child_by_field_name("argument")
        assert inner is not None
        plain = inner.type == "parenthesized_expression"
        return nodes.text(inner.named_children[0]) if plain else nodes.text(inner)
    if node.type == "comparison_operator" and len(node.named_children) == 2:
        left, right = node.named_children
        operator = " ".join(nodes.text(child) for child in node.children if child not in (left, right))
        if operator in _OPPOSITES:
            return f"{nodes.text(left)} {_OPPOSITES[operator]} {nodes.text(right)}"
    if node.type == "binary_expression":
        operator = nodes.text(node.child_by_field_name("operator"))
        if operator in _JS_OPPOSITES:
            one, other = node.child_by_field_name("left"), node.child_by_field_name("right")
            return f"{nodes.text(one)} {_JS_OPPOSITES[operator]} {nodes.text(other)}"
        return f"!({text})"
    simple = (
        "identifier",
        "attribute",
        "call",
        "subscript",
        "true",
        "false",
        "call_expression",
        "member_expression",
    )
    python = (
        node.type in ("identifier", "attribute", "call", "subscript", "true", "false")
        or "operator" in node.type
    )
    if node.type in simple:
        javascript = node.type in ("call_expression", "member_expression") or _in_javascript(node)
        return f"!{text}" if javascript else f"not {text}"
    return f"not ({text})" if python or not _in_javascript(node) else f"!({text})"


def _in_javascript(node: Node) -> bool:
    while node.parent is not None:
        node = node.parent
    return node.type == "program"
