"""Where statements go into bodies: indented blocks and braces, one-liners and empty ones among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code import layout
from forgewright.code.project import Source, Splice
from forgewright.code.selectors import nodes
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

COMMENTS = frozenset(("comment", "line_comment", "block_comment"))
DEFINITIONS = (
    "function_definition",
    "class_definition",
    "decorated_definition",
    "function_declaration",
    "class_declaration",
    "method_definition",
    "function_item",
    "impl_item",
    "method_declaration",
)


def statements(body: Node) -> list[Node]:
    """The statements or members of a body, without comments and braces."""
    if (
        body.type == "block"
        and body.named_child_count == 1
        and body.named_children[0].type == "statement_list"
    ):
        body = body.named_children[0]
    return [child for child in body.named_children if child.type not in COMMENTS]


def is_placeholder(node: Node) -> bool:
    """`pass` or `...` alone."""
    text = (node.text or b"").strip()
    return text in (b"pass", b"...")


def is_definition_text(text: str) -> bool:
    """Whether a piece of code begins with a definition (behind decorators and comments)."""
    for line in text.strip().split("\n"):
        word = line.strip()
        if not word or word.startswith(("#", "//", "/*", "*", "@")):
            continue
        words = set(word.split("(")[0].split())
        return bool(
            words & {"def", "class", "function", "interface", "enum", "fn", "func", "impl", "trait", "struct"}
        )
    return False


def is_definition(node: Node) -> bool:
    return node.type in DEFINITIONS or (
        node.type == "export_statement" and any(child.type in DEFINITIONS for child in node.named_children)
    )


def into_body(source: Source, owner: Node, text: str, *, last: bool) -> Splice:
    """Insert statements first or last in the body of `owner`: a definition, statement or module."""
    body = nodes.body_of(owner)
    if body is None:
        raise EditRefused(
            f"{nodes.kind_of(owner, source.language)} {nodes.names(owner)[0]!r} has no body to insert into",
            hint="name a function, class, module or block; for a list or call, name the list itself",
        )
    if body.type in ("module", "program", "source_file"):
        return _into_module(source, body, text, last=last)
    if source.language == "python":
        return _into_block(source, body, text, last=last)
    return _into_braces(source, body, text, last=last)


def _into_module(source: Source, body: Node, text: str, *, last: bool) -> Splice:
    data = source.data
    end = layout.line_end(data)
    found = statements(body)
    code = layout.fit(text, source, b"")
    if last or not found:
        gap = layout.definition_gap(source.language, b"") if is_definition_text(text) else 0
        if found and is_definition(found[-1]):
            gap = max(gap, layout.definition_gap(source.language, b""))
        if not data.strip():
            return Splice(source.path, 0, len(data), code + end)
        kept = data.rstrip(b"\r\n \t")
        tail = data[len(kept) :]
        tail = tail if b"\n" in tail else tail + end
        return Splice(
            source.path, len(kept), len(data), end * (gap + 1) + code + tail.lstrip(b" \t")[: len(end)]
        )
    anchor = _head_end(source, found)
    if anchor is None:
        at = layout.line_start(data, found[0].start_byte)
        gap = (
            layout.definition_gap(source.language, b"")
            if is_definition_text(text) or is_definition(found[0])
            else 0
        )
        return Splice(source.path, at, at, code + end * (gap + 1))
    return after_statement(source, anchor, text)


def _head_end(source: Source, found: list[Node]) -> Node | None:
    """The last of docstring, `from __future__` imports, "use strict", package clause."""
    anchor = None
    for node in found:
        documents = node.type == "expression_statement" and node.named_child_count == 1
        if (
            documents
            and node.named_children[0].type in ("string", "concatenated_string")
            and node == found[0]
        ) or node.type in ("future_import_statement", "package_clause", "package_declaration"):
            anchor = node
        else:
            break
    return anchor


def _into_block(source: Source, body: Node, text: str, *, last: bool) -> Splice:
    data = source.data
    end = layout.line_end(data)
    found = statements(body)
    owner = body.parent
    assert owner is not None
    inline = layout.line_start(data, body.start_byte) == layout.line_start(data, colon(owner, body))
    outer = layout.indentation(data, owner.start_byte)
    indent = (
        outer + layout.indent_unit(source)
        if inline or not found
        else layout.indentation(data, found[0].start_byte)
    )
    code = layout.fit(text, source, indent)
    if inline or not found:
        start = colon(owner, body) + 1
        old = (
            b""
            if all(is_placeholder(n) for n in found)
            else indent + data[body.start_byte : body.end_byte].strip()
        )
        parts = [part for part in ((old, code) if last else (code, old)) if part]
        return Splice(source.path, start, max(body.end_byte, start), end + end.join(parts))
    if len(found) == 1 and is_placeholder(found[0]):
        return Splice(source.path, layout.line_start(data, found[0].start_byte), found[0].end_byte, code)
    documented = _documented(found)
    if documented and len(found) == 2 and is_placeholder(found[1]):
        return Splice(source.path, layout.line_start(data, found[1].start_byte), found[1].end_byte, code)
    if last:
        return after_statement(source, found[-1], text)
    if documented:
        return after_statement(source, found[0], text)
    return before_statement(source, found[0], text)


def _documented(found: list[Node]) -> bool:
    first = found[0]
    return (
        first.type == "expression_statement"
        and first.named_child_count == 1
        and first.named_children[0].type in ("string", "concatenated_string")
    )


def colon(owner: Node, body: Node) -> int:
    """Where the colon before a Python block stands."""
    for child in reversed(owner.children):
        if child.type == ":" and child.start_byte <= body.start_byte:
            return child.start_byte
    return body.start_byte


def _into_braces(source: Source, body: Node, text: str, *, last: bool) -> Splice:
    data = source.data
    end = layout.line_end(data)
    if body.child_count == 0 or body.children[0].type != "{":
        raise EditRefused(
            f"the body of {source.path}:{body.start_point.row + 1} has no braces",
            hint="replace it with a block first: (replace-node …)",
        )
    found = statements(body)
    opening, closing = body.children[0], body.children[-1]
    outer = layout.indentation(data, opening.start_byte)
    own_line = bool(found) and layout.line_start(data, found[0].start_byte) > opening.start_byte
    indent = layout.indentation(data, found[0].start_byte) if own_line else outer + layout.indent_unit(source)
    code = layout.fit(text, source, indent)
    if not found and layout.only_space(data[opening.end_byte : closing.start_byte]):
        return Splice(source.path, opening.end_byte, closing.start_byte, end + code + end + outer)
    if not own_line:
        inner = data[opening.end_byte : closing.start_byte].strip()
        parts = [indent + inner, code] if last else [code, indent + inner]
        return Splice(source.path, opening.end_byte, closing.start_byte, end + end.join(parts) + end + outer)
    if not found:
        at = (
            layout.after_line(data, opening.end_byte)
            if not last
            else layout.line_start(data, closing.start_byte)
        )
        return Splice(source.path, at, at, code + end)
    return after_statement(source, found[-1], text) if last else before_statement(source, found[0], text)


def before_statement(source: Source, node: Node, text: str) -> Splice:
    """Insert statements above `node`, a statement on a line of its own."""
    data = source.data
    end = layout.line_end(data)
    indent = layout.indentation(data, node.start_byte)
    start = layout.line_start(data, node.start_byte)
    code = layout.fit(text, source, indent)
    if not layout.only_space(data[start : node.start_byte]):
        joined = code.strip().replace(end, b" ")
        return Splice(
            source.path, node.start_byte, node.start_byte, joined + (b" " if joined.endswith(b";") else b"; ")
        )
    gap = 0
    if is_definition_text(text) or (is_definition(node) and not _comment_text(text)):
        gap = layout.definition_gap(source.language, indent) if not _one_liners(node, text) else 0
    lead = b""
    if is_definition_text(text) and node.prev_named_sibling is not None:
        lead = end * max(0, gap - layout.blank_lines_before(data, start))
    return Splice(source.path, start, start, lead + code + end * (gap + 1))


def after_statement(source: Source, node: Node, text: str) -> Splice:
    """Insert statements below `node`."""
    data = source.data
    end = layout.line_end(data)
    indent = layout.indentation(data, node.start_byte)
    code = layout.fit(text, source, indent)
    stop = layout.line_stop(data, node.end_byte)
    rest = data[node.end_byte : stop].strip()
    if rest and not rest.startswith((b"#", b"//", b"/*", b";", b",")):
        joined = code.strip().replace(end, b" ")
        if source.language == "python" and rest.startswith(b";"):
            return Splice(source.path, node.end_byte, node.end_byte, b"; " + joined)
        return Splice(source.path, node.end_byte, node.end_byte, b" " + joined)
    gap = 0
    if is_definition_text(text) or is_definition(node):
        gap = layout.definition_gap(source.language, indent) if not _one_liners(node, text) else 0
    following = node.next_named_sibling
    tail = b""
    if gap and following is not None and following.type not in COMMENTS:
        here = layout.blank_lines_after(data, layout.after_line(data, stop))
        wanted = gap if is_definition_text(text) or is_definition(following) else 0
        tail = end * max(0, wanted - here)
    return Splice(source.path, stop, stop, end * (gap + 1) + code + tail)


def _one_liners(node: Node, text: str) -> bool:
    """Stubs and signatures that stand without blank lines between them."""
    return "\n" not in text.strip() and node.start_point.row == node.end_point.row


def _comment_text(text: str) -> bool:
    return all(line.strip().startswith(("#", "//", "/*", "*", "@")) for line in text.strip().split("\n"))
