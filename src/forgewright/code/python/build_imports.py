"""The walk at import statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.python.scopes import Imported, Link, Segment, Site

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.build import Builder
    from forgewright.code.python.scopes import Scope


def segments(walk: Builder, path: Node, level: int, statement: Node) -> tuple[str, ...]:
    parts: list[str] = []
    for part in path.named_children:
        parts.append(walk.text(part))
        entry = Segment(part.start_byte, part.end_byte, level, tuple(parts), statement)
        walk.file.segments.setdefault(parts[-1], []).append(entry)
    return tuple(parts)


def import_(walk: Builder, node: Node, scope: Scope) -> None:
    for child in node.named_children:
        if child.type == "aliased_import":
            path, alias = child.child_by_field_name("name"), child.child_by_field_name("alias")
            if path is None or alias is None:
                continue
            module = segments(walk, path, 0, node)
            site = walk.keep(alias, scope, Site(0, 0, "import", scope, child))
            site.link = Link(0, module, None)
        elif child.type == "dotted_name":
            module = segments(walk, child, 0, node)
            site = walk.keep(child.named_children[0], scope, Site(0, 0, "import", scope, child))
            site.link = Link(0, module[:1], None)
            site.role = "import"


def from_(walk: Builder, node: Node, scope: Scope) -> None:
    origin = node.child_by_field_name("module_name")
    level = 0
    module: tuple[str, ...] = ()
    if node.type == "future_import_statement":
        module = ("__future__",)
    elif origin is not None:
        path: Node | None = origin
        if origin.type == "relative_import":
            prefix = origin.named_children[0]
            level = walk.text(prefix).count(".")
            path = origin.named_children[1] if len(origin.named_children) > 1 else None
        module = segments(walk, path, level, node) if path is not None else ()
    for child in node.named_children:
        if child == origin:
            continue
        if child.type == "wildcard_import":
            walk.file.stars.append((Link(level, module, None), scope))
            continue
        name, alias = child, None
        if child.type == "aliased_import":
            found, alias = child.child_by_field_name("name"), child.child_by_field_name("alias")
            if found is None:
                continue
            name = found
        elif child.type != "dotted_name":
            continue
        word = walk.text(name)
        link = Link(level, module, word)
        site = Site(0, 0, "from", scope, child)
        site.link = link
        site.role = "definition" if alias is not None else "import"
        walk.keep(alias or name, scope, site)
        entry = Imported(
            name.start_byte, name.end_byte, link, scope, site if alias is not None else None, child, node
        )
        walk.file.imported.setdefault(word, []).append(entry)
