"""Before/after pairs of renames: files with a cursor (`<|>`) before the name, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping

from forgewright.code.binding import DEFAULTS, Occurrence, RenameOptions, Renaming, Resolver
from forgewright.code.languages import language_of, make_resolver
from forgewright.code.sources import MemoryProject

CURSOR = "<|>"
Files = Mapping[str, str]


def opened(files: Files) -> tuple[Resolver, str, int, dict[str, bytes]]:
    """A resolver over the files, the cursor's path and byte, and the files without it."""
    plain: dict[str, bytes] = {}
    place = ("", 0)
    for path, text in files.items():
        data = text.encode()
        if CURSOR.encode() in data:
            place = (path, data.index(CURSOR.encode()))
            data = data.replace(CURSOR.encode(), b"")
        plain[path] = data
    path, offset = place
    return make_resolver(language_of(path), MemoryProject(plain)), path, offset, plain


def renaming(files: Files, new: str, options: RenameOptions = DEFAULTS) -> Renaming:
    """The rename of the symbol at the cursor."""
    resolver, path, offset, _ = opened(files)
    symbol = resolver.symbol_at(path, offset)
    assert symbol is not None, "no symbol at the cursor"
    return resolver.rename(symbol, new, options=options)


def renamed(files: Files, new: str, options: RenameOptions = DEFAULTS) -> dict[str, str]:
    """The files after the rename of the symbol at the cursor."""
    _, _, _, plain = opened(files)
    return applied(plain, renaming(files, new, options))


def applied(files: Mapping[str, bytes], made: Renaming) -> dict[str, str]:
    after = dict(files)
    for path in {splice.path for splice in made.splices}:
        data, out, at = files[path], [], 0
        for splice in sorted(s for s in made.splices if s.path == path):
            assert splice.start >= at, f"overlapping edits in {path} at {splice.start}"
            out += [data[at : splice.start], splice.text]
            at = splice.end
        after[path] = b"".join([*out, data[at:]])
    for old, new in made.moves:
        after[new] = after.pop(old)
    return {path: data.decode() for path, data in after.items()}


def unchanged(files: Files) -> dict[str, str]:
    return {path: text.replace(CURSOR, "") for path, text in files.items()}


def marked(files: Files) -> dict[str, str]:
    """The files with the occurrences of the symbol at the cursor in brackets; uncertain ones in `⟨?…⟩`."""
    resolver, path, offset, plain = opened(files)
    symbol = resolver.symbol_at(path, offset)
    assert symbol is not None, "no symbol at the cursor"
    found: dict[str, list[Occurrence]] = {}
    for occurrence in resolver.occurrences(symbol):
        found.setdefault(occurrence.path, []).append(occurrence)
    out = {}
    for name, data in plain.items():
        text, at = "", 0
        for one in found.get(name, ()):
            text += data[at : one.start].decode() + ("⟨" if one.certain else "⟨?")
            text += data[one.start : one.end].decode() + "⟩"
            at = one.end
        out[name] = text + data[at:].decode()
    return out
