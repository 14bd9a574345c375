"""gopls (`gopls serve`) as the second opinion on a Go rename."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from forgewright.code.binding import DEFAULTS, RenameOptions, Renaming, Symbol
from forgewright.code.project import Project, Splice
from forgewright.code.second_opinion.agreement import agreed
from forgewright.code.second_opinion.documents import position
from forgewright.code.second_opinion.server import LanguageServer, settled
from forgewright.core.errors import MissingProgram, ToolError

INSTALL = "apt-get install gopls golang-go"
ENVIRONMENT = {
    "GOFLAGS": "-mod=readonly",
    "GOPROXY": "off",
    "GOSUMDB": "off",
    "GOTOOLCHAIN": "local",
    "CGO_ENABLED": "0",
}
"""For the `go` command that gopls runs: it changes no `go.mod`, fetches nothing, and runs no C compiler for the project."""
LATE_BOUND = frozenset({"method", "property", "field", "embedded"})
"""Kinds whose uses types decide; of all others the resolver is sure."""


def command() -> list[str]:
    """gopls on PATH, with the `go` that it runs. Raises `MissingProgram`."""
    for program in ("gopls", "go"):
        if shutil.which(program) is None:
            raise MissingProgram(program, needed_for="a second opinion on Go", install=INSTALL)
    return [shutil.which("gopls") or "gopls", "serve"]


def confirmed(
    root: Path,
    project: Project,
    symbol: Symbol,
    new_name: str,
    own: Renaming,
    options: RenameOptions = DEFAULTS,
) -> Renaming:
    """The resolver's renaming with gopls's opinion on the uncertain places. Errors as of `rename`.

    What the resolver is sure of stays: comments and implementations of interfaces are its ground. What only
    gopls names is listed as uncertain.
    """
    if symbol.kind not in LATE_BOUND:
        return own
    return weighed(project, own, rename(root, project, symbol, new_name))


def weighed(project: Project, own: Renaming, theirs: Sequence[Splice]) -> Renaming:
    """Both answers. gopls's silence counts only where it names all that is certain: one that is older than the
    code's language does not see all of it.
    """
    made = agreed(own, theirs, own.splices)
    named = {(s.path, s.start) for s in theirs}
    if all((s.path, s.start) in named or _in_comment(project, s) for s in own.splices):
        return made
    doubts = [place for place in own.uncertain if (place.path, place.start) not in named]
    return msgspec.structs.replace(made, uncertain=tuple(sorted([*made.uncertain, *doubts])))


def _in_comment(project: Project, splice: Splice) -> bool:
    root = project.source(splice.path).tree.root_node
    node = root.descendant_for_byte_range(splice.start, splice.end)
    return node is not None and node.type == "comment"


def rename(root: Path, project: Project, symbol: Symbol, new_name: str) -> list[Splice]:
    """The splices with which gopls renames `symbol`; nothing is written.

    Every file that contains the name is opened as `project` has it, so that the server sees what was changed
    in memory. Raises `MissingProgram`, `ToolError` (also where gopls refuses), `UnsafePath`.
    """
    read: dict[str, bytes] = {}
    with LanguageServer(command(), root, install=INSTALL, environment=ENVIRONMENT) as server:
        for path in dict.fromkeys([symbol.path, *project.containing(symbol.name.encode(), "go")]):
            read[path] = project.source(path).data
            text = read[path].decode("utf-8", "replace")
            document = {"uri": (root / path).as_uri(), "languageId": "go", "version": 1, "text": text}
            server.tell("textDocument/didOpen", {"textDocument": document})
        found = settled(
            server,
            {
                "textDocument": {"uri": (root / symbol.path).as_uri()},
                "position": position(read[symbol.path], symbol.start),
                "newName": new_name,
            },
            read,
        )
    if not any((s.path, s.start) == (symbol.path, symbol.start) for s in found):
        raise ToolError(
            f"expected gopls to rename {symbol.name} where it is defined, found {len(found)} other places",
            hint="see that `go build ./...` works in this folder, or go on without a second opinion",
        )
    return found
