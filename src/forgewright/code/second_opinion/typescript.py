"""TypeScript's own server (`tsc --lsp --stdio`, TypeScript 7 and later) as the second opinion on a rename."""

from __future__ import annotations

import shutil
from pathlib import Path

from forgewright.code.binding import DEFAULTS, RenameOptions, Symbol
from forgewright.code.javascript.modules import ENDINGS
from forgewright.code.languages import language_of
from forgewright.code.project import Project, Splice
from forgewright.code.second_opinion.documents import edits, position
from forgewright.code.second_opinion.server import LanguageServer
from forgewright.core.errors import MissingProgram

INSTALL = "npm install --save-dev typescript@7"
ANSWERS_MAX = 5
"""Times that a rename is asked for until two answers in a row are the same."""
_LANGUAGES = {".tsx": "typescriptreact", ".jsx": "javascriptreact"}


def command(root: Path) -> list[str]:
    """The project's own compiler, else the one on PATH. Raises `MissingProgram`."""
    own = root / "node_modules/.bin/tsc"
    found = str(own) if own.exists() else shutil.which("tsc")
    if found is None:
        raise MissingProgram("tsc", needed_for="a second opinion on TypeScript", install=INSTALL)
    return [found, "--lsp", "--stdio"]


def rename(
    root: Path, project: Project, symbol: Symbol, new_name: str, options: RenameOptions = DEFAULTS
) -> list[Splice]:
    """The splices with which TypeScript renames `symbol`; nothing is written.

    Every file that contains the name is opened as `project` has it, so that the server sees what was
    changed in memory. It is asked again until it answers the same twice. Raises `MissingProgram`,
    `ToolError`, `UnsafePath`.
    """
    preferences = {"useAliasesForRenames": options.aliases or options.shorthand}
    settings = {"preferences": preferences, "typescript": {"preferences": preferences}}
    read: dict[str, bytes] = {}
    with LanguageServer(command(root), root, install=INSTALL, settings=settings) as server:
        for path in dict.fromkeys([symbol.path, *project.containing(symbol.name.encode())]):
            if not path.endswith(ENDINGS):
                continue
            read[path] = project.source(path).data
            server.tell("textDocument/didOpen", {"textDocument": _document(root, path, read[path])})
        asked = {
            "textDocument": {"uri": (root / symbol.path).as_uri()},
            "position": position(read[symbol.path], symbol.start),
            "newName": new_name,
        }
        last: list[Splice] | None = None
        for _ in range(ANSWERS_MAX):
            found = edits(server.ask("textDocument/rename", asked), root, read)
            if found == last:
                break
            last = found
    return last or []


def _document(root: Path, path: str, data: bytes) -> dict[str, object]:
    suffix = path[path.rfind(".") :]
    language = _LANGUAGES.get(suffix, "javascript" if language_of(path) == "javascript" else "typescript")
    text = data.decode("utf-8", "replace")
    return {"uri": (root / path).as_uri(), "languageId": language, "version": 1, "text": text}
