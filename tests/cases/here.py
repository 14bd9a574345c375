"""Renames as editors ask for them: whatever stands at a position, where it stands."""

from __future__ import annotations

from typing import Any, Protocol

from forgewright.code.binding import RenameOptions, Resolver, Symbol
from forgewright.code.languages import language_of
from forgewright.code.operations.base import Outcome, Scene
from forgewright.core.errors import EditRefused


class LocalResolver(Resolver, Protocol):
    """A resolver that can also be asked for the symbol of a place, imports not followed."""

    def symbol_here(self, path: str, offset: int) -> Symbol | None: ...


class RenameHere:
    """Stands for an operation: the rename of a case in a language other than Python."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.case = case

    def plan(self, scene: Scene) -> Outcome:
        args = self.case["args"]
        path = args["path"].lstrip("/")
        resolver: LocalResolver = scene.resolver(language_of(path))  # type: ignore[assignment]  # all but Python
        symbol = resolver.symbol_here(path, _offset(self.case))
        if symbol is None:
            raise EditRefused("expected a name at this place, found none", hint="point at a name")
        keep = args.get("keep_aliases")
        options = RenameOptions() if keep is None else RenameOptions(shorthand=keep, aliases=keep)
        found = resolver.rename(symbol, args["new_name"] or "renamed", options=options)
        return Outcome(splices=found.splices, move=found.moves, uncertain=found.uncertain)


def _offset(case: dict[str, Any]) -> int:
    """The byte that a case points at: an offset in characters, or a line and a column in bytes."""
    args = case["args"]
    text: str = case["files"][args["path"]]
    if "offset" in args:
        return len(text[: args["offset"]].encode())
    lines = text.encode().split(b"\n")
    return sum(len(line) + 1 for line in lines[: args["line"] - 1]) + int(args["column"])
