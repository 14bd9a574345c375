"""One backend protocol of files, over a directory, memory, a store, or several of them by path prefix."""

from __future__ import annotations

from forgewright.files.composite import CompositeFiles
from forgewright.files.directory import DirectoryFiles
from forgewright.files.memory import MemoryFiles
from forgewright.files.stored import StoredFiles
from forgewright.files.types import Entry, Files, Found, Match, Transfer

__all__ = [
    "CompositeFiles",
    "DirectoryFiles",
    "Entry",
    "Files",
    "Found",
    "Match",
    "MemoryFiles",
    "StoredFiles",
    "Transfer",
]
