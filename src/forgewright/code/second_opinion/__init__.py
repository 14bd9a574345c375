"""A second opinion where types decide: a language server is asked for the same rename, and never writes."""

from __future__ import annotations

from pathlib import Path

from forgewright.code.binding import RenameOptions, Renaming, Symbol
from forgewright.code.project import Project

SERVERS = {
    "python": "forgewright.code.second_opinion.python",
    "javascript": "forgewright.code.second_opinion.typescript",
    "typescript": "forgewright.code.second_opinion.typescript",
    "tsx": "forgewright.code.second_opinion.typescript",
    "go": "forgewright.code.second_opinion.go",
}
"""Language → the module that asks its server. Others have none: the resolver's answer stands."""


def weighed(
    root: Path,
    project: Project,
    language: str,
    symbol: Symbol,
    new_name: str,
    own: Renaming,
    options: RenameOptions,
) -> Renaming:
    """The resolver's renaming with the language server's opinion weighed in.

    Raises `MissingProgram` where the server is not installed, `ToolError` where it does not answer.
    """
    from importlib import import_module

    if language not in SERVERS:
        return own
    found: Renaming = import_module(SERVERS[language]).confirmed(
        root, project, symbol, new_name, own, options
    )
    return found
