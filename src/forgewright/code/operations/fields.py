"""Fields that many operations share, declared once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from forgewright.code.operations.base import Match, Operation, Scene
from forgewright.code.syntax.diagnostics import SelectorError

Selector = Annotated[
    str,
    Meta(
        description="Selector of the node, as function#fetch, class#Cache > method[name=get], "
        "app/x.py::call[name=print], or a place path:line[:column]."
    ),
]
Glob = Annotated[str, Meta(description="Path or glob of the files to look in; default all.")]
Every = Annotated[bool, Meta(description="Change every node that the selector names, not exactly one.")]
Code = Annotated[str, Meta(description="Source code. Its indentation is fitted to the place.")]


class Targeted(Operation, frozen=True, kw_only=True):
    """An operation on the node(s) that a selector names."""

    target: Selector
    in_: Glob = msgspec.field(default="", name="in")
    every: Every = False

    def targets(self, scene: Scene) -> Sequence[Match]:
        """One match, or all of them with `every`. Raises `SelectorError` with candidates."""
        within = self.in_ or None
        if not self.every:
            return (scene.one(self.target, within=within),)
        found = scene.select(self.target, within=within)
        if not found:
            scene.one(self.target, within=within)
        return outermost(found)


def outermost(found: Sequence[Match]) -> list[Match]:
    """The matches without those that lie inside another."""
    kept: list[Match] = []
    for match in found:
        if not kept or kept[-1].path != match.path or match.start >= kept[-1].end:
            kept.append(match)
    return kept


def one_file(scene: Scene, glob: str) -> str:
    """The only file that a glob names. Raises `SelectorError`."""
    if glob and not set(glob) & set("*?[{!"):
        return scene.project.source(glob).path
    found = list(scene.project.paths(glob or None))
    if len(found) == 1:
        return found[0]
    raise SelectorError(f"expected one file, {glob!r} names {len(found)}", candidates=found[:13])
