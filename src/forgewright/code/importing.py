"""Adds an import where it belongs: merged into one that is there, or in the group that it is of."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from forgewright.code import bodies, layout, lists
from forgewright.code.project import Source, Splice
from forgewright.code.selectors import nodes
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

_PYTHON = ("import_statement", "import_from_statement", "future_import_statement")


def import_splices(
    source: Source, module: str, name: str = "", alias: str = "", *, typed: bool = False
) -> list[Splice]:
    """`import module`, or `from module import name` (JavaScript: `import { name } from "module"`).

    Nothing if it is there already. `name` may be `default` or `*` in JavaScript, with an alias.
    """
    if source.language == "python":
        return _python(source, module, name, alias)
    if source.language in ("javascript", "typescript", "tsx"):
        return _javascript(source, module, name, alias, typed)
    raise EditRefused(
        f"imports are added in Python, JavaScript and TypeScript, found {source.language}",
        hint="use (insert-after …) with the import statement",
    )


def _python(source: Source, module: str, name: str, alias: str) -> list[Splice]:
    found = [n for n in source.tree.root_node.named_children if n.type in _PYTHON]
    if name:
        for node in found:
            if (
                node.type == "import_from_statement"
                and nodes.text(node.child_by_field_name("module_name")) == module
            ):
                merged = _merge_python(source, node, name, alias)
                if merged is not None:
                    return merged
    elif any(_imports_module(node, module, alias) for node in found):
        return []
    statement = f"from {module} import {name}" if name else f"import {module}"
    statement += f" as {alias}" if alias else ""
    return [_placed(source, found, statement, module)]


def _merge_python(source: Source, node: Node, name: str, alias: str) -> list[Splice] | None:
    items = node.children_by_field_name("name")
    wanted = f"{name} as {alias}" if alias else name
    texts = [" ".join(nodes.text(item).split()) for item in items]
    if wanted in texts or any(child.type == "wildcard_import" for child in node.named_children):
        return []
    if not items:
        return None
    at = next((i for i, text in enumerate(texts) if _key(text) > _key(wanted)), len(items))
    if texts != sorted(texts, key=_key):
        at = len(items)
    return [lists.insert(source, node, at, wanted)]


def _key(text: str) -> tuple[bool, bool, str]:
    name = text.split()[0]
    return (not name.isupper(), not name[:1].isupper(), name.lower())


def _imports_module(node: Node, module: str, alias: str) -> bool:
    wanted = f"{module} as {alias}" if alias else module
    return node.type == "import_statement" and any(
        nodes.text(child) == wanted for child in node.named_children
    )


def _placed(source: Source, found: list[Node], statement: str, module: str) -> Splice:
    """In sorted order in the group of the same origin; a new group where there is none."""
    data = source.data
    end = layout.line_end(data)
    if not found:
        root = source.tree.root_node
        splice = bodies.into_body(source, root, statement, last=False)
        following = [n for n in bodies.statements(root) if n.start_byte >= splice.end]
        if following and splice.text.endswith(end):
            gap = layout.definition_gap("python", b"") if bodies.is_definition(following[0]) else 1
            return Splice(splice.path, splice.start, splice.end, splice.text.strip(end) + end * (gap + 1))
        if following:
            return Splice(splice.path, splice.start, splice.end, end + splice.text)
        return splice
    if module == "__future__":
        return Splice(source.path, found[0].start_byte, found[0].start_byte, statement.encode() + end)
    top = _contiguous(found, data)
    groups = [(_group(_module_of(node)), node) for node in top]
    group = _group(module)
    same = [node for number, node in groups if number == group]
    if same:
        key = _order(statement, module)
        before = [n for n in same if _order(nodes.text(n), _module_of(n)) <= key]
        anchor = before[-1] if before else None
        if anchor is None:
            start = same[0].start_byte
            return Splice(source.path, start, start, statement.encode() + end)
        stop = layout.line_stop(data, anchor.end_byte)
        return Splice(source.path, stop, stop, end + statement.encode())
    lower = [node for number, node in groups if number < group]
    if lower:
        stop = layout.line_stop(data, lower[-1].end_byte)
        separate = end if len({number for number, _ in groups}) > 1 or group > 1 else b""
        return Splice(source.path, stop, stop, end + separate + statement.encode())
    start = top[0].start_byte
    return Splice(source.path, start, start, statement.encode() + end + end)


def _contiguous(found: list[Node], data: bytes) -> list[Node]:
    """The imports at the top, without those behind other code."""
    kept = [found[0]]
    for node in found[1:]:
        between = node.prev_named_sibling
        while between is not None and between.type in bodies.COMMENTS:
            between = between.prev_named_sibling
        if between is not None and between.type not in _PYTHON:
            break
        kept.append(node)
    return kept


def _module_of(node: Node) -> str:
    if node.type == "future_import_statement":
        return "__future__"
    if node.type == "import_from_statement":
        return nodes.text(node.child_by_field_name("module_name"))
    return nodes.names(node)[0]


def _group(module: str) -> int:
    """0 future, 1 standard library, 2 others, 3 relative."""
    if module == "__future__":
        return 0
    if module.startswith("."):
        return 3
    return 1 if module.partition(".")[0] in sys.stdlib_module_names else 2


def _order(statement: str, module: str) -> tuple[bool, str]:
    return (statement.startswith("from"), module.lower())


def _javascript(source: Source, module: str, name: str, alias: str, typed: bool) -> list[Splice]:
    root = source.tree.root_node
    found = [n for n in root.named_children if n.type == "import_statement"]
    spec = f"{name} as {alias}" if alias else name
    for node in found:
        if (
            nodes.text(node.child_by_field_name("source"))[1:-1] != module
            or not name
            or name in ("default", "*")
        ):
            continue
        clause = next((c for c in node.named_children if c.type == "import_clause"), None)
        named = (
            next((c for c in clause.named_children if c.type == "named_imports"), None) if clause else None
        )
        if named is None or (nodes.text(node).startswith("import type") != typed):
            continue
        if spec in (nodes.text(item) for item in named.named_children):
            return []
        _unbound(source, alias or name)
        return [lists.insert(source, named, named.named_child_count, spec)]
    quote = (
        '"'
        if (found and b'"' in (found[-1].text or b"")) or (b'"' in source.data and b"'" not in source.data)
        else "'"
    )
    semicolon = ";" if not found or (found[-1].text or b"").endswith(b";") else ""
    what = _clause(name, alias, typed)
    statement = f"import {what}{quote}{module}{quote}{semicolon}"
    if any(nodes.text(node).rstrip(";") == statement.rstrip(";") for node in found):
        return []
    _unbound(source, alias or ("" if name in ("default", "*") else name))
    if found:
        stop = layout.line_stop(source.data, found[-1].end_byte)
        return [Splice(source.path, stop, stop, layout.line_end(source.data) + statement.encode())]
    end = layout.line_end(source.data)
    splice = bodies.into_body(source, root, statement, last=False)
    if splice.text.endswith(end) and source.data[splice.end :].strip():
        return [Splice(splice.path, splice.start, splice.end, splice.text.strip(end) + end + end)]
    return [splice]


def _clause(name: str, alias: str, typed: bool) -> str:
    keyword = "type " if typed else ""
    if not name:
        return ""
    if name == "default":
        return f"{keyword}{alias} from "
    if name == "*":
        return f"{keyword}* as {alias} from "
    return f"{keyword}{{ {name} as {alias} }} from " if alias else f"{keyword}{{ {name} }} from "


def _unbound(source: Source, name: str) -> None:
    """Raises `EditRefused` where a module's top level has the name already: no import may bind it again."""
    for statement in source.tree.root_node.named_children if name else ():
        inner = statement.child_by_field_name("declaration") if statement.type == "export_statement" else None
        if any(nodes.text(node) == name for node in _bindings(inner or statement)):
            raise EditRefused(
                f"{source.path}:{statement.start_point.row + 1} binds {name!r} already",
                hint="import it under another name (alias), or use what is there",
            )


def _bindings(node: Node) -> Iterator[Node]:
    """The names that a statement of the top level binds in its module."""
    if node.type in ("lexical_declaration", "variable_declaration", "import_statement", "import_clause"):
        for child in node.named_children:
            yield from _bindings(child)
    elif node.type in ("variable_declarator", "import_specifier"):
        name = node.child_by_field_name("alias") or node.child_by_field_name("name")
        yield from _bindings(name) if name is not None else ()
    elif node.type in ("identifier", "shorthand_property_identifier_pattern"):
        yield node
    elif node.type == "pair_pattern":
        value = node.child_by_field_name("value")
        yield from _bindings(value) if value is not None else ()
    elif node.type == "assignment_pattern" or node.type == "object_assignment_pattern":
        left = node.child_by_field_name("left")
        yield from _bindings(left) if left is not None else ()
    elif node.type in (
        "named_imports",
        "namespace_import",
        "object_pattern",
        "array_pattern",
        "rest_pattern",
    ):
        for child in node.named_children:
            yield from _bindings(child)
    elif node.type.endswith("_declaration"):
        name = node.child_by_field_name("name")
        if name is not None:
            yield name
