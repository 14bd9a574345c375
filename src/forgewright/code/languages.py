"""Which language a file is in, and its grammar and resolver, loaded when first used."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from time import monotonic, process_time
from typing import TYPE_CHECKING

from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Language, Parser, Tree

    from forgewright.code.binding import Resolver
    from forgewright.code.project import Project

PARSE_SECONDS = 4.0

SUFFIXES: dict[str, str] = {
    ".py": "python",
    ".pyi": "python",
    ".pyw": "python",
    ".js": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".jsx": "javascript",
    ".ts": "typescript",
    ".mts": "typescript",
    ".cts": "typescript",
    ".tsx": "tsx",
    ".go": "go",
    ".rs": "rust",
    ".java": "java",
}

GRAMMARS: dict[str, tuple[str, str]] = {
    "python": ("tree_sitter_python", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "go": ("tree_sitter_go", "language"),
    "rust": ("tree_sitter_rust", "language"),
    "java": ("tree_sitter_java", "language"),
}

RESOLVERS: dict[str, str] = {
    "python": "forgewright.code.python",
    "javascript": "forgewright.code.javascript",
    "typescript": "forgewright.code.javascript",
    "tsx": "forgewright.code.javascript",
    "go": "forgewright.code.go",
    "rust": "forgewright.code.rust",
    "java": "forgewright.code.java",
}
"""Language → module with `make(project) -> Resolver`. Languages of one family share one resolver."""

FAMILIES: dict[str, tuple[str, ...]] = {
    "javascript": ("javascript", "typescript", "tsx"),
    "typescript": ("javascript", "typescript", "tsx"),
    "tsx": ("javascript", "typescript", "tsx"),
}
"""Languages whose files refer to each other; one that is not here stands alone."""


def language_of(path: str) -> str:
    """The language of a path by its suffix; `text` for all others."""
    dot = path.rfind(".")
    return SUFFIXES.get(path[dot:].lower(), "text") if dot >= 0 else "text"


@cache
def grammar(language: str) -> Language:
    """The tree-sitter grammar. Raises `EditRefused` for `text`."""
    from tree_sitter import Language

    if language not in GRAMMARS:
        raise EditRefused(
            f"expected a file in one of {', '.join(GRAMMARS)}; found {language}",
            hint="use replace-text for other files",
        )
    module, function = GRAMMARS[language]
    return Language(getattr(import_module(module), function)())


@cache
def parser(language: str) -> Parser:
    """One parser per language; it has no state between calls."""
    from tree_sitter import Parser

    return Parser(grammar(language))


class Unparsable(EditRefused):
    """Text on which the parser's search for an error's end goes on and on."""


def parse(language: str, data: bytes, old: Tree | None = None) -> Tree:
    """The syntax tree of `data`; errors are nodes of the tree.

    `old`: the tree of an earlier text, edited to this one's places; only what has changed is parsed then.

    Raises `Unparsable` after `PARSE_SECONDS` of CPU time: there are texts of a few hundred bytes on
    which tree-sitter's error recovery does not end.
    """
    view = memoryview(data)
    soon, end = (
        monotonic() + PARSE_SECONDS,
        process_time() + PARSE_SECONDS,
    )  # the first is much cheaper to ask

    def late(offset: int, error: bool) -> bool:
        return monotonic() > soon and process_time() > end

    found = parser(language)
    try:
        if old is None:
            bounded = found.parse(lambda at, point: view[at:], progress_callback=late)
        else:
            bounded = found.parse(lambda at, point: view[at:], old, progress_callback=late)
    except ValueError:  # what py-tree-sitter raises for a parse that was called off
        found.reset()
        raise Unparsable(
            f"{language} code of {len(data)} bytes is not parsed after {PARSE_SECONDS:.0f} s",
            hint="correct its syntax by (replace-text …), or leave the file out",
        ) from None
    # Only a parse from a callback can be called off, and only one from bytes has texts of nodes: the
    # second takes the first one's tree over, and costs next to nothing.
    return found.parse(data, bounded)


def make_resolver(language: str, project: Project) -> Resolver:
    """The resolver of a language's family over `project`. Raises `EditRefused` where there is none."""
    if language not in RESOLVERS:
        raise EditRefused(
            f"names cannot be resolved in {language} files",
            hint=f"names are resolved in {', '.join(RESOLVERS)}",
        )
    resolver: Resolver = import_module(RESOLVERS[language]).make(project)
    return resolver
