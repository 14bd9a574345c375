"""What each file defines and which names it uses; kept on disk, and brought up to date by the files' stamps."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from forgewright.code.languages import GRAMMARS, Unparsable, grammar, language_of
from forgewright.code.query.outline import Entry, outline
from forgewright.code.query.words import words
from forgewright.code.sharing import shared
from forgewright.code.sources import DiskProject, Overlay, SourceFile

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.project import Project, Source

VERSION = 3
FOLDER = ".forgewright/index"
CACHE_BYTES_MAX = 256 << 20
TIMES_MAX = 4
"""How often a word is counted in a file: more says little more."""
WORDS_BYTES_MAX = 1 << 20
"""Of a file, for its words."""

_NAMES = ("identifier", "type_identifier", "property_identifier", "field_identifier")
_WORD = re.compile(rb"[A-Za-z_$][A-Za-z0-9_$]*")


_Stamp = tuple[int, int, int]


class Definition(msgspec.Struct, frozen=True, array_like=True):
    """A symbol of a file's outline."""

    kind: str
    name: str
    """Dotted."""
    line: int
    depth: int
    signature: str


class Tags(msgspec.Struct, frozen=True, array_like=True):
    """One file of the index."""

    stamp: tuple[int, int, int]
    definitions: tuple[Definition, ...]
    uses: dict[str, int]
    """Identifier → how often it stands there."""
    words: str = ""
    """All words of the file, names taken apart, comments and strings included: each between two spaces, as often as it
    stands there, at most `TIMES_MAX` times. One text, since that is read many times faster than a table."""


class _Kept(msgspec.Struct, array_like=True):
    version: int
    files: dict[str, Tags]


def index(project: Project, paths: Iterable[str]) -> dict[str, Tags]:
    """The tags of these files; those that changed since the last time are read anew."""
    disk = _disk(project)
    kept = _load(disk) if disk is not None else {}
    changed = project.changed() if isinstance(project, Overlay) else {}
    found: dict[str, Tags | None] = {}
    fresh: list[tuple[str, _Stamp | None]] = []
    for path in paths:
        stamp = disk.stamp(path) if disk is not None and path not in changed else None
        old = kept.get(path)
        current = stamp is not None and old is not None and old.stamp == stamp
        found[path] = old if current else None
        if not current:
            fresh.append((path, stamp))

    def read(one: tuple[str, _Stamp | None]) -> Tags | None:
        path, stamp = one
        source = disk.read_once(path) if disk is not None and path not in changed else project.source(path)
        try:
            return tags(source, stamp or (0, 0, 0)) if source is not None else None
        except Unparsable:
            return None

    sizes = [stamp[1] if stamp is not None else 0 for _, stamp in fresh]
    found.update(zip((path for path, _ in fresh), shared(fresh, read, Tags | None, sizes), strict=True))
    tagged = {path: tag for path, tag in found.items() if tag is not None}
    if disk is not None and any(tagged[path].stamp[0] for path, _ in fresh if path in tagged):
        _save(disk, {**kept, **{path: tag for path, tag in tagged.items() if tag.stamp[1] or tag.stamp[0]}})
    return tagged


def source_paths(project: Project, glob: str | None = None) -> Iterator[str]:
    """The files that are in a language with a grammar."""
    return (path for path in project.paths(glob) if language_of(path) in GRAMMARS)


def tags(source: Source, stamp: tuple[int, int, int]) -> Tags:
    """What one file defines and uses."""
    definitions = tuple(_definition(entry) for entry in outline(source, 2))
    return Tags(stamp, definitions, _uses(source), _words(source))


def _words(source: Source) -> str:
    counted = Counter(words(source.data[:WORDS_BYTES_MAX].decode("utf-8", "replace")))
    return "".join(f" {word} " * min(count, TIMES_MAX) for word, count in counted.items())


def _definition(entry: Entry) -> Definition:
    return Definition(entry.kind, entry.name, entry.line, entry.depth, entry.signature)


def _uses(source: Source) -> dict[str, int]:
    """The identifiers of a file, without those in comments and strings."""
    data = source.data
    out = bytearray(data)
    for node in _prose(source):
        out[node.start_byte : node.end_byte] = b" " * (node.end_byte - node.start_byte)
    counted = Counter(_WORD.findall(bytes(out)))
    return {word.decode(): count for word, count in counted.items() if len(word) > 1}


def _prose(source: Source) -> Iterator[Node]:
    from tree_sitter import QueryCursor

    yield from QueryCursor(_prose_query(source.language)).captures(source.tree.root_node).get("p", ())


def _prose_query(language: str) -> Query:
    if language not in _QUERIES:
        from tree_sitter import Query

        kinds = (
            "comment",
            "line_comment",
            "block_comment",
            "string_content",
            "string_fragment",
            "raw_string_literal",
        )
        known = [kind for kind in kinds if grammar(language).id_for_node_kind(kind, True)]
        _QUERIES[language] = Query(grammar(language), "[" + " ".join(f"({kind})" for kind in known) + "] @p")
    return _QUERIES[language]


if TYPE_CHECKING:
    from tree_sitter import Query

_QUERIES: dict[str, Query] = {}


def _disk(project: Project) -> DiskProject | None:
    base = project.base if isinstance(project, Overlay) else project
    return base if isinstance(base, DiskProject) else None


def _file(disk: DiskProject) -> Path:
    return disk.root / FOLDER / "tags"


def _load(disk: DiskProject) -> dict[str, Tags]:
    try:
        file = _file(disk)
        if file.is_symlink() or file.stat().st_size > CACHE_BYTES_MAX:
            return {}
        kept = msgspec.msgpack.decode(file.read_bytes(), type=_Kept)
    except (OSError, msgspec.DecodeError):
        return {}
    return kept.files if kept.version == VERSION else {}


def _save(disk: DiskProject, files: dict[str, Tags]) -> None:
    """Best effort: a cache that cannot be written is only slower."""
    file = _file(disk)
    fresh = file.with_name(f"tags.{os.getpid()}")
    try:
        if (disk.root / ".forgewright").is_symlink() or file.parent.is_symlink():
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        ignore = file.parent / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        fresh.write_bytes(msgspec.msgpack.encode(_Kept(VERSION, files)))
        fresh.replace(file)
    except OSError:
        fresh.unlink(missing_ok=True)


__all__ = ["Definition", "SourceFile", "Tags", "index", "source_paths", "tags"]
