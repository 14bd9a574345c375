"""Names in Go's doc comments: words of a declaration's own comment, links such as `[pkg.Type.Method]`.

Go documentation, "Go Doc Comments": doc links.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from forgewright.code.go.meaning import Meanings
from forgewright.code.go.things import File, Thing
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds, places

_LINK = re.compile(rb"\[\*?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*){0,2})\](?!\()")
_DOCUMENTED = kinds(
    "function_declaration method_declaration type_declaration var_declaration const_declaration"
)
_SPECS = kinds("type_spec type_alias var_spec const_spec field_declaration method_elem")


def doc_of(thing: Thing) -> list[Node]:
    """The comments that document a thing."""
    node = thing.node
    if node.type == "short_var_declaration":
        return _above(node)
    if node.type in _SPECS:
        found = _above(node)
        if found or node.up.type not in (
            "type_declaration",
            "var_declaration",
            "const_declaration",
            "var_spec_list",
        ):
            return found
        return _above(node.up if node.up.type != "var_spec_list" else node.up.up)
    return _above(node) if node.type in _DOCUMENTED else []


def _above(node: Node) -> list[Node]:
    """The block of comments that ends in the line before a node."""
    siblings = node.up.children
    found: list[Node] = []
    below = node
    for sibling in reversed(siblings[: siblings.index(node)]):
        if sibling.type != "comment":
            if not sibling.named:
                continue
            break
        between = node.data[sibling.end : below.start]
        if between.count(b"\n") != 1 or between.strip(b" \t\r\n;") or _trailing(sibling):
            return found[::-1]
        found.append(sibling)
        below = sibling
    if (
        node.up.type == "statement_list"
        and not found
        and all(s.type == "comment" for s in siblings[: siblings.index(node)])
    ):
        return _above(node.up)
    return found[::-1]


def _trailing(comment: Node) -> bool:
    """Whether code stands before a comment in its line."""
    start = comment.data.rfind(b"\n", 0, comment.start) + 1
    return bool(comment.data[start : comment.start].strip())


def words(thing: Thing, name: str) -> Iterator[tuple[str, int]]:
    """Where a thing's own documentation says its name."""
    for comment in doc_of(thing):
        text = comment.data[comment.start : comment.end]
        if text.startswith(b"//go:"):
            continue
        for offset in places(text, name, dollar=False):
            if text[offset - 1 : offset] == b".":
                continue  # a member of something else, as in [T.Read]
            yield comment.path, comment.start + offset


def links(meanings: Meanings, file: File, thing: Thing) -> Iterator[int]:
    """Where doc links in a file name the thing."""
    for match in _LINK.finditer(file.root.data):
        parts = match.group(1).decode().split(".")
        if thing.name not in parts:
            continue
        node = file.root.at(match.start())
        if node.type != "comment":
            continue
        offset = match.start(1)
        for index, part in enumerate(parts):
            if part == thing.name and _linked(meanings, node, parts[: index + 1]) is thing:
                yield offset
            offset += len(part) + 1


def _linked(meanings: Meanings, comment: Node, parts: list[str]) -> Thing | None:
    """What a dotted link means: the names of a package, a type and a member, the first two optional."""
    found = meanings.types.lookup(comment, parts[0])
    rest = parts[1:]
    if found is not None and found.kind == "import" and rest:
        path = found.node.get("path")
        package = meanings.packages.imported(path) if path is not None else None
        found = package.find(rest[0]) if package is not None else None
        rest = rest[1:]
    if found is not None and rest:
        member = meanings.types.member(meanings.types.thing_type(found), rest[0])
        found = member[0] if member is not None else None
    return found


def thing_at(meanings: Meanings, file: File, offset: int) -> tuple[Thing, int] | None:
    """The thing that a doc comment, or a link in one, names at `offset`; and where the name begins."""
    for thing in file.decl.values():
        for _, start in words(thing, thing.name):
            if start <= offset <= start + len(thing.name.encode()):
                return thing, start
    for match in _LINK.finditer(file.root.data):
        if match.start() <= offset < match.end():
            parts = match.group(1).decode().split(".")
            start = match.start(1)
            for index, part in enumerate(parts):
                if start <= offset <= start + len(part):
                    found = _linked(meanings, file.root.at(match.start()), parts[: index + 1])
                    return (found, start) if found is not None else None
                start += len(part) + 1
    return None
