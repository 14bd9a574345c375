"""ty's server (`ty server`) as the second opinion on a Python rename."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from forgewright.code.binding import DEFAULTS, RenameOptions, Renaming, Symbol
from forgewright.code.project import Project, Splice
from forgewright.code.second_opinion.agreement import agreed
from forgewright.code.second_opinion.documents import position
from forgewright.code.second_opinion.server import LanguageServer, settled
from forgewright.core.errors import MissingProgram

INSTALL = "pip install 'forgewright[servers]'"


def command() -> list[str]:
    """ty beside this Python, else the one on PATH. Raises `MissingProgram`."""
    own = Path(sys.prefix, "bin", "ty")
    found = str(own) if own.exists() else shutil.which("ty")
    if found is None:
        raise MissingProgram("ty", needed_for="a second opinion on Python", install=INSTALL)
    return [found, "server"]


def confirmed(
    root: Path,
    project: Project,
    symbol: Symbol,
    new_name: str,
    own: Renaming,
    options: RenameOptions = DEFAULTS,
) -> Renaming:
    """The resolver's renaming with ty's opinion on the uncertain places. Errors as of `rename`.

    What the resolver is sure of stays: strings, keyword arguments and overrides are its ground. What only ty
    names is listed as uncertain.
    """
    if symbol.kind == "module":
        return own
    return agreed(own, rename(root, project, symbol, new_name), own.splices)


def rename(root: Path, project: Project, symbol: Symbol, new_name: str) -> list[Splice]:
    """The splices with which ty renames `symbol`; nothing is written.

    Every file that contains the name is opened as `project` has it, so that the server sees what was changed
    in memory. Raises `MissingProgram`, `ToolError`, `UnsafePath`. A symbol that ty will not rename gives none.
    """
    read: dict[str, bytes] = {}
    with LanguageServer(command(), root, install=INSTALL) as server:
        for path in dict.fromkeys([symbol.path, *project.containing(symbol.name.encode(), "python")]):
            read[path] = project.source(path).data
            text = read[path].decode("utf-8", "replace")
            document = {"uri": (root / path).as_uri(), "languageId": "python", "version": 1, "text": text}
            server.tell("textDocument/didOpen", {"textDocument": document})
        asked = {
            "textDocument": {"uri": (root / symbol.path).as_uri()},
            "position": position(read[symbol.path], symbol.start),
        }
        if server.ask("textDocument/prepareRename", asked) is None:
            return []
        return settled(server, {**asked, "newName": new_name}, read)
