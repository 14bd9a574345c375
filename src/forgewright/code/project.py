"""The sources that a program works on: read once, parsed lazily, never written from here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from tree_sitter import Tree


class Source(Protocol):
    """One file as it was read. Offsets everywhere are bytes."""

    path: str
    """Relative to the root, with `/`."""
    data: bytes
    language: str
    """`python`, `javascript`, `typescript`, `tsx`, `go`, `rust`, `java`, or `text`."""

    @property
    def tree(self) -> Tree:
        """Parsed at first use and kept."""

    @property
    def parsed(self) -> bool:
        """Whether the tree is there already."""

    def forget_tree(self) -> None:
        """Drop the tree; it is parsed again when asked for."""


class Project(Protocol):
    """A root's files. Files that are generated, binary, huge or reached through links are left out."""

    def paths(self, glob: str | None = None, language: str | None = None) -> Iterator[str]: ...

    def source(self, path: str) -> Source:
        """Raises `NotFound`, `UnsafePath`."""

    def exists(self, path: str) -> bool:
        """Whether there is anything at `path`, of whatever kind. Raises `UnsafePath`."""

    def containing(self, word: bytes, language: str | None = None) -> Iterator[str]:
        """Paths of the files in which `word` occurs as bytes: the prefilter of every search.

        `language` limits it to one language; it is much cheaper than asking for all files.
        """


class Splice(msgspec.Struct, frozen=True, order=True):
    """Replace bytes `start:end` of a file by `text`. An edit is never a reprint."""

    path: str
    start: int
    end: int
    text: bytes


class FileChange(msgspec.Struct, frozen=True):
    """A file before and after; None where it is not there."""

    path: str
    before: bytes | None
    after: bytes | None
