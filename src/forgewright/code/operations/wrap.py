"""Put code around a node, or take off what stands around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec
from msgspec import Meta

from forgewright.code import bodies, layout
from forgewright.code.operations.base import Example, Operation, Outcome, Scene
from forgewright.code.operations.fields import Every, Glob, Targeted
from forgewright.code.project import Source, Splice
from forgewright.code.selectors import nodes
from forgewright.code.syntax.diagnostics import SelectorError
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

BODY = "$BODY"


class Wrap(Operation, frozen=True, kw_only=True):
    """Put code around a statement, an expression, or a range of statements."""

    template: Annotated[
        str, Meta(description="The code around it, with $BODY where it goes.", pattern=r"\$BODY")
    ]
    target: Annotated[str, Meta(description="Selector of the node.")] = ""
    range: Annotated[str, Meta(description="Instead of target: path:line-line, whole statements.")] = ""
    in_: Glob = msgspec.field(default="", name="in")
    every: Every = False

    group: ClassVar[str] = "wrap"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(wrap range: 'a.py:2-3' template: 'try:\\n    $BODY\\nexcept OSError:\\n    return')",
            before={"a.py": "def f():\n    x = open(p)\n    y = x.read()\n    return y\n"},
            after={
                "a.py": "def f():\n    try:\n        x = open(p)\n        y = x.read()\n"
                "    except OSError:\n        return\n    return y\n"
            },
        ),
        Example(
            program="(wrap target: 'call[name=load]' template: 'list($BODY)')",
            before={"a.py": "rows = load(1)\n"},
            after={"a.py": "rows = list(load(1))\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        if bool(self.target) == bool(self.range):
            raise SelectorError("expected either target or range")
        if self.range:
            path, start, end = scene.range(self.range)
            source = scene.project.source(path)
            while start < end and source.data[start : start + 1] in (b" ", b"\t"):
                start += 1
            return Outcome(splices=(_around(source, start, end, self.template),))
        select = Targeted(target=self.target, in_=self.in_, every=self.every)
        return Outcome(
            splices=tuple(
                _around(m.source, (n := nodes.whole(m.node)).start_byte, n.end_byte, self.template)
                for m in select.targets(scene)
            )
        )


def _around(source: Source, start: int, end: int, template: str) -> Splice:
    data = source.data
    indent = layout.indentation(data, start)
    inner = data[layout.line_start(data, start) : start]
    text = (inner if layout.only_space(inner) else b"") + data[start:end]
    body = text.decode("utf-8", "surrogateescape")
    lines = layout.fit(template, source, indent).split(layout.line_end(data))
    out: list[bytes] = []
    for line in lines:
        stripped = line.strip()
        if stripped == BODY.encode():
            out.append(layout.fit(body, source, line[: len(line) - len(line.lstrip())]))
        else:
            out.append(line.replace(BODY.encode(), data[start:end]))
    return Splice(source.path, start, end, layout.line_end(data).join(out)[len(indent) :])


_LOOPS = frozenset(
    ("for_statement", "while_statement", "for_in_statement", "do_statement", "enhanced_for_statement")
)
_CALLABLE = ("function", "method", "lambda", "closure")


class Unwrap(Targeted, frozen=True, kw_only=True):
    """Replace a statement by its body, or a call by its only argument."""

    group: ClassVar[str] = "wrap"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(unwrap target: 'if' in: 'a.py')",
            before={"a.py": "def f():\n    if debug:\n        a()\n        b()\n    c()\n"},
            after={"a.py": "def f():\n    a()\n    b()\n    c()\n"},
        ),
        Example(
            program="(unwrap target: 'call[name=list]')",
            before={"a.py": "rows = list(load(1))\n"},
            after={"a.py": "rows = load(1)\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        splices = []
        for match in self.targets(scene):
            source, node = match.source, match.node
            if nodes.is_kind(node, "call", source.language) or node.type == "parenthesized_expression":
                splices.append(_only_inner(source, match.node))
                continue
            body = nodes.body_of(node)
            if body is None:
                raise EditRefused(
                    f"{match.kind} {match.name!r} has nothing to take off", hint="name a statement or call"
                )
            found = bodies.statements(body)
            if not found:
                raise EditRefused(
                    f"{match.kind} {match.name!r} has an empty body", hint="use (delete-node …)"
                )
            if any(node.child_by_field_name(f) for f in ("alternative", "handler", "finalizer")) or any(
                c.type in ("except_clause", "finally_clause", "else_clause", "elif_clause")
                for c in node.named_children
            ):
                raise EditRefused(
                    f"{match.kind} at {source.path}:{node.start_point.row + 1} has further branches",
                    hint="delete those first: (delete-node target: 'else_clause' …)",
                )
            leaving = _leaving(body, node.type)
            if leaving is not None:
                line = leaving.start_point.row + 1
                raise EditRefused(
                    f"{source.path}:{line} leaves the {match.kind} that would go",
                    hint="change this line first",
                )
            indent = layout.indentation(source.data, node.start_byte)
            inside = body.named_children
            start = inside[0].start_byte
            first = layout.line_start(source.data, start)
            begin = first if layout.only_space(source.data[first:start]) else start
            inner = source.data[begin : inside[-1].end_byte].decode("utf-8", "surrogateescape")
            text = layout.fit(inner, source, indent)[len(indent) :]
            splices.append(Splice(source.path, node.start_byte, node.end_byte, text))
        return Outcome(splices=tuple(splices))


def _leaving(body: Node, outer: str) -> Node | None:
    """The first `break` or `continue` of a loop, or `return` of a function, within its body."""
    loop = outer in _LOOPS
    if not loop and not any(word in outer for word in _CALLABLE):
        return None
    wanted = ("break_statement", "continue_statement") if loop else ("return_statement",)
    stack = [body]
    while stack:
        node = stack.pop()
        if node.type in wanted:
            return node
        if (loop and node.type in _LOOPS) or any(word in node.type for word in _CALLABLE):
            continue
        stack.extend(reversed(node.named_children))
    return None


def _only_inner(source: Source, node: Node) -> Splice:
    from tree_sitter import Node

    assert isinstance(node, Node)
    arguments = node.child_by_field_name("arguments") or node
    found = [child for child in arguments.named_children if "comment" not in child.type]
    if len(found) != 1 or found[0].type in (
        "keyword_argument",
        "list_splat",
        "dictionary_splat",
        "spread_element",
    ):
        raise EditRefused(
            f"the call at {source.path}:{node.start_point.row + 1} has {len(found)} arguments, expected one",
            hint="use (replace-node …)",
        )
    inner = source.data[found[0].start_byte : found[0].end_byte]
    return Splice(source.path, node.start_byte, node.end_byte, inner)
