"""Imports of a script put in order, as TypeScript's "Organize Imports" does: unused out, merged, sorted.

An import only for what it does (`import "x"`) stays where it is and nothing is sorted across it; blank lines
separate groups that are sorted on their own; a comment goes with the statement that it stands above.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from forgewright.code import layout
from forgewright.code.javascript.refactor.imports import Brought, Line, edit, lines, without
from forgewright.code.javascript.refactor.named import Item, Named
from forgewright.code.javascript.refactor.unused import unused
from forgewright.code.project import Splice

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Unit
    from forgewright.code.javascript.program import Program
    from forgewright.code.scopes.tree import Node


class Statement(msgspec.Struct, frozen=True, eq=False):
    """A statement with the comments that belong to it."""

    line: Line
    start: int
    end: int


def remove_unused(program: Program, unit: Unit) -> list[Splice]:
    """Take out what nothing uses; a TypeScript file that was a module stays one."""
    gone = unused(program, unit)
    found = edit(unit, gone=gone)
    if not found or _module_without(unit, gone):
        return found
    end = layout.line_end(unit.data)
    first = lines(unit)[0].node
    if len(lines(unit)) == 1:
        return [Splice(unit.path, first.start, first.end, b"export {};")]
    text = (b"" if unit.data.endswith(end) else end) + b"export {};" + end
    return [*found, Splice(unit.path, len(unit.data), len(unit.data), text)]


def _module_without(unit: Unit, gone: list[Brought]) -> bool:
    """Whether the file still imports or exports something once these names are gone."""
    if unit.path.endswith((".mjs", ".mts")) or unit.module is None:
        return True
    nodes = {b.node for b in gone}
    if any(not line.brought or any(b.node not in nodes for b in line.brought) for line in lines(unit)):
        return True
    return any(node.type == "export_statement" for node in unit.root.children)


def remove_duplicates(program: Program, unit: Unit) -> list[Splice]:
    """Statements that import names of one module become one; a repeated `import "x"` goes."""
    del program
    found: list[Splice] = []
    targets: list[tuple[Line, list[Line]]] = []
    bare: set[str] = set()
    for line in lines(unit):
        if line.bare:
            if line.source in bare and not _commented(unit, line.node):
                found.append(without(unit, line.node))
            bare.add(line.source)
            continue
        target = next((t for t in targets if _mergeable(unit, t[0], [*t[1], line])), None)
        if target is None:
            targets.append((line, []))
        else:
            target[1].append(line)
    for line, others in targets:
        if others:
            found.append(_merged(unit, line, others))
            found += [without(unit, other.node) for other in others]
    return found


def _mergeable(unit: Unit, line: Line, others: list[Line]) -> bool:
    every = [line, *others]
    last = others[-1]
    if (line.source, line.typed, _attributes(line)) != (last.source, last.typed, _attributes(last)):
        return False
    kinds = [[_kind(b) for b in one.brought] for one in every]
    flat = [kind for one in kinds for kind in one]
    if not flat or not all(kinds) or "*" in flat or "export=" in flat or flat.count("default") > 1:
        return False
    if line.typed and "default" in flat:
        return False
    return not _commented(unit, last.node) and not any(
        child.type == "comment" for one in every for child in _clause(one).children
    )


def _kind(brought: Brought) -> str:
    return "named" if brought.node.type == "import_specifier" else brought.imported


def _clause(line: Line) -> Node:
    return line.node.first("import_clause") or line.node


def _attributes(line: Line) -> str:
    return line.tail[len(line.origin.text) :].rstrip("; \t")


def _merged(unit: Unit, line: Line, others: list[Line]) -> Splice:
    clause = _clause(line)
    braces = clause.first("named_imports")
    default = next((b.local for one in (line, *others) for b in one.brought if _kind(b) == "default"), "")
    had = {b.text for b in line.brought}
    more: list[str] = []
    for other in others:
        inner = _clause(other).first("named_imports")
        for item in Named(inner).items if inner is not None else []:
            text = item.node.text if item.node is not None else item.core
            if text not in had:
                had.add(text)
                more.append(text)
    listed = "{ " + ", ".join(more) + " }" if more else ""
    named = Named(braces).changed((), more) if braces is not None else listed
    text = ", ".join(part for part in (default, named) if part)
    return Splice(unit.path, clause.start, clause.end, text.encode())


def _commented(unit: Unit, node: Node) -> bool:
    """Whether a comment belongs to a statement."""
    siblings = node.up.children
    index = siblings.index(node)
    above = siblings[index - 1] if index else None
    if above is not None and above.type == "comment" and unit.data[above.end : node.start].count(b"\n") < 2:
        return True
    stop = layout.line_stop(unit.data, node.end)
    return bool(unit.data[node.end : stop].strip(b" \t;"))


def sort_imports(program: Program, unit: Unit) -> list[Splice]:
    """Sort names within statements, and statements within their groups."""
    del program
    found: list[Splice] = []
    for group in _groups(unit):
        parts = [(_key(one.line), _sorted_text(unit, one)) for one in group]
        texts = [text for _, text in sorted(parts, key=lambda part: part[0])]
        for one, text in zip(group, texts, strict=True):
            if unit.data[one.start : one.end] != text:
                found.append(Splice(unit.path, one.start, one.end, text))
    return found


def _groups(unit: Unit) -> list[list[Statement]]:
    """Statements that follow each other line by line."""
    found: list[list[Statement]] = []
    current: list[Statement] = []
    listed = {line.node: line for line in lines(unit)}
    data = unit.data
    comments: list[Node] = []
    fresh = True
    for node in unit.root.children:
        if node.type == "comment":
            trailing = current and b"\n" not in data[current[-1].end : node.start] and not comments
            if trailing and current[-1].end == _stop_of(data, node):
                continue
            comments.append(node)
            continue
        line = listed.get(node)
        if line is None or line.bare or any(b.imported == "export=" for b in line.brought):
            found.append(current)
            current, comments, fresh = [], [], False
            continue
        start = node.start
        while comments and data[comments[-1].end : start].count(b"\n") == 1:
            header = (
                fresh and len(comments) == 1 and not data[: comments[-1].start].strip(b"\xef\xbb\xbf \r\n\t")
            )
            if header:
                break
            start = comments.pop().start
        stop = _stop_of(data, node)
        above = data[: layout.line_start(data, start)]
        joined = (
            current
            and above.endswith(b"\n")
            and current[-1].end >= len(above.rstrip(b"\r\n"))
            and (above.count(b"\n", current[-1].end) == 1)
        )
        alone = layout.only_space(data[layout.line_start(data, start) : start])
        if not joined or not alone:
            found.append(current)
            current = []
        if alone and stop == layout.line_stop(data, node.end):
            current.append(Statement(line, start, stop))
        else:
            found.append(current)
            current = []
        comments, fresh = [], False
    found.append(current)
    return [group for group in found if group]


def _stop_of(data: bytes, node: Node) -> int:
    """Where the statement ends with a comment on its line; the statement's own end if code follows there."""
    stop = layout.line_stop(data, node.end)
    rest = data[node.end : stop].strip()
    if not rest or rest.startswith(b"//") or (rest.startswith(b"/*") and rest.endswith(b"*/")):
        return node.end + len(data[node.end : stop].rstrip()) if rest else stop
    return node.end


def _key(line: Line) -> tuple[bool, str, str, int]:
    kinds = {_kind(b) for b in line.brought}
    order = 0 if line.typed else 1 if "*" in kinds else 2 if "default" in kinds else 3
    return line.source.startswith((".", "/")), line.source.lower(), line.source, order


def _sorted_text(unit: Unit, one: Statement) -> bytes:
    data = unit.data[one.start : one.end]
    braces = _clause(one.line).first("named_imports")
    if braces is None:
        return data
    text = Named(braces).changed((), (), _name_key).encode()
    return data[: braces.start - one.start] + text + data[braces.end - one.start :]


def _name_key(item: Item) -> tuple[str, str]:
    text = item.node.text if item.node is not None else item.core
    name = text.removeprefix("type ").split()[0] if text.removeprefix("type ").split() else text
    return name.lower(), name
