"""A scene over files in memory, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from forgewright.code.binding import RenameOptions, Renaming, Resolver, Symbol
from forgewright.code.languages import FAMILIES, make_resolver
from forgewright.code.operations.base import Match, Outcome, Scene
from forgewright.code.project import Project, Splice
from forgewright.code.sources import MemoryProject, Overlay


class Planned(Protocol):
    """An operation, or what stands for one."""

    def plan(self, scene: Scene) -> Outcome: ...


class MemoryScene:
    """Implements `Scene` over a mapping from path to text."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.overlay = Overlay(
            MemoryProject({path.lstrip("/"): text.encode() for path, text in files.items()})
        )
        self._resolvers: dict[str, Resolver] = {}
        self.moved: dict[str, str] = {}

    @property
    def project(self) -> Project:
        return self.overlay

    def resolver(self, language: str) -> Resolver:
        family = FAMILIES.get(language, (language,))[0]
        if family not in self._resolvers:
            self._resolvers[family] = make_resolver(language, self.overlay)
        return self._resolvers[family]

    def select(self, selector: str, *, within: str | Sequence[str] | None = None) -> Sequence[Match]:
        from forgewright.code.selectors.select import select

        return list(select(self.overlay, selector, within))

    def stream(self, selector: str, *, within: str | Sequence[str] | None = None) -> Iterator[Match]:
        return iter(self.select(selector, within=within))

    def one(self, selector: str, *, within: str | Sequence[str] | None = None) -> Match:
        found = self.select(selector, within=within)
        assert len(found) == 1, f"{selector}: {len(found)} matches"
        return found[0]

    def position(self, at: str) -> tuple[str, int]:
        path, line, column = at.rsplit(":", 2)
        lines = self.overlay.source(path).data.split(b"\n")
        before = sum(len(one) + 1 for one in lines[: int(line) - 1])
        return path, before + len(lines[int(line) - 1].decode()[: int(column) - 1].encode())

    def range(self, span: str) -> tuple[str, int, int]:
        path, _, places = span.partition(":")
        first, _, last = places.partition("-")
        return path, self.position(f"{path}:{first}")[1], self.position(f"{path}:{last}")[1]

    def weigh(
        self, language: str, symbol: Symbol, new_name: str, own: Renaming, options: RenameOptions
    ) -> Renaming:
        return own

    def report(self, note: str) -> None:
        pass

    def run(self, operation: Planned) -> Outcome:
        """Plan it and lay the outcome over the files."""
        outcome = operation.plan(self)
        by_path: dict[str, list[Splice]] = {}
        for splice in outcome.splices:
            by_path.setdefault(splice.path, []).append(splice)
        new = {path: spliced(self.overlay.source(path).data, splices) for path, splices in by_path.items()}
        changed: dict[str, bytes | None] = dict(new)
        for old, target in outcome.move:
            changed[target] = new.get(old, self.overlay.source(old).data)
            changed[old] = None
        changed.update(dict.fromkeys(outcome.delete))
        changed.update(outcome.create)
        for path, data in changed.items():
            self.overlay.put(path, data)
        self._resolvers.clear()
        return outcome

    def files(self) -> dict[str, str]:
        return {path: self.overlay.source(path).data.decode() for path in self.overlay.paths()}


def spliced(data: bytes, splices: Sequence[Splice]) -> bytes:
    out: list[bytes] = []
    at = 0
    for splice in sorted(set(splices), key=lambda s: (s.start, s.end)):
        assert splice.start >= at, f"overlapping splices at {splice.path}:{splice.start}"
        out += [data[at : splice.start], splice.text]
        at = splice.end
    return b"".join([*out, data[at:]])
