"""TypeScript's own server (`tsc --lsp --stdio`, TypeScript 7 and later) as the second opinion on a rename."""

from __future__ import annotations

import shutil
from pathlib import Path

from forgewright.code.binding import DEFAULTS, RenameOptions, Renaming, Symbol
from forgewright.code.javascript.modules import ENDINGS
from forgewright.code.languages import language_of
from forgewright.code.project import Project, Splice
from forgewright.code.second_opinion.agreement import agreed
from forgewright.code.second_opinion.documents import position
from forgewright.code.second_opinion.server import LanguageServer, settled
from forgewright.core.errors import MissingProgram

INSTALL = "npm install --global typescript@7"
_LANGUAGES = {".tsx": "typescriptreact", ".jsx": "javascriptreact"}


def command() -> list[str]:
    """The compiler on PATH; never the project's own, which would run what stands in it. Raises `MissingProgram`."""
    found = shutil.which("tsc")
    if found is None:
        raise MissingProgram("tsc", needed_for="a second opinion on TypeScript", install=INSTALL)
    return [found, "--lsp", "--stdio"]


def confirmed(
    root: Path,
    project: Project,
    symbol: Symbol,
    new_name: str,
    own: Renaming,
    options: RenameOptions = DEFAULTS,
) -> Renaming:
    """A resolver's renaming with TypeScript's opinion weighed in. Errors as of `rename`."""
    narrow = options.aliases or options.shorthand
    theirs = rename(root, project, symbol, new_name, aliases=narrow)
    wider = rename(root, project, symbol, new_name, aliases=False) if narrow and not options.aliases else []
    return agreed(own, theirs, [*wider, *(splice for splice in own.splices if _own_ground(project, splice))])


def _own_ground(project: Project, splice: Splice) -> bool:
    """Where silence of the server says nothing: in plain JavaScript, where TypeScript 7 no longer follows members
    made by assignment, and in comments.
    """
    source = project.source(splice.path)
    if source.language == "javascript":
        return True
    node = source.tree.root_node.descendant_for_byte_range(splice.start, splice.end)
    return node is not None and node.type == "comment"


def rename(root: Path, project: Project, symbol: Symbol, new_name: str, *, aliases: bool) -> list[Splice]:
    """The splices with which TypeScript renames `symbol`; nothing is written.

    With `aliases`, shorthand and public names are kept by what is written around them; without, whatever
    has the same name because of this one is renamed with it.

    Every file that contains the name is opened as `project` has it, so that the server sees what was
    changed in memory. It is asked again until it answers the same twice. Raises `MissingProgram`,
    `ToolError`, `UnsafePath`.
    """
    preferences = {"useAliasesForRenames": aliases}
    settings = {"preferences": preferences, "typescript": {"preferences": preferences}}
    read: dict[str, bytes] = {}
    with LanguageServer(command(), root, install=INSTALL, settings=settings) as server:
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
        return settled(server, asked, read)


def _document(root: Path, path: str, data: bytes) -> dict[str, object]:
    suffix = path[path.rfind(".") :]
    language = _LANGUAGES.get(suffix, "javascript" if language_of(path) == "javascript" else "typescript")
    text = data.decode("utf-8", "replace")
    return {"uri": (root / path).as_uri(), "languageId": language, "version": 1, "text": text}
