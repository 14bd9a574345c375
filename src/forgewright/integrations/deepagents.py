"""A Forgewright sandbox as a backend of Deep Agents: its files, and commands with `execute`.

    backend = ForgewrightBackend(SandboxSpec(tier=Tier.GVISOR))
    agent = create_deep_agent(model=…, backend=backend)

Needs the extra `deepagents`. Contract: `deepagents.backends.protocol` 0.7.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from forgewright.agent.workspace.sandbox_files import SandboxFiles
from forgewright.core.errors import Conflict, ForgewrightError, MissingExtra, NotFound, Refused, UnsafePath
from forgewright.files import paths
from forgewright.files.types import ENTRIES_MAX, Entry
from forgewright.integrations.sandboxed import SHELL, Sandboxed, told
from forgewright.sandbox.types import Command, SandboxSpec

try:
    import wcmatch.glob as wcglob
    from deepagents.backends.protocol import (
        DeleteResult,
        EditResult,
        ExecuteResponse,
        FileData,
        FileDownloadResponse,
        FileInfo,
        FileUploadResponse,
        GlobResult,
        GrepResult,
        LsResult,
        ReadResult,
        SandboxBackendProtocol,
        WriteResult,
    )
    from deepagents.backends.utils import InvalidGlobPatternError, compile_grep_include_glob
except ImportError as error:
    raise MissingExtra("deepagents", needed_for="the backend for Deep Agents") from error

if TYPE_CHECKING:
    from types import TracebackType

SECONDS = 600
"""A command's time unless the caller says otherwise."""
SECONDS_MAX = 86_400
"""Its time where the caller wants none."""
BINARY_BYTES_MAX = 512_000
"""Of a file that is no text, read as base64."""
PAGE_BYTES_MAX = 500 * 1024
"""Of the text that one read gives; what is left is read with a larger offset."""
TRUNCATED = (
    "\n\n[Output was truncated due to size limits. Continue reading with a larger offset or a smaller limit.]"
)


class ForgewrightBackend(SandboxBackendProtocol):
    """A `SandboxBackendProtocol` over one sandbox, which is created at the first use and ends with `close`.

    Errors are returned and not raised. `contract="0.6"` is for callers written for Deep Agents before 0.7, and for the
    suite of `langchain-tests` 1.1.9: a write refuses a file that is there, and a glob gives paths relative to
    its folder, folders among them, with `*` for direct children only.
    """

    def __init__(
        self,
        spec: SandboxSpec | None = None,
        *,
        driver: str | None = None,
        contract: Literal["0.7", "0.6"] = "0.7",
    ) -> None:
        self._own = Sandboxed(spec, driver=driver)
        self._old = contract == "0.6"

    @property
    def id(self) -> str:
        return self._own.portal.call(self._own.open()).id

    def close(self) -> None:
        """Destroys the sandbox with all that is in it. Idempotent."""
        self._own.close()

    def __enter__(self) -> ForgewrightBackend:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ── what is done, on the sandbox's own loop ──────────────────────────────────────────────────────

    async def _files(self) -> SandboxFiles:
        return SandboxFiles(await self._own.open(), "/", unsearched=(".git",))

    async def _ls(self, path: str) -> Any:
        try:
            listed = await (await self._files()).ls(_absolute(path))
        except ForgewrightError as error:
            return LsResult(error=_said(path, error))
        return LsResult(entries=[_info("/" + entry.path, entry) for entry in listed])

    async def _read(self, path: str, offset: int, limit: int) -> Any:
        try:
            data = await (await self._files()).read(_absolute(path))
        except ForgewrightError as error:
            return ReadResult(error=_said(path, error))
        try:
            text = None if b"\0" in data else data.decode()
        except UnicodeDecodeError:
            text = None
        if text is not None:
            return _page(text, max(int(offset), 0), max(int(limit), 0))
        if len(data) > BINARY_BYTES_MAX:
            return ReadResult(
                error=f"File '{path}': Binary file exceeds maximum preview size of {BINARY_BYTES_MAX} bytes"
            )
        return ReadResult(file_data=FileData(content=b64encode(data).decode(), encoding="base64"))

    async def _write(self, path: str, content: str) -> Any:
        try:
            files = await self._files()
            name = _absolute(path)
            if self._old and await _there(files, name):
                return WriteResult(
                    error=f"Cannot write to {path} because it already exists. Read it and then make an edit, "
                    "or write to a new path."
                )
            await files.write(name, content.encode())
        except ForgewrightError as error:
            return WriteResult(error=_said(path, error))
        return WriteResult(path=path)

    async def _edit(self, path: str, old: str, new: str, every: bool) -> Any:
        try:
            files = await self._files()
            name = _absolute(path)
            count = (await files.read(name)).count(old.encode()) if old else 0
            if count > 1 and not every:
                return EditResult(
                    error=f"Error: String '{old}' appears multiple times ({count}). Use replace_all=True to replace "
                    "all occurrences, or give more of the text around it."
                )
            return EditResult(path=path, occurrences=await files.edit(name, old, new, every=every))
        except Conflict as error:
            if "it is not there" in error.message:
                return EditResult(error=f"Error: String not found in file: '{old}'")
            return EditResult(error=_said(path, error))
        except ForgewrightError as error:
            return EditResult(error=_said(path, error))

    async def _delete(self, path: str) -> Any:
        try:
            await (await self._files()).delete(_absolute(path))
        except ForgewrightError as error:
            return DeleteResult(error=_said(path, error))
        return DeleteResult(path=path)

    async def _glob(self, pattern: str, path: str | None) -> Any:
        base = path or self._own.spec.workdir
        try:
            folder = _absolute(base)
            skip = len(folder) + 1 if folder else 0
            fits = _classic(pattern) if self._old else compile_grep_include_glob(pattern)
            walked = await (await self._files()).walk(folder)
        except (ForgewrightError, InvalidGlobPatternError) as error:
            return GlobResult(error=_said(base, error))
        found = [e for e in walked if (self._old or e.kind == "file") and fits(e.path[skip:])]
        return GlobResult(matches=[_info(e.path[skip:] if self._old else "/" + e.path, e) for e in found])

    async def _grep(self, pattern: str, path: str | None, glob: str | None, max_count: int | None) -> Any:
        base = path or self._own.spec.workdir
        try:
            files = await self._files()
            folder = _absolute(base)
            most = ENTRIES_MAX if max_count is None else max(0, max_count)
            found = await files.grep(pattern, folder, matches_max=ENTRIES_MAX if glob else most)
            fits = compile_grep_include_glob(glob) if glob else None
        except (ForgewrightError, InvalidGlobPatternError) as error:
            return GrepResult(error=_said(base, error))
        skip = len(folder) + 1 if folder else 0
        matches = [
            {"path": "/" + match.path, "line": match.line, "text": match.text}
            for match in found.matches
            if fits is None or fits(match.path[skip:] or paths.last(match.path))
        ]
        return GrepResult(matches=matches[:most], truncated=found.truncated or len(matches) > most)

    async def _upload(self, files: Sequence[tuple[str, bytes]]) -> list[Any]:
        there = await self._files()
        results = []
        for path, data in files:
            try:
                await there.write(_absolute(path), data)
                results.append(FileUploadResponse(path=path))
            except ForgewrightError as error:
                results.append(FileUploadResponse(path=path, error=_code(error)))
        return results

    async def _download(self, wanted: Sequence[str]) -> list[Any]:
        there = await self._files()
        results = []
        for path in wanted:
            try:
                data = await there.read(_absolute(path))
                results.append(FileDownloadResponse(path=path, content=data))
            except ForgewrightError as error:
                results.append(FileDownloadResponse(path=path, error=_code(error)))
        return results

    async def _execute(self, command: str, timeout: int | None) -> Any:
        seconds = SECONDS if timeout is None else timeout or SECONDS_MAX
        # Both streams in one, in the order in which they are written.
        argv = ("sh", "-c", f"exec 2>&1; {SHELL}", "sh", command)
        try:
            sandbox = await self._own.open()
            done = await sandbox.run(Command(argv, timeout_seconds=float(min(seconds, SECONDS_MAX))))
        except ForgewrightError as error:
            return ExecuteResponse(output=str(error), exit_code=None)
        output = (done.stdout + done.stderr).decode("utf-8", "replace")
        why = told(done)
        return ExecuteResponse(
            output=f"{output}\n[{why}]" if why else output,
            exit_code=124 if done.reason == "timeout" else done.code,
            truncated=done.stdout_bytes > len(done.stdout),
        )

    # ── as Deep Agents calls it ──────────────────────────────────────────────────────────────────────

    def ls(self, path: str) -> Any:
        return self._own.portal.call(self._ls(path))

    async def als(self, path: str) -> Any:
        return await self._own.portal.acall(self._ls(path))

    def read(self, file_path: str, offset: int = 0, limit: int = 2000) -> Any:
        return self._own.portal.call(self._read(file_path, offset, limit))

    async def aread(self, file_path: str, offset: int = 0, limit: int = 2000) -> Any:
        return await self._own.portal.acall(self._read(file_path, offset, limit))

    def write(self, file_path: str, content: str) -> Any:
        return self._own.portal.call(self._write(file_path, content))

    async def awrite(self, file_path: str, content: str) -> Any:
        return await self._own.portal.acall(self._write(file_path, content))

    def edit(self, file_path: str, old_string: str, new_string: str, replace_all: bool = False) -> Any:
        return self._own.portal.call(self._edit(file_path, old_string, new_string, replace_all))

    async def aedit(self, file_path: str, old_string: str, new_string: str, replace_all: bool = False) -> Any:
        return await self._own.portal.acall(self._edit(file_path, old_string, new_string, replace_all))

    def delete(self, file_path: str) -> Any:
        return self._own.portal.call(self._delete(file_path))

    async def adelete(self, file_path: str) -> Any:
        return await self._own.portal.acall(self._delete(file_path))

    def glob(self, pattern: str, path: str | None = None) -> Any:
        return self._own.portal.call(self._glob(pattern, path))

    async def aglob(self, pattern: str, path: str | None = None) -> Any:
        return await self._own.portal.acall(self._glob(pattern, path))

    def grep(
        self,
        pattern: str,
        path: str | None = None,
        glob: str | None = None,
        *,
        max_count: int | None = None,
    ) -> Any:
        return self._own.portal.call(self._grep(pattern, path, glob, max_count))

    async def agrep(
        self,
        pattern: str,
        path: str | None = None,
        glob: str | None = None,
        *,
        max_count: int | None = None,
    ) -> Any:
        return await self._own.portal.acall(self._grep(pattern, path, glob, max_count))

    def upload_files(self, files: list[tuple[str, bytes]]) -> list[Any]:
        return self._own.portal.call(self._upload(files))

    async def aupload_files(self, files: list[tuple[str, bytes]]) -> list[Any]:
        return await self._own.portal.acall(self._upload(files))

    def download_files(self, paths: list[str]) -> list[Any]:
        return self._own.portal.call(self._download(paths))

    async def adownload_files(self, paths: list[str]) -> list[Any]:
        return await self._own.portal.acall(self._download(paths))

    def execute(self, command: str, *, timeout: int | None = None) -> Any:
        return self._own.portal.call(self._execute(command, timeout))

    async def aexecute(self, command: str, *, timeout: int | None = None) -> Any:
        return await self._own.portal.acall(self._execute(command, timeout))


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise UnsafePath(f'expected an absolute path; found "{path:.200}"')
    return paths.clean(path)


async def _there(files: SandboxFiles, name: str) -> bool:
    try:
        await files.stat(name)
    except NotFound:
        return False
    return True


def _said(path: str, error: Exception) -> str:
    if isinstance(error, NotFound):
        return f"Error: File '{path}' not found"
    return f"Error: '{path}': {error}"


def _code(error: ForgewrightError) -> str:
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


def _info(path: str, entry: Entry) -> Any:
    info = FileInfo(path=path, is_dir=entry.kind == "folder")
    if entry.kind == "file":
        info["size"] = entry.size_bytes
    if entry.modified:
        info["modified_at"] = datetime.fromtimestamp(entry.modified, UTC).isoformat()
    return info


def _page(text: str, offset: int, limit: int) -> Any:
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


def _classic(pattern: str) -> Any:
    """A glob as it was before 0.7: of the path from the folder, `*` within one name."""
    compiled = wcglob.compile(pattern.lstrip("/"), flags=wcglob.BRACE | wcglob.GLOBSTAR)
    return lambda path: bool(compiled.match(path))
