"""Whole words in strings and comments: left, listed or changed with a rename, as its options say."""

from __future__ import annotations

from forgewright.code.binding import Occurrence, RenameOptions, Renaming
from forgewright.code.project import Splice


def with_prose(made: Renaming, new_name: str, options: RenameOptions) -> Renaming:
    """`made` with the look-alikes among its leftovers treated as `options.strings` and `options.docs` ask."""
    if options.strings == options.docs == "off":
        return made
    splices, uncertain, leftover = list(made.splices), list(made.uncertain), []
    for place in made.leftover:
        wanted = {"string": options.strings, "comment": options.docs}.get(place.role, "off")
        if wanted == "all":
            splices.append(Splice(place.path, place.start, place.end, new_name.encode()))
        elif wanted == "uncertain":
            note = f"the same word in a {place.role}"
            uncertain.append(Occurrence(place.path, place.start, place.end, place.role, False, note))
        else:
            leftover.append(place)
    return Renaming(tuple(sorted(splices)), made.moves, tuple(sorted(uncertain)), tuple(leftover))
