"""`AGENTS.md`: what a project tells agents. The file nearest to what is worked on wins (agents.md).

The one at the root is told at the beginning; one further down when the agent first touches something below its
folder, so that a large repository's instructions do not fill the context.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from forgewright.agent.middleware.base import Middleware
from forgewright.agent.skills.heard import MARK, heard
from forgewright.core.errors import ForgewrightError
from forgewright.files.directory import DirectoryFiles
from forgewright.files.paths import inside
from forgewright.models.types import Message, Request, Response, ToolCall, ToolResult

if TYPE_CHECKING:
    from forgewright.runtime.context import Context

NAME = "AGENTS.md"
CHARS_MAX = 16_000
"""Of one file; what is beyond is left out, and said so."""
FILES_MAX = 200
_BELOW = "holds for what is below {folder}/, and wins there over what was said before"


class ProjectInstructions(Middleware):
    """Tells an agent what the `AGENTS.md` files of a work tree say. `root`: the tree, else the run's own; `base`: the
    folder in it that is worked on, from which the agent's paths begin.

    Read through the context, so that a resumed run is told what it was told. What stands in them is the project's
    word and not the user's, and is told as such, after the agent's instructions. Links are not followed. Where
    `Provenance` traces values, list this after it.
    """

    def __init__(self, root: Path | str | None = None, base: str = "") -> None:
        self._root = None if root is None else Path(root)
        self._base = base
        self._nested: dict[str, None] = {}
        """Folders with instructions that were not told yet, deepest last."""
        self._told = ""
        self._heard = False
        self._due: dict[str, list[str]] = {}
        """Call → folders whose instructions its result brings along."""

    def fresh(self) -> ProjectInstructions:
        return ProjectInstructions(self._root, self._base)

    async def before_agent(self, messages: tuple[Message, ...], context: Context) -> tuple[Message, ...]:
        root = self._folder(context)
        if root is None:
            return messages
        found = await context.read("where AGENTS.md files are", lambda: _places(root), tuple[str, ...])
        above = [place for place in found if inside(self._base, place.rpartition("/")[0])]
        start = f"{self._base}/" if self._base else ""
        below = [
            place.rpartition("/")[0] for place in found if place not in above and place.startswith(start)
        ]
        self._nested = {folder.removeprefix(start): None for folder in below}
        for place in above:
            text = await self._read(place, root, context)
            if text:
                self._told += f"\n\nThe project's {place} says ({MARK}):\n{text}"
        return messages

    async def before_model(self, request: Request, context: Context) -> Request:
        # Beside the instructions and not as a message: it is nobody's word in this conversation, and it never moves.
        if not self._told:
            return request
        self._heard = self._heard or heard(NAME, self._told, context, asked_now=True)
        return msgspec.structs.replace(request, system=request.system + self._told)

    async def after_model(self, request: Request, response: Response, context: Context) -> Response:
        # Decided here, in the order of the calls: their results may come in any order.
        self._due.clear()
        for call in response.message.calls:
            touched = [folder for folder in self._nested if f"{folder}/" in call.arguments]
            for folder in touched:
                del self._nested[folder]
            if touched:
                self._due[call.id] = touched
        return response

    async def after_tool(self, tool_call: ToolCall, result: ToolResult, context: Context) -> ToolResult:
        root = self._folder(context)
        parts = [result.text]
        for folder in self._due.get(tool_call.id, ()):
            text = "" if root is None else await self._read(self._path(folder), root, context)
            if text:
                heard(NAME, text, context)
                parts.append(f"[{folder}/{NAME} {_BELOW.format(folder=folder)}:]\n{text}")
        return result if len(parts) == 1 else msgspec.structs.replace(result, text="\n\n".join(parts))

    def _path(self, folder: str) -> str:
        return "/".join(filter(None, (self._base, folder, NAME)))

    def _folder(self, context: Context) -> Path | None:
        if self._root is not None:
            return self._root
        code = context.execution.code
        return None if code is None else code.root

    async def _read(self, path: str, root: Path, context: Context) -> str:
        return await context.read(path, lambda: _text(root, path), str)


async def _places(root: Path) -> tuple[str, ...]:
    """Paths of the files, shallow ones first."""
    files = DirectoryFiles(root)
    try:
        found = await files.glob(f"**/{NAME}")
    except ForgewrightError:  # more files than are looked through: the root's own is still told
        found = [NAME]
    finally:
        files.close()
    return tuple(sorted(found, key=lambda path: (path.count("/"), path))[:FILES_MAX])


async def _text(root: Path, path: str) -> str:
    """What it says, as far as it may; empty where it can't be read."""
    files = DirectoryFiles(root)
    try:
        text = (await files.read(path)).decode("utf-8", "replace").strip()
    except ForgewrightError:
        return ""
    finally:
        files.close()
    if len(text) <= CHARS_MAX:
        return text
    return f"{text[:CHARS_MAX]}\n[… {len(text) - CHARS_MAX:,} characters left out; the file is {path} …]"
