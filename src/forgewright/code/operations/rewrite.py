"""Rewrites code by example: every match of a pattern becomes the template, captured code as it is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec
from msgspec import Meta

from forgewright.code.importing import import_splices
from forgewright.code.operations.base import Example, Match, Operation, Outcome, Scene
from forgewright.code.operations.fields import Glob
from forgewright.code.patterns.compiled import METAVARIABLE
from forgewright.code.project import Source, Splice
from forgewright.code.query.symbols import name_node, symbol_of
from forgewright.code.rewriting import Rewriting, introduced
from forgewright.code.selectors import nodes
from forgewright.code.selectors.prefilter import files
from forgewright.code.selectors.select import MATCHES_MAX, check, check_patterns, descendants, matches_in
from forgewright.code.selectors.syntax import parse
from forgewright.code.sharing import processes, shared
from forgewright.code.syntax.diagnostics import SelectorError

if TYPE_CHECKING:
    from forgewright.code.binding import Symbol

KEPT_MAX = 20
"""Of more files than this the trees are let go when a file is done."""


class Rewritten(msgspec.Struct, frozen=True, array_like=True):
    """What becomes of one file."""

    found: int
    """Matches of the pattern, …"""
    count: int = 0
    """… and of these what is rewritten."""
    edits: Sequence[tuple[int, int, bytes]] = ()
    """(start, end, text)."""
    sound: bool = False
    """See `Outcome`."""


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
        symbol = self._symbol(scene)
        project, within = scene.project, self.in_ or None
        parsed = parse(selector)
        check(parsed)
        paths = list(files(project, parsed, within))
        met = 0

        def rewritten(path: str) -> Rewritten:
            nonlocal met
            _few(met, self.pattern)
            found = matches_in(project, path, parsed)
            met += len(found)
            bound = [match for match in found if symbol is None or self._binds(scene, match, symbol)]
            if not bound:
                return Rewritten(len(found))
            source = bound[0].source
            done, fit = Rewriting(source, self.template, self.pattern, bound).splices()
            edits = [(splice.start, splice.end, splice.text) for splice in (*done, *self._added(source))]
            if len(paths) > KEPT_MAX:
                source.forget_tree()
            return Rewritten(len(found), len(bound), edits, fit and not self.imports)

        with (
            processes(1) if symbol is not None else nullcontext()
        ):  # a resolver's knowledge is not brought back
            every = shared(paths, rewritten, Rewritten, [len(project.source(path).data) for path in paths])
        _few(sum(one.found for one in every), self.pattern)
        count = sum(one.count for one in every)
        if not count:
            check_patterns(project, parsed, within)
            raise SelectorError(
                f"{self.pattern!r} matches nothing" + (f" in {self.in_}" if self.in_ else ""),
                hint="try (find pattern: …) with a shorter pattern",
            )
        splices = [Splice(path, *edit) for path, one in zip(paths, every, strict=True) for edit in one.edits]
        return Outcome(
            splices=tuple(splices),
            text=f"{count} rewritten in {len({s.path for s in splices})} files",
            sound=frozenset(path for path, one in zip(paths, every, strict=True) if one.sound),
            introduces=introduced(self.pattern, self.template),
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


def _few(met: int, pattern: str) -> None:
    if met > MATCHES_MAX:
        raise SelectorError(f"{pattern!r} matches more than {MATCHES_MAX} nodes", hint="narrow it")
