"""Sources in which «…» marks the places that a rename has to change, and «|…» where it starts."""

from __future__ import annotations

import re

from forgewright.code.binding import DEFAULTS, RenameOptions
from forgewright.code.python.resolver import PythonResolver
from forgewright.code.sources import MemoryProject
from forgewright.core.errors import EditRefused

MARK = re.compile(r"«(\|?)([^»]*)»")


def read(files: dict[str, str]) -> tuple[dict[str, str], set[tuple[str, int]], tuple[str, int]]:
    """Plain files, the marked places and the starting one (bytes)."""
    plain: dict[str, str] = {}
    places: set[tuple[str, int]] = set()
    start: tuple[str, int] | None = None
    for path, text in files.items():
        out, at = "", 0
        for found in MARK.finditer(text):
            out += text[at : found.start()]
            place = (path, len(out.encode()))
            places.add(place)
            if found[1]:
                start = place
            out += found[2]
            at = found.end()
        plain[path] = out + text[at:]
    assert start is not None, "no «|…»"
    return plain, places, start


def renamed(
    files: dict[str, str], options: RenameOptions = DEFAULTS
) -> tuple[set[tuple[str, int]], set[tuple[str, int]]]:
    """The places that a rename changes, and those that are marked."""
    plain, places, (path, offset) = read(files)
    resolver = PythonResolver(MemoryProject(plain))
    symbol = resolver.symbol_at(path, offset)
    if symbol is None:
        raise EditRefused("no symbol there")
    found = resolver.rename(symbol, "renamed_thing", options=options)
    return {(splice.path, splice.start) for splice in found.splices}, places
