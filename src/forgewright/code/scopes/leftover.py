"""Where else the old name stands in the files that a rename changes, classified."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from forgewright.code.binding import Occurrence, Role
from forgewright.code.project import Splice
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import places

LEFTOVER_MAX = 500


def leftover(
    name: str,
    splices: Collection[Splice],
    uncertain: Iterable[Occurrence],
    root_of: Callable[[str], Node | None],
    *,
    dollar: bool = False,
) -> tuple[Occurrence, ...]:
    """At most `LEFTOVER_MAX` places. `root_of` gives a file's tree; `dollar`: whether `$` is a letter."""
    done = {(s.path, s.start) for s in splices} | {(o.path, o.start) for o in uncertain}
    spans: dict[str, list[tuple[int, int]]] = {}
    for splice in splices:
        spans.setdefault(splice.path, []).append((splice.start, splice.end))
    found: list[Occurrence] = []
    for path in sorted(spans):
        root = root_of(path)
        if root is None:
            continue
        for offset in places(root.data, name, dollar=dollar):
            if (path, offset) in done or any(start <= offset < end for start, end in spans[path]):
                continue
            role = _role(root.at(offset).type)
            note = "another symbol of that name" if role == "reference" else ""
            found.append(Occurrence(path, offset, offset + len(name.encode()), role, True, note))
    return tuple(found[:LEFTOVER_MAX])


def _role(kind: str) -> Role:
    if "comment" in kind:
        return "comment"
    return "string" if "string" in kind or "literal" in kind else "reference"
