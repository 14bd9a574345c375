"""The scene in which operations plan: the project with the effects of the operations before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from forgewright.code.binding import RenameOptions, Renaming, Resolver, Symbol
from forgewright.code.languages import FAMILIES, Unparsable, make_resolver
from forgewright.code.operations.base import Match, Outcome
from forgewright.code.project import Project, Splice
from forgewright.code.selectors import kinds, nodes, positions
from forgewright.code.selectors.select import select
from forgewright.code.selectors.syntax import parse
from forgewright.code.semicolons import joining, kept_apart
from forgewright.code.sources import Overlay, SourceFile, clean_path
from forgewright.code.syntax.diagnostics import CANDIDATES_MAX, SelectorError
from forgewright.core.errors import EditRefused

NEAR_FILES_MAX = 500
"""In larger projects near names are looked for only in the files that a program names."""

GENERATED_MARKS = (b"@generated", b"DO NOT EDIT", b"Do not edit")


class Stage:
    """Implements `Scene` over an overlay, and lays each outcome over it."""

    def __init__(self, project: Project, servers: Path | None = None) -> None:
        """`servers`: the folder in which language servers are asked for a second opinion; None: they are not."""
        self.overlay = Overlay(project)
        self.servers = servers
        self.moves: list[tuple[str, str]] = []
        self.notes: list[str] = []
        self.sound: dict[str, frozenset[str] | None] = {}
        """Files that need not be parsed again, with the names that were put into them (see `Outcome`)."""
        self.captures: set[str] = set()
        """See `Outcome`."""
        self._resolvers: dict[str, Resolver] = {}

    @property
    def project(self) -> Project:
        return self.overlay

    def resolver(self, language: str) -> Resolver:
        family = FAMILIES.get(language, (language,))[0]
        if family not in self._resolvers:
            self._resolvers[family] = make_resolver(language, self.overlay)
        return self._resolvers[family]

    def weigh(
        self, language: str, symbol: Symbol, new_name: str, own: Renaming, options: RenameOptions
    ) -> Renaming:
        if self.servers is None:
            return own
        from forgewright.code.second_opinion import weighed

        return weighed(self.servers, self.overlay, language, symbol, new_name, own, options)

    def select(self, selector: str, *, within: str | Sequence[str] | None = None) -> Sequence[Match]:
        return list(select(self.overlay, selector, within))

    def stream(self, selector: str, *, within: str | Sequence[str] | None = None) -> Iterator[Match]:
        return select(self.overlay, selector, within)

    def one(self, selector: str, *, within: str | Sequence[str] | None = None) -> Match:
        found = self.select(selector, within=within)
        if len(found) == 1:
            return found[0]
        if found:
            raise SelectorError(
                f"{selector!r} names {len(found)} nodes, expected one",
                hint="narrow it: 'path::selector', class#Name > method, or path:line of one of these",
                candidates=[candidate(match) for match in found[: CANDIDATES_MAX + 1]],
            )
        near = self._near(selector, within)
        raise SelectorError(
            f"{selector!r} names nothing" + (f" in {within}" if within else ""),
            hint="these are near it" if near else "look first: (outline) or (search text: '…')",
            candidates=near,
        )

    def position(self, at: str) -> tuple[str, int]:
        return positions.offset(self.overlay, at)

    def range(self, span: str) -> tuple[str, int, int]:
        return positions.span(self.overlay, span)

    def report(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _near(self, text: str, within: str | Sequence[str] | None) -> list[str]:
        """What could have been meant: the same names of any kind, then near names of the same kind."""
        from difflib import get_close_matches

        selector = parse(text)
        if not selector.choice:
            return []
        compound = selector.choice[0].steps[-1][1]
        wanted = compound.dotted or next(
            (p.value for p in compound.predicates if p.key in ("name", "qualified")), ""
        )
        if not wanted:
            return []
        short = wanted.rpartition(".")[2]
        prefix = ",".join(selector.globs) + "::" if selector.globs else ""
        quoted = f"[name='{short}']" if "'" not in short else f'[name="{short}"]'
        kind = compound.kind if compound.kind in kinds.KINDS else "definition"
        for where in (within, None):
            scope = prefix if where is within else ""
            same = list(select(self.overlay, f"{scope}:is(definition, variable, field){quoted}", where))
            if same:
                return [candidate(match) for match in same[:CANDIDATES_MAX]]
        if not within and not selector.globs and sum(1 for _ in self.overlay.paths()) > NEAR_FILES_MAX:
            return []
        found = list(select(self.overlay, f"{prefix}{kind}", within))
        close = get_close_matches(short, {match.name for match in found}, CANDIDATES_MAX, 0.6)
        chosen = [match for match in found if match.name in close] or (found if prefix or within else [])
        return [candidate(match) for match in chosen[:CANDIDATES_MAX]]

    def apply(self, outcome: Outcome) -> Outcome:
        """Lay an outcome over the project. Returns it without the splices in generated files."""
        by_path: dict[str, list[Splice]] = {}
        for splice in outcome.splices:
            by_path.setdefault(clean_path(splice.path), []).append(splice)
        skipped = [path for path in by_path if generated(self.overlay.source(path).data)]
        for path in skipped:
            del by_path[path]
        if skipped and not by_path:
            raise EditRefused(
                f"generated files are left alone: {', '.join(skipped)}", hint="change their source"
            )
        new = {path: _spliced(self.overlay.source(path), splices) for path, splices in by_path.items()}
        changed: dict[str, bytes | None] = dict(new)
        for old, target in outcome.move:
            old, target = clean_path(old), clean_path(target)
            self._free(target, changed)
            changed[target] = new.get(old, self.overlay.source(old).data)
            changed[old] = None
            self.moves.append((old, target))
        for path in outcome.delete:
            self.overlay.source(path)
            changed[clean_path(path)] = None
        for path, data in outcome.create.items():
            self._free(clean_path(path), changed)
            changed[clean_path(path)] = data
        for path, content in changed.items():
            self._judge(path, outcome)
            self.overlay.put(path, content)
        self.captures |= outcome.captures
        if changed:
            self._resolvers.clear()
        if skipped:
            notes = (*outcome.notes, f"left alone, since generated: {', '.join(skipped)}")
            splices = tuple(splice for splice in outcome.splices if clean_path(splice.path) in by_path)
            return msgspec.structs.replace(outcome, notes=notes, splices=splices)
        return outcome

    def _judge(self, path: str, outcome: Outcome) -> None:
        """Whether the file is still sure to be well-formed, and what is known of its names."""
        untold = path in self.overlay.changed() and path not in self.sound
        before = self.sound.pop(path, frozenset())
        if path in outcome.sound and not untold and not any(path in move for move in outcome.move):
            new = outcome.introduces
            self.sound[path] = None if before is None or new is None else before | new

    def _free(self, path: str, changed: Mapping[str, bytes | None]) -> None:
        gone = path in changed and changed[path] is None
        if not gone and (self.overlay.exists(path) or changed.get(path) is not None):
            raise EditRefused(f"{path} is there already", hint="delete it first, or choose another path")


def _spliced(source: SourceFile, splices: Sequence[Splice]) -> bytes:
    """A file with all splices done, statements kept apart."""
    data = spliced(source.data, splices)
    if not joining(source, splices):
        return data
    try:
        return spliced(source.data, kept_apart(source, SourceFile(source.path, data), splices))
    except Unparsable:  # what is wrong with it is said when the result is checked
        return data


def spliced(data: bytes, splices: Sequence[Splice]) -> bytes:
    """`data` with all splices done. Equal splices count once; overlapping ones raise `EditRefused`."""
    out: list[bytes] = []
    at = 0
    previous: Splice | None = None
    for splice in sorted(splices, key=lambda s: (s.start, s.end)):
        if previous is not None and splice == previous and splice.start != splice.end:
            continue
        if splice.start < at or not splice.start <= splice.end <= len(data):
            raise EditRefused(
                f"two edits overlap at byte {splice.start} of {splice.path}",
                hint="do them in two operations, one after the other",
            )
        out.append(data[at : splice.start])
        out.append(splice.text)
        at = splice.end
        previous = splice
    out.append(data[at:])
    return b"".join(out)


def generated(data: bytes) -> bool:
    """Whether a file says in its first lines that a program wrote it."""
    head = data[:600]
    if b"enerated" not in head:
        return False
    for line in head.split(b"\n")[:12]:
        stripped = line.lstrip()
        if (
            stripped[:1] in (b"#", b"/", b"*")
            and b"enerated" in line
            and any(mark in line for mark in GENERATED_MARKS)
        ):
            return True
    return False


def candidate(match: Match) -> str:
    """`path:line:column kind name`, with the line's beginning."""
    line = match.text.split(b"\n")[0].decode("utf-8", "replace").strip()
    name = nodes.qualified(match.node, match.source.language) or line[:40]
    place = positions.place(match.source, match.start)
    return f"{place} {match.kind} {name}" + (f"  {line[:60]}" if line and line != name else "")
