"""What comments say about names: JSDoc types, parameters and links, as nodes that resolve like any others.

Tags as in TypeScript's handbook, "JSDoc Reference". A type in braces is parsed by the TypeScript grammar
where it stands, so that its nodes have the offsets of the file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.javascript.entities import TYPE, Entity, Unit
from forgewright.code.javascript.names import FUNCTIONS
from forgewright.code.languages import parse
from forgewright.code.scopes.tree import Node, mirror

if TYPE_CHECKING:
    from forgewright.code.javascript.binder import Binder

_TAG = re.compile(rb"@([A-Za-z]+)[ \t]*")
_NAME = re.compile(rb"\s*\[?\s*([A-Za-z_$\x80-\xff][\w$\x80-\xff]*)((?:\.[A-Za-z_$][\w$]*)*)")
_LINK = re.compile(rb"\{@link(?:code|plain)?\s+([A-Za-z_$][\w$]*(?:[.#][\w$]+)*)")
_STARS = re.compile(rb"\n[ \t]*\*(?!/)")
_NAMED = {"param", "arg", "argument", "typedef", "callback", "property", "prop", "template"}
_SEE = re.compile(rb"\s*([A-Za-z_$][\w$]*(?:[.#][\w$]+)*)")


class Tag:
    """One tag: `@kind {type} name`. `name` and the ends of `links` are nodes of their own."""

    __slots__ = ("kind", "links", "name", "path", "type")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.type: Node | None = None
        self.name: Node | None = None
        self.path = ""
        """What follows the name after a dot (`options.foo`)."""
        self.links: list[Node] = []


class Doc:
    """One `/** */` comment with its tags, and the declaration it stands before."""

    __slots__ = ("comment", "host", "tags")

    def __init__(self, comment: Node, host: Node | None) -> None:
        self.comment = comment
        self.host = host
        self.tags: list[Tag] = []

    def first(self, *kinds: str) -> Tag | None:
        return next((tag for tag in self.tags if tag.kind in kinds), None)

    def nodes(self) -> list[Node]:
        """All nodes at which a name may stand."""
        found: list[Node] = []
        for tag in self.tags:
            found += tag.links + [n for n in (tag.name, tag.type) if n is not None]
        return found


def is_doc(node: Node) -> bool:
    return node.type == "comment" and node.data.startswith(b"/**", node.start)


def doc_before(unit: Unit, node: Node) -> Doc | None:
    """The comment that documents a declaration or an expression."""
    here = node
    for _ in range(5):
        siblings = here.up.children
        index = siblings.index(here) - 1 if here.parent is not None else -1
        while index >= 0 and not siblings[index].named:
            index -= 1
        if index >= 0 and is_doc(siblings[index]):
            return doc_of(unit, siblings[index])
        if here.parent is None or here.up.type not in _TRANSPARENT:
            return None
        here = here.up
    return None


_TRANSPARENT = {
    "export_statement",
    "lexical_declaration",
    "variable_declaration",
    "variable_declarator",
    "expression_statement",
    "assignment_expression",
    "pair",
    "ambient_declaration",
}


def doc_of(unit: Unit, comment: Node) -> Doc:
    """A comment's tags, parsed at first use."""
    docs = unit.docs
    if comment not in docs:
        docs[comment] = _parse(unit, comment)
    return docs[comment]


def _host(comment: Node) -> Node | None:
    siblings = comment.up.children
    for sibling in siblings[siblings.index(comment) + 1 :]:
        if sibling.type == "comment":
            continue
        if sibling.named or sibling.type in ("(",):
            return sibling
    return None


def function_below(node: Node | None) -> Node | None:
    """The function that a documented statement declares."""
    while node is not None:
        if node.type in FUNCTIONS:
            return node
        inner = node.get("declaration") or node.get("value") or node.get("right")
        if inner is None:
            inner = node.first("variable_declarator", "assignment_expression", "function_signature")
        node = inner
    return None


def _parse(unit: Unit, comment: Node) -> Doc:
    from forgewright.code.javascript.binder import Binder

    host = _host(comment)
    doc = Doc(comment, host)
    text = comment.data[comment.start : comment.end]
    text = _STARS.sub(lambda m: m.group()[:-1] + b" ", text)
    function = function_below(host)
    parent = function or host or comment
    fresh: list[Node] = []
    tags = [m for m in _TAG.finditer(text) if text[m.start() - 1 : m.start()] != b"{"]
    for number, match in enumerate(tags):
        end = tags[number + 1].start() if number + 1 < len(tags) else len(text)
        tag = Tag(match.group(1).decode())
        doc.tags.append(tag)
        position = match.end()
        if tag.kind == "import":
            tag.type = _import(comment, text, match.start() + 1, end, parent)
            fresh += [tag.type] if tag.type is not None else []
            continue
        if text[position : position + 1] == b"{" and not text.startswith(b"{@", position):
            close = _close(text, position, end)
            tag.type = _fragment(comment, text, position + 1, close, parent)
            if tag.type is not None:
                fresh.append(tag.type)
            position = close + 1
        named = _NAME.match(text, position, end) if tag.kind in _NAMED else None
        if named is not None:
            tag.name = _name(comment, parent, named.start(1), named.end(1))
            tag.path = named.group(2).decode().lstrip(".")
        elif tag.kind == "see" and tag.type is None and (seen := _SEE.match(text, position, end)):
            tag.links.append(_dotted(comment, comment, text, seen))
    loose = Tag("link")
    for link in _LINK.finditer(text):
        loose.links.append(_dotted(comment, comment, text, link))
    doc.tags.append(loose)
    if fresh:
        binder = Binder(unit)
        binder.visit(fresh, unit.scope_at(parent))
    return doc


def _name(comment: Node, parent: Node, start: int, end: int) -> Node:
    return Node("jsdoc_name", comment.start + start, comment.start + end, parent, comment.path, comment.data)


def _dotted(comment: Node, parent: Node, text: bytes, match: re.Match[bytes]) -> Node:
    """`A.B` as nested member expressions, so that it resolves like code."""
    position = match.start(1)
    found: Node | None = None
    for part in re.split(rb"[.#]", match.group(1)):
        name = _name(comment, parent, position, position + len(part))
        position += len(part) + 1
        if found is None:
            found = name
            continue
        outer = Node("member_expression", found.start, name.end, parent, comment.path, comment.data)
        outer.children = [found, name]
        found.parent = name.parent = outer
        found.field, name.field, name.type = "object", "property", "property_identifier"
        found = outer
    assert found is not None
    return found


def _close(text: bytes, position: int, end: int) -> int:
    depth = 0
    for index in range(position, end):
        byte = text[index]
        depth += (byte == 0x7B) - (byte == 0x7D)
        if depth == 0:
            return index
    return end


def _fragment(comment: Node, text: bytes, start: int, end: int, parent: Node) -> Node | None:
    while start < end and text[start : start + 1] in b" \n\t?!":
        start += 1
    if text.startswith(b"...", start):
        start += 3
    while end > start and text[end - 1 : end] in b" \n\t=?!":
        end -= 1
    prefix = b"type _ = "
    tree = parse("typescript", prefix + text[start:end])
    root = mirror(tree, comment.path, comment.data, shift=comment.start + start - len(prefix))
    alias = root.first("type_alias_declaration")
    value = alias.get("value") if alias is not None else None
    if value is not None:
        value.parent, value.field = parent, None
    return value


def _import(comment: Node, text: bytes, start: int, end: int, parent: Node) -> Node | None:
    tree = parse("typescript", text[start:end].rstrip(b" \n\t*/"))
    root = mirror(tree, comment.path, comment.data, shift=comment.start + start)
    statement = root.first("import_statement")
    if statement is not None:
        statement.parent = parent
    return statement


def bind_types(unit: Unit, binder: Binder) -> None:
    """Declare what `@typedef`, `@callback` and `@import` declare in a JavaScript file."""
    if b"@typedef" not in unit.data and b"@callback" not in unit.data and b"@import" not in unit.data:
        return
    for node in [n for n in unit.root.walk() if is_doc(n)]:
        doc = doc_of(unit, node)
        tag = doc.first("typedef", "callback")
        if tag is None:
            continue
        if tag.name is None:
            declarator = doc.host.first("variable_declarator") if doc.host is not None else None
            name = declarator.get("name") if declarator is not None else None
            entity = unit.decl.get(name) if name is not None else None
            if entity is not None:
                entity.space |= TYPE
            continue
        tag.name.parent = node
        alias = Node("type_alias_declaration", node.start, node.end, node, node.path, node.data)
        value = tag.type
        properties = [t for t in doc.tags if t.kind in ("property", "prop") and t.name is not None]
        if properties:
            value = _properties(unit, binder, alias, properties)
        if value is not None:
            value.field = "value"
            alias.children = [value]
        owner = unit.module
        table = owner.exports if owner is not None else unit.top.table
        entity = table.get(tag.name.text)
        if entity is None:
            entity = table[tag.name.text] = Entity(tag.name.text, "type", unit)
            entity.scope, entity.container = unit.top, owner
        entity.space |= TYPE
        entity.add(tag.name, alias)


def _properties(unit: Unit, binder: Binder, alias: Node, properties: list[Tag]) -> Node:
    body = Node("object_type", alias.start, alias.end, alias, alias.path, alias.data)
    for tag in properties:
        assert tag.name is not None
        item = Node("property_signature", tag.name.start, tag.name.end, body, alias.path, alias.data)
        tag.name.parent, tag.name.field, tag.name.type = item, "name", "property_identifier"
        item.children = [tag.name]
        if tag.type is not None:
            tag.type.field = "type"
            item.children.append(tag.type)
        body.children.append(item)
    binder.visit([body], unit.top)
    return body
