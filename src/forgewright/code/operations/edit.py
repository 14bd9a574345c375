"""Replace, insert, delete: the structural edits, as byte splices that leave everything else as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from forgewright.code import bodies, layout, lists
from forgewright.code.deletion import delete
from forgewright.code.operations.base import Example, Match, Outcome, Scene
from forgewright.code.operations.fields import Code, Targeted
from forgewright.code.project import Source, Splice
from forgewright.code.selectors import nodes
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node


class ReplaceNode(Targeted, frozen=True, kw_only=True):
    """Replace a node by other code.

    Decorators, and in JavaScript `export`, stay when a definition is replaced, unless the new code
    brings its own.
    """

    code: Code

    group: ClassVar[str] = "replace"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="""(replace-node target: 'function#area' code: '''
  def area(width, height):
      return width * height
  ''')""",
            before={"shapes.py": "import math\n\n\n@cached\ndef area(w,h):\n    return w*h\n"},
            after={
                "shapes.py": "import math\n\n\n@cached\ndef area(width, height):\n    return width * height\n"
            },
        ),
        Example(
            program="(replace-node target: 'number[text=10]' code: '30.0' in: 'a.py')",
            before={"a.py": "timeout = 10  # seconds\n"},
            after={"a.py": "timeout = 30.0  # seconds\n"},
        ),
        Example(
            program="(replace-node target: 'function#fetch' code: 'async function fetch() {\\n  x()\\n}')",
            before={"a.js": "export function fetch(u) { return 0 }\n"},
            after={"a.js": "export async function fetch() {\n  x()\n}\n"},
        ),
        Example(
            program="(replace-node target: 'function#missing' code: 'pass')",
            before={"a.py": "def missed(): pass\n"},
            refused="names nothing",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        return Outcome(splices=tuple(_replaced(match, self.code) for match in self.targets(scene)))


def _replaced(match: Match, code: str) -> Splice:
    source, node = match.source, match.node
    head = code.strip()
    whole = nodes.whole(node)
    if (whole.type == "decorated_definition" and head.startswith("@")) or (
        whole.type == "export_statement" and head.startswith("export")
    ):
        node = whole
    elif (
        node.parent is not None
        and node.parent.type in ("lexical_declaration", "variable_declaration")
        and head.startswith(("const ", "let ", "var ", "function", "async function"))
    ):
        node = node.parent
    indent = layout.indentation(source.data, node.start_byte)
    if not code.strip():
        return delete(source, match.node)
    text = layout.fit(code, source, indent)[len(indent) :]
    return Splice(source.path, node.start_byte, node.end_byte, text)


class ReplaceBody(Targeted, frozen=True, kw_only=True):
    """Replace the body of a function, class or statement.

    The docstring stays unless the new body brings one.
    """

    code: Code

    group: ClassVar[str] = "replace"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(replace-body target: 'method#Cache.get' code: 'return self.data.get(key)')",
            before={
                "c.py": 'class Cache:\n    def get(self, key):\n        """Look up."""\n'
                "        return 0\n\n    x = 1\n"
            },
            after={
                "c.py": 'class Cache:\n    def get(self, key):\n        """Look up."""\n'
                "        return self.data.get(key)\n\n    x = 1\n"
            },
        ),
        Example(
            program="(replace-body target: 'function#f' code: 'log(1);\\nreturn 2;')",
            before={"a.ts": "function f(): number { return 1; }\n"},
            after={"a.ts": "function f(): number {\n  log(1);\n  return 2;\n}\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        return Outcome(splices=tuple(_new_body(match, self.code) for match in self.targets(scene)))


def _new_body(match: Match, code: str) -> Splice:
    source, data = match.source, match.source.data
    body = nodes.body_of(match.node)
    if body is None or body.parent is None:
        raise EditRefused(
            f"{match.kind} {match.name!r} has no body", hint="name a function, class or statement"
        )
    end = layout.line_end(data)
    if source.language != "python":
        if body.type not in nodes.BODIES:  # an arrow function's expression
            text = layout.fit(code, source, b"")
            return Splice(source.path, body.start_byte, body.end_byte, text)
        outer = layout.indentation(data, body.parent.start_byte)
        inner = layout.fit(code, source, outer + layout.indent_unit(source))
        return Splice(source.path, body.start_byte, body.end_byte, b"{" + end + inner + end + outer + b"}")
    found = bodies.statements(body)
    if not found:
        raise EditRefused(f"{match.kind} {match.name!r} has no statements", hint="use (insert-first …)")
    outer = layout.indentation(data, body.parent.start_byte)
    same_line = layout.line_start(data, body.start_byte) == layout.line_start(
        data, bodies.colon(body.parent, body)
    )
    indent = (
        outer + layout.indent_unit(source) if same_line else layout.indentation(data, found[0].start_byte)
    )
    text = layout.fit(code, source, indent)
    documented = (
        len(found) > 0 and nodes.is_docstring(found[0].named_children[0])
        if found[0].named_child_count
        else False
    )
    keep = documented and not code.lstrip().lstrip("rRbBuU").startswith(('"', "'"))
    if keep:
        start = layout.line_stop(data, found[0].end_byte)
        if len(found) == 1:
            return Splice(source.path, start, start, end + text)
        return Splice(source.path, layout.line_start(data, found[1].start_byte), body.end_byte, text)
    if same_line:
        return Splice(source.path, body.start_byte, body.end_byte, end + text)
    return Splice(source.path, layout.line_start(data, body.start_byte), body.end_byte, text)


class InsertBefore(Targeted, frozen=True, kw_only=True):
    """Insert code above a statement, or an item before an item of a list, call or parameter list."""

    code: Code

    group: ClassVar[str] = "insert"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(insert-before target: 'return' code: 'log(total)' in: 'a.py')",
            before={"a.py": "def f(total):\n\treturn total\n"},
            after={"a.py": "def f(total):\n\tlog(total)\n\treturn total\n"},
            note="The file's own indentation (here a tab) is used.",
        ),
        Example(
            program="(insert-before target: 'parameter[name=b]' code: 'a: int')",
            before={"a.py": "def f(b, c): ...\n"},
            after={"a.py": "def f(a: int, b, c): ...\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        return Outcome(splices=_beside(self.targets(scene), self.code, after=False))


class InsertAfter(Targeted, frozen=True, kw_only=True):
    """Insert code below a statement, or an item after an item of a list, call or parameter list."""

    code: Code

    group: ClassVar[str] = "insert"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(insert-after target: 'function#load' code: 'def save(path):\\n    ...')",
            before={"a.py": "def load(path):\n    return 1\n\n\nx = 1\n"},
            after={"a.py": "def load(path):\n    return 1\n\n\ndef save(path):\n    ...\n\n\nx = 1\n"},
        ),
        Example(
            program="""(insert-after target: "item[text='\\"b\\"']" code: '"c"')""",
            before={"a.py": 'names = [\n    "a",\n    "b",  # last\n]\n'},
            after={"a.py": 'names = [\n    "a",\n    "b",  # last\n    "c",\n]\n'},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        return Outcome(splices=_beside(self.targets(scene), self.code, after=True))


def _beside(matches: Sequence[Match], code: str, *, after: bool) -> tuple[Splice, ...]:
    statements = _Statements()
    place = bodies.after_statement if after else bodies.before_statement
    found = []
    for match in matches:
        source, node = match.source, match.node
        if lists.is_item(node):
            parent = node.parent
            assert parent is not None
            found.append(lists.insert(source, parent, lists.items(parent).index(node) + after, code))
        else:
            found.append(place(source, statements.around(match), code))
    return tuple(found)


class _Statements:
    """The statements in which matches stand. What was passed on the way up to one is remembered, for matches that
    stand deep in one another."""

    def __init__(self) -> None:
        self._tree: object = None
        self._known: dict[int, Node] = {}

    def around(self, match: Match) -> Node:
        if match.source.tree is not self._tree:
            self._tree, self._known = match.source.tree, {}
        node, passed = nodes.whole(match.node), []
        while node.id not in self._known and not (nodes.is_statement(node) or node.type in _ALONE):
            passed.append(node.id)
            if node.parent is None:
                raise EditRefused(
                    f"{match.kind} {match.name!r} stands in no list of statements or items",
                    hint="name a statement, a member, or an item of a list, call or parameter list",
                )
            node = nodes.whole(node.parent)
        found = self._known.get(node.id, node)
        self._known.update(dict.fromkeys(passed, found))
        return found


_ALONE = frozenset(("comment", "decorator", "line_comment", "block_comment"))
"""What code may stand beside, though it is no statement."""


class InsertFirst(Targeted, frozen=True, kw_only=True):
    """Insert code at the beginning of a body (after its docstring), or an item at the beginning of a list."""

    code: Code

    group: ClassVar[str] = "insert"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(insert-first target: 'class#Box' code: 'size: int = 0')",
            before={"a.py": 'class Box:\n    """A box."""\n\n    name: str\n'},
            after={"a.py": 'class Box:\n    """A box."""\n    size: int = 0\n\n    name: str\n'},
        ),
        Example(
            program="(insert-first target: 'function#f' code: 'start()')",
            before={"a.js": "function f() {\n    stop();\n}\n"},
            after={"a.js": "function f() {\n    start()\n    stop();\n}\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        return Outcome(splices=tuple(_into(match, self.code, last=False) for match in self.targets(scene)))


class InsertLast(Targeted, frozen=True, kw_only=True):
    """Insert code at the end of a body, or an item at the end of a list, call or parameter list."""

    code: Code

    group: ClassVar[str] = "insert"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(insert-last target: 'class#Box' code: 'def open(self):\\n    return self')",
            before={"a.py": "class Box:\n    def shut(self):\n        pass\n\n\nx = Box()\n"},
            after={
                "a.py": "class Box:\n    def shut(self):\n        pass\n\n    def open(self):\n"
                "        return self\n\n\nx = Box()\n"
            },
        ),
        Example(
            program="(insert-last target: 'a.py::module' code: 'main()')",
            before={"a.py": "def main():\n    pass\n"},
            after={"a.py": "def main():\n    pass\n\n\nmain()\n"},
        ),
        Example(
            program="(insert-last target: 'call[name=connect]' code: 'timeout=3')",
            before={"a.py": "connect(host)\n"},
            after={"a.py": "connect(host, timeout=3)\n"},
        ),
        Example(
            program="(insert-last target: 'class#A' code: 'stop() {}')",
            before={"a.ts": "class A {\n  go() {\n    x()\n  }\n}\n"},
            after={"a.ts": "class A {\n  go() {\n    x()\n  }\n\n  stop() {}\n}\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        return Outcome(splices=tuple(_into(match, self.code, last=True) for match in self.targets(scene)))


def _into(match: Match, code: str, *, last: bool) -> Splice:
    source, node = match.source, match.node
    items = _list_of(source, node)
    if items is not None:
        return lists.insert(source, items, len(lists.items(items)) if last else 0, code)
    return bodies.into_body(source, node, code, last=last)


def _list_of(source: Source, node: Node) -> Node | None:

    if node.type in lists.LISTS and node.type not in nodes.BODIES:
        return node
    if nodes.is_kind(node, "call", source.language):
        return node.child_by_field_name("arguments")
    if nodes.is_kind(node, "assignment", source.language) or node.type == "variable_declarator":
        value = node.child_by_field_name("right") or node.child_by_field_name("value")
        if value is not None and value.type in lists.LISTS:
            return value
    return None


class DeleteNode(Targeted, frozen=True, kw_only=True):
    """Delete a node: a statement with its lines, a definition with its decorators, an item with its comma.

    Uses elsewhere are not looked at; `safe-delete` does that.
    """

    comments: Annotated[bool, Meta(description="Delete the comment lines right above it too.")] = False

    group: ClassVar[str] = "delete"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(delete-node target: 'function#old')",
            before={"a.py": "def keep():\n    pass\n\n\n@x\ndef old():\n    pass\n\n\nkeep()\n"},
            after={"a.py": "def keep():\n    pass\n\n\nkeep()\n"},
        ),
        Example(
            program="(delete-node target: 'argument[text=b]')",
            before={"a.py": "f(a, b, c)\n"},
            after={"a.py": "f(a, c)\n"},
        ),
        Example(
            program="(delete-node target: 'pass_statement' every: true in: 'a.py')",
            before={"a.py": "if x:\n    pass\nelse:\n    y()\n    pass\n"},
            after={"a.py": "if x:\n    pass\nelse:\n    y()\n"},
            note="A body that would be empty gets `pass`.",
        ),
        Example(
            program="(delete-node target: 'pair[name=b]')",
            before={"a.js": "const o = {\n  a: 1,\n  b: 2, // two\n  c: 3\n}\n"},
            after={"a.js": "const o = {\n  a: 1,\n  c: 3\n}\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        return Outcome(
            splices=tuple(delete(m.source, m.node, comments=self.comments) for m in self.targets(scene))
        )
