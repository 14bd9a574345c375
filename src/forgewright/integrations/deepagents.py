"""A Forgewright sandbox as a backend of Deep Agents: its files, and commands with `execute`.

    backend = ForgewrightBackend(SandboxSpec(tier=Tier.GVISOR))
    agent = create_deep_agent(model=…, backend=backend)

Needs the extra `deepagents`. Contract: `deepagents.backends.protocol` 0.7.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from forgewright.agent.workspace.guard import Ability
from forgewright.agent.workspace.sandbox_files import SandboxFiles
from forgewright.agent.workspace.work import TREE, Taken
from forgewright.core.errors import Conflict, ForgewrightError, MissingExtra
from forgewright.files import paths
from forgewright.files.types import ENTRIES_MAX
from forgewright.integrations.sandboxed import SHELL, Sandboxed, told
from forgewright.integrations.tree import Approve
from forgewright.policy.types import Gate
from forgewright.sandbox.types import Command, SandboxSpec

try:
    from deepagents.backends.protocol import (
        DeleteResult,
        EditResult,
        ExecuteResponse,
        FileData,
        FileDownloadResponse,
        FileUploadResponse,
        GlobResult,
        GrepResult,
        LsResult,
        ReadResult,
        SandboxBackendProtocol,
        WriteResult,
    )
    from deepagents.backends.utils import InvalidGlobPatternError, compile_grep_include_glob

    from forgewright.integrations.deepagents_results import absolute, classic, code, info, page, said, there
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


class ForgewrightBackend(SandboxBackendProtocol):
    """A `SandboxBackendProtocol` over one sandbox, which is created at the first use and ends with `close`.

    Errors are returned and not raised. `contract="0.6"` is for callers written for Deep Agents before 0.7, and for the
    suite of `langchain-tests` 1.1.9: a write refuses a file that is there, and a glob gives paths relative to
    its folder, folders among them, with `*` for direct children only.

    `root`: a folder of this machine, seen as a copy at /work. The rules of `gate` (by default those that come along) for
    reading and editing hold there, for the file operations as for `execute`: what `principal` may not read is hidden, what
    it may not change is protected, and the folder itself changes only by `take_over`.
    """

    def __init__(
        self,
        spec: SandboxSpec | None = None,
        *,
        driver: str | None = None,
        contract: Literal["0.7", "0.6"] = "0.7",
        root: Path | str | None = None,
        gate: Gate | None = None,
        principal: str = "deepagent",
    ) -> None:
        self._own = Sandboxed(spec, driver=driver, root=root, gate=gate, principal=principal)
        self._old = contract == "0.6"

    @property
    def id(self) -> str:
        return self._own.portal.call(self._own.open()).id

    def take_over(self, approve: Approve | None = None) -> Taken:
        """Writes what changed in the copy of `root` into it, as far as the policy goes; `approve` is asked of paths whose
        change needs a yes. What was refused is in the result, with the reason."""
        return self._own.portal.call(self._own.take_over(approve))

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

    @property
    def _base(self) -> str:
        """Where commands start, and searches that name no folder."""
        return self._own.spec.workdir if self._own.tree is None else TREE

    def _check(self, action: Ability, name: str) -> str:
        """The path, if the policy lets it be."""
        if self._own.tree is not None:
            self._own.tree.check(action, "/" + name)
        return name

    def _shows(self, name: str) -> bool:
        return self._own.tree is None or self._own.tree.shows("/" + name)

    async def _ls(self, path: str) -> Any:
        try:
            listed = await (await self._files()).ls(absolute(path))
        except ForgewrightError as error:
            return LsResult(error=said(path, error))
        seen = [entry for entry in listed if entry.kind == "folder" or self._shows(entry.path)]
        return LsResult(entries=[info("/" + entry.path, entry) for entry in seen])

    async def _read(self, path: str, offset: int, limit: int) -> Any:
        try:
            name = self._check("read", absolute(path))
            data = await (await self._files()).read(name)
        except ForgewrightError as error:
            return ReadResult(error=said(path, error))
        try:
            text = None if b"\0" in data else data.decode()
        except UnicodeDecodeError:
            text = None
        if text is not None:
            return page(text, max(int(offset), 0), max(int(limit), 0))
        if len(data) > BINARY_BYTES_MAX:
            return ReadResult(
                error=f"File '{path}': Binary file exceeds maximum preview size of {BINARY_BYTES_MAX} bytes"
            )
        return ReadResult(file_data=FileData(content=b64encode(data).decode(), encoding="base64"))

    async def _write(self, path: str, content: str) -> Any:
        try:
            files = await self._files()
            name = self._check("edit", absolute(path))
            if self._old and await there(files, name):
                return WriteResult(
                    error=f"Cannot write to {path} because it already exists. Read it and then make an edit, "
                    "or write to a new path."
                )
            await files.write(name, content.encode())
        except ForgewrightError as error:
            return WriteResult(error=said(path, error))
        return WriteResult(path=path)

    async def _edit(self, path: str, old: str, new: str, every: bool) -> Any:
        try:
            files = await self._files()
            name = self._check("edit", self._check("read", absolute(path)))
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
            return EditResult(error=said(path, error))
        except ForgewrightError as error:
            return EditResult(error=said(path, error))

    async def _delete(self, path: str) -> Any:
        try:
            await (await self._files()).delete(self._check("edit", absolute(path)))
        except ForgewrightError as error:
            return DeleteResult(error=said(path, error))
        return DeleteResult(path=path)

    async def _glob(self, pattern: str, path: str | None) -> Any:
        base = path or self._base
        try:
            folder = absolute(base)
            skip = len(folder) + 1 if folder else 0
            fits = classic(pattern) if self._old else compile_grep_include_glob(pattern)
            walked = await (await self._files()).walk(folder)
        except (ForgewrightError, InvalidGlobPatternError) as error:
            return GlobResult(error=said(base, error))
        found = [e for e in walked if (self._old or e.kind == "file") and fits(e.path[skip:])]
        found = [e for e in found if e.kind == "folder" or self._shows(e.path)]
        return GlobResult(matches=[info(e.path[skip:] if self._old else "/" + e.path, e) for e in found])

    async def _grep(self, pattern: str, path: str | None, glob: str | None, max_count: int | None) -> Any:
        base = path or self._base
        try:
            files = await self._files()
            folder = absolute(base)
            most = ENTRIES_MAX if max_count is None else max(0, max_count)
            found = await files.grep(pattern, folder, matches_max=ENTRIES_MAX if glob else most)
            fits = compile_grep_include_glob(glob) if glob else None
        except (ForgewrightError, InvalidGlobPatternError) as error:
            return GrepResult(error=said(base, error))
        skip = len(folder) + 1 if folder else 0
        matches = [
            {"path": "/" + match.path, "line": match.line, "text": match.text}
            for match in found.matches
            if (fits is None or fits(match.path[skip:] or paths.last(match.path))) and self._shows(match.path)
        ]
        return GrepResult(matches=matches[:most], truncated=found.truncated or len(matches) > most)

    async def _upload(self, files: Sequence[tuple[str, bytes]]) -> list[Any]:
        backend = await self._files()
        results = []
        for path, data in files:
            try:
                await backend.write(self._check("edit", absolute(path)), data)
                results.append(FileUploadResponse(path=path))
            except ForgewrightError as error:
                results.append(FileUploadResponse(path=path, error=code(error)))
        return results

    async def _download(self, wanted: Sequence[str]) -> list[Any]:
        backend = await self._files()
        results = []
        for path in wanted:
            try:
                data = await backend.read(self._check("read", absolute(path)))
                results.append(FileDownloadResponse(path=path, content=data))
            except ForgewrightError as error:
                results.append(FileDownloadResponse(path=path, error=code(error)))
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
