"""A pattern, parsed by the language's own grammar and compared with nodes by structure, not by text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from forgewright.code.languages import parse
from forgewright.code.syntax.diagnostics import SelectorError

if TYPE_CHECKING:
    from tree_sitter import Node

PATTERN_CHARS_MAX = 10_000
STEPS_MAX = 100_000
"""Comparisons of one pattern with one node: a bound on backtracking."""

METAVARIABLE = re.compile(r"\$\$\$([A-Z_][A-Z0-9_]*)?|\$([A-Z_][A-Z0-9_]*)")
_ONE = "mvOne_"
_MANY = "mvMany_"
_WORD = re.compile(r"[^\W\d]\w{2,}")
_SKIPPED = frozenset((",", ";", "\n"))
_COMMENTS = frozenset(("comment", "line_comment", "block_comment", "html_comment"))
_HULLS = frozenset(("module", "program", "source_file", "expression_statement", "ERROR"))

Captures = Mapping[str, Sequence["Node"]]


class Pattern:
    """One pattern in one language. `match(node, data)` gives the captures, or None."""

    def __init__(self, text: str, language: str, root: Node, data: bytes, several: Sequence[Node]) -> None:
        self.text = text
        self.language = language
        self.data = data
        self.root = root
        self.several = several
        """The statements of a pattern that consists of several."""
        name = _variable(root)
        self.any_node = name is not None
        self.root_types: tuple[str, ...] | None = None if self.any_node else (root.type,)

    def match(self, node: Node, data: bytes) -> Captures | None:
        """What the metavariables stand for if the pattern fits; a name used twice must be the same code."""
        trial = _Trial(self.data, data)
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
        used = trial.prefix(list(self.several), [n for n in here if n.type not in _COMMENTS])
        if used is None:
            return None
        trial.captures["_MATCH"] = [here[0], used]
        return trial.captures


@lru_cache(256)
def compiled(text: str, language: str) -> Pattern:
    """Raises `SelectorError` for a pattern that is no code of the language."""
    if len(text) > PATTERN_CHARS_MAX:
        raise SelectorError(f"expected a pattern of at most {PATTERN_CHARS_MAX} characters")
    body = METAVARIABLE.sub(_placeholder, text.strip("\n")).strip()
    for before, after in _contexts(language):
        data = (before + body + after).encode()
        root = parse(language, data).root_node
        if root.has_error:
            continue
        start, end = len(before.encode()), len(data) - len(after.encode())
        inner = _within(root, start, end)
        if inner:
            single = _unwrap(inner[0]) if len(inner) == 1 else inner[0]
            return Pattern(text, language, single, data, inner if len(inner) > 1 else ())
    raise SelectorError(
        f"{text!r} is no {language} code",
        hint="a pattern is an expression or statements; $NAME stands for one node, $$$NAME for any number",
    )


def literal_words(text: str) -> Iterator[bytes]:
    """Words that occur in every match of the pattern: for the prefilter."""
    for found in _WORD.findall(METAVARIABLE.sub(" ", text)):
        yield found.encode()


def _placeholder(found: re.Match[str]) -> str:
    return _ONE + found.group(2) if found.group(2) else _MANY + (found.group(1) or "")


def _contexts(language: str) -> tuple[tuple[str, str], ...]:
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
    return [c for c in node.children if c.type not in _SKIPPED and c.type not in _COMMENTS]


class _Trial:
    """One comparison, with its captures and its bound."""

    def __init__(self, pattern_data: bytes, data: bytes) -> None:
        self.captures: dict[str, Sequence[Node]] = {}
        self.steps = 0

    def node(self, pattern: Node, node: Node) -> bool:
        self.steps += 1
        if self.steps > STEPS_MAX:
            return False
        variable = _variable(pattern)
        if variable is not None:
            return node.is_named and self.bind(variable[1], [node])
        if pattern.type != node.type:
            return False
        if pattern.child_count == 0 or node.child_count == 0:
            return pattern.child_count == node.child_count and _same_leaf(pattern, node)
        return self.children(parts(pattern), parts(node))

    def children(self, patterns: list[Node], found: list[Node]) -> bool:
        """Whether all of `found` is covered, in order."""
        if not patterns:
            return not found
        head = patterns[0]
        variable = _variable(head)
        if variable is not None and variable[0]:
            saved = dict(self.captures)
            for count in range(len(found) + 1) if len(patterns) > 1 else (len(found),):
                taken = found[:count]
                fitting = all(n.is_named for n in taken) or len(patterns) == 1
                if fitting and self.bind(variable[1], taken) and self.children(patterns[1:], found[count:]):
                    return True
                self.captures = dict(saved)
                if self.steps > STEPS_MAX:
                    return False
            return False
        return bool(found) and self.node(head, found[0]) and self.children(patterns[1:], found[1:])

    def prefix(self, patterns: list[Node], found: list[Node]) -> Node | None:
        """The last node used if the patterns cover the first of `found`."""
        if _variable(patterns[-1]) not in (None, (False, "")) and (_variable(patterns[-1]) or (False,))[0]:
            return found[-1] if found and self.children(patterns, found) else None
        for count in range(1, len(found) + 1):
            saved = dict(self.captures)
            if self.children(patterns, found[:count]):
                return found[count - 1]
            self.captures = saved
        return None

    def bind(self, name: str, taken: list[Node]) -> bool:
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
    if one.type in ("string_start", "string_end", '"', "'"):
        return _quote(one) == _quote(other)
    return one.text == other.text


def _quote(node: Node) -> bytes:
    return (node.text or b"").lower().replace(b"'", b'"').replace(b'"""', b'"')
