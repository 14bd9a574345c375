"""Deletes a definition that nothing uses any more, or says what still does."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from forgewright.code.deletion import delete
from forgewright.code.operations.base import Example, Match, Outcome, Scene, occurrences_text
from forgewright.code.operations.fields import Targeted
from forgewright.code.operations.targets import python
from forgewright.code.query.symbols import name_node, symbol_of
from forgewright.core.errors import EditRefused


class SafeDelete(Targeted, frozen=True, kw_only=True):
    """Delete a definition if nothing uses it; otherwise the uses are listed and nothing changes.

    Uses inside the definition itself (recursion) do not count. Uncertain places count as uses,
    unless `uncertain: true`.
    """

    uncertain: Annotated[bool, Meta(description="Delete although there are places that may be uses.")] = False

    group: ClassVar[str] = "delete"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(safe-delete target: 'function#old')",
            before={"a.py": "def old():\n    return old()\n\n\nx = 1\n"},
            after={"a.py": "x = 1\n"},
        ),
        Example(
            program="(safe-delete target: 'a.py::function#old')",
            before={"a.py": "def old(): ...\n", "b.py": "from a import old\n\nold()\n"},
            refused="b.py:3  reference  old()",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        found = self.targets(scene)
        for match in found:
            self._unused(scene, match)
        return Outcome(splices=tuple(delete(match.source, match.node) for match in found))

    def _unused(self, scene: Scene, match: Match) -> None:
        resolver = scene.resolver(match.source.language)
        places = [
            place
            for place in sorted(resolver.occurrences(symbol_of(resolver, match)))
            if place.role != "definition"
            and not (place.path == match.path and match.start <= place.start < match.end)
            and (place.certain or not self.uncertain)
        ]
        if places:
            count = f"{len(places)} place{'s' if len(places) > 1 else ''}"
            raise EditRefused(
                f"{match.kind} {match.name!r} is used in {count}:\n{occurrences_text(scene.project, places)}",
                hint="change these first, or delete it anyway with (delete-node …)",
            )
        if match.source.language == "python":
            from forgewright.code.python.refactor.delete_checks import check_symbol

            check_symbol(python(scene, match.path), match.path, name_node(match.node).start_byte)
