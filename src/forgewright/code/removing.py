"""Takes an import, or one name of it, out of a file that does not use it any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code import lists
from forgewright.code.deletion import delete
from forgewright.code.project import Source, Splice
from forgewright.code.selectors import nodes
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

SCRIPTS = ("javascript", "typescript", "tsx")


def removed(source: Source, module: str, name: str = "") -> list[Splice]:
    """The splices; none if there is no such import. Raises `EditRefused` where what it binds is used."""
    if source.language == "python":
        return _python(source, module, name)
    if source.language in SCRIPTS:
        return _script(source, module, name)
    return []


def _python(source: Source, module: str, name: str) -> list[Splice]:
    from forgewright.code.python.build import build
    from forgewright.code.python.refactor.imports import Imports
    from forgewright.code.python.refactor.organise import uses_of

    file = build(source)
    imports = Imports(file)
    gone = [
        item
        for item in imports.items
        if "." * item.level + item.module == module and (not name or item.name == name)
    ]
    for item in gone:
        if item.name != "*" and uses_of(file, item):
            _refuse(source, item.bound, uses_of(file, item)[0].start)
    return imports.remove(gone)


def _script(source: Source, module: str, name: str) -> list[Splice]:
    found: list[Splice] = []
    for statement in source.tree.root_node.named_children:
        origin = statement.child_by_field_name("source")
        if statement.type != "import_statement" or nodes.text(origin).strip("'\"") != module:
            continue
        bound = _bound(statement)
        gone = [(node, local) for node, imported, local in bound if not name or imported == name]
        for _, local in gone:
            used = _uses(source.tree.root_node, local, statement)
            if used is not None:
                _refuse(source, local, used.start_byte)
        if not gone and (name or bound):
            continue
        if len(gone) == len(bound):
            found.append(delete(source, statement))
        else:
            found += [_cut(source, node) for node, _ in gone]
    return found


def _cut(source: Source, node: Node) -> Splice:
    """One of several names out of an import: its braces go with the last name in them, and the comma beside."""
    parent = node.parent
    assert parent is not None
    if parent.type == "named_imports":
        if len(parent.named_children) > 1:
            return lists.delete(source, node)
        node, parent = parent, parent.parent or parent
    parts = parent.named_children
    index = parts.index(node)
    if index:
        return Splice(source.path, parts[index - 1].end_byte, node.end_byte, b"")
    return Splice(source.path, node.start_byte, parts[1].start_byte, b"")


def _bound(statement: Node) -> list[tuple[Node, str, str]]:
    """(node, imported name, local name) of all that an import binds."""
    found: list[tuple[Node, str, str]] = []
    for clause in statement.named_children:
        if clause.type != "import_clause":
            continue
        for part in clause.named_children:
            if part.type == "identifier":
                found.append((part, "default", nodes.text(part)))
            elif part.type == "namespace_import":
                found.append((part, "*", nodes.text(part.named_children[-1])))
            elif part.type == "named_imports":
                for one in part.named_children:
                    name, alias = one.child_by_field_name("name"), one.child_by_field_name("alias")
                    if one.type == "import_specifier":
                        found.append((one, nodes.text(name), nodes.text(alias or name)))
    return found


def _uses(root: Node, name: str, statement: Node) -> Node | None:
    """A place outside the import where the name stands (whatever it means there: a refusal costs little)."""
    wanted = name.encode()
    stack = [root]
    while stack:
        node = stack.pop()
        if node == statement:
            continue
        if not node.named_children and node.text == wanted and node.type.endswith("identifier"):
            if node.type != "property_identifier":
                return node
        stack.extend(reversed(node.named_children))
    return None


def _refuse(source: Source, name: str, at: int) -> None:
    row = source.data.count(b"\n", 0, at) + 1
    raise EditRefused(f"{name} is still used in {source.path}:{row}", hint="change the uses first")
