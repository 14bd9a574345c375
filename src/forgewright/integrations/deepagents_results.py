"""Our answers as Deep Agents wants them: errors as codes and sentences, pages of a file, entries of a folder."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import wcmatch.glob as wcglob
from deepagents.backends.protocol import FileData, FileInfo, ReadResult

from forgewright.agent.workspace.sandbox_files import SandboxFiles
from forgewright.core.errors import Conflict, ForgewrightError, NotFound, Refused, UnsafePath
from forgewright.files import paths
from forgewright.files.types import Entry

PAGE_BYTES_MAX = 500 * 1024
"""Of the text that one read gives; what is left is read with a larger offset."""
TRUNCATED = (
    "\n\n[Output was truncated due to size limits. Continue reading with a larger offset or a smaller limit.]"
)


def absolute(path: str) -> str:
    if not path.startswith("/"):
        raise UnsafePath(f'expected an absolute path; found "{path:.200}"')
    return paths.clean(path)


async def there(files: SandboxFiles, name: str) -> bool:
    try:
        await files.stat(name)
    except NotFound:
        return False
    return True


def said(path: str, error: Exception) -> str:
    if isinstance(error, NotFound):
        return f"Error: File '{path}' not found"
    return f"Error: '{path}': {error}"


def code(error: ForgewrightError) -> str:
    match error:
        case NotFound():
            return "file_not_found"
        case UnsafePath():
            return "invalid_path"
        case Refused():
            return "permission_denied"
        case Conflict():
            return "is_directory" if "found a folder" in error.message else "invalid_path"
        case _:
            return str(error)


def info(path: str, entry: Entry) -> Any:
    info = FileInfo(path=path, is_dir=entry.kind == "folder")
    if entry.kind == "file":
        info["size"] = entry.size_bytes
    if entry.modified:
        info["modified_at"] = datetime.fromtimestamp(entry.modified, UTC).isoformat()
    return info


def page(text: str, offset: int, limit: int) -> Any:
    """`limit` lines of the text from line `offset` (from 0) on, without the last line's end."""
    if not text.strip():
        return ReadResult(file_data=FileData(content=text, encoding="utf-8"))
    if limit == 0:
        return ReadResult(file_data=FileData(content="", encoding="utf-8"), no_lines_requested=True)
    lines = text.splitlines()
    if offset >= len(lines):
        return ReadResult(error=f"Line offset {offset} exceeds file length ({len(lines)} lines)")
    kept: list[str] = []
    room = PAGE_BYTES_MAX
    for line in lines[offset : offset + limit]:
        size = len(line.encode()) + 1
        if size > room:
            if not kept:
                kept.append(line.encode()[:room].decode("utf-8", "ignore"))
            break
        kept.append(line)
        room -= size
    end = offset + len(kept)
    content = "\n".join(kept)
    if end < min(offset + limit, len(lines)) or content != "\n".join(lines[offset:end]):
        content += TRUNCATED
    elif end == len(lines) and text.endswith("\n"):
        content += "\n"
    return ReadResult(
        file_data=FileData(content=content, encoding="utf-8"),
        total_lines=len(lines),
        start_line=offset + 1,
        end_line=end,
        next_offset=end if end < len(lines) else None,
    )


def classic(pattern: str) -> Any:
    """A glob as it was before 0.7: of the path from the folder, `*` within one name."""
    compiled = wcglob.compile(pattern.lstrip("/"), flags=wcglob.BRACE | wcglob.GLOBSTAR)
    return lambda path: bool(compiled.match(path))
