"""Renames as editors ask for them: whatever stands at a position, where it stands."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, Protocol

from forgewright.code.binding import RenameOptions, Renaming, Resolver, Symbol
from forgewright.code.languages import language_of
from forgewright.code.operations.base import Outcome, Scene
from forgewright.code.second_opinion import typescript
from forgewright.core.errors import EditRefused

SERVER = False
"""Whether a language server is asked for a second opinion."""


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
        new = args["new_name"] or "renamed"
        found = resolver.rename(symbol, new, options=options)
        if (
            SERVER
            and self.case["lang"] in ("typescript", "javascript")
            and symbol.kind not in ("string", "label")
        ):
            lib = (args.get("options") or {}).get("lib")
            found = _second(scene, symbol, new, found, options, lib)
        return Outcome(splices=found.splices, move=found.moves, uncertain=found.uncertain)


def _compiler_options(lib: str | None) -> dict[str, Any]:
    return {"allowJs": True, "jsx": "preserve", **({"lib": [lib]} if lib else {})}


def _second(
    scene: Scene, symbol: Symbol, new: str, found: Renaming, options: RenameOptions, lib: str | None
) -> Renaming:
    """The renaming after the language server was asked, over a copy of the files on disk."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        for path in scene.project.paths():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(scene.project.source(path).data)
        if not (root / "tsconfig.json").exists():
            (root / "tsconfig.json").write_text(json.dumps({"compilerOptions": _compiler_options(lib)}))
        return typescript.confirmed(root, scene.project, symbol, new, found, options)


def _offset(case: dict[str, Any]) -> int:
    """The byte that a case points at: an offset in characters, or a line and a column in bytes."""
    args = case["args"]
    text: str = case["files"][args["path"]]
    if "offset" in args:
        return len(text[: args["offset"]].encode())
    lines = text.encode().split(b"\n")
    return sum(len(line) + 1 for line in lines[: args["line"] - 1]) + int(args["column"])
