"""The import statements of a script: what each brings in, and what they become when names come and go.

Statements are changed, not reprinted: quotes, semicolons, attributes, comments and the layout of a list of names
stay as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from forgewright.code import layout
from forgewright.code.javascript.names import string_text
from forgewright.code.javascript.refactor.named import Named
from forgewright.code.project import Splice

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Entity, Unit
    from forgewright.code.scopes.tree import Node

_IGNORING = ("eslint-disable-next-line", "@ts-ignore", "@ts-expect-error", "prettier-ignore", "biome-ignore")
"""Comments that speak of the next line, and go with it."""


class Brought(msgspec.Struct, frozen=True, eq=False):
    """One name that a statement brings in."""

    imported: str
    """As the other module exports it; `default`, `*` for all of it, `export=` for `import x = require()`."""
    local: str
    node: Node
    """The specifier, or the identifier of a default import."""
    name: Node
    """Where the local name stands."""
    typed: bool
    """Imported as a type only."""
    inline: bool = False
    """The specifier itself says `type`."""

    @property
    def text(self) -> str:
        return self.node.text


class Line(msgspec.Struct, frozen=True, eq=False):
    """One import statement at the top of a file."""

    node: Node
    source: str
    origin: Node
    """The string that names the module."""
    typed: bool
    """`import type`."""
    brought: tuple[Brought, ...]

    @property
    def bare(self) -> bool:
        """`import "x"`: only for what it does."""
        return self.node.first("import_clause", "import_require_clause") is None

    @property
    def tail(self) -> str:
        """From the module's name to the end: attributes and semicolon."""
        return self.node.data[self.origin.start : self.node.end].decode("utf-8", "replace")


class Wanted(msgspec.Struct, frozen=True):
    """An import that a file needs: `imported` is `default`, `*`, or an exported name."""

    source: str
    imported: str
    local: str
    typed: bool = False
    inline: bool = False
    """As `import { type a }`, where its statement brings in values too."""

    @property
    def text(self) -> str:
        return self.imported if self.imported == self.local else f"{self.imported} as {self.local}"


def lines(unit: Unit) -> list[Line]:
    """The import statements at the top level of a file, in order; `import a = b.c` is none."""
    found = []
    for node in unit.root.children:
        if node.type == "import_statement":
            line = line_of(node)
            if line is not None:
                found.append(line)
    return found


def line_of(node: Node) -> Line | None:
    required = node.first("import_require_clause")
    origin = node.get("source") or (required.get("source") if required is not None else None)
    text = string_text(origin) if origin is not None else None
    if origin is None or text is None:
        return None
    typed = node.has("type") or node.has("typeof")
    found: list[Brought] = []
    if required is not None:
        name = required.first("identifier")
        if name is not None:
            found.append(Brought("export=", name.text, required, name, typed))
    clause = node.first("import_clause")
    for item in clause.items if clause is not None else []:
        if item.type == "identifier":
            found.append(Brought("default", item.text, item, item, typed))
        elif item.type == "namespace_import" and item.items:
            found.append(Brought("*", item.items[0].text, item, item.items[0], typed))
        elif item.type == "named_imports":
            found += [b for spec in item.items if (b := _specifier(spec, typed)) is not None]
    return Line(node, text, origin, typed, tuple(found))


def _specifier(node: Node, typed: bool) -> Brought | None:
    name, alias = node.get("name"), node.get("alias")
    if name is None:
        return None
    imported = string_text(name) or name.text
    local = alias or name
    inline = node.has("type")
    return Brought(imported, local.text, node, local, typed or inline, inline)


def edit(
    unit: Unit,
    *,
    gone: Collection[Brought] = (),
    wanted: Iterable[Wanted] = (),
    below: Sequence[str] = (),
    written_as: tuple[str, str] | None = None,
) -> list[Splice]:
    """The splices that take names out of a file's imports and bring others in.

    A name joins a statement of the same module that can take it; else a statement is added after the others.
    `below` are statements to stand below the imports; `written_as` is the quote and the statement's end for new
    ones, if not the file's own.
    """
    listed = lines(unit)
    nodes = {b.node for b in gone}
    gone = [b for line in listed for b in line.brought if b.node in nodes]
    joining: dict[int, list[Wanted]] = {}
    fresh: dict[tuple[str, bool], list[Wanted]] = {}
    kept = {
        (line.source, b.imported, b.local)
        for line in listed
        for b in line.brought
        if b.node not in nodes and not b.typed
    }
    for one in dict.fromkeys(wanted):
        if (one.source, one.imported, one.local) in kept:
            continue
        number = _joins(listed, gone, one, joining)
        if number is not None:
            joining.setdefault(number, []).append(one)
        else:
            fresh.setdefault((one.source, one.typed and not one.inline), []).append(one)
    found = _repointed(unit, listed, nodes, joining, fresh)
    done = {splice.start for splice in found}
    manner = (*(written_as or style(unit, listed)), _pad(listed))
    statements = [text for (_, typed), names in fresh.items() for text in _written(names, typed, manner)]
    statements += below
    emptied = [
        line
        for number, line in enumerate(listed)
        if line.brought and number not in joining and all(b.node in nodes for b in line.brought)
        if line.origin.start + 1 not in done
    ]
    placed = _placed(unit, listed, emptied, statements) if statements else None
    if placed is not None:
        found.append(placed)
    for number, line in enumerate(listed):
        less = [b for b in line.brought if b.node in nodes]
        more = joining.get(number, [])
        if line in emptied:
            if placed is None or not placed.start <= line.node.start < placed.end:
                found.append(without(unit, line.node))
        elif (less or more) and line.origin.start + 1 not in done:
            found += _changed(unit, line, less, more)
    return trimmed(unit.data, found)


def _repointed(
    unit: Unit,
    listed: Sequence[Line],
    nodes: Collection[Node],
    joining: Collection[int],
    fresh: dict[tuple[str, bool], list[Wanted]],
) -> list[Splice]:
    """A statement of which all names come from elsewhere now only names another module."""
    found = []
    for number, line in enumerate(listed):
        if not line.brought or number in joining or any(b.node not in nodes for b in line.brought):
            continue
        names = {(b.imported, b.local, b.typed) for b in line.brought}
        for key, wanted in list(fresh.items()):
            if key[1] == line.typed and {(w.imported, w.local, w.typed) for w in wanted} == names:
                found.append(Splice(unit.path, line.origin.start + 1, line.origin.end - 1, key[0].encode()))
                del fresh[key]
                break
    return found


def _pad(listed: Sequence[Line]) -> str:
    """What stands between a brace and the first name."""
    for line in reversed(listed):
        clause = line.node.first("import_clause")
        braces = clause.first("named_imports") if clause is not None else None
        if braces is not None and braces.items:
            return "" if braces.items[0].start == braces.start + 1 else " "
    return " "


def trimmed(data: bytes, splices: Iterable[Splice]) -> list[Splice]:
    """Where a file loses its beginning, the blank lines behind that go too."""
    found = sorted(splices, key=lambda s: (s.start, s.end))
    at = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    number = 0
    while (
        number < len(found)
        and found[number].start <= at
        and found[number].end > at
        and not found[number].text
    ):
        at = found[number].end
        number += 1
    if not number:
        return found
    last = found[number - 1]
    for _ in range(layout.blank_lines_after(data, at)):
        at = layout.after_line(data, at)
    if number < len(found) and found[number].start < at:
        return found
    found[number - 1] = Splice(last.path, last.start, at, b"")
    return found


def _joins(
    listed: Sequence[Line], gone: Collection[Brought], one: Wanted, joining: dict[int, list[Wanted]]
) -> int | None:
    if one.imported in ("*", "export="):
        return None
    inline = any(b.inline for line in listed for b in line.brought)
    for number, line in enumerate(listed):
        if line.source != one.source or line.bare or (line.typed and not one.typed):
            continue
        if line.node.first("import_require_clause") is not None:
            continue
        if one.typed and not line.typed and (one.imported == "default" or not (inline or one.inline)):
            continue
        kept = [b for b in line.brought if b not in gone]
        whole = any(b.imported == "*" for b in kept)
        defaults = [b for b in kept if b.imported == "default" and b.node.type == "identifier"]
        defaults_coming = [w for w in joining.get(number, ()) if w.imported == "default"]
        if one.imported == "default":
            if defaults or defaults_coming or (line.typed and kept):
                continue
            return number
        if whole or (line.typed and (defaults or defaults_coming)):
            continue
        return number
    return None


def _changed(unit: Unit, line: Line, less: Sequence[Brought], more: Sequence[Wanted]) -> list[Splice]:
    clause = line.node.first("import_clause")
    assert clause is not None
    braces = clause.first("named_imports")
    default = next((b for b in line.brought if b.node.type == "identifier"), None)
    whole = next((b for b in line.brought if b.imported == "*"), None)
    named = Named(braces) if braces is not None else None
    texts = [_spec(one, line.typed) for one in more if one.imported != "default"]
    dropped = {b.node for b in less}
    keeps_default = default is not None and default not in less
    coming = next((one.local for one in more if one.imported == "default"), "")
    keeps_named = (named is not None and named.left(dropped)) or bool(texts)
    if named is not None and keeps_named and not coming and (default is None or keeps_default):
        return [Splice(unit.path, named.node.start, named.node.end, named.changed(dropped, texts).encode())]
    parts = []
    if coming or keeps_default:
        parts.append(coming or (default.local if default is not None else ""))
    if whole is not None and whole not in less:
        parts.append(whole.text)
    if keeps_named:
        parts.append(named.changed(dropped, texts) if named is not None else "{ " + ", ".join(texts) + " }")
    return [Splice(unit.path, clause.start, clause.end, ", ".join(parts).encode())]


def _spec(one: Wanted, typed: bool) -> str:
    return f"type {one.text}" if one.typed and not typed else one.text


def _written(names: Sequence[Wanted], typed: bool, manner: tuple[str, str, str]) -> list[str]:
    """New statements for names of one module."""
    source = names[0].source
    quote, end, pad = manner
    default = [one.local for one in names if one.imported == "default"]
    wholes = [one.local for one in names if one.imported == "*"]
    named = [_spec(one, typed) for one in names if one.imported not in ("default", "*", "export=")]
    keyword = "import type" if typed else "import"
    rest = f" from {quote}{source}{quote}{end}"
    found = [f"{keyword} * as {local}{rest}" for local in wholes]
    required = [one.local for one in names if one.imported == "export="]
    found += [f"{keyword} {local} = require({quote}{source}{quote}){end}" for local in required]
    clauses = [default[0]] if default else []
    named += [f"default as {local}" for local in default[1:]]
    if named and typed and clauses:
        found.append(f"{keyword} {clauses.pop()}{rest}")
    if named:
        clauses.append("{" + pad + ", ".join(named) + pad + "}")
    if clauses:
        found.append(f"{keyword} {', '.join(clauses)}{rest}")
    return found


def style(unit: Unit, listed: Sequence[Line] = ()) -> tuple[str, str]:
    """The quote and the statement's end that a file writes."""
    listed = listed or lines(unit)
    data = unit.data
    if listed:
        last = listed[-1]
        return last.origin.text[:1], ";" if last.node.text.endswith(";") else ""
    quote = '"' if data.count(b'"') > data.count(b"'") else "'"
    ended = [
        n.text.endswith(";")
        for n in unit.root.children
        if n.type
        in ("expression_statement", "lexical_declaration", "export_statement", "type_alias_declaration")
        and not n.text.endswith("}")
    ]
    return quote, ";" if not ended or any(ended) else ""


def _placed(unit: Unit, listed: Sequence[Line], emptied: Sequence[Line], statements: Sequence[str]) -> Splice:
    """New statements behind the last that stays of those at the top, or where the first of them was."""
    data = unit.data
    end = layout.line_end(data)
    text = end.join(statement.encode() for statement in statements)
    if listed:
        top = [listed[0]]
        for line in listed[1:]:
            if _between(unit, top[-1].node, line.node):
                break
            top.append(line)
        kept = [line for line in top if line not in emptied]
        if not kept:
            return Splice(unit.path, top[0].node.start, top[0].node.end, text)
        last = kept[-1].node
        stop = layout.line_stop(data, last.end)
        comment = data[last.end : stop].strip()
        if comment and not comment.startswith((b"//", b"/*")):
            return Splice(unit.path, last.end, last.end, end + text + end)
        return Splice(unit.path, stop, stop, end + text)
    at = head(unit)
    before = b"" if at == 0 or data[at - 1 : at] == b"\n" else end
    rest = data[at:]
    gap = end if rest.strip() and not rest.lstrip(b" \t").startswith((b"\n", b"\r")) else b""
    return Splice(unit.path, at, at, before + text + end + gap)


def _between(unit: Unit, one: Node, other: Node) -> bool:
    """Whether code stands between two statements."""
    return any(
        one.end <= node.start < other.start
        and node.named
        and node.type not in ("comment", "import_statement")
        for node in unit.root.children
    )


def head(unit: Unit) -> int:
    """Where the first statement of a file may go: behind its interpreter line, licence, pragmas and directives."""
    data = unit.data
    at = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    children = unit.root.children
    for number, node in enumerate(children):
        if node.type == "hash_bang_line" or _directive(node):
            at = layout.after_line(data, node.end)
            continue
        if node.type != "comment":
            break
        stop = layout.after_line(data, node.end)
        following = children[number + 1] if number + 1 < len(children) else None
        apart = following is None or data[node.end : following.start].count(b"\n") > 1
        text = node.text
        pragma = text.startswith("///") or any(
            word in text
            for word in ("@ts-nocheck", "@ts-check", "@jsx", "eslint", "@flow", "@license", "Copyright")
        )
        coming = next((n for n in children[number + 1 :] if n.type != "comment"), None)
        if apart or pragma or text.startswith("/*!") or (coming is not None and _directive(coming)):
            at = stop
            if apart and at < len(data) and layout.blank_lines_after(data, at):
                at = layout.after_line(data, at)
            continue
        break
    return at


def _directive(node: Node) -> bool:
    return node.type == "expression_statement" and [n.type for n in node.items] == ["string"]


def without(unit: Unit, node: Node) -> Splice:
    """Take a statement at the top of a file out with its line, and with what speaks of that line only."""
    data = unit.data
    start = node.start
    siblings = node.up.children
    index = siblings.index(node) - 1
    while index >= 0 and siblings[index].type == "comment":
        above = siblings[index]
        alone = layout.only_space(data[layout.line_start(data, above.start) : above.start])
        if data[above.end : start].count(b"\n") > 1 or not alone:
            break
        if not any(word in above.text for word in _IGNORING):
            break
        start = above.start
        index -= 1
    return cut(unit, start, node.end)


def cut(unit: Unit, start: int, stop: int) -> Splice:
    """Take whole statements out, with their lines and the blank lines that would be too many afterwards."""
    data = unit.data
    begin, line = layout.line_start(data, start), layout.line_stop(data, stop)
    rest = data[stop:line].strip()
    if not layout.only_space(data[begin:start]) or (rest and not rest.startswith(b"//")):
        end = stop
        while rest and data[end : end + 1] in (b" ", b"\t"):
            end += 1
        return Splice(unit.path, start, end, b"")
    end = layout.after_line(data, stop)
    above = layout.blank_lines_before(data, begin)
    if layout.only_space(data[end:]):
        for _ in range(above if begin else 0):
            begin = layout.line_start(data, begin - 1)
        return Splice(unit.path, begin, len(data), b"")
    first = not data[:begin].strip() or data[:begin] == b"\xef\xbb\xbf"
    for _ in range(layout.blank_lines_after(data, end)):
        if not (first or above > 0):
            break
        end = layout.after_line(data, end)
        above -= 1
    return Splice(unit.path, begin, end, b"")


def entity_of(unit: Unit, brought: Brought) -> Entity | None:
    """What the local name of an import is for the resolver."""
    found = unit.decl.get(brought.name)
    return found.real if found is not None else None
