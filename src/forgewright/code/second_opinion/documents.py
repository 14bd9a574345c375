"""Bytes and positions: a server counts lines and UTF-16 units, and names files by URI."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from forgewright.code.project import Splice
from forgewright.core.errors import UnsafePath


def position(data: bytes, offset: int) -> dict[str, int]:
    """The LSP position of a byte."""
    line = data.count(b"\n", 0, offset)
    start = data.rfind(b"\n", 0, offset) + 1
    return {
        "line": line,
        "character": len(data[start:offset].decode("utf-8", "replace").encode("utf-16-le")) // 2,
    }


def byte_of(lines: list[bytes], place: dict[str, int]) -> int:
    """The byte of an LSP position; `lines` are the file's, with their ends."""
    before = sum(len(line) for line in lines[: place["line"]])
    line = lines[place["line"]] if place["line"] < len(lines) else b""
    units = line.decode("utf-8", "replace").encode("utf-16-le")[: place["character"] * 2]
    return before + len(units.decode("utf-16-le", "replace").encode())


def edits(answer: Any, root: Path, read: dict[str, bytes]) -> list[Splice]:
    """The splices of a workspace edit. Raises `UnsafePath` if it touches anything outside the root.

    `read` holds the files' contents by path, as the server was told them.
    """
    changes: dict[str, list[Any]] = dict((answer or {}).get("changes") or {})
    for change in (answer or {}).get("documentChanges") or []:
        if "textDocument" in change:
            changes.setdefault(change["textDocument"]["uri"], []).extend(change["edits"])
    found: list[Splice] = []
    for uri, made in changes.items():
        path = _inside(uri, root)
        data = read[path] if path in read else (root / path).read_bytes()
        lines = data.splitlines(keepends=True)
        for edit in made:
            start, end = byte_of(lines, edit["range"]["start"]), byte_of(lines, edit["range"]["end"])
            found.append(Splice(path, start, end, edit["newText"].encode()))
    return sorted(found)


def _inside(uri: str, root: Path) -> str:
    path = Path(unquote(urlparse(uri).path))
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        raise UnsafePath(
            f"the language server would change {path}, outside the root",
            hint="rename what the project itself defines",
        ) from None
