"""How code is put into a script: before a statement, with the file's semicolons, indentation and line ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from forgewright.code.javascript.refactor.region import BLOCKS
from forgewright.code.layout import indent_unit, indentation, line_end, line_start, line_stop, only_space
from forgewright.code.project import Splice
from forgewright.code.scopes.words import kinds
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Unit
    from forgewright.code.project import Source
    from forgewright.code.scopes.tree import Node

_ENDED = kinds(
    "expression_statement lexical_declaration variable_declaration return_statement throw_statement "
    "import_statement break_statement continue_statement"
)
_BARE = kinds("if_statement for_statement for_in_statement while_statement do_statement with_statement")
CONTINUING = (b"(", b"[", b"`", b"+", b"-", b"/", b"*", b".", b",")
"""What a statement cannot begin with after one that has no semicolon (ECMA-262, automatic semicolon insertion)."""


def semicolons(unit: Unit) -> bool:
    """Whether the file ends its statements with semicolons."""
    data = unit.data
    ended = [
        data[node.end - 1 : node.end] == b";" and not data[node.end - 2 : node.end - 1].isspace()
        for node in unit.root.walk()
        if node.type in _ENDED
    ]
    return not ended or 2 * sum(ended) >= len(ended)


class Anchor(NamedTuple):
    """Before what a new statement can be put."""

    node: Node
    kind: Literal["block", "arrow", "bare"]
    """A statement of a block, the expression that is an arrow function's body, or a body without braces."""


def anchor_of(node: Node) -> Anchor:
    """The statement that holds a node. Raises `EditRefused` in a place that has none."""
    here = node
    while True:
        parent = here.parent
        if parent is None:
            raise EditRefused("no statement stands around the selection", hint="select code in a statement")
        if parent.type in BLOCKS and here.field != "value":
            return Anchor(here, "block")
        if parent.type == "arrow_function" and here.field == "body":
            return Anchor(here, "arrow")
        if parent.type in _BARE and here.field in ("consequence", "body"):
            return Anchor(here, "bare")
        if parent.type == "else_clause" and here.type != "if_statement":
            return Anchor(here, "bare")
        here = parent


def statement_text(text: str, unit: Unit, following: bytes) -> str:
    """A simple statement with its semicolon, where the file or what follows wants one."""
    return text + (";" if semicolons(unit) or following.startswith(CONTINUING) else "")


def put_before(source: Source, unit: Unit, anchor: Anchor, text: str) -> list[Splice]:
    """The splices that put a simple statement (without semicolon) before an anchor, with braces where needed."""
    node, data, path = anchor.node, source.data, source.path
    end, unit_ = line_end(data).decode(), indent_unit(source).decode()
    indent = indentation(data, node.start).decode()
    if anchor.kind == "block":
        written = statement_text(text, unit, data[node.start : node.start + 1])
        start = node.start
        if only_space(data[line_start(data, start) : start]):
            return [Splice(path, start, start, f"{written}{end}{indent}".encode())]
        return [Splice(path, start, start, f"{written.removesuffix(';')}; ".encode())]
    if anchor.kind == "arrow":
        stop = ";" if semicolons(unit) else ""
        written = statement_text(text, unit, b"r")
        head = f"{{{end}{indent}{unit_}{written}{end}{indent}{unit_}return "
        if data[node.end - 1 : node.end] == b"\n" or _ends_in_comment(node):
            raise EditRefused(
                "a comment ends the arrow function's body", hint="give it a body in braces first"
            )
        return [
            Splice(path, node.start, node.start, head.encode()),
            Splice(path, node.end, node.end, f"{stop}{end}{indent}}}".encode()),
        ]
    indent = indentation(data, node.up.start).decode()
    written = statement_text(text, unit, data[node.start : node.start + 1])
    before = node.start
    while before and data[before - 1 : before] in (b" ", b"\t", b"\r", b"\n"):
        before -= 1
    head = f" {{{end}{indent}{unit_}{written}{end}{indent}{unit_}"
    if _ends_in_comment_line(data, before):
        raise EditRefused("a comment stands before the body without braces", hint="give it braces first")
    return [
        Splice(path, before, node.start, head.encode()),
        Splice(path, node.end, node.end, f"{end}{indent}}}".encode()),
    ]


def _ends_in_comment(node: Node) -> bool:
    return bool(node.children) and node.children[-1].type == "comment"


def _ends_in_comment_line(data: bytes, offset: int) -> bool:
    return b"//" in data[line_start(data, offset) : offset]


def joins(before: Node | None, following: bytes) -> bool:
    """Whether a statement that begins with `following` would be read as going on with the one `before` it."""
    if before is None or not following.lstrip().startswith(CONTINUING):
        return False
    return before.type in _ENDED and before.data[before.end - 1 : before.end] != b";"


def previous(node: Node) -> Node | None:
    """The statement before a statement in its block."""
    found: Node | None = None
    for child in node.up.items:
        if child is node:
            return found
        found = child
    return None


def following(node: Node) -> Node | None:
    """The statement after a statement in its block."""
    items = node.up.items
    at = next((i for i, child in enumerate(items) if child is node), len(items))
    return items[at + 1] if at + 1 < len(items) else None


def reindented(nodes: Node | list[Node], text: str, old: str, new: str) -> str:
    """`text` with the indentation `old` of its lines (but the first) made `new`; lines inside of strings stay."""
    tops = nodes if isinstance(nodes, list) else [nodes]
    data, start = tops[0].data, tops[0].start
    fixed: set[int] = set()
    for top in tops:
        for node in top.walk():
            if node.type in ("template_string", "string"):
                first = data.count(b"\n", start, node.start)
                fixed.update(range(first + 1, first + 1 + data.count(b"\n", node.start, node.end)))
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if at and at not in fixed and line.startswith(old) and line.strip():
            lines[at] = new + line[len(old) :]
    return "\n".join(lines)


def place_definition(source: Source, anchor: Node, text: str, *, before: bool) -> Splice:
    """A definition beside a statement or a member of a class, with a blank line between the two."""
    data, path = source.data, source.path
    end = line_end(data)
    indent = indentation(data, anchor.start)
    if before:
        start = with_comments(anchor)
        return Splice(path, start, start, text.encode() + end + end + indent)
    stop = anchor.end
    after = anchor.up.children.index(anchor) + 1
    if after < len(anchor.up.children) and anchor.up.children[after].type == ";":
        stop = anchor.up.children[after].end
    rest = data[stop : line_stop(data, stop)]
    if rest.strip().startswith((b"//", b"/*")) and b"*/" not in rest.replace(b"*/", b"", 1):
        stop = line_stop(data, stop)
    glued = b"" if only_space(data[stop : line_stop(data, stop)]) else end + indent
    return Splice(path, stop, stop, end + end + indent + text.encode() + glued)


def with_comments(node: Node) -> int:
    """Where a statement begins with what belongs to it right above: comments, decorators, overloads."""
    start = node.start
    siblings = node.up.children
    at = siblings.index(node)
    while at and (siblings[at - 1].type in _WITH or _overload(siblings[at - 1])):
        above = siblings[at - 1]
        gap = node.data[above.end : start]
        own_line = only_space(node.data[line_start(node.data, above.start) : above.start])
        if above.type == ";" or _overload(above):
            start = above.start if above.type != ";" else start
            at -= 1
            continue
        if gap.count(b"\n") != 1 or not own_line or (above.start == 0 and above.text[:3] != "/**"):
            break
        start = above.start
        at -= 1
    return start


def _overload(node: Node) -> bool:
    """Whether a statement or member is a signature, whose body comes later."""
    inner = node.get("declaration") if node.type == "export_statement" else node
    if node.type == ";":
        before = node.up.children[node.up.children.index(node) - 1]
        return before.type in _SIGNATURES
    return inner is not None and inner.type in _SIGNATURES


_WITH = ("comment", "decorator")
_SIGNATURES = ("function_signature", "method_signature")
