"""Module specifiers that mean a file, and what they become when it moves."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from forgewright.code.binding import Occurrence
from forgewright.code.javascript.modules import ENDINGS, Modules
from forgewright.code.project import Splice
from forgewright.code.sources import Overlay

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.project import Project, Source

LANGUAGES = ("javascript", "typescript", "tsx")
CALLS = frozenset(
    (
        "require",
        "require.resolve",
        "import",
        *(
            f"{library}.{name}"
            for library in ("jest", "vi")
            for name in ("mock", "unmock", "doMock", "dontMock")
        ),
        *("jest.requireActual", "jest.requireMock", "vi.importActual", "vi.importMock"),
    )
)
"""Calls whose first argument names a module."""
_DOCUMENTED = re.compile(rb"""(?:\bimport\(\s*|@import\b[^'"@;()]*?\bfrom\s*)(['"])([^'"\n]+)\1""")
"""In a comment: `{import('./a').A}`, `@import {A} from './a'`."""
TYPED = {".js": (".ts", ".tsx"), ".jsx": (".tsx",), ".mjs": (".mts",), ".cjs": (".cts",)}


class Specifier(NamedTuple):
    """What names a module: its place between the quotes, and what it says."""

    start: int
    end: int
    text: str


def specifiers(source: Source) -> Iterator[tuple[Node, str]]:
    """The string nodes of a file that name a module, and what they say."""
    for node in _strings_and_comments(source):
        if node.type == "string" and _names_module(node):
            yield node, source.data[node.start_byte + 1 : node.end_byte - 1].decode("utf-8", "replace")


def _named(source: Source) -> Iterator[Specifier]:
    """The same, with those of types in JSDoc comments."""
    for node in _strings_and_comments(source):
        if node.type == "string" and _names_module(node):
            yield _specifier(source.data, node.start_byte + 1, node.end_byte - 1)
        elif node.type == "comment" and source.data.startswith(b"/**", node.start_byte):
            for found in _DOCUMENTED.finditer(source.data, node.start_byte, node.end_byte):
                yield _specifier(source.data, *found.span(2))


def _strings_and_comments(source: Source) -> Iterator[Node]:
    stack: list[Node] = [source.tree.root_node]
    while stack:
        node = stack.pop()
        if node.type in ("string", "comment"):
            yield node
        else:
            stack.extend(reversed(node.named_children))


def _specifier(data: bytes, start: int, end: int) -> Specifier:
    return Specifier(start, end, data[start:end].decode("utf-8", "replace"))


def _names_module(node: Node) -> bool:
    parent = node.parent
    if parent is None:
        return False
    if parent.type in ("import_statement", "export_statement", "import_require_clause"):
        return parent.child_by_field_name("source") == node
    if parent.type == "arguments" and parent.named_children[0] == node and parent.parent is not None:
        function = parent.parent.child_by_field_name("function")
        return function is not None and (function.text or b"").decode() in CALLS
    return (
        parent.type == "literal_type"
        and parent.parent is not None
        and parent.parent.type == "call_expression"
    )


def importing(project: Project, path: str) -> list[Occurrence]:
    """The specifiers in other files that mean the file at `path`."""
    modules = Modules(project)
    return [
        Occurrence(other, one.start - 1, one.end + 1, "import")
        for other in candidates(project, path)
        if other != path
        for one in _named(project.source(other))
        if modules.resolve(other, one.text) == path
    ]


def candidates(project: Project, path: str) -> list[str]:
    """The files that could name `path`."""
    stem = posixpath.basename(path).partition(".")[0]
    if stem == "index":
        return sorted({other for language in LANGUAGES for other in project.paths(language=language)})
    return sorted({other for lang in LANGUAGES for other in project.containing(stem.encode(), lang)})


def follow(project: Project, path: str, to: str) -> list[Splice]:
    """The splices (in terms of the old paths) with which all specifiers mean what they meant, once `path` is `to`."""
    before = Modules(project)
    moved = Overlay(project)
    moved.put(to, project.source(path).data)
    moved.put(path, None)
    after = Modules(moved)
    found: list[Splice] = []
    for one in _named(project.source(path)):
        text = one.text
        meant = before.resolve(path, text)
        if meant is None and not text.startswith("."):
            continue
        target = to if meant == path else meant
        if target is not None and after.resolve(to, text) != target:
            found.append(_splice(path, one, written(after, to, text, path, target, target)))
        elif target is None:  # a style sheet, an image: its place counts, not what it is
            file = posixpath.normpath(posixpath.join(posixpath.dirname(path), text))
            if project.exists(file):
                found.append(_splice(path, one, relative(to, file)))
    for other in candidates(project, path):
        if other == path:
            continue
        for one in _named(project.source(other)):
            if before.resolve(other, one.text) == path and after.resolve(other, one.text) != to:
                found.append(_splice(other, one, written(after, other, one.text, path, to, path)))
    return found


def _splice(path: str, one: Specifier, text: str) -> Splice:
    return Splice(path, one.start, one.end, text.encode())


def written(modules: Modules, path: str, text: str, old: str, target: str, was: str) -> str:
    """How a file at `path` names `target`, in the manner of `text`, which named `was`."""
    if not text.startswith((".", "/")):
        alias = _alias(text, was, target)
        if alias and modules.resolve(path, alias) == target:
            return alias
    suffix = posixpath.splitext(text)[1] if text.endswith(ENDINGS) else ""
    stem = target
    for ending in sorted(ENDINGS, key=len, reverse=True):
        if target.endswith(ending):
            stem, own = target[: -len(ending)], ending
            break
    else:
        return relative(path, target)
    if suffix:
        keep = suffix if own in TYPED.get(suffix, ()) else own
        return relative(path, stem + keep)
    short = relative(path, stem)
    if posixpath.basename(stem) == "index" and posixpath.basename(text) != "index":
        folder = relative(path, posixpath.dirname(stem) or ".")
        if modules.resolve(path, folder) == target:
            return folder
    return short if modules.resolve(path, short) == target else relative(path, target)


def _alias(text: str, was: str, target: str) -> str:
    """`@/util/a` for `src/util/a.ts` says that `@` is `src`; the same for where it goes."""
    for stem in _stems(was):
        for index in range(len(text)):
            tail = text[index:]
            if (index == 0 or text[index - 1] == "/") and (stem == tail or stem.endswith("/" + tail)):
                base = stem[: len(stem) - len(tail)]
                goal = _stems(target)[-1 if stem == _stems(was)[-1] else 0]
                if goal.startswith(base):
                    return text[:index] + goal[len(base) :]
    return ""


def _stems(path: str) -> list[str]:
    """A file's path without its ending; of an index file also its folder."""
    stem = path[: len(path) - len(posixpath.basename(path))] + posixpath.basename(path).partition(".")[0]
    return [stem, posixpath.dirname(stem)] if posixpath.basename(stem) == "index" else [stem]


def relative(path: str, target: str) -> str:
    """`target` as seen from the folder of `path`, with its `./`."""
    found = posixpath.relpath(target, posixpath.dirname(path) or ".")
    return found if found.startswith(".") else "./" + found
