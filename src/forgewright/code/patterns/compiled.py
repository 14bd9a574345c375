"""A pattern, parsed by the language's own grammar and compared with nodes by structure, not by text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from forgewright.code.languages import parse
from forgewright.code.patterns.sights import WORD, Sights
from forgewright.code.syntax.diagnostics import SelectorError

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.project import Source

PATTERN_CHARS_MAX = 10_000
STEPS_MAX = 100_000
"""Comparisons of one pattern with one node: a bound on backtracking."""

METAVARIABLE = re.compile(r"\$\$\$([A-Z_][A-Z0-9_]*)?|\$([A-Z_][A-Z0-9_]*)")
_ONE = "mvOne_"
_MANY = "mvMany_"
_SKIPPED = frozenset((",", ";", "\n"))
_COMMENTS = frozenset(("comment", "line_comment", "block_comment", "html_comment"))
_PASSED = _SKIPPED | _COMMENTS
_PASSED_IN_IMPORTS = _PASSED | {"(", ")"}
_STATEMENTS = ("function", "async function", "class ", "abstract class ", "export ", "import ")
_BLOCKS = frozenset(("block", "statement_list"))
_HULLS = frozenset(("module", "program", "source_file", "expression_statement", "ERROR"))

Captures = Mapping[str, Sequence["Node"]]


class Shape:
    """One node of a pattern, with what a comparison asks of it computed once."""

    __slots__ = ("leaf", "many", "named", "node_type", "parts", "text", "variable")

    def __init__(self, node: Node) -> None:
        self.node_type = node.type
        self.variable = None if node.type in _BLOCKS else _variable(node)
        self.many = self.variable is not None and self.variable[0]
        self.leaf = node.child_count == 0
        self.named = node.is_named
        self.text = _leaf_text(node) if self.leaf else b""
        self.parts = () if self.variable else tuple(Shape(child) for child in parts(node))


class Pattern:
    """One pattern in one language. `match(node, data)` gives the captures, or None."""

    def __init__(self, text: str, language: str, root: Node, several: Sequence[Node]) -> None:
        self.text = text
        self.language = language
        self.root = Shape(root)
        self.several = tuple(Shape(node) for node in several)
        """The statements of a pattern that consists of several."""
        self.any_node = self.root.variable is not None
        self.root_types: tuple[str, ...] | None = None if self.any_node else (root.type,)
        self.words = tuple(literal_words(text)) if not several else ()
        self.anchor = None if several or self.any_node else _anchor(self.root)
        self._sights = Sights(self.root, language) if self.anchor is not None else None

    def seen(self, data: bytes) -> bool:
        """Whether a file can hold a match, by its text alone."""
        return self._sights is None or self._sights.seen(data)

    def candidates(self, source: Source) -> Iterator[Node] | None:
        """The nodes of a file that can fit, in order; None where the pattern has no word to look for.

        Each literal leaf of a pattern stands for exactly one node, as many levels below the match as in the pattern.
        """
        if self.anchor is None:
            return None
        found = {node.id: node for node in self._anchored(source.tree.root_node, source.data)}
        return iter(sorted(found.values(), key=lambda node: (node.start_byte, -node.end_byte)))

    def _anchored(self, root: Node, data: bytes) -> Iterator[Node]:
        assert self.anchor is not None
        word, depth = self.anchor
        node_type = self.root.node_type
        length = len(word)
        at = data.find(word)
        while at >= 0:
            end = at + length
            node = root.descendant_for_byte_range(at, end)
            if node is not None and node.start_byte == at and node.end_byte == end:
                for _ in range(depth):
                    node = node.parent if node is not None else None
                if node is not None and node.type == node_type:
                    yield node
            at = data.find(word, end)

    def match(self, node: Node, data: bytes) -> Captures | None:
        """What the metavariables stand for if the pattern fits; a name used twice must be the same code."""
        if self.words:
            start, end = node.start_byte, node.end_byte
            for word in self.words:
                if data.find(word, start, end) < 0:
                    return None
        trial = _Trial()
        if self.several:
            return self._statements(node, trial)
        if self.any_node:
            from forgewright.code.selectors.nodes import is_expression

            if not is_expression(node):
                return None
        return trial.captures if trial.node(self.root, node) else None

    def _statements(self, node: Node, trial: _Trial) -> Captures | None:
        here = [node]
        following = node.next_named_sibling
        while following is not None and len(here) < 200:
            here.append(following)
            following = following.next_named_sibling
        used = trial.prefix(self.several, [n for n in here if n.type not in _COMMENTS])
        if used is None:
            return None
        trial.captures["_MATCH"] = [here[0], used]
        return trial.captures


def _anchor(root: Shape) -> tuple[bytes, int] | None:
    """The longest word among the leaves of a pattern, names before keywords, and how deep it stands."""
    best: tuple[bool, int, bytes, int] | None = None
    stack = [(root, 0)]
    while stack:
        shape, depth = stack.pop()
        if shape.leaf and shape.variable is None and WORD.fullmatch(shape.text.decode("utf-8", "replace")):
            best = max(best or (False, 0, b"", 0), (shape.named, len(shape.text), shape.text, depth))
        stack.extend((part, depth + 1) for part in shape.parts)
    return best[2:] if best is not None else None


class NoCode(SelectorError):
    """A pattern that is no code of a language."""


@lru_cache(256)
def compiled(text: str, language: str) -> Pattern:
    """Raises `NoCode` for a pattern that is no code of the language, `SelectorError` for one that is too long."""
    if len(text) > PATTERN_CHARS_MAX:
        raise SelectorError(f"expected a pattern of at most {PATTERN_CHARS_MAX} characters")
    body = METAVARIABLE.sub(_placeholder, text.strip("\n")).strip()
    for before, after in _contexts(language, body):
        data = (before + body + after).encode()
        root = parse(language, data).root_node
        if root.has_error:
            continue
        start, end = len(before.encode()), len(data) - len(after.encode())
        inner = _within(root, start, end)
        if inner:
            single = _unwrap(inner[0]) if len(inner) == 1 else inner[0]
            return Pattern(text, language, single, inner if len(inner) > 1 else ())
    raise NoCode(
        f"{text!r} is no {language} code",
        hint="a pattern is an expression or statements; $NAME stands for one node, $$$NAME for any number",
    )


def literal_words(text: str) -> Iterator[bytes]:
    """Words that occur in every match of the pattern: for the prefilter."""
    for found in WORD.findall(METAVARIABLE.sub(" ", text)):
        yield found.encode()


def _placeholder(found: re.Match[str]) -> str:
    return _ONE + found.group(2) if found.group(2) else _MANY + (found.group(1) or "")


def _contexts(language: str, body: str) -> tuple[tuple[str, str], ...]:
    """What to put around a pattern that is no program by itself."""
    if language == "python":
        return (
            ("", ""),
            ("class _:\n    ", ""),
            ("f(", ")"),
            ("def f(): ", ""),
            ("try: pass\n", ""),
            ("@", "\ndef f(): pass"),
        )
    if language in ("javascript", "typescript", "tsx") and body.startswith(_STATEMENTS):
        return (("", ""),)
    if language in ("javascript", "typescript", "tsx"):
        return (
            ("(", ")"),
            ("", ""),
            ("class _ { ", " }"),
            ("({ ", " })"),
            ("function f() { ", " }"),
            ("async function f() { ", " }"),
        )
    if language == "go":
        return (("package p\nfunc _() { ", "\n}"), ("package p\n", ""), ("", ""))
    if language == "rust":
        return (("fn f() { ", " }"), ("", ""), ("fn f() { ", "; }"))
    return (
        ("class A { void f() { ", " } }"),
        ("class A { void f() { ", "; } }"),
        ("class A { ", " }"),
        ("", ""),
    )


def _within(root: Node, start: int, end: int) -> list[Node]:
    """The outermost nodes that lie in `start:end` and cover it."""
    node = root
    while True:
        inside = [c for c in node.named_children if c.start_byte < end and c.end_byte > start]
        if inside and inside[0].start_byte >= start and inside[-1].end_byte <= end:
            return [c for c in inside if c.type not in _COMMENTS]
        if len(inside) != 1:
            return []
        node = inside[0]


def _unwrap(node: Node) -> Node:
    while node.type in _HULLS and node.named_child_count == 1:
        node = node.named_children[0]
    return node


def _variable(node: Node) -> tuple[bool, str] | None:
    """(many, name) if the node's whole text is one metavariable."""
    if node.end_byte - node.start_byte > 100:
        return None
    text = (node.text or b"").decode("utf-8", "replace").strip().rstrip(";").strip()
    if text.startswith(_ONE) and text.isidentifier():
        return False, text[len(_ONE) :]
    if text.startswith(_MANY) and text.isidentifier():
        return True, text[len(_MANY) :]
    return None


def parts(node: Node) -> list[Node]:
    """The children that count in a comparison: no commas, semicolons and comments."""
    skipped = _PASSED_IN_IMPORTS if node.type == "import_from_statement" else _PASSED
    return [child for child in node.children if child.type not in skipped]


class _Trial:
    """One comparison, with its captures and its bound."""

    __slots__ = ("captures", "steps")

    def __init__(self) -> None:
        self.captures: dict[str, Sequence[Node]] = {}
        self.steps = 0

    def node(self, shape: Shape, node: Node) -> bool:
        self.steps += 1
        if self.steps > STEPS_MAX:
            return False
        if shape.variable is not None:
            return node.is_named and self.bind(shape.variable[1], [node])
        if shape.node_type != node.type:
            return False
        if shape.leaf or node.child_count == 0:
            return shape.leaf and node.child_count == 0 and shape.text == _leaf_text(node)
        return self.children(shape.parts, parts(node))

    def children(self, shapes: Sequence[Shape], found: Sequence[Node]) -> bool:
        """Whether all of `found` is covered, in order."""
        at = 0
        for shape in shapes:
            if shape.many:
                return self.many(shapes[at:], found[at:])
            if at == len(found) or not self.node(shape, found[at]):
                return False
            at += 1
        return at == len(found)

    def many(self, shapes: Sequence[Shape], found: Sequence[Node]) -> bool:
        """The same where the first shape stands for any number of nodes."""
        head = shapes[0]
        assert head.variable is not None
        saved = dict(self.captures)
        for count in range(len(found) + 1) if len(shapes) > 1 else (len(found),):
            taken = found[:count]
            fitting = len(shapes) == 1 or all(n.is_named for n in taken)
            if fitting and self.bind(head.variable[1], taken) and self.children(shapes[1:], found[count:]):
                return True
            self.captures = dict(saved)
            if self.steps > STEPS_MAX:
                return False
        return False

    def prefix(self, shapes: Sequence[Shape], found: Sequence[Node]) -> Node | None:
        """The last node used if the shapes cover the first of `found`."""
        if shapes[-1].many:
            return found[-1] if found and self.children(shapes, found) else None
        for count in range(1, len(found) + 1):
            saved = dict(self.captures)
            if self.children(shapes, found[:count]):
                return found[count - 1]
            self.captures = saved
        return None

    def bind(self, name: str, taken: Sequence[Node]) -> bool:
        self.steps += 1
        if not name or name.startswith("_"):
            return True
        if name in self.captures:
            old = self.captures[name]
            return len(old) == len(taken) and all(same(a, b) for a, b in zip(old, taken, strict=True))
        self.captures[name] = taken
        return True


def same(one: Node, other: Node) -> bool:
    """Whether two nodes are the same code, whatever their layout."""
    if one.text == other.text:
        return True
    if one.type != other.type:
        return False
    if one.child_count == 0 or other.child_count == 0:
        return one.child_count == other.child_count and _same_leaf(one, other)
    ones, others = parts(one), parts(other)
    return len(ones) == len(others) and all(same(a, b) for a, b in zip(ones, others, strict=True))


def _same_leaf(one: Node, other: Node) -> bool:
    return _leaf_text(one) == _leaf_text(other)


def _leaf_text(node: Node) -> bytes:
    """A leaf's text; the quotes of strings count as one kind."""
    text = node.text or b""
    if node.type in ("string_start", "string_end", '"', "'"):
        return text.lower().replace(b"'", b'"').replace(b'"""', b'"')
    return text
