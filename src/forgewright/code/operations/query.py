"""Looking: outline, find, read, search, references. They come first, because reading by name helps most."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from forgewright.code.languages import GRAMMARS, Unparsable, language_of
from forgewright.code.operations.base import Example, Match, Operation, Outcome, Scene, plural
from forgewright.code.operations.fields import Glob, Selector
from forgewright.code.query.outline import Entry, outline, render
from forgewright.code.query.reading import read_match, read_path
from forgewright.code.selectors import nodes, positions
from forgewright.code.selectors.prefilter import files
from forgewright.code.selectors.select import check_patterns, matches_in
from forgewright.code.selectors.syntax import parse
from forgewright.code.syntax.diagnostics import SelectorError

Limit = Annotated[int, Meta(ge=1, le=10_000, description="At most so many results.")]


class Outline(Operation, frozen=True, kw_only=True):
    """The symbols of files: classes, functions, methods, with signature and line."""

    in_: Glob = msgspec.field(default="", name="in")
    depth: Annotated[
        int, Meta(ge=1, le=20, description="1 shows the top level only, 2 the members too, and so on.")
    ] = 2
    limit: Limit = 400

    group: ClassVar[str] = "query"
    writes: ClassVar[bool] = False
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(outline in: 'a.py')",
            before={"a.py": "class Box:\n    def open(self, by=None): ...\n\n\ndef main(): ...\n"},
            result="a.py\n  1 class Box\n    2 method open(self, by=None)\n  5 function main()",
        ),
        Example(
            program="(outline)",
            before={"a.ts": "export class A { go(n: number): void {} }\n", "README.md": "# Hi\n"},
            result="a.ts\n  1 class A\n    1 method go(n: number): void",
        ),
        Example(
            program="(outline)",
            before={
                "box.go": "package box\n\ntype Shape interface {\n\tArea(scale int) int\n}\n\ntype Box struct{ w int }\n\n"
                "func (b *Box) Area(scale int) int { return b.w * scale }\n"
            },
            result="box.go\n  3 interface Shape\n    4 method Area(scale int) int\n  7 class Box\n"
            "  9 method Box.Area(scale int) int",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        found: list[Entry] = []
        paths = [p for p in scene.project.paths(self.in_ or None) if language_of(p) in GRAMMARS]
        more = 0
        for path in paths:
            if len(found) >= self.limit:
                more += 1
                continue
            try:
                found.extend(outline(scene.project.source(path), self.depth))
            except Unparsable as error:
                scene.report(error.message)
        notes = (f"{more} more files; narrow `in` or raise `limit`",) if more else ()
        if not paths:
            raise SelectorError(f"no source files match {self.in_!r}", hint=_all_paths(scene))
        return Outcome(text=render(found[: self.limit]), data=found[: self.limit], notes=notes)


def _all_paths(scene: Scene) -> str:
    paths = list(scene.project.paths())
    return "files: " + ", ".join(paths[:30]) + (f" and {len(paths) - 30} more" if len(paths) > 30 else "")


class Find(Operation, frozen=True, kw_only=True):
    """All nodes that a selector or a code pattern matches, with their places."""

    selector: Annotated[
        str, Meta(description="A selector, as call[name=print] or class:has(method#save).")
    ] = ""
    pattern: Annotated[
        str, Meta(description="Code with $NAME for one node, $$$NAME for any number, as print($X).")
    ] = ""
    inside: Annotated[str, Meta(description="Selector: only matches inside such a node.")] = ""
    in_: Glob = msgspec.field(default="", name="in")
    limit: Limit = 50

    group: ClassVar[str] = "query"
    writes: ClassVar[bool] = False
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(find pattern: 'print($X)')",
            before={"a.py": "print(1)\nprint(1, 2)\nlog(print( y ))\n"},
            result="2 matches\na.py:1:1 call print(1)\na.py:3:5 call print( y )",
        ),
        Example(
            program="(find selector: 'class[name=A] > method:not([name^=_])')",
            before={"a.py": "class A:\n    def _x(self): ...\n    def y(self): ...\n"},
            result="1 match\na.py:3:5 method A.y  def y(self): ...",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        if bool(self.selector) == bool(self.pattern):
            raise SelectorError("expected either selector or pattern")
        text = self.selector or f"`{self.pattern}`"
        if self.inside:
            text += f":inside({self.inside})" if "," not in text or self.pattern else ""
        found: list[Match] = []
        total = 0
        selector = parse(text)
        if selector.position:
            found = list(scene.select(text))
            total = len(found)
        else:
            found_in = self._matches(scene, text)
            for match in found_in:
                total += 1
                if len(found) < self.limit:
                    found.append(match)
                elif found[-1].source is not match.source:
                    match.source.forget_tree()
        head = f"{total} match{'es' if total != 1 else ''}"
        lines = [head, *(_line(match) for match in found)]
        if total > len(found):
            lines.append(f"… and {total - len(found)} more")
        return Outcome(text="\n".join(lines), data=[_data(match) for match in found])

    def _matches(self, scene: Scene, text: str) -> Iterator[Match]:
        scene.select(text, within="!**")  # the selector's own mistakes
        selector = parse(text)
        for path in files(scene.project, selector, self.in_ or None):
            yield from matches_in(scene.project, path, selector)
        check_patterns(scene.project, selector, self.in_ or None)


def _line(match: Match) -> str:
    place = positions.place(match.source, match.start)
    first = match.text.split(b"\n")[0].decode("utf-8", "replace").strip()[:120]
    name = ""
    if nodes.is_kind(match.node, "definition", match.source.language):
        name = nodes.qualified(match.node, match.source.language) + "  "
    return f"{place} {match.kind} {name}{first}"


def _data(match: Match) -> dict[str, Any]:
    found: dict[str, Any] = {
        "path": match.path,
        "start": match.start,
        "end": match.end,
        "line": match.node.start_point.row + 1,
        "kind": match.kind,
        "name": match.name,
    }
    if match.captures:
        found["captures"] = {name: [nodes.text(n) for n in taken] for name, taken in match.captures.items()}
    return found


class Read(Operation, frozen=True, kw_only=True):
    """The source of a symbol or file, with line numbers; or only its signature, or who calls it."""

    target: Annotated[Selector, Meta(description="Selector of what to read; or a path, or path:line-line.")]
    show: Annotated[
        tuple[str, ...],
        Meta(description="What to show: signature, body (default), callers, members."),
    ] = ()
    in_: Glob = msgspec.field(default="", name="in")
    limit: Annotated[int, Meta(ge=1, le=5000, description="At most so many lines.")] = 400

    group: ClassVar[str] = "query"
    writes: ClassVar[bool] = False
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(read target: 'method#Box.open')",
            before={"a.py": "class Box:\n    def open(self):\n        return 1\n\n    def shut(self): ...\n"},
            result="a.py:2-3 method Box.open\n2     def open(self):\n3         return 1",
        ),
        Example(
            program="(read target: 'class#Box' show: [signature members])",
            before={"a.py": 'class Box(Base):\n    """A box."""\n\n    def open(self): ...\n'},
            result="class Box(Base)",
        ),
        Example(
            program="(read target: 'a.py:2-3')",
            before={"a.py": "a = 1\nb = 2\nc = 3\n"},
            result="2 b = 2\n3 c = 3",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        plain = read_path(scene, self.target, self.limit)
        if plain is not None:
            return Outcome(text=plain)
        match = scene.one(self.target, within=self.in_ or None)
        return Outcome(text=read_match(scene, match, self.show, self.limit), data=_data(match))


class Search(Operation, frozen=True, kw_only=True):
    """Lines that contain a text or match a regular expression, in any kind of text file."""

    text: Annotated[str, Meta(min_length=1, max_length=1000, description="The text, as it stands.")]
    regex: Annotated[bool, Meta(description="The text is a regular expression.")] = False
    ignore_case: Annotated[bool, Meta(description="Upper and lower case are the same.")] = False
    in_: Glob = msgspec.field(default="", name="in")
    limit: Limit = 60

    group: ClassVar[str] = "query"
    writes: ClassVar[bool] = False
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(search text: 'TODO' in: '*.md')",
            before={"a.md": "one\nTODO: two\n", "a.py": "# TODO\n"},
            result="1 line\na.md:2: TODO: two",
        ),
        Example(
            program="(search text: 'def (get|set)_' regex: true)",
            before={"a.py": "def get_x(): ...\ndef put_x(): ...\n"},
            result="1 line\na.py:1: def get_x(): ...",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        needle = self.text.encode()
        body = needle if self.regex else re.escape(needle)
        try:
            pattern = re.compile(body, re.IGNORECASE if self.ignore_case else 0)
        except re.error as error:
            raise SelectorError(f"{self.text!r} is no regular expression: {error}") from None
        prefilter = b"" if self.regex or self.ignore_case else needle
        globs = set(scene.project.paths(self.in_ or None))
        lines: list[str] = []
        total = 0
        for path in scene.project.containing(prefilter):
            if path not in globs:
                continue
            data = scene.project.source(path).data
            for number, line in enumerate(data.split(b"\n"), 1):
                if len(line) < 20_000 and pattern.search(line):
                    total += 1
                    if total <= self.limit:
                        shown = line.decode("utf-8", "replace").strip()
                        lines.append(f"{path}:{number}: {shown[:200]}")
        head = plural(total, "line")
        if total > len(lines):
            lines.append(f"… and {total - len(lines)} more")
        return Outcome(text="\n".join([head, *lines]), data={"lines": total})


class References(Operation, frozen=True, kw_only=True):
    """All places where a symbol is used, across files, with their role and the function they are in.

    Uses under another name (`import load as read`) are among them. Uncertain ones are listed apart.
    """

    target: Selector
    in_: Glob = msgspec.field(default="", name="in")
    limit: Limit = 100

    group: ClassVar[str] = "query"
    writes: ClassVar[bool] = False
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(references target: 'function#load')",
            before={
                "app/io.py": "def load(path):\n    return path\n",
                "app/main.py": "from app.io import load\n\nload('x')\nother.load()\n",
                "app/__init__.py": "",
            },
            result="3 places in 2 files\napp/io.py:1  definition  def load(path):",
        ),
        Example(
            program="(references target: 'function#load')",
            before={
                "io.py": "def load(path):\n    return path\n",
                "app.py": "from io import load as read\n\n\nclass App:\n    def start(self):\n        return read('x')\n",
            },
            result="app.py:6  reference (as read) in App.start  return read('x')",
            note="Uses under another name are found too; each is shown with the function it is in.",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.query.symbols import symbol_of
        from forgewright.code.query.uses import text, uses

        match = scene.one(self.target, within=self.in_ or None)
        resolver = scene.resolver(match.source.language)
        symbol = symbol_of(resolver, match)
        places = uses(scene.project, resolver, symbol)
        certain = [place for place in places if place.certain]
        uncertain = tuple(place for place in places if not place.certain)
        count = len({place.path for place in certain})
        head = f"{plural(len(certain), 'place')} in {plural(count, 'file')}"
        shown = head + "\n" + text(scene.project, certain, self.limit)
        if uncertain:
            shown += f"\nuncertain: {len(uncertain)}\n" + text(scene.project, uncertain, self.limit)
        return Outcome(text=shown, data=places, uncertain=uncertain)
