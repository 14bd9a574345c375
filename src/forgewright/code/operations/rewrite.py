"""Rewrites code by example: every match of a pattern becomes the template, captured code as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec
from msgspec import Meta

from forgewright.code import layout
from forgewright.code.importing import import_splices
from forgewright.code.languages import parse as parse_code
from forgewright.code.operations.base import Example, Match, Operation, Outcome, Scene
from forgewright.code.operations.fields import Glob
from forgewright.code.patterns.compiled import METAVARIABLE, compiled
from forgewright.code.project import Source, Splice
from forgewright.code.query.symbols import name_node, symbol_of
from forgewright.code.selectors import nodes
from forgewright.code.selectors.select import descendants
from forgewright.code.syntax.diagnostics import SelectorError

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.binding import Symbol

NESTING_MAX = 50


class Rewrite(Operation, frozen=True, kw_only=True):
    """Replace every match of a code pattern by a template with the same metavariables.

    `$NAME` stands for one node, `$$$NAME` for any number of them; a name used twice must be the same
    code. Parentheses are added where the result would otherwise mean something else.
    """

    pattern: Annotated[
        str, Meta(description="Code with metavariables, as assertEquals($A, $B).", min_length=1)
    ]
    template: Annotated[
        str, Meta(description="What it becomes, as assert $A == $B; empty: the statement goes.")
    ]
    in_: Glob = msgspec.field(default="", name="in")
    where: Annotated[
        str, Meta(description="Selector that the match must fit too, as call:inside(class#A).")
    ] = ""
    binds_to: Annotated[
        str, Meta(description="Selector of a definition: the match's name must resolve to this symbol.")
    ] = ""
    imports: Annotated[
        tuple[str, ...],
        Meta(
            description="Imports that the template needs, as 'os' or 'app.util:fetch'; added where missing."
        ),
    ] = ()

    group: ClassVar[str] = "rewrite"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(rewrite pattern: 'self.assertEquals($A, $B)' template: 'assert $A == $B')",
            before={
                "t.py": "class T:\n    def t(self):\n        self.assertEquals(f(1), # one\n            2)\n"
            },
            after={"t.py": "class T:\n    def t(self):\n        assert f(1) == 2\n"},
        ),
        Example(
            program="(rewrite pattern: 'old($$$ARGS)' template: 'new($$$ARGS, strict=True)')",
            before={"a.py": "old(1, old(2))\nx.old(3)\n"},
            after={"a.py": "new(1, new(2, strict=True), strict=True)\nx.old(3)\n"},
        ),
        Example(
            program="(rewrite pattern: 'double($X)' template: '$X * 2')",
            before={"a.py": "y = double(a + b) ** 2\n"},
            after={"a.py": "y = ((a + b) * 2) ** 2\n"},
        ),
        Example(
            program="(rewrite pattern: 'os.getcwd()' template: 'Path.cwd()' imports: ['pathlib:Path'])",
            before={"a.py": "import os\n\nprint(os.getcwd())\n"},
            after={"a.py": "import os\nfrom pathlib import Path\n\nprint(Path.cwd())\n"},
        ),
        Example(
            program="(rewrite pattern: 'var $X = $Y' template: 'let $X = $Y')",
            before={"a.js": "var a = 1;\nvar b = 2, c = 3;\n"},
            after={"a.js": "let a = 1;\nvar b = 2, c = 3;\n"},
        ),
        Example(
            program="(rewrite pattern: 'foo($X' template: 'bar($X)')",
            before={"a.py": "foo(1)\n"},
            refused="is no python code",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        selector = f"`{self.pattern}`" + (f":is({self.where})" if self.where else "")
        if "`" in self.pattern:
            raise SelectorError(
                "a pattern cannot hold a backtick", hint="use (find selector: …) and (replace-node …)"
            )
        self._metavariables()
        by_file: dict[str, list[Match]] = {}
        for match in scene.select(selector, within=self.in_ or None):
            by_file.setdefault(match.path, []).append(match)
        symbol = self._symbol(scene)
        splices: list[Splice] = []
        count = 0
        for found in by_file.values():
            bound = [match for match in found if symbol is None or self._binds(scene, match, symbol)]
            done = _Rewriting(found[0].source, self.template, self.pattern, bound).splices() if bound else []
            count += len(bound)
            splices.extend(done)
            if done:
                splices.extend(self._added(found[0].source))
        if not count:
            raise SelectorError(
                f"{self.pattern!r} matches nothing" + (f" in {self.in_}" if self.in_ else ""),
                hint="try (find pattern: …) with a shorter pattern",
            )
        return Outcome(
            splices=tuple(splices), text=f"{count} rewritten in {len({s.path for s in splices})} files"
        )

    def _metavariables(self) -> None:
        known = {m.group(1) or m.group(2) for m in METAVARIABLE.finditer(self.pattern)}
        used = {m.group(1) or m.group(2) for m in METAVARIABLE.finditer(self.template)} - {None}
        if used - known:
            raise SelectorError(
                f"the template uses ${', $'.join(sorted(used - known))}, which the pattern does not have",
                hint=f"the pattern has {', '.join('$' + name for name in sorted(known - {None}))}",
            )

    def _symbol(self, scene: Scene) -> Symbol | None:
        if not self.binds_to:
            return None
        match = scene.one(self.binds_to)
        return symbol_of(scene.resolver(match.source.language), match)

    def _binds(self, scene: Scene, match: Match, symbol: Symbol) -> bool:
        resolver = scene.resolver(match.source.language)
        for node in descendants(match.node):
            if node.child_count == 0 and nodes.text(node) == symbol.name:
                found = resolver.symbol_at(match.path, node.start_byte)
                return found is not None and (found.path, found.start) == (symbol.path, symbol.start)
        found = resolver.symbol_at(match.path, name_node(match.node).start_byte)
        return found is not None and (found.path, found.start) == (symbol.path, symbol.start)

    def _added(self, source: Source) -> list[Splice]:
        added: list[Splice] = []
        for text in self.imports:
            module, _, name = text.partition(":")
            added.extend(import_splices(source, module, name))
        return added


class _Rewriting:
    """The rewriting of one file; matches inside captured code are rewritten with it."""

    def __init__(self, source: Source, template: str, pattern: str, found: Sequence[Match]) -> None:
        self.source = source
        self.template = template
        self.several = compiled(pattern, source.language).several
        self.found = {match.node.id: match for match in found}
        self.starts = sorted(found, key=lambda m: (m.start, -m.end))

    def splices(self) -> list[Splice]:
        out: list[Splice] = []
        end = 0
        for match in self.starts:
            if match.start < end:
                continue
            first, end = self._extent(match)
            if not self.template.strip():
                from forgewright.code.deletion import delete

                out.append(delete(self.source, _statement(match.node)))
                continue
            out.append(Splice(self.source.path, first, end, self._outer(match, first, end)))
        return out

    def _extent(self, match: Match) -> tuple[int, int]:
        whole = match.captures.get("_MATCH")
        return (whole[0].start_byte, whole[-1].end_byte) if whole else (match.start, match.end)

    def _outer(self, match: Match, first: int, end: int) -> bytes:
        """The result, in parentheses if it would otherwise be torn apart by what stands around it."""
        text = self.result(match, 0)
        if self.source.data[end - 1 : end] == b";" and not text.rstrip().endswith((b";", b"}")):
            text += b";"
        if not nodes.is_expression(match.node) or self.several:
            return text
        data = self.source.data
        tried = data[:first] + text + data[end:]
        line = layout.line_start(tried, first)
        del line
        root = parse_code(self.source.language, tried).root_node
        if _is_node(root, first, first + len(text)):
            return text
        return b"(" + text + b")"

    def result(self, match: Match, depth: int) -> bytes:
        """The template with the captured code."""
        captures = match.captures
        out = bytearray()
        at = 0
        template = self.template.strip("\n")
        spans: list[tuple[int, int]] = []
        indent = layout.indentation(self.source.data, match.start)
        for found in METAVARIABLE.finditer(template):
            out += template[at : found.start()].encode()
            name = found.group(1) or found.group(2) or ""
            taken = captures.get(name, ())
            text = self._captured(taken, depth)
            opening = _quotes(taken)
            if (
                opening
                and bytes(out[-1:]) in (b'"', b"'")
                and template[found.end() : found.end() + 1] == chr(out[-1])
            ):
                out[-1:] = opening[0]
                out += text + opening[1]
                at = found.end() + 1
                continue
            if not text and found.group(0).startswith("$$$"):
                at = found.end()
                if template[at : at + 2] == ", ":
                    at += 2
                elif out.endswith(b", "):
                    del out[-2:]
                continue
            if b"\n" in text:
                text = self._reindented(text, taken, bytes(out), indent)
            spans.append((len(out), len(out) + len(text)))
            out += text
            at = found.end()
        out += template[at:].encode()
        body = bytes(out)
        if len(spans) and nodes.is_expression(match.node):
            body = self._guarded(body, spans)
        if b"\n" in template.encode():
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
        out = bytearray()
        at = start
        for match in self.starts:
            if match.start < at or match.end > end or depth > NESTING_MAX:
                continue
            out += data[at : match.start]
            out += self.result(match, depth + 1)
            at = match.end
        return bytes(out + data[at:end])

    def _guarded(self, body: bytes, spans: list[tuple[int, int]]) -> bytes:
        """Parentheses around captured code that would not stay one node."""
        lead = b"(" if self.source.language != "go" else b"package p\nvar _ = ("
        root = parse_code(self.source.language, lead + body + b")").root_node
        if root.has_error:
            return body
        out = bytearray()
        at = 0
        for start, end in spans:
            out += body[at:start]
            text = body[start:end]
            plain = text.replace(b"_", b"").replace(b".", b"").isalnum()
            if not plain and b"," not in text and not _is_node(root, start + len(lead), end + len(lead)):
                text = b"(" + text + b")"
            out += text
            at = end
        return bytes(out + body[at:])


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


def captures_text(captures: Mapping[str, Sequence[Node]]) -> dict[str, list[str]]:
    """Captures as text."""
    return {name: [nodes.text(node) for node in taken] for name, taken in captures.items()}
