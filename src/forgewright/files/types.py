"""The port of files: one protocol over a directory, memory, a store, a sandbox, or several of them.

Paths are relative to the backend's root and written with `/`; a leading `/` means the root. `..` and
links are not followed anywhere: they raise `UnsafePath`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

FILE_BYTES_MAX = 16 << 20
"""One file, read or written."""
ENTRIES_MAX = 100_000
"""Entries that a listing, a glob or a grep looks at."""
MATCHES_MAX = 1_000
"""Lines that a grep gives by default."""
LINE_CHARACTERS_MAX = 2_000
"""Characters of a line that a grep gives; the rest is cut off."""


class Entry(msgspec.Struct, frozen=True, order=True):
    path: str
    """From the backend's root, without a leading `/`."""
    kind: Literal["file", "folder", "link", "other"]
    size_bytes: int = 0
    modified: float = 0.0
    """Seconds since 1970; 0 where it is not known."""


class Match(msgspec.Struct, frozen=True, order=True):
    path: str
    line: int
    """From 1."""
    text: str
    """The line, without its end."""


class Found(msgspec.Struct, frozen=True):
    """What a grep gave."""

    matches: tuple[Match, ...]
    truncated: bool = False
    """There may be more: a bound was reached."""
    skipped: tuple[str, ...] = ()
    """Files that are binary or too large; at most 100 are named."""


class Transfer(msgspec.Struct, frozen=True):
    """What became of one file of an upload or a download."""

    path: str
    """As it was given."""
    data: bytes | None = None
    """What was downloaded; None for an upload, and where it failed."""
    error: str = ""
    """Code of the error (`not_found`, `conflict`, `unsafe_path`, `refused` …); nothing where it went well."""
    message: str = ""
    """The error, for people."""

    @property
    def ok(self) -> bool:
        return not self.error


class Files(Protocol):
    """Raises `NotFound`, `Conflict` (a folder where a file is expected and the like; an edit whose text is
    not there or not unique), `UnsafePath`, `Refused` (it may not be touched), `UsageError` (bad pattern, too
    large), `StoreError`."""

    async def ls(self, path: str = "") -> Sequence[Entry]:
        """What lies directly in a folder, by name."""

    async def stat(self, path: str) -> Entry: ...

    async def read(self, path: str) -> bytes:
        """The whole file."""

    async def write(self, path: str, data: bytes) -> None:
        """Creates or replaces the file, at once; makes the folders above it."""

    async def edit(self, path: str, old: str, new: str, *, every: bool = False) -> int:
        """Replaces `old`, which has to be there exactly once, or each `old` with `every`; how many."""

    async def glob(self, pattern: str, path: str = "") -> Sequence[str]:
        """Paths of the files below `path` that fit: `*` and `?` within a name, `**` over folders."""

    async def grep(
        self,
        pattern: str,
        path: str = "",
        *,
        glob: str | None = None,
        regex: bool = False,
        matches_max: int = MATCHES_MAX,
    ) -> Found:
        """Lines that contain the text, or match the expression."""

    async def delete(self, path: str) -> None:
        """Deletes a file, or a folder with all that is in it."""

    async def upload(self, files: Sequence[tuple[str, bytes]]) -> Sequence[Transfer]:
        """Writes many files, each by itself: what fails for one is said in its result, and raises nothing."""

    async def download(self, paths: Sequence[str]) -> Sequence[Transfer]:
        """Reads many files, likewise."""
