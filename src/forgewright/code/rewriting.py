"""The rewriting of one file by a template: captured code as it is, parentheses where it would be torn apart."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from forgewright.code import layout
from forgewright.code.fitting import Fitting, filled, takes_arguments
from forgewright.code.languages import parse
from forgewright.code.operations.base import Match
from forgewright.code.patterns.compiled import METAVARIABLE, compiled
from forgewright.code.project import Source, Splice
from forgewright.code.selectors import nodes

if TYPE_CHECKING:
    from tree_sitter import Node

NESTING_MAX = 50

_NAME = re.compile(r"(?<![.\w])[^\W\d]\w*+(?!\s*=(?!=))")
"""No attributes, and no keywords of arguments."""
_SCOPES = re.compile(r":=|\b(?:lambda|for|import|def|class|global|nonlocal|del|as|with)\b")
_NO_NAMES = re.compile(r"""\.\s*\$|\$[A-Z_0-9]+\s*=(?!=)|['"]""")
"""A metavariable for an attribute, a keyword or what stands in a string."""
_PLAIN = re.compile(rb"[A-Za-z0-9_.]+\Z")


def introduced(pattern: str, template: str) -> frozenset[str] | None:
    """The names that results of the template have and matches of the pattern may not have.

    None where a result can also bind names, hide them, or make a name of what was none: for a call that takes
    a call's place.
    """
    if any(_SCOPES.search(text) for text in (pattern, template)) or _NO_NAMES.search(pattern):
        return None
    old, new = (set(_NAME.findall(METAVARIABLE.sub(" ", text))) for text in (pattern, template))
    return frozenset(new - old)


class _Done(msgspec.Struct):
    """One match and what it becomes."""

    match: Match
    start: int
    end: int
    text: bytes
    sure: bool
    """Whether nothing around it can be read differently."""


class _Part(msgspec.Struct, frozen=True):
    """A metavariable of a template, with the text between the last one and it."""

    before: bytes
    name: str
    many: bool
    comma: bool
    """Whether `, ` comes next."""
    quoted: bool
    """Whether it stands between two quotes of one kind."""


@lru_cache(64)
def _parts(template: str) -> tuple[tuple[_Part, ...], bytes, bool]:
    """A template's parts, what follows the last, and whether each is an argument of a call by position."""
    parts = []
    at = 0
    for found in METAVARIABLE.finditer(template):
        before, next_two = template[at : found.start()], template[found.end() : found.end() + 2]
        parts.append(
            _Part(
                before.encode(),
                found.group(1) or found.group(2) or "",
                found.group(0).startswith("$$$"),
                next_two == ", ",
                before[-1:] in ("'", '"') and before[-1:] == next_two[:1],
            )
        )
        at = found.end()
    names = tuple(f"placed{number}_" for number in range(len(parts)))
    named = "".join(part.before.decode() + name for part, name in zip(parts, names, strict=True))
    argued = takes_arguments(named + template[at:], names) and not any(part.many for part in parts)
    return tuple(parts), template[at:].encode(), argued


class Rewriting:
    """The rewriting of one file; matches inside captured code are rewritten with it."""

    def __init__(self, source: Source, template: str, pattern: str, found: Sequence[Match]) -> None:
        self.source = source
        self.template = template
        self.several = bool(compiled(pattern, source.language).several)
        self.starts = sorted(found, key=lambda m: (m.start, -m.end))
        self._begins = [match.start for match in self.starts]
        self._fitting = Fitting(source)
        self._parts, self._last, self._argued = _parts(template.strip("\n"))

    def splices(self) -> tuple[list[Splice], bool]:
        """The edits, and whether every one of them is sure to leave the file as well-formed as it was."""
        path = self.source.path
        if not self.template.strip():
            from forgewright.code.deletion import delete

            return [delete(self.source, _statement(match.node)) for match in self._outermost()], False
        done = [self._done(match) for match in self._outermost()]
        self._guard(done)
        return [Splice(path, d.start, d.end, d.text) for d in done], all(d.sure for d in done)

    def _outermost(self) -> Iterator[Match]:
        end = 0
        for match in self.starts:
            if match.start >= end:
                end = self._extent(match)[1]
                yield match

    def _extent(self, match: Match) -> tuple[int, int]:
        whole = match.captures.get("_MATCH")
        return (whole[0].start_byte, whole[-1].end_byte) if whole else (match.start, match.end)

    def _done(self, match: Match) -> _Done:
        start, end = self._extent(match)
        text = self.result(match, 0)
        primary = self._argued and all(self._argument(match.captures.get(p.name, ())) for p in self._parts)
        if self.source.data[end - 1 : end] == b";" and not text.rstrip().endswith((b";", b"}")):
            text += b";"
            primary = False
        sure = not self.several and self._fitting.fits(match.node, text, primary=primary)
        return _Done(match, start, end, text, sure)

    def _argument(self, taken: Sequence[Node]) -> bool:
        """Whether captured code is one expression without matches in it."""
        return filled(taken) and not self._inside(taken[0].start_byte, taken[0].end_byte)

    def _inside(self, start: int, end: int) -> bool:
        at = bisect_left(self._begins, start)
        return at < len(self._begins) and self._begins[at] < end

    def _guard(self, done: Sequence[_Done]) -> None:
        """Parentheses around the results that would otherwise be torn apart by what stands around them."""
        if self.several:
            return
        asked = [d for d in done if not d.sure and nodes.is_expression(d.match.node)]
        if len(asked) > 1:
            root, places = self._all(done)
            asked = [d for d in asked if not _is_node(root, *places[d.start])]
        for one in asked:
            if not _is_node(self._alone(one), one.start, one.start + len(one.text)):
                one.text = b"(" + one.text + b")"

    def _all(self, done: Sequence[_Done]) -> tuple[Node, dict[int, tuple[int, int]]]:
        """The file with all results, and where they are in it, by where their matches began."""
        out = bytearray()
        places: dict[int, tuple[int, int]] = {}
        at = 0
        for one in done:
            out += self.source.data[at : one.start]
            places[one.start] = (len(out), len(out) + len(one.text))
            out += one.text
            at = one.end
        return parse(self.source.language, bytes(out + self.source.data[at:])).root_node, places

    def _alone(self, one: _Done) -> Node:
        """The file with one result."""
        data = self.source.data
        old = self.source.tree.copy()
        first, last = one.match.node.start_point, one.match.node.end_point
        lines = one.text.count(b"\n")
        column = len(one.text) - one.text.rfind(b"\n") - 1 if lines else first.column + len(one.text)
        old.edit(one.start, one.end, one.start + len(one.text), first, last, (first.row + lines, column))
        return parse(self.source.language, data[: one.start] + one.text + data[one.end :], old).root_node

    def result(self, match: Match, depth: int) -> bytes:
        """The template with the captured code."""
        captures = match.captures
        out = bytearray()
        spans: list[tuple[int, int]] = []
        indent = layout.indentation(self.source.data, match.start)
        skip = 0
        for part in self._parts:
            out += part.before[skip:]
            skip = 0
            taken = captures.get(part.name, ())
            text = self._captured(taken, depth)
            if part.quoted:
                opening = _quotes(taken)
                if opening:
                    out[-1:] = opening[0]
                    out += text + opening[1]
                    skip = 1
                    continue
            if not text and part.many:
                if part.comma:
                    skip = 2
                elif out.endswith(b", "):
                    del out[-2:]
                continue
            if b"\n" in text:
                text = self._reindented(text, taken, bytes(out), indent)
            spans.append((len(out), len(out) + len(text)))
            out += text
        out += self._last[skip:]
        body = bytes(out)
        if len(spans) and nodes.is_expression(match.node):
            body = self._guarded(body, spans)
        if "\n" in self.template.strip("\n"):
            lines = body.split(b"\n")
            end = layout.line_end(self.source.data)
            body = end.join(
                [
                    lines[0].rstrip(b"\r"),
                    *(indent + line.rstrip(b"\r") if line else line for line in lines[1:]),
                ]
            )
        return body

    def _reindented(self, text: bytes, taken: Sequence[Node], before: bytes, indent: bytes) -> bytes:
        """Captured statements at the template's own column; expressions stay as they are."""
        if not taken or not nodes.is_statement(taken[0]):
            return text
        column = before[before.rfind(b"\n") + 1 :]
        column = column if not column.strip() else b""
        old = layout.indentation(self.source.data, taken[0].start_byte)
        full = (old + text).decode("utf-8", "surrogateescape")
        return layout.fit(full, self.source, column)[len(column) :].replace(b"\r\n", b"\n")

    def _captured(self, taken: Sequence[Node], depth: int) -> bytes:
        if not taken:
            return b""
        data = self.source.data
        start, end = taken[0].start_byte, taken[-1].end_byte
        if not self._inside(start, end):
            return data[start:end]
        out = bytearray()
        at = start
        for number in range(bisect_left(self._begins, start), len(self.starts)):
            match = self.starts[number]
            if match.start >= end:
                break
            if match.start < at or match.end > end or depth > NESTING_MAX:
                continue
            out += data[at : match.start]
            out += self.result(match, depth + 1)
            at = match.end
        return bytes(out + data[at:end])

    def _guarded(self, body: bytes, spans: list[tuple[int, int]]) -> bytes:
        """Parentheses around captured code that would not stay one node."""
        asked = {span for span in spans if not _safe(body, *span)}
        if not asked:
            return body
        lead = b"(" if self.source.language != "go" else b"package p\nvar _ = ("
        root = parse(self.source.language, lead + body + b")").root_node
        if root.has_error:
            return body
        out = bytearray()
        at = 0
        for start, end in spans:
            out += body[at:start]
            text = body[start:end]
            if (start, end) in asked and not _is_node(root, start + len(lead), end + len(lead)):
                text = b"(" + text + b")"
            out += text
            at = end
        return bytes(out + body[at:])


def _safe(body: bytes, start: int, end: int) -> bool:
    """Whether captured code stays one node wherever it stands, or is an item of a list in brackets."""
    text = body[start:end]
    if b"," in text or _PLAIN.match(text):
        return True
    return body[:start].rstrip(b" ")[-1:] in (b"(", b",") and body[end:].lstrip(b" ")[:1] in (b")", b",")


def _quotes(taken: Sequence[Node]) -> tuple[bytes, bytes] | None:
    """The quotes around a captured string content: it keeps its own, since it may hold the template's."""
    if len(taken) != 1 or taken[0].type != "string_content" or taken[0].parent is None:
        return None
    children = taken[0].parent.children
    first, last = children[0].text, children[-1].text
    return (first, last) if first and last and len(children) == 3 else None


def _is_node(root: Node, start: int, end: int) -> bool:
    node = root.named_descendant_for_byte_range(start, end)
    while node is not None and (node.start_byte, node.end_byte) != (start, end):
        if node.start_byte > start or node.end_byte < end:
            return False
        if (node.start_byte, node.end_byte) != (start, end):
            return False
        node = node.parent
    return node is not None


def _statement(node: Node) -> Node:
    while not nodes.is_statement(node) and node.parent is not None:
        node = node.parent
    return node
