"""Tools for files that are no code, and for agents without the language of code: list, read, write, edit, find, search."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from forgewright.agent.workspace.guarded_files import GuardedFiles
from forgewright.core.errors import UsageError
from forgewright.files.types import Files
from forgewright.runtime.context import Context
from forgewright.tools import FunctionTool, Tool

LINES_MAX = 2_000
"""Lines that one read gives unless it asks for others."""
LISTED_MAX = 1_000

Backend = Files | Callable[[Context], Files]
"""The files themselves, or how to come by them in a run (`RunFiles`)."""


def file_tools(backend: Backend, *, writing: bool = True, code: Collection[str] = ()) -> Sequence[Tool]:
    """The tools over a backend. Each path passes the gate as `read` or `edit`, with `write_file`, `edit_file` or `delete_file`
    in `context.operations`. `code`: suffixes that these tools do not change, because the agent has the language of
    code for them."""

    def files(context: Context, operation: str = "") -> Files:
        inner = backend(context) if callable(backend) else backend
        return GuardedFiles(inner, context, operation=operation)

    def no_code(path: str) -> None:
        suffix = path[path.rfind(".") :].lower() if "." in path else ""
        if suffix in code:
            raise UsageError(f"{path} is code, and nothing was done", hint="change code with code_edit")

    async def ls(context: Context, path: str = "/") -> str:
        """List what lies directly in a folder.

        Args:
            path: The folder
        """
        listed = await files(context).ls(path)
        lines = [f"{e.path}/" if e.kind == "folder" else f"{e.path}  {e.size_bytes}" for e in listed]
        return _shortened(lines) or "empty"

    async def read_file(path: str, context: Context, offset: int = 0, limit: int = LINES_MAX) -> str:
        """Read a text file, with line numbers.

        Args:
            path: The file
            offset: Lines to leave out at the start
            limit: Lines to show
        """
        data = await files(context).read(path)
        try:
            lines = data.decode().splitlines()
        except UnicodeDecodeError:
            raise UsageError(f"{path} is no text: it has {len(data):,} bytes that are no UTF-8") from None
        start = max(0, offset)
        shown = lines[start : start + max(1, limit)]
        if not shown:
            return "the file is empty" if not lines else f"the file has {len(lines)} lines only"
        numbered = [f"{number:>6}\t{line}" for number, line in enumerate(shown, start + 1)]
        left = len(lines) - start - len(shown)
        if left > 0:
            numbered.append(f"… {left} more lines: read with offset {start + len(shown)}")
        return "\n".join(numbered)

    async def write_file(path: str, text: str, context: Context) -> str:
        """Create a file, or replace it whole.

        Args:
            path: The file; folders on the way are made
            text: All of its new content
        """
        no_code(path)
        await files(context, "write_file").write(path, text.encode())
        return f"wrote {path}"

    async def edit_file(path: str, old: str, new: str, context: Context, every: bool = False) -> str:
        """Replace a text in a file by another.

        Args:
            path: The file
            old: The text exactly as it stands there, with its indentation; it has to be there once
            new: What stands in its place
            every: Replace it wherever it stands
        """
        no_code(path)
        count = await files(context, "edit_file").edit(path, old, new, every=every)
        return f"replaced {count} {'place' if count == 1 else 'places'} in {path}"

    async def delete_file(path: str, context: Context) -> str:
        """Delete a file, or a folder with all that is in it.

        Args:
            path: The file or folder
        """
        no_code(path)
        await files(context, "delete_file").delete(path)
        return f"deleted {path}"

    async def glob(pattern: str, context: Context, path: str = "/") -> str:
        """Find files by name: * and ? within a name, ** over folders; a pattern without / fits at any depth.

        Args:
            pattern: For example *.md or docs/**/*.txt
            path: The folder to look in
        """
        return _shortened(list(await files(context).glob(pattern, path))) or "no file fits"

    async def grep(
        pattern: str, context: Context, path: str = "/", glob: str | None = None, regex: bool = False
    ) -> str:
        """Find lines that contain a text.

        Args:
            pattern: The text
            path: The folder or file to look in
            glob: Only in files that fit, for example *.md
            regex: The pattern is a regular expression
        """
        found = await files(context).grep(pattern, path, glob=glob, regex=regex, matches_max=LISTED_MAX)
        lines = [f"{match.path}:{match.line}: {match.text}" for match in found.matches]
        if found.truncated:
            lines.append("… and more: look for something more exact, or in a folder further down")
        if found.skipped:
            lines.append(f"(not searched, binary or too large: {', '.join(found.skipped[:10])})")
        return "\n".join(lines) or "no line fits"

    one = ("files/{path}",)
    looking = [FunctionTool(f, recovery="pure", reads=one) for f in (ls, read_file, glob, grep)]
    changing = [
        FunctionTool(f, recovery="idempotent", writes=one) for f in (write_file, edit_file, delete_file)
    ]
    return [*looking, *changing] if writing else looking


def _shortened(lines: Sequence[str]) -> str:
    more = len(lines) - LISTED_MAX
    return "\n".join([*lines[:LISTED_MAX], *([f"… and {more} more"] if more > 0 else [])])
